"""`evaluate moments` from a data folder alone: folds are trained, their test films kept out, both sets measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("h5py")

import h5py

from roughcut.cli.commands import app
from roughcut.training import folds
from roughcut.training.moments import MomentTask
from roughcut.training.tasks import TaskInput

FILMS, ROWS = 4, 60
WORDS = ["cat", "car", "man", "tree", "boat", "house", "river", "bird", "cake"]
TINY = {"train": {"steps": 2, "validate_every": 1}, "task": {"validation": 0.0, "words": 10, "sentences": 0}}


def data_folder(folder: Path) -> Path:
    """TVSum and SumMe in small: everybody likes dogs; the first picture of each film is there."""
    rng = np.random.default_rng(0)
    moments = folder / "moments"
    (moments / "splits").mkdir(parents=True)
    index = []
    for name, scores, split in (("tvsum", "user_scores", "TVSum"), ("summe", "user_summary", "SumMe")):
        with h5py.File(moments / f"{name}_anno.h5", "w") as file:
            for i in range(FILMS):
                dogs = np.repeat(rng.random(ROWS // 6) < 0.4, 6)
                captions = [f"a {rng.choice(WORDS)} and a {'dog' if dog else rng.choice(WORDS)}" for dog in dogs]
                people = 1 + 3 * dogs + rng.normal(0, 0.5, (5, ROWS)) if name == "tvsum" else (dogs + np.zeros((5, 1)))
                group = file.create_group(f"video_{i}")
                group["captions"], group["picks"] = json.dumps(captions), np.arange(ROWS) * 15
                group[scores] = np.repeat(people, 15, 1).astype(np.float32)
                picture = f"frames/{name}_{i}.jpg"
                (moments / "frames").mkdir(exist_ok=True)
                Image.fromarray(rng.integers(0, 255, (27, 48, 3), np.uint8)).save(moments / picture)
                index += [
                    {"ds": name, "video": f"video_{i}", "frame": 15 * s, "step": s, "file": picture} for s in (0, 9)
                ]
        parts = [",".join(f"video_{i}" for i in range(FILMS) if i % 2 == fold) for fold in range(2)]
        lines = [f"{split}/split{fold}/{parts[1 - fold]}/{parts[fold]}" for fold in range(2)]
        (moments / "splits" / f"csta_{split}_splits.txt").write_text("\n".join(lines))
    (moments / "frames" / "index.json").write_text(json.dumps(index))
    return folder


def test_evaluate_needs_the_data_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What everybody likes is found in films of both sets that no fold has seen, and nothing is left behind."""
    monkeypatch.setattr(folds, "RECIPE", TINY)
    monkeypatch.setattr(folds, "FOLDS", 2)
    data = data_folder(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = CliRunner().invoke(app, ["evaluate", "moments", "--data", str(data), "--split", "csta", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["captions"]
    assert [len(told[method]["tvsum"]) for method in ("network", "ridge", "random")] == [2, 2, 2]
    assert np.mean([fold["rho"] for fold in told["ridge_shown"]["tvsum"]]) > 0.3
    assert np.mean([fold["rho"] for fold in told["ridge_shown"]["summe"]]) > 0.3
    assert sorted(tmp_path.rglob("*")) == before


def test_test_films_are_kept_out_of_everything(tmp_path: Path) -> None:
    """A fold's network, space and bridge are the same whatever its test films hold and whatever people said of them."""
    data = data_folder(tmp_path)
    one = task(data)
    with h5py.File(data / "moments" / "tvsum_anno.h5", "a") as file:
        del file["video_0/captions"], file["video_0/user_scores"]
        file["video_0/captions"] = json.dumps(["an unheard of zebra"] * ROWS)
        file["video_0/user_scores"] = np.ones((5, ROWS * 15), np.float32)
    two = task(data)
    assert "tvsum/video_0" in one.test
    np.testing.assert_array_equal(one.bridge.weight, two.bridge.weight)
    np.testing.assert_array_equal(one.space.words.axes, two.space.words.axes)
    for a, b in zip(one.network().linear.parameters(), two.network().linear.parameters(), strict=True):
        assert bool((a == b).all())


def task(data: Path) -> MomentTask:
    from roughcut.training.prepare import prepare

    prepare("moments", data, data / "moments.jsonl")
    return MomentTask(TaskInput(data=data / "moments.jsonl", options={**TINY["task"], "fold": 0}))
