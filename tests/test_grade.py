"""Grading alone: pictures of every kind, folders, films; looks for other programs; bad input."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from golden.make_effects import film, picture
from media import flat, write_media
from roughcut import pipeline
from roughcut.cli.commands import app
from roughcut.effects.cubes import apply_cdl, cdl_of, through_lut
from roughcut.effects.looks import LUT_SIZE, apply_controls, apply_lut, bake, read_cube, write_cube
from roughcut.errors import InputError, OptionError, OutputError
from roughcut.grading import Wish, grade_pictures, pictures_in
from roughcut.media.picture_files import PictureFile, read_picture, to_eight, write_picture
from roughcut.planner.colour import softened
from roughcut.records import Look, LookControls
from roughcut.records.effects import Lut

RNG = np.random.default_rng(0)


def scene(size: tuple[int, int] = (120, 80), cast: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    """Grey and coloured blocks, under a cast."""
    w, h = size
    blocks = np.random.default_rng(3).integers(40, 200, (h // 10 + 1, w // 10 + 1, 3))
    grown = np.kron(blocks, np.ones((10, 10, 1), int))[:h, :w]
    return (grown * np.array(cast)).clip(0, 255).astype(np.uint8)


# ---------------------------------------------------------------- files


def test_sixteen_bits_stay_sixteen(tmp_path: Path) -> None:
    """A deep PNG, with and without alpha, comes back level by level."""
    deep = RNG.integers(0, 65536, (20, 30, 3), np.uint16)
    for alpha in (None, RNG.integers(0, 65536, (20, 30), np.uint16)):
        write_picture(tmp_path / "a.png", PictureFile(rgb=deep, alpha=alpha))
        back = read_picture(tmp_path / "a.png")
        assert back.rgb.dtype == np.uint16
        np.testing.assert_array_equal(back.rgb, deep)
        assert (back.alpha is None) == (alpha is None)
        if alpha is not None:
            np.testing.assert_array_equal(back.alpha, alpha)
    assert to_eight(np.array([[[0, 65535, 257]]], np.uint16)).tolist() == [[[0, 255, 1]]]


def test_every_kind_of_picture_is_read(tmp_path: Path) -> None:
    """Palette, grey, CMYK, one bit, transparency, turned by EXIF, one pixel: RGB, upright; conversions are told."""
    base = Image.fromarray(scene())
    for mode, ending in (("P", "png"), ("L", "png"), ("1", "png"), ("LA", "png"), ("RGBA", "png"), ("CMYK", "jpg")):
        base.convert("L" if mode == "LA" else "RGB").convert(mode).save(tmp_path / f"{mode}.{ending}")
        held = read_picture(tmp_path / f"{mode}.{ending}")
        assert held.rgb.shape == (80, 120, 3)
        assert (held.alpha is not None) == (mode in ("LA", "RGBA"))
        assert (held.note is not None) == (mode == "CMYK")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    base.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").rgb.shape == (120, 80, 3)
    base.resize((1, 1)).save(tmp_path / "one.png")
    assert read_picture(tmp_path / "one.png").rgb.shape == (1, 1, 3)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    """Text, a cut-off file, none at all, a folder; results with an ending nobody knows leave nothing behind."""
    (tmp_path / "text.png").write_text("no picture")
    Image.fromarray(scene()).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:300])
    for name in ("text.png", "cut.png", "none.png"):
        with pytest.raises(InputError, match=name):
            read_picture(tmp_path / name)
    with pytest.raises(OutputError, match="cannot be written"):
        write_picture(tmp_path / "a.xyz", PictureFile(rgb=scene()))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.png", "text.png", "whole.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no picture there"):
        pictures_in(tmp_path / "empty", tmp_path)
    for name in ("a.png", "a.jpg"):
        Image.fromarray(scene()).save(tmp_path / "empty" / name)
    with pytest.raises(InputError, match="two pictures of one name"):
        pictures_in(tmp_path / "empty", tmp_path)


# ---------------------------------------------------------------- maps


def test_cdl_is_exact_where_it_can_be_and_near_elsewhere() -> None:
    """The identity and saturation are exact; the rest lies within five levels of 255 on the mean."""
    colours = RNG.random((500, 3))
    for controls, allowed in (
        (LookControls(), 1e-6), (LookControls(saturation=0.4), 1e-6),
        (LookControls(black=0.05, white=-0.1), 0.02),
        (LookControls(temperature=0.3, exposure=-0.3, gamma=0.2), 0.02),
    ):  # fmt: skip
        made = apply_cdl(colours, cdl_of(controls))
        assert np.abs(made - apply_controls(colours, controls)).mean() <= allowed


def test_strength() -> None:
    """At 0 nothing, at 1 the look, between in proportion."""
    look = Look(controls=LookControls(exposure=0.5, tint=-0.2), grid=((0.2, -0.2),))
    assert softened(look, 0).is_identity()
    assert softened(look, 1) == look
    assert softened(look, 0.5).controls.exposure == 0.25
    with pytest.raises(OptionError, match="--strength"):
        Wish(strength=1.5)


def test_a_cube_as_an_effect(tmp_path: Path) -> None:
    """The picture through the file is the picture through the look it was baked from; a broken file is named."""
    controls = LookControls(exposure=0.4, temperature=0.3)
    write_cube(bake(controls), tmp_path / "a.cube")
    given = picture(film())
    made = through_lut(given, Lut(path=tmp_path / "a.cube"))
    expected = given.with_rgb(apply_lut(given.rgb(), bake(controls)))
    assert np.abs(made.planes()[0].astype(int) - expected.planes()[0]).max() <= 1
    assert len(read_cube(tmp_path / "a.cube")) == LUT_SIZE
    (tmp_path / "b.cube").write_text("LUT_3D_SIZE 2\n0 0 0\n")
    with pytest.raises(InputError, match=r"b\.cube"):
        through_lut(given, Lut(path=tmp_path / "b.cube"))


# ---------------------------------------------------------------- pictures and films


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    """The same stems as PNG; a cast is weakened; what stands there is kept; a dry run writes nothing."""
    (tmp_path / "in").mkdir()
    Image.fromarray(scene((300, 200), (0.6, 0.8, 1.2))).save(tmp_path / "in" / "cold.bmp")
    Image.fromarray(scene((300, 200))).save(tmp_path / "in" / "plain.png")
    pairs = pictures_in(tmp_path / "in", tmp_path / "out")
    assert [p.name for _, p in pairs] == ["cold.png", "plain.png"]
    list(grade_pictures(pairs, Wish(), dry_run=True))
    assert not (tmp_path / "out").exists()
    done = list(grade_pictures(pairs, Wish()))
    assert [g.out.is_file() for g in done] == [True, True]
    with pytest.raises(OutputError, match="exists already"):
        list(grade_pictures(pairs, Wish()))
    nothing = list(grade_pictures(pairs, Wish(strength=0.0), force=True))
    np.testing.assert_array_equal(np.asarray(Image.open(nothing[0].out)), scene((300, 200), (0.6, 0.8, 1.2)))


def test_the_command_on_a_picture(tmp_path: Path) -> None:
    """JSON with the sliders; .cube and .cdl beside it hold the same look; odd wishes are one line."""
    Image.fromarray(scene((300, 200), (0.5, 0.8, 1.2))).save(tmp_path / "a.png")
    names = ["--lut", tmp_path / "a.cube", "--cdl", tmp_path / "a.cdl"]
    run = CliRunner().invoke(
        app, list(map(str, ["grade", tmp_path / "a.png", "-o", tmp_path / "b.png", *names, "--json"]))
    )
    (said,) = json.loads(run.stdout)
    controls = LookControls(**said["sliders"])
    np.testing.assert_allclose(read_cube(tmp_path / "a.cube"), bake(controls), atol=1e-3)
    tree = ET.parse(tmp_path / "a.cdl")
    slope = [float(v) for v in tree.getroot().iter("{urn:ASC:CDL:v1.2}Slope").__next__().text.split()]
    np.testing.assert_allclose(slope, cdl_of(controls)[0], atol=1e-2)
    for wrong, said in (
        (["--lut", "x.txt"], "--lut"),
        (["--strength", "2"], "--strength"),
        (["--like", "no.jpg"], "no.jpg"),
    ):
        result = CliRunner().invoke(app, ["grade", str(tmp_path / "a.png"), "-o", str(tmp_path / "c.png"), *wrong])
        assert said in str(result.exception)
    assert not (tmp_path / "c.png").exists()


def test_a_film_is_graded_and_otherwise_left_alone(tmp_path: Path) -> None:
    """As long as it was, cut nowhere, faded nowhere; with a reference nearer to it, and again from the timeline."""
    source = write_media(tmp_path / "a.mp4", [flat((90, 70, 60), (128, 96))] * 30)
    Image.fromarray(np.full((40, 40, 3), (60, 70, 95), np.uint8)).save(tmp_path / "blue.png")
    result = pipeline.grade_film(source, tmp_path / "b.mp4", reference=tmp_path / "blue.png")
    assert result.plan.film_frames() == 30
    from roughcut.media.probe import probe
    from roughcut.media.rgb import read_rgb

    again = pipeline.render(tmp_path / "b.otio", tmp_path / "c.mp4")
    assert again.plan.clips == result.plan.clips
    for made in (result, again):
        frames = list(read_rgb(probe(made.film), 32, 24))
        assert len(frames) == 30
        for frame in (frames[0], frames[-1]):
            red, _, blue = frame.reshape(-1, 3).mean(0)
            assert red - blue < 18  # 30 before
