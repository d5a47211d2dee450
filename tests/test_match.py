"""Colours as in a reference: the map, its limits, skin, and `--like` in an edit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from media import flat, write_media
from roughcut import pipeline
from roughcut.cli.commands import app
from roughcut.effects.looks import apply_controls, apply_look, apply_lut, bake, look_lut, write_cube
from roughcut.effects.match import apply_match
from roughcut.errors import InputError, OptionError, OutputError, PlanError
from roughcut.oklab import oklab, srgb, zones
from roughcut.records import Look, LookControls, Match
from roughcut.records.effect import ParameterError
from roughcut.records.match import KNOTS
from roughcut.spatial.reference import (
    FLATTEST,
    LEAST_CHROMA,
    MOST_CHROMA,
    MOST_SHIFT,
    STEEPEST,
    match_of,
)
from roughcut.splines import monotone
from roughcut.timeline.metadata import from_plain, to_plain
from roughcut.timeline.otio import read_otio

SKIN = "f7ead0 eadaba d7bd96 a07e56 825c43 604134 735244 c29682"
"""sRGB of skin as published: shades 3 to 8 of the Monk scale, the two of the ColorChecker."""


def pixels(seed: int, low: float = 0, high: float = 255, chroma: float = 1.0) -> np.ndarray:
    """[4000, 3] random colours of a range, as colourful as said."""
    rng = np.random.default_rng(seed)
    grey = rng.uniform(low, high, (4000, 1))
    colour = rng.normal(0, 60, (1, 3)) * 0.5 + rng.normal(0, 50, (4000, 3))
    return (grey + chroma * (colour - colour.mean(1, keepdims=True))).clip(0, 255).astype(np.uint8)


def chroma(rgb: np.ndarray) -> np.ndarray:
    """OKLab chroma of codes."""
    lab = oklab(rgb / 255.0)
    return np.hypot(lab[..., 1], lab[..., 2])


# ---------------------------------------------------------------- the space and the curve


def test_oklab_and_back() -> None:
    """White, black and red have their published values; the way back is exact; zones share every lightness."""
    known = {(1, 1, 1): (1, 0, 0), (0, 0, 0): (0, 0, 0), (1, 0, 0): (0.62796, 0.22486, 0.12585)}
    for rgb, lab in known.items():
        np.testing.assert_allclose(oklab(np.array(rgb)), lab, atol=1e-4)
    rgb = np.random.default_rng(0).random((100, 3))
    np.testing.assert_allclose(srgb(oklab(rgb)), rgb, atol=1e-6)
    np.testing.assert_allclose(zones(np.linspace(-0.1, 1.1, 50)).sum(-1), 1)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=6))
def test_the_curve_keeps_to_its_points(values: list[float]) -> None:
    """Through every point, never beyond two neighbours, without a jump in slope, still beyond the ends."""
    x, y = np.arange(len(values)) * 1.5, np.array(values)
    np.testing.assert_allclose(monotone(x, y, x), y, atol=1e-9)
    np.testing.assert_allclose(monotone(x, y, [x[0] - 1, x[-1] + 1]), y[[0, -1]], atol=1e-9)
    for k in range(len(x) - 1):
        part = monotone(x, y, np.linspace(x[k], x[k + 1], 20))
        steps = np.diff(part)
        assert (steps >= -1e-9).all() or (steps <= 1e-9).all()
    for at in x:
        before, here, after = monotone(x, y, [at - 1e-5, at, at + 1e-5], level_ends=True)
        assert abs((after - here) - (here - before)) / 1e-5 < 1e-3
    both = monotone(x, np.stack([y, -y], -1), [0.7])
    np.testing.assert_allclose(both, [[both[0, 0], -both[0, 0]]])


# ---------------------------------------------------------------- the map


def test_all_defaults_change_nothing() -> None:
    """A plain match is the identity; at strength 0 every match is; half is half way."""
    rgb = np.random.default_rng(1).random((200, 3))
    np.testing.assert_allclose(apply_match(rgb, Match()), rgb, atol=1e-6)
    strong = {"mids": (0.03, -0.02), "chroma": ((1.3, 0.1), (0.1, 0.8))}
    np.testing.assert_allclose(apply_match(rgb, Match(strength=0, **strong)), rgb)
    whole, half = apply_match(rgb, Match(**strong)), apply_match(rgb, Match(strength=0.5, **strong))
    np.testing.assert_allclose(half, (whole + rgb) / 2, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_limits_hold_however_unlike_the_pictures_are(seed: int) -> None:
    """Lightness rises within its slopes, casts and stretch stay within theirs, black and white stay grey, and a vivid
    picture keeps most of its colour beside a grey reference."""
    vivid, grey = pixels(seed, chroma=1.5), pixels(seed + 10, 0, 90, chroma=0.02)
    for own, wanted in ((vivid, grey), (grey, vivid), (np.full((9, 3), 90, np.uint8), vivid)):
        found = match_of(own, wanted, "x")
        slopes = np.diff(found.lightness) / np.diff(KNOTS)
        assert slopes.min() >= FLATTEST - 1e-3
        assert slopes.max() <= STEEPEST + 1e-3
        stretch = np.linalg.svd(np.array(found.chroma), compute_uv=False)
        assert stretch.min() >= LEAST_CHROMA - 1e-3
        assert stretch.max() <= MOST_CHROMA + 1e-3
        assert max(np.hypot(*p) for p in (found.shadows, found.mids, found.highlights)) <= MOST_SHIFT + 1e-3
        ends = apply_match(np.array([[0, 0, 0], [1, 1, 1.0]]), found)
        assert np.ptp(ends, axis=1).max() < 0.01
    after = apply_match(vivid / 255.0, match_of(vivid, grey, "x")) * 255
    assert chroma(after).mean() > 0.6 * chroma(vivid).mean()


def test_a_match_brings_near_and_no_further() -> None:
    """A picture in another light comes nearer to its own original; its own colours change nothing."""
    own = pixels(3, 40, 200, 0.4)
    cast = (own * np.array([1.0, 0.92, 0.8])).astype(np.uint8)
    found = match_of(cast, own, "x")
    after = apply_match(cast / 255.0, found)
    apart = [np.abs(oklab(rgb) - oklab(own / 255.0)).mean() for rgb in (cast / 255.0, after)]
    assert apart[1] < 0.35 * apart[0]
    same = apply_match(own / 255.0, match_of(own, own, "x"))
    assert np.abs(same * 255 - own).max() < 1


def test_skin_keeps_its_hue() -> None:
    """Published skin tones are turned by a few degrees at most under the strongest casts, other colours by more."""
    codes = np.array([[int(h[i : i + 2], 16) for i in (0, 2, 4)] for h in SKIN.split()]) / 255
    others = np.array([[0.3, 0.5, 0.35], [0.35, 0.4, 0.6], [0.5, 0.5, 0.52]])
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        cast = (round(MOST_SHIFT * np.cos(angle), 5), round(MOST_SHIFT * np.sin(angle), 5))
        found = Match(shadows=cast, mids=cast, highlights=cast)
        turned = []
        for group in (codes, others):
            hues = [np.arctan2(*oklab(rgb).T[[2, 1]]) for rgb in (group, apply_match(group, found))]
            turned.append(np.degrees(np.abs(np.angle(np.exp(1j * (hues[1] - hues[0]))))).max())
        assert turned[0] < 6
        assert turned[1] > turned[0]


def test_the_rendered_picture_follows_the_map() -> None:
    """Through the LUT, after sliders, at both depths; a .cube as reference is that .cube, as far as the strength."""
    y, x = np.mgrid[0:1:60j, 0:1:80j]
    smooth = np.stack([x, y, 1 - x * y], -1)
    controls = LookControls(exposure=0.2, temperature=0.2)
    look = Look(controls=controls, match=match_of(pixels(1), pixels(2, 60, 200), "x"))
    for dtype in (np.uint8, np.uint16):
        top = np.iinfo(dtype).max
        made = apply_look((smooth * top).astype(dtype), look) / top
        assert np.abs(made - apply_match(apply_controls(smooth, controls), look.match)).mean() * 255 < 0.8


def test_a_cube_is_its_own_map(tmp_path: Path) -> None:
    """As a reference it is laid on as it is, half of it half way; a missing one is named."""
    cube, picture = tmp_path / "a.cube", pixels(4).reshape(50, 80, 3)
    write_cube(bake(LookControls(exposure=0.4)), cube)
    whole = apply_look(picture, Look(match=Match(cube=cube)))
    expected = apply_lut(picture, bake(LookControls(exposure=0.4)))
    assert np.abs(whole.astype(int) - expected).max() <= 1
    half = apply_look(picture, Look(match=Match(cube=cube, strength=0.5))).astype(float)
    assert np.abs(half - (expected.astype(float) + picture) / 2).max() <= 2
    with pytest.raises(InputError, match=r"no\.cube"):
        look_lut(Look(match=Match(cube=tmp_path / "no.cube")))


def test_a_match_changed_by_hand() -> None:
    """It travels in a plan exactly; values out of range are refused with their path."""
    found = match_of(pixels(1), pixels(2), "x")
    plain = json.loads(json.dumps(to_plain(found)))
    assert from_plain(Match, plain, "m") == found
    for field, value in (("strength", 2), ("lightness", [0, 1]), ("mids", [1, 0]), ("chroma", [[9, 0], [0, 1]])):
        with pytest.raises(PlanError, match=f"m.{field}"):
            from_plain(Match, {**plain, field: value}, "m")
    with pytest.raises(ParameterError):
        Match(lightness=KNOTS[::-1])


# ---------------------------------------------------------------- in an edit


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots of four seconds, reddish then bluish."""
    folder = tmp_path_factory.mktemp("match")
    block = np.kron(np.random.default_rng(5).integers(60, 180, (6, 8, 1)), np.ones((16, 16, 3)))
    shots = [(block * tint).clip(0, 255).astype(np.uint8) for tint in ((1.1, 0.95, 0.85), (0.8, 0.95, 1.2))]
    Image.fromarray((block * (0.7, 0.9, 0.8)).astype(np.uint8)).save(folder / "teal.png")
    return write_media(folder / "a.mp4", [shots[k // 100] for k in range(200)])


def test_an_edit_like_a_picture(footage: Path, tmp_path: Path) -> None:
    """One match for all clips, in the timeline and back; strength 0 leaves all alone; half is in the record."""
    teal = footage.with_name("teal.png")
    cut = ["--keep", "all", "--no-cache", "-q"]
    for name, more in (("a", []), ("b", ["--look-strength", "0.5", "--look", "none"]), ("c", ["--look-strength", "0"])):
        asked = ["plan", footage, "-o", tmp_path / f"{name}.otio", "--like", teal, *cut, *more]
        assert CliRunner().invoke(app, list(map(str, asked))).exit_code == 0
    whole, half, none = (read_otio(tmp_path / f"{name}.otio") for name in "abc")
    assert len({c.look.match for c in whole.clips}) == 1
    assert whole.clips[0].look.match.reference == "teal.png"
    assert whole.clips[0].look_decision.code == "like"
    assert all(c.look.match.strength == 0.5 and c.look.controls.is_identity() for c in half.clips)
    assert all(c.look is None for c in none.clips)


def test_films_and_bad_references(footage: Path, tmp_path: Path) -> None:
    """A film is a reference too; what is none is told before any work, as is a strength out of range."""
    made = pipeline.plan_files([footage], like=footage, keep="all", look="none")
    given = np.full((2, 2, 3), 120, np.uint8)
    assert np.abs(apply_look(given, made.clips[0].look).astype(int) - given).max() <= 3  # like itself
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "text.mp4").write_text("no film")
    for name in ("no.jpg", "text.jpg", "text.mp4", "no.cube", ""):
        with pytest.raises(InputError):
            pipeline.plan_files([tmp_path / "not looked at.mp4"], like=tmp_path / name)
    with pytest.raises(OptionError, match="--look-strength"):
        pipeline.plan_files([footage], look_strength=1.5)
    other = write_media(tmp_path / "other.mp4", [flat((90, 70, 60), (64, 48))] * 5)
    with pytest.raises(OutputError, match="one of the inputs"):
        pipeline.edit([footage], other, like=other, force=True)


def test_flat_footage_can_be_matched(tmp_path: Path) -> None:
    """Film and reference of one colour each: no number is lost."""
    source = write_media(tmp_path / "a.mp4", [flat((90, 70, 60), (64, 48))] * 20)
    made = pipeline.plan_files([source], like=source, keep="all", look="none")
    assert made.clips[0].look is None or np.isfinite(look_lut(made.clips[0].look)).all()
