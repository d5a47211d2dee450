"""Skin under a look: hue kept near the line of skin, faces neither blown nor crushed, in grade and in films."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media import write_media
from roughcut import grading, pipeline
from roughcut.oklab import oklab, srgb
from roughcut.planner.colour import laid
from roughcut.records import Look, LookControls, LookKey
from roughcut.records.faces import FaceTrack
from roughcut.spatial.colour import CAPS
from roughcut.spatial.mapper import PictureColour
from roughcut.spatial.skin import BRIGHTEST, DARKEST, MOST_AWAY, skin_kept, turned_away, well_lit
from roughcut.timebase import TimeRange

TONES = "f7ead0 eadaba d7bd96 a07e56 825c43 604134 735244 c29682"
"""sRGB of skin as published: shades 3 to 8 of the Monk scale, the two of the ColorChecker."""


def chart() -> np.ndarray:
    """[n, 3] codes: each published tone lighter and darker by formula, as skin is in light and shade."""
    tones = np.array([[int(h[i : i + 2], 16) for i in (0, 2, 4)] for h in TONES.split()]) / 255
    lab = np.repeat(oklab(tones), 9, 0)
    lab[:, 0] *= np.tile(np.linspace(0.85, 1.05, 9), len(tones))
    return (srgb(lab) * 255 + 0.5).astype(np.uint8)


def away(look: Look, skin: np.ndarray) -> float:
    return turned_away(look, skin, np.ones(len(skin)), laid)


def filmed(pixels: np.ndarray, **sliders: float) -> np.ndarray:
    return laid(pixels[None], Look(controls=LookControls(**sliders)))[0]


GREEN, COLD = {"tint": 0.5, "temperature": -0.4}, {"temperature": -0.9}


@pytest.mark.parametrize("sliders", [GREEN, COLD, {"temperature": 0.6, "tint": -0.6}])
def test_a_look_turns_skin_away_by_a_few_degrees(sliders: dict[str, float]) -> None:
    """Faces bound it, other sliders and the direction of the white balance stay, keys follow; a mild look is left."""
    key = LookKey(time=F(0), controls=LookControls(**sliders))
    look = Look(controls=LookControls(**sliders, gamma=0.05, saturation=0.1), keys=(key,))
    assert away(look, chart()) > MOST_AWAY
    kept = skin_kept(look, chart(), chart(), laid)
    assert 0.5 * MOST_AWAY < away(kept, chart()) <= MOST_AWAY
    assert (kept.controls.gamma, kept.controls.saturation) == (0.05, 0.1)
    share = kept.controls.temperature / look.controls.temperature
    assert 0 < share < 1
    assert kept.controls.tint == pytest.approx(look.controls.tint * share, abs=1e-4)
    assert kept.keys[0].controls.temperature == pytest.approx(key.controls.temperature * share, abs=1e-4)
    mild = Look(controls=LookControls(temperature=-0.05))
    assert skin_kept(mild, chart(), chart(), laid) is mild


def test_towards_the_line_it_may_go() -> None:
    """Skin that was filmed under a cast is brought back as far as the look says."""
    for sliders in (GREEN, COLD):
        cast = filmed(chart(), **sliders)
        back = Look(controls=LookControls(**{name: -value for name, value in sliders.items()}))
        assert away(back, cast) < 0
        assert skin_kept(back, cast, cast, laid) is back


def test_without_faces_colour_is_the_guide() -> None:
    """What has the colour of skin bounds a gross look; where next to nothing has it, nothing is bound."""
    rng = np.random.default_rng(0)
    grey = np.repeat(rng.integers(30, 220, (900, 1)), 3, 1).astype(np.uint8)
    gross = Look(controls=LookControls(tint=1.2, temperature=-1.2))
    kept = skin_kept(gross, np.concatenate([grey, chart()]), None, laid)
    assert abs(kept.controls.tint) < 1.2
    assert skin_kept(gross, grey, None, laid) is gross
    assert skin_kept(gross, grey, np.zeros((0, 3), np.uint8), laid) is gross  # faces were looked for, none was found


def test_faces_are_not_blown_and_not_crushed() -> None:
    """Tone is taken back until the face's middle tone is one that faces have; what was dark as filmed may be lifted."""
    face = filmed(chart()[9:36], gamma=-0.2)
    for sliders in ({"exposure": 1.5}, {"exposure": -3.0, "contrast": 0.2}):
        look = Look(controls=LookControls(**sliders, saturation=0.1))
        assert not well_lit(look, face, laid)
        kept = skin_kept(look, face, face, laid)
        light = np.median(oklab(laid(face[None], kept)[0] / 255.0)[:, 0])
        assert DARKEST - 0.01 <= light <= BRIGHTEST + 0.01
        assert 0 < abs(kept.controls.exposure) < abs(sliders["exposure"])
        assert kept.controls.saturation == 0.1
    dark = filmed(face, exposure=-2.5)
    lift = Look(controls=LookControls(exposure=1.0))
    assert skin_kept(lift, dark, dark, laid) is lift


# ---------------------------------------------------------------- where it is used


def portrait() -> np.ndarray:
    """[96, 128, 3]: a grey room and in its middle skin, of which the chart is made."""
    room = np.full((96, 128, 3), 110, np.uint8)
    room[24:72, 40:88] = np.resize(chart()[9:45], (48, 48, 3))
    return room


def test_grade_keeps_skin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the network says of a picture, its skin is not turned far."""
    Image.fromarray(portrait()).save(tmp_path / "a.png")
    gross = LookControls(tint=1.2, temperature=-1.2)
    found = PictureColour(
        sliders=np.array([gross.values()], np.float32), confidence=np.ones(1, np.float32),
        grid=np.zeros((1, 3, 4), np.float32),
    )  # fmt: skip
    monkeypatch.setattr(grading.SpaceMapper, "look_at", lambda self, pictures, rows: found)
    (graded,) = grading.grade_pictures([(tmp_path / "a.png", tmp_path / "b.png")], grading.Wish())
    assert abs(graded.look.controls.tint) < CAPS["tint"]


def test_a_film_keeps_its_faces(tmp_path: Path) -> None:
    """Faces that were found bound the look of their shot; without them only what is gross is bound."""
    source = write_media(tmp_path / "a.mp4", [portrait()] * 50)
    seen = pipeline.analyze(source)
    look = Look(controls=LookControls(tint=0.25, temperature=-0.25), confidence=0.9)
    whole = seen.features.times.range
    track = FaceTrack(
        number=1, times=(whole.start,), boxes=np.array([[40 / 128, 0.25, 88 / 128, 0.75]], np.float32),
        scores=np.ones(1, np.float32), within=TimeRange(whole.start, whole.end),
    )  # fmt: skip
    seen = replace(seen, looks=tuple(look for _ in seen.looks))
    free = pipeline.plan(seen, keep="all").clips[0]
    bound = pipeline.plan(replace(seen, faces=(track,)), keep="all").clips[0]
    assert free.look.controls == look.controls
    assert 0 < bound.look.controls.tint < look.controls.tint
    assert "skin" in bound.look_decision.words
