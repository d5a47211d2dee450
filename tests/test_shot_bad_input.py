"""Shot boundaries on films and data that nobody hopes for: one frame, one shot, black, one class, other versions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from media import write_media
from roughcut.cli.commands import app
from roughcut.errors import DataError, ModelError
from roughcut.models import store
from roughcut.temporal.shots import ShotMapper

pytest.importorskip("torch")

from roughcut.evaluation.run import evaluate
from roughcut.records import no_progress
from roughcut.training import manifest
from roughcut.training.material import load_footage

shipped = pytest.mark.skipif("shots" not in store.names(), reason="the shot networks are not shipped yet")
BLACK = np.zeros((32, 48, 3), np.uint8)


def scenes(*levels: int, frames: int = 20) -> list[np.ndarray]:
    """A textured picture in each of these greys, held for some frames."""
    texture = np.random.default_rng(0).integers(-20, 20, (32, 48, 3))
    return [np.clip(level + texture, 0, 255).astype(np.uint8) for level in levels for _ in range(frames)]


def shots_of(path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setenv("ROUGHCUT_CACHE", str(cache))
    done = CliRunner().invoke(app, ["shots", str(path), "--json"])
    assert done.exit_code == 0, done.output
    told: dict[str, object] = json.loads(done.stdout)
    return told


@shipped
@pytest.mark.parametrize(
    "frames", [[BLACK], [BLACK] * 40, scenes(120, frames=40)], ids=["one frame", "pure black", "one shot"]
)
def test_films_of_one_shot(frames: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no transition and one shot that holds every frame."""
    told = shots_of(write_media(tmp_path / "a.mp4", frames), tmp_path / "cache", monkeypatch)
    assert (told["frames"], told["transitions"]) == (len(frames), [])
    assert [(s["first"], s["stop"]) for s in told["shots"]] == [(0, len(frames))]  # type: ignore[attr-defined]


def test_a_network_of_another_version_is_refused() -> None:
    """A card with other heads or thresholds is a ModelError that says what is missing, not a crash."""
    shipped_one = store.load("shots")
    fewer = {k: v for k, v in shipped_one.card["heads"].items() if k != "extent"}
    for change in ({"heads": fewer}, {"thresholds": {"cut": 0.5, "old": 1}}, {"thresholds": None}):
        other = replace(shipped_one, card={**shipped_one.card, **change})
        with pytest.raises(ModelError, match=r"shots: a shot network of another version .*extent"):
            ShotMapper(mapper=other)


@shipped
def test_films_of_one_class_are_evaluated(tmp_path: Path) -> None:
    """Only cuts to find, and nothing to find: both give figures, none divides by nothing."""
    write_media(tmp_path / "cuts.mp4", scenes(40, 200, 90))
    cuts = [{"type": "cut", "start": t - 1, "end": t, "sub": "jump"} for t in (20, 40)]
    (tmp_path / "cuts.mp4.json").write_text(json.dumps({"frames": 60, "transitions": cuts}))
    write_media(tmp_path / "none.mp4", scenes(120, frames=30))
    (tmp_path / "none.mp4.json").write_text(json.dumps({"frames": 30, "transitions": []}))
    report = evaluate("shots", tmp_path)
    told = report.json()
    assert told["truths"] == {"cut": 2}
    films = told["methods"]["network"]["films"]
    assert (films["cuts.mp4"]["hits"], films["none.mp4"]["f1"]) == (2, 1.0)
    head, network, *_, styles, cost = report.table().splitlines()
    assert "cut" in head
    assert "dissolve" not in head
    assert "2/2" in network
    assert styles.endswith("jump 2/2")
    assert "90 frames; network: " in cost


@shipped
def test_truth_of_another_length(tmp_path: Path) -> None:
    """A truth that counts other frames than the film has belongs to another film."""
    write_media(tmp_path / "a.mp4", scenes(120, frames=10))
    (tmp_path / "a.mp4.json").write_text(json.dumps({"frames": 12, "transitions": []}))
    with pytest.raises(DataError, match=r"a.mp4: the truth counts other frames than the film has \(got 12\)"):
        evaluate("shots", tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"range": [5, 6]}, r"a.mp4: the range lies beyond the film .*allowed: up to"),
        ({"labels": {"material": "stil"}}, r"names its material \(got stil\)"),
        ({"file": "gone.mp4"}, "the file is missing"),
        ({"labels": {}}, "empty labels"),
    ],
    ids=["beyond the film", "unknown material", "missing file", "empty labels"],
)
def test_wrong_clips(line: dict[str, object], message: str, tmp_path: Path) -> None:
    """A manifest that asks for what is not there is a DataError with its place."""
    write_media(tmp_path / "a.mp4", scenes(120, frames=10))
    entry = {"file": "a.mp4", "labels": {"material": "shot"}, "split": "train", **line}
    listed = tmp_path / "m.jsonl"
    listed.write_text(json.dumps(entry))
    with pytest.raises(DataError, match=message):
        load_footage(manifest.read(listed), "train", tmp_path / "cache", no_progress)
