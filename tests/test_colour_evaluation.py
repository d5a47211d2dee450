"""`evaluate colour` and the held-out set: figures known by construction, splits that agree, bad folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from roughcut.errors import DataError, ModelError
from roughcut.evaluation.colour import (
    auto_levels,
    evaluate_colour,
    find_pairs,
    gray_world,
    shades_of_gray,
)
from roughcut.evaluation.colour_set import SETS, build, colour_part, degraded, main
from roughcut.evaluation.delta_e import display, linear, picture_delta_e
from roughcut.training.prepare import prepare


def scene(seed: int = 0) -> np.ndarray:
    """A picture [60, 80, 3] of many patches whose mean is grey in linear light."""
    light = np.random.default_rng(seed).random((6, 8, 3))
    light *= light.mean() / light.mean((0, 1))
    return (display(light.clip(0, 1).repeat(10, 0).repeat(10, 1)) * 255).round().astype(np.uint8)


def save(folder: Path, name: str, faulty: np.ndarray, target: np.ndarray) -> None:
    for part, picture in (("degraded", faulty), ("target", target)):
        (folder / part).mkdir(exist_ok=True, parents=True)
        Image.fromarray(picture).save(folder / part / name)


def tinted(picture: np.ndarray) -> np.ndarray:
    return (display(linear(picture / 255) * [0.7, 0.5, 0.35]) * 255).round().astype(np.uint8)


def test_gray_world_undoes_a_cast_on_a_grey_scene() -> None:
    """Where its assumption holds, the classic is nearly exact in hue; equal pictures differ by nothing."""
    good = scene()
    mended = linear(gray_world(tinted(good)) / 255).mean((0, 1))
    assert mended.max() / mended.min() < 1.02
    assert picture_delta_e(gray_world(good) / 255, good / 255) < 0.5


def test_auto_levels_fills_the_range() -> None:
    """A picture that uses half of the range uses all of it afterwards."""
    out = auto_levels((scene() // 2 + 60).astype(np.uint8))
    assert out.min() == 0
    assert out.max() == 255
    assert shades_of_gray(scene()).shape == (60, 80, 3)


def test_report_on_known_pairs(tmp_path: Path) -> None:
    """Equal pairs give 0 for the input row, in the table and in JSON; the product is measured beside the classics."""
    for i in range(2):
        save(tmp_path, f"{i}.png", scene(i), scene(i))
    report = evaluate_colour(tmp_path)
    assert report.pictures == 2
    assert report.scores["input"].delta_e == 0
    assert report.scores["input"].psnr == 60
    assert list(report.scores) == ["input", "gray-world", "shades-of-gray", "auto-levels", "ours"]
    assert report.table().splitlines()[0].split() == ["2", "pictures", "dE00", "PSNR", "angle", "changed", "harmed"]
    assert json.loads(json.dumps(report.json()))["scores"]["input"]["harmed"] == 0


def test_folders_must_pair(tmp_path: Path) -> None:
    """Missing folders, empty ones, lonely pictures, other sizes and broken files are named."""
    with pytest.raises(DataError, match="degraded"):
        find_pairs(tmp_path)
    (tmp_path / "degraded").mkdir()
    (tmp_path / "target").mkdir()
    with pytest.raises(DataError, match="no picture"):
        find_pairs(tmp_path)
    save(tmp_path, "a.png", scene()[:10], scene())
    with pytest.raises(DataError, match="differ in size"):
        evaluate_colour(tmp_path)
    (tmp_path / "target" / "b.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="partner"):
        find_pairs(tmp_path)
    (tmp_path / "degraded" / "b.png").write_bytes(b"no picture")
    (tmp_path / "degraded" / "a.png").unlink()
    (tmp_path / "target" / "a.png").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        evaluate_colour(tmp_path)


def test_models_folder_without_a_network(tmp_path: Path) -> None:
    """A folder named for trained networks must hold one."""
    save(tmp_path, "a.png", scene(), scene())
    with pytest.raises(ModelError):
        evaluate_colour(tmp_path, models=tmp_path)


def data_folder(folder: Path, count: int = 40) -> Path:
    names = [f"images/{i}.png" for i in range(count)]
    (folder / "images").mkdir()
    for name in names:
        Image.fromarray(scene(1)).save(folder / name)
    rows = "".join(f"{n},test,CC0\n" for n in names)
    (folder / "images.csv").write_text(f"file,source,licence\n{rows}")
    (folder / "video.csv").write_text("file,train,source_repo,licence\n")
    for table, text in (("moments/frames/index.json", "[]"), ("faces/portraits.csv", "file,label,person\n")):
        (folder / table).parent.mkdir(parents=True)
        (folder / table).write_text(text)
    return folder


def test_what_is_measured_was_never_trained_on(tmp_path: Path) -> None:
    """The builder takes exactly the pictures that the training manifest marks as test, and builds the same twice."""
    data = data_folder(tmp_path)
    prepare("colour", data, tmp_path / "colour.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "colour.jsonl").read_text().splitlines()]
    kept = {Path(line["file"]).stem for line in lines if line["split"] == "test"}
    count = build(data, tmp_path / "set")
    assert count == len(kept) > 0
    for kind in SETS:
        assert {a.stem for a, _ in find_pairs(tmp_path / "set" / kind)} == kept
    first = (tmp_path / "set" / "all" / "degraded").glob("*.png")
    before = {p.name: p.read_bytes() for p in first}
    build(data, tmp_path / "set")
    assert all((tmp_path / "set" / "all" / "degraded" / n).read_bytes() == b for n, b in before.items())


def test_builder_without_material(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No table: one line and exit code 2."""
    assert main([str(tmp_path), str(tmp_path / "out")]) == 2
    assert "images.csv" in capsys.readouterr().err


def test_fault_families() -> None:
    """Clean pictures are recorded only; every fault moves the picture; parts are about a twelfth."""
    good = scene()
    rng = np.random.default_rng(0)
    assert picture_delta_e(degraded(good, {}, rng) / 255, good / 255) < 6  # hard patches through JPEG
    for name, (_, fault) in SETS["all"].items():
        moved = [picture_delta_e(np.asarray(fault(Image.fromarray(good), rng)) / 255, good / 255) for _ in range(8)]
        assert max(moved) > 2, name
    parts = [colour_part(f"images/{i}.jpg") for i in range(1200)]
    assert 60 < parts.count("test") < 140
    assert 60 < parts.count("val") < 140
