"""The task `shots`, from a manifest to networks that run: small, but the whole way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from roughcut.errors import DataError  # noqa: E402
from roughcut.models import store  # noqa: E402
from roughcut.networks.shots import ShotConfig, ShotNetwork  # noqa: E402
from roughcut.records import no_progress  # noqa: E402
from roughcut.temporal.shots import ShotMapper  # noqa: E402
from roughcut.training import manifest  # noqa: E402
from roughcut.training.checkpoint import load_weights  # noqa: E402
from roughcut.training.material import STILL_SIZE, load_footage  # noqa: E402
from roughcut.training.run import train  # noqa: E402
from roughcut.training.shots import ShotTask  # noqa: E402
from roughcut.training.tasks import TaskInput  # noqa: E402

SMALL = (
    "[train]\nsteps = 2\nvalidate_every = 2\n"
    "[task]\nbatch = 2\nframes = 24\nhidden = 8\nchannels = [4, 4, 4]\nvalidation_films = 1\nvalidation_frames = 60\n"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A manifest of six noise pictures."""
    rng = np.random.default_rng(0)
    lines = []
    for i in range(6):
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        split = "val" if i > 3 else "train"
        lines.append({"file": f"{i}.png", "labels": {"material": "still"}, "split": split, "licence": "CC0"})
    path = tmp_path / "shots.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_from_manifest_to_running_networks(data: Path, tmp_path: Path) -> None:
    """Training exports two networks with cards; streamed, they say what the PyTorch network says of the whole film."""
    config = tmp_path / "small.toml"
    config.write_text(SMALL)
    result = train("shots", data, tmp_path / "out", config=config, seed=4)
    frames, mapper = (store.load_path(path) for path in result.models)
    assert mapper.card["training_data"] == ["6 clips: CC0"]
    assert (mapper.card["recipe"]["seed"], mapper.card["recipe"]["steps"]) == (4, 2)
    assert set(mapper.card["baselines"]) == {"frame_difference", "histogram_difference"}
    film = np.random.default_rng(1).integers(0, 256, (300, 27, 48, 3), dtype=np.uint8)
    runtime = ShotMapper(frames, mapper)
    for first in range(0, 300, 70):
        runtime.push(film[first : first + 70])
    network = ShotNetwork(ShotConfig(hidden=8, channels=(4, 4, 4))).eval()
    load_weights(network, tmp_path / "out" / "best.safetensors")
    with torch.no_grad():
        wanted = torch.sigmoid(network(torch.from_numpy(film)[None])["change"][0]).numpy()
    np.testing.assert_allclose(runtime.finish().cut, wanted[:, 0], atol=1e-4)


def test_batches_depend_on_seed_and_step_alone(data: Path, tmp_path: Path) -> None:
    """The same step gives the same films whenever it is asked for: what resume builds on."""
    task = ShotTask(TaskInput(data=data, options={"batch": 2, "frames": 20}, seed=1, cache=tmp_path / "cache"))
    first, again, other = task.batch(5), task.batch(5), task.batch(6)
    assert torch.equal(first["thumbs"], again["thumbs"])
    assert not torch.equal(first["thumbs"], other["thumbs"])
    assert first["thumbs"].shape == (2, 20, 27, 48, 3)


def test_footage_is_read_once(data: Path, tmp_path: Path) -> None:
    """A picture is kept small in the cache and read from there the second time."""
    told = manifest.read(data)
    footage = load_footage(told, "train", tmp_path / "cache", no_progress)
    assert footage.stills[0].shape == (1, STILL_SIZE[1], STILL_SIZE[0], 3)
    kept = sorted((tmp_path / "cache").glob("*.npy"))
    assert len(kept) == 4
    np.save(kept[0], np.zeros_like(footage.stills[0]))
    again = load_footage(told, "train", tmp_path / "cache", no_progress)
    assert sum(int(s.max() == 0) for s in again.stills) == 1


def test_wrong_material(data: Path, tmp_path: Path) -> None:
    """A clip without a known material, a broken picture, and a split without clips are named."""
    text = data.read_text()
    data.write_text(text.replace('"still"', '"film"', 1))
    with pytest.raises(DataError, match=r"shots.jsonl:1: a clip for shots names its material \(got film\)"):
        ShotTask(TaskInput(data=data, cache=tmp_path / "cache"))
    data.write_text(text.replace('"val"', '"train"'))
    with pytest.raises(DataError, match=r"no clip to draw from .*split val"):
        ShotTask(TaskInput(data=data, cache=tmp_path / "cache"))
    data.write_text(text)
    (tmp_path / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"0.png: the picture cannot be read"):
        ShotTask(TaskInput(data=data, cache=tmp_path / "other"))
