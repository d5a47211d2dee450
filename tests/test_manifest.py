"""A manifest says what is wrong and in which line."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

pytest.importorskip("torch")

from roughcut.errors import DataError
from roughcut.timebase import TimeRange
from roughcut.training import manifest, prepare

GOOD = {"file": "a.mp4", "labels": {"keep": [[0, 1]]}}


def written(folder: Path, *lines: object) -> Path:
    (folder / "a.mp4").write_bytes(b"x")
    path = folder / "m.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def test_reads_clips_in_order(tmp_path: Path) -> None:
    """Comments and blank lines are skipped; ranges are exact; splits and licences are kept."""
    lines = ["# a comment", "", {**GOOD, "range": ["1001/24000", 2], "split": "val", "licence": "CC0"}, GOOD]
    clips = manifest.read(written(tmp_path, *lines)).clips
    assert [clip.line for clip in clips] == [3, 4]
    assert clips[0].range == TimeRange(Fraction(1001, 24000), Fraction(2))
    assert (clips[0].part(), clips[0].licence, clips[1].licence) == ("val", "CC0", "unknown")


def test_split_by_name_is_stable(tmp_path: Path) -> None:
    """Without a written split a file name always falls on the same side, about a tenth on validation."""
    clips = [manifest.Clip(file=tmp_path / f"{i}.mp4", labels={"a": 1}, line=1) for i in range(1000)]
    parts = [clip.part() for clip in clips]
    assert parts == [clip.part() for clip in clips]
    assert 60 < parts.count("val") < 140


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"m.jsonl:2: not JSON"),
        ("[1]", r"m.jsonl:2: not an object \(got list\)"),
        ({**GOOD, "lables": 1}, r"m.jsonl:2: unknown key \(got lables\); allowed: file, range, labels"),
        ({"labels": {"a": 1}}, r"m.jsonl:2: a clip needs a file"),
        ({**GOOD, "file": "b.mp4"}, r"m.jsonl:2: the file is missing \(got b.mp4\)"),
        ({"file": "a.mp4"}, r"m.jsonl:2: empty labels"),
        ({**GOOD, "labels": {"keep": []}}, r"m.jsonl:2: empty labels"),
        ({**GOOD, "range": [2, 1]}, r"m.jsonl:2: not a range \(got \[2, 1\]\)"),
        ({**GOOD, "range": "all"}, r"m.jsonl:2: not a range"),
        ({**GOOD, "split": "dev"}, r"m.jsonl:2: unknown split \(got dev\); allowed: train, val, test"),
    ],
)
def test_wrong_line_is_named(tmp_path: Path, line: object, message: str) -> None:
    """Every mistake gives one DataError with file, line, what was got and what is allowed."""
    with pytest.raises(DataError, match=message):
        manifest.read(written(tmp_path, GOOD, line))


def test_empty_and_missing(tmp_path: Path) -> None:
    """No file and no line are told apart."""
    with pytest.raises(DataError, match="cannot be read"):
        manifest.read(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="the manifest is empty"):
        manifest.read(written(tmp_path, "# nothing"))


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([], "empty labels"),
        ([[1]], "not a label span"),
        ([[2, 1]], "not a label span"),
        ([[0, float("nan")]], "not a label span"),
        ([[0, 11]], r"a label lies beyond the film \(got \[0, 11\]\); allowed: \[0, 10.000\]"),
    ],
)
def test_label_spans_are_checked(spans: list[object], message: str) -> None:
    """Spans are pairs of numbers that rise and lie inside the film."""
    with pytest.raises(DataError, match=message):
        manifest.check_spans("m.jsonl:1", spans, 10.0)


def test_prepare_shots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only single shots that may be trained on, all pictures and the films' frames get into the manifest."""
    index = tmp_path / "moments" / "frames" / "index.json"
    index.parent.mkdir(parents=True)
    index.write_text('[{"ds": "summe", "video": "v", "frame": 0, "step": 0, "file": "frames/f.jpg"}]')
    (tmp_path / "moments" / "frames" / "f.jpg").write_bytes(b"x")
    (tmp_path / "shots" / "single").mkdir(parents=True)
    for name in ("shots/single/a.mp4", "shots/single/b.mp4", "p.jpg"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "video.csv").write_text(
        "file,train,source_repo,licence\nshots/single/a.mp4,yes,x/y,CC0\nshots/single/b.mp4,no,x/y,?\n"
    )
    (tmp_path / "images.csv").write_text("file,source,licence\np.jpg,https://example.org,CC0\n")
    out = tmp_path / "out" / "shots.jsonl"
    assert prepare.main(["shots", str(tmp_path), "-o", str(out)]) == 0
    clips = manifest.read(out).clips
    material = [(clip.file.name, clip.labels["material"]) for clip in clips]
    assert material == [("a.mp4", "shot"), ("p.jpg", "still"), ("f.jpg", "still")]
    assert prepare.main(["shots", str(tmp_path / "nowhere"), "-o", str(out)]) == 2
    assert "the data folder lacks a table" in capsys.readouterr().err
