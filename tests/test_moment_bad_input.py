"""Moments on films and data that nobody hopes for: one frame, black, 100,000 cuts, wrong labels, other networks."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from footage import make_analysis
from media import write_media
from roughcut.cli.commands import app
from roughcut.errors import DataError, ModelError
from roughcut.models import store
from roughcut.planner import PlanOptions, make_plan
from roughcut.records import Features, FrameTimes
from roughcut.temporal.moments import MomentMapper

pytest.importorskip("torch")
pytest.importorskip("h5py")

import h5py
import torch

from roughcut.evaluation.annotations import read_annotations
from roughcut.training.moments import MomentTask
from roughcut.training.tasks import TaskInput

BLACK = np.zeros((32, 48, 3), np.uint8)
GREY = np.clip(120 + np.random.default_rng(0).integers(-20, 20, (32, 48, 3)), 0, 255).astype(np.uint8)
WORDS = ["dog", "cat", "car", "man", "tree", "boat", "house", "river", "bird", "cake"]


@pytest.mark.parametrize("frames", [[GREY], [BLACK] * 40, [GREY] * 60], ids=["one frame", "pure black", "one shot"])
def test_films_of_one_shot(frames: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have one moment inside the film, values in 0..1, and a picture."""
    monkeypatch.setenv("ROUGHCUT_CACHE", str(tmp_path / "cache"))
    film, plot = write_media(tmp_path / "a.mp4", frames), tmp_path / "plot.png"
    done = CliRunner().invoke(app, ["moments", str(film), "--json", "--plot", str(plot)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert all(0 <= v <= 1 for v in told["keep"]["values"])
    assert len(told["moments"]) == 1
    assert told["start"] <= told["moments"][0]["start"] < told["moments"][0]["end"] <= told["end"]
    assert plot.stat().st_size > 1000


@pytest.mark.parametrize("cuts", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_film_that_cuts_at_every_frame(cuts: int) -> None:
    """It is planned, inside its target, whether it lasts three minutes or an hour."""
    footage = make_analysis([0.04] * cuts)
    plan = make_plan([footage], PlanOptions(target=Fraction(60), keep="highlights", transitions="cuts"))
    assert 0 < plan.duration <= 60


def test_embeddings_that_are_no_numbers_are_refused() -> None:
    """NaN in the features is an error that names them, not a film of NaN."""
    embeddings = np.zeros((4, 128), np.float32)
    embeddings[2, 5] = np.nan
    seen = Features(
        times=FrameTimes(pts=np.arange(50), end_pts=50, time_base=Fraction(1, 25)),
        frame_stats=np.zeros((50, 4), np.float32), picture_frames=np.array([0, 12, 25, 37]), embeddings=embeddings,
        pictures=np.zeros((4, 36, 64, 3), np.uint8), sound=np.zeros((0, 42), np.float32),
        speech=np.zeros(0, np.float32),
    )  # fmt: skip
    with pytest.raises(ModelError, match="encoder: an embedding is not a number"):
        MomentMapper().map(seen)


def test_a_network_of_another_version_is_refused() -> None:
    """A card with other heads is named, with what is allowed."""
    shipped = store.load("moments")
    for heads in ({"keep": {}}, {}, None):
        with pytest.raises(ModelError, match=r"moments: .*lacks heads.*keep, accent, lull"):
            MomentMapper(replace(shipped, card={**shipped.card, "heads": heads}))


def annotations(folder: Path, change: dict[str, object] | None = None, films: int = 3, rows: int = 40) -> Path:
    """A TVSum of a few films of random captions; `change` replaces entries of the last film."""
    rng = np.random.default_rng(0)
    path = folder / "tvsum_anno.h5"
    with h5py.File(path, "w") as file:
        for i in range(films):
            entries: dict[str, object] = {
                "captions": json.dumps([" ".join(rng.choice(WORDS, 3)) for _ in range(rows)]),
                "picks": np.arange(rows) * 15,
                "user_scores": rng.integers(1, 6, (4, rows * 15)).astype(np.float32),
            }
            if i == films - 1:
                entries |= change or {}
            group = file.create_group(f"video_{i}")
            for key, value in entries.items():
                group[key] = value
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"captions": "[]"}, "tvsum/video_2: empty labels"),
        ({"picks": np.zeros(0, np.int64)}, "tvsum/video_2: empty labels"),
        ({"user_scores": np.zeros((0, 600), np.float32)}, "tvsum/video_2: empty labels"),
        ({"picks": np.arange(40) * 16}, r"video_2: a label lies beyond the film \(got frame 624\); allowed: 0 to 599"),
        ({"picks": np.arange(40) - 1}, "video_2: a label lies beyond the film"),
        ({"user_scores": np.full((4, 600), np.nan, np.float32)}, "video_2: a score is not a number"),
        ({"captions": "{"}, "the annotations cannot be read"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    """Each is one DataError with the file and the film."""
    with pytest.raises(DataError, match=message):
        read_annotations(annotations(tmp_path, change), "tvsum")


def task(folder: Path, *more: dict[str, object]) -> MomentTask:
    lines = [{"file": "tvsum_anno.h5", "labels": {"annotations": "tvsum"}}, *more]
    (folder / "m.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    options = {"words": 4, "sentences": 0, "validation": 0.0}
    return MomentTask(TaskInput(data=folder / "m.jsonl", options=options))


def picture(folder: Path, step: int) -> dict[str, object]:
    from PIL import Image

    Image.fromarray(GREY).save(folder / f"{step}.jpg")
    return {"file": f"{step}.jpg", "labels": {"film": "tvsum/video_0", "step": step}}


def test_the_manifest_lacks_a_file(tmp_path: Path) -> None:
    """A missing file is named with its line."""
    with pytest.raises(DataError, match=r"m\.jsonl:1: the file is missing \(got tvsum_anno\.h5\)"):
        task(tmp_path)


def test_no_pictures_no_bridge(tmp_path: Path) -> None:
    """Annotations without any picture cannot be tied to pictures."""
    annotations(tmp_path)
    with pytest.raises(DataError, match="no pictures to tie captions to"):
        task(tmp_path)


def test_a_picture_beyond_its_film(tmp_path: Path) -> None:
    """A picture of a row that the film does not have is named."""
    annotations(tmp_path)
    with pytest.raises(DataError, match=r"40\.jpg: the label lies beyond its film \(got row 40\); allowed: 0 to 39"):
        task(tmp_path, picture(tmp_path, 40))


def test_labels_of_one_class(tmp_path: Path) -> None:
    """Where everybody scored every film evenly there is nothing to learn, and that is said."""
    annotations(tmp_path, {"user_scores": np.full((4, 600), 3.0, np.float32)}, films=1)
    with pytest.raises(DataError, match="one class of accent only"):
        task(tmp_path, picture(tmp_path, 3)).network()


def test_a_checkpoint_of_another_version(tmp_path: Path) -> None:
    """A run of a network of other sizes cannot be resumed; one short line says what does not fit."""
    from roughcut.networks.moments import MomentNetwork
    from roughcut.temporal.moments import HEADS
    from roughcut.training import checkpoint

    def network(hidden: int) -> tuple[MomentNetwork, torch.optim.Optimizer]:
        made = MomentNetwork(4, HEADS, hidden=hidden, layers=1, dropout=0.0)
        return made, torch.optim.AdamW(made.parameters())

    checkpoint.save(tmp_path, *network(8), {"step": 1}, None)
    with pytest.raises(
        ModelError, match=r"weights of another network \(got size mismatch for .* and \d+ more\)"
    ) as found:
        checkpoint.load(tmp_path, *network(16), None)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 500
