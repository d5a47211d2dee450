"""Expressions: figures known by construction, faces that move as asked, an export that says the same, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from roughcut.errors import DataError, ModelError, OptionError
from roughcut.evaluation.expression import auc, evaluate_expression, find_faces, judge
from roughcut.features.expression import CLASSES, square_crop
from roughcut.networks.expression import ExpressionNetwork
from roughcut.training.expression import ExpressionTask, disturbed, folded
from roughcut.training.run import train
from roughcut.training.tasks import TaskInput

HAPPY, SAD, NEUTRAL = (CLASSES.index(name) for name in ("happy", "sad", "neutral"))


def mosaic(folder: Path, part: str, faces: int = 12) -> None:
    """A mosaic of 4 columns: happy faces bright below, sad ones bright above."""
    rng = np.random.default_rng(len(part))
    labels = [HAPPY if i % 4 < 2 else SAD for i in range(faces)]
    tiles = rng.integers(0, 60, (faces, 48, 48), np.uint8)
    for tile, label in zip(tiles, labels, strict=True):
        tile[24:] += np.uint8(150 if label == HAPPY else 0)
        tile[:24] += np.uint8(150 if label == SAD else 0)
    rows = tiles.reshape(faces // 4, 4, 48, 48).swapaxes(1, 2).reshape(-1, 4 * 48)
    Image.fromarray(rows).save(folder / f"{part}.png")
    (folder / f"{part}.txt").write_text("".join(f"{label}\n" for label in labels))


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = []
    for split in ("train", "val"):
        mosaic(tmp_path, split)
        entry = {"file": f"{split}.png", "labels": {"labels": f"{split}.txt", "first": 0}, "split": split}
        lines.append(json.dumps(entry))
    path = tmp_path / "expression.jsonl"
    path.write_text("\n".join(lines))
    return path


def face_folders(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).mkdir(parents=True)
        Image.new("L", (60, 70), 90).save(folder / name / "a.png")
    return folder


def test_areas_known_by_construction() -> None:
    """Two positives above one of two negatives and level with the other: 2 + 2 halves of 4 pairs."""
    assert auc(np.array([1.0, 1.0, 0.0, 1.0]), np.array([True, True, False, False])) == 0.75
    assert auc(np.array([0.1, 0.9]), np.array([False, True])) == 1.0
    assert auc(np.array([0.1, 0.9]), np.array([True, True])) is None


def test_report_counts_what_is_there() -> None:
    """One of three happy faces is missed; a neutral one counts for smiles, not for the sign of valence."""
    logits = np.full((5, 7), -5.0, np.float32)
    labels = np.array([HAPPY, HAPPY, HAPPY, SAD, NEUTRAL])
    for row, said in zip(logits, (HAPPY, HAPPY, NEUTRAL, SAD, NEUTRAL), strict=True):
        row[said] = 5
    report = judge(logits, labels)
    assert report.accuracy == 0.8
    assert report.majority == 0.6
    assert report.per_class == {"happy": pytest.approx(2 / 3), "neutral": 1.0, "sad": 1.0}
    assert report.valence_auc == 1.0
    assert report.smile_auc == pytest.approx(5 / 6, abs=0.1)
    assert "most frequent: 0.600" in report.table()


def test_a_missing_class_leaves_its_area_empty() -> None:
    """Without happy faces there is no smile to tell from others; the table says so."""
    report = judge(np.eye(7, dtype=np.float32)[[SAD, NEUTRAL]], np.array([SAD, NEUTRAL]))
    assert report.smile_auc is None
    assert report.valence_auc is None
    assert "smile AUC -" in report.table()


def test_folders_and_tables_are_read_alike(tmp_path: Path) -> None:
    """Other customary names are understood; hidden folders are passed over."""
    data = face_folders(tmp_path / "d", "happiness", "sad", ".cache")
    table = tmp_path / "faces.csv"
    table.write_text("file,label\nd/happiness/a.png,Happy\nd/sad/a.png,sadness\n")
    assert [label for _, label in find_faces(data)] == [HAPPY, SAD]
    assert find_faces(table) == find_faces(data)


def test_bad_evaluation_data_is_told(tmp_path: Path) -> None:
    """Each mistake names its place and what is allowed."""
    with pytest.raises(DataError, match=r"unknown expression.*bored.*angry"):
        find_faces(face_folders(tmp_path / "a", "bored"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no faces there"):
        find_faces(tmp_path / "empty")
    table = tmp_path / "t.csv"
    for text, said in (
        ("file,label\nno.png,sad\n", r"t\.csv:2: the file is missing"),
        ("name\nx\n", r"t\.csv:2: a row needs a file and a label"),
        ("file,label\nt.csv,bored\n", r"t\.csv:2: unknown expression"),
        ("file,label\n", "no faces there"),
    ):
        table.write_text(text)
        with pytest.raises(DataError, match=said):
            find_faces(table)
    with pytest.raises(OptionError, match="not an option"):
        evaluate_expression(tmp_path, split="csta")
    with pytest.raises(ModelError):
        evaluate_expression(face_folders(tmp_path / "b", "sad"), models=tmp_path)


def test_light_contrast_and_mirror_do_not_matter() -> None:
    """In use, a face, its mirror image and a darker, flatter copy get nearly the same logits."""
    torch.manual_seed(0)
    network = ExpressionNetwork().eval()
    face = torch.rand(1, 48, 48) * 200
    with torch.no_grad():
        assert torch.allclose(network(face), network(face.flip(2)), atol=1e-5)
        assert torch.allclose(network(face), network(face * 0.7 + 20), atol=1e-2)


def test_folding_changes_nothing() -> None:
    """Batch norms with statistics of their own, folded away, leave the logits as they were."""
    torch.manual_seed(0)
    network = ExpressionNetwork().train()
    faces = torch.rand(8, 48, 48) * 255
    for _ in range(3):
        network(faces)
    network.eval()
    with torch.no_grad():
        before = network(faces)
        after = folded(network)(faces)
    assert torch.allclose(before, after, atol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules())


def test_disturbed_faces_differ_and_repeat() -> None:
    """The same draw gives the same faces; they stay in range."""
    faces = torch.rand(6, 48, 48) * 255
    one, two, other = (disturbed(faces, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert float(one.min()) >= 0
    assert float(one.max()) <= 255


def test_training_learns_exports_and_is_measured(manifest: Path, tmp_path: Path) -> None:
    """Two plain classes are learned in a few steps; the file stays below 1 MB and can be measured."""
    config = tmp_path / "c.toml"
    config.write_text("[train]\nwarmup = 2\nvalidate_every = 15\n[task]\nbatch = 16\nmixup = 0.0\n")
    result = train("expression", manifest, tmp_path / "run", config=config, steps=15)
    assert result.models[0].stat().st_size <= 1_000_000
    data = tmp_path / "faces"
    for i, (name, top, bottom) in enumerate((("happy", 0, 200), ("sad", 200, 0))):
        (data / name).mkdir(parents=True)
        picture = np.full((48, 48), top, np.uint8)
        picture[24:] = bottom
        Image.fromarray(picture).save(data / name / f"{i}.png")
    report = evaluate_expression(data, models=tmp_path / "run")
    assert report.smile_auc == 1.0
    assert report.faces == 2


def test_labels_that_do_not_fit_are_told(manifest: Path, tmp_path: Path) -> None:
    """A label beyond the classes names the manifest's line."""
    (tmp_path / "train.txt").write_text("9\n")
    with pytest.raises(DataError, match=r"expression\.jsonl:1: labels do not fit"):
        ExpressionTask(TaskInput(data=manifest))


def test_square_crop_goes_beyond_the_border() -> None:
    """A box at the border is completed in black, not squashed."""
    crop = square_crop(Image.new("L", (40, 40), 255), (-20, 0, 20, 40), 48)
    assert crop.shape == (48, 48)
    assert crop[:, :23].max() == 0
    assert crop[:, 25:].min() == 255
