"""Effects on pictures: golden frames, neutral parameters, moves finer than a pixel, depth, and the bounds of words."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from golden.make_effects import EFFECTS, GOLDEN, drawn, film, picture
from roughcut.effects.chain import Moment, treated
from roughcut.effects.overlays import Overlays, logo_picture
from roughcut.effects.planes import seen
from roughcut.effects.text import broken, font_for, missing_in
from roughcut.effects.transitions import fade, transition
from roughcut.errors import InputError, OptionError
from roughcut.media.filters import Filters
from roughcut.records.effect import Effect
from roughcut.records.effects import (
    Caption,
    Captions,
    Denoise,
    Grain,
    KenBurns,
    Letterbox,
    Logo,
    PunchIn,
    PushIn,
    Reframe,
    Sharpen,
    Stabilise,
    Title,
    Vignette,
)
from roughcut.timeline.plan import OVERLAPPING, Join

GOLDEN_PLANES = dict(np.load(GOLDEN))
MADE = dict(drawn())


@pytest.mark.parametrize("name", MADE)
def test_golden_pictures(name: str) -> None:
    """Each effect draws what it drew when someone last looked; resampling and filters may differ by a level or two."""
    for k, plane in enumerate(MADE[name].planes()):
        np.testing.assert_allclose(plane.astype(int), GOLDEN_PLANES[f"{name}/{k}"], atol=2)


@pytest.mark.parametrize("name", dict(drawn(10)))
def test_ten_bits_are_eight_bits_finer(name: str) -> None:
    """The same effect on 10 bits gives the same picture, and stays inside the range."""
    if name in ("grain", "denoise"):
        pytest.skip("grain is drawn on the depth's own levels; above 8 bits another filter denoises")
    for deep, plane in zip(dict(drawn(10))[name].planes(), MADE[name].planes(), strict=True):
        assert deep.dtype == np.uint16
        assert deep.max() <= 1023
        assert np.abs(deep / 4 - plane.astype(float)).mean() < 1.5


NEUTRAL: tuple[Effect, ...] = (
    PushIn(amount=0.0), PunchIn(amount=0.0), KenBurns(from_width=1.0, to_width=1.0), Vignette(amount=0.0),
    Grain(amount=0.0), Letterbox(aspect=16 / 9), Denoise(strength=0.0), Sharpen(amount=0.0), Stabilise(), Reframe(),
)  # fmt: skip


@pytest.mark.parametrize("effect", NEUTRAL, ids=lambda e: e.name)
def test_neutral_parameters_change_nothing(effect: Effect) -> None:
    """With nothing to do the very picture comes back."""
    made = film()
    given = picture(made)
    moment = Moment(part=0.4, frame=3, source_time=Fraction(1), size=(64, 36))
    assert treated(given, (effect,), moment, Filters(made)) is given


@pytest.mark.parametrize("kind", OVERLAPPING)
def test_transitions_begin_and_end_with_the_pictures(kind: str) -> None:
    """At both ends nothing is drawn; in between the picture is neither."""
    old, new = picture(film()), picture(film(), 2.0)
    join = Join(kind=kind, duration=Fraction(1))  # type: ignore[arg-type]
    assert transition(old, new, join, 0.0) is old
    assert transition(old, new, join, 1.0) is new
    half = transition(old, new, join, 0.5).planes()[0]
    assert (half != old.planes()[0]).any()
    assert (half != new.planes()[0]).any()


@pytest.mark.parametrize("direction", ["left", "right", "up", "down"])
def test_a_wipe_leaves_both_pictures_clean_beside_its_edge(direction: str) -> None:
    """Away from the edge the pixels are the sources' own, on the side that the direction says."""
    old, new = picture(film()), picture(film(), 2.0)
    join = Join(kind="wipe", direction=direction, duration=Fraction(1), softness=0.1)  # type: ignore[arg-type]
    for a, b, out in zip(old.planes(), new.planes(), transition(old, new, join, 0.5).planes(), strict=True):
        h, w = a.shape
        first, last = {
            "left": ((slice(None), slice(0, w // 3)), (slice(None), slice(-(w // 3), None))),
            "right": ((slice(None), slice(-(w // 3), None)), (slice(None), slice(0, w // 3))),
            "up": (slice(0, h // 3), slice(-(h // 3), None)),
            "down": (slice(-(h // 3), None), slice(0, h // 3)),
        }[direction]
        np.testing.assert_array_equal(out[first], a[first])
        np.testing.assert_array_equal(out[last], b[last])


def test_a_fade_to_white_ends_in_white() -> None:
    """At 0 only white's code values are left."""
    planes = fade(picture(film()), 0.0, "white").planes()
    assert [np.unique(p).tolist() for p in planes] == [[235], [128], [128]]


def test_slow_moves_do_not_step() -> None:
    """Over a push-in of a hundredth, an edge travels by like fractions of a pixel, never a whole one at once."""
    made = film(width=640, height=360)
    ramp = np.zeros((360, 640, 3), np.uint8)
    ramp[:, 480:] = 200
    still = picture(made).with_rgb(ramp)
    edges = []
    for k in range(40):
        width = 1 / (1 + 0.0005 * k)
        row = seen(still, (0.5 - width / 2, 0.5 - width / 2, 0.5 + width / 2, 0.5 + width / 2)).planes()[0][180]
        edges.append(640 - (row.astype(float) - 16).sum() / (row[620] - 16.0))
    steps = np.diff(edges)
    assert 0.05 < steps.mean() < 0.12
    assert steps.std() < 0.02


def test_grain_is_the_same_at_each_render_and_moves() -> None:
    """One frame's grain does not depend on what was drawn before; the next frame has another; chroma is untouched."""
    given = picture(film())
    moments = [Moment(part=0, frame=n, source_time=Fraction(0), size=(64, 36)) for n in (5, 6, 5)]
    first, other, again = (treated(given, (Grain(amount=0.1),), m, None) for m in moments)
    assert first is given  # a proof looks past grain
    first, other, again = (treated(given, (Grain(amount=0.1),), m, Filters(film())) for m in moments)
    np.testing.assert_array_equal(first.planes()[0], again.planes()[0])
    assert (first.planes()[0] != other.planes()[0]).mean() > 0.5
    np.testing.assert_array_equal(first.planes()[1], given.planes()[1])


def test_every_effect_has_a_golden_picture() -> None:
    """Nothing that is drawn goes without."""
    apart = {"speed", "freeze", "mute", "lut", "captions", "title", "logo", "picture-in-picture", "music"}
    from roughcut.records.effects import EFFECTS as ALL

    assert {e.name for e in EFFECTS} == set(ALL) - apart


# ---------------------------------------------------------------- words and pictures over the film


def test_captions_are_seen_while_they_last_and_nowhere_else() -> None:
    """Outside its time the very picture comes back; inside, only the lower part changes, with white in it."""
    made = film(width=320, height=180)
    given = picture(made)
    over = Overlays((Captions(cues=(Caption(start=Fraction(1), end=Fraction(2), text="Hello there"),)),), 320, 180)
    assert over.laid(given, Fraction(1, 2)) is given
    assert over.laid(given, Fraction(2)) is given
    changed = over.laid(given, Fraction(1)).planes()[0] != given.planes()[0]
    assert changed[:120].sum() == 0
    assert over.laid(given, Fraction(1)).planes()[0][120:].max() >= 230


def test_lines_break_between_words_and_evenly() -> None:
    """No line is wider than allowed, no word is cut, and the lines are of like length."""
    font = font_for("a", 20, None)
    text = "We walked until the light went, and nobody wanted to be the first to turn back."
    lines = broken(text, font, 400)
    assert " ".join(lines) == text
    lengths = [font.getlength(line) for line in lines]
    assert max(lengths) <= 400
    assert min(lengths) > 0.6 * max(lengths)
    assert broken("one\ntwo", font, 400) == ["one", "two"]


def test_lines_break_in_scripts_without_spaces() -> None:
    """Chinese breaks between characters, and no line begins with a full stop or ends with an opening bracket."""
    font = font_for("a", 20, None)
    for width in range(60, 200, 7):
        lines = broken("今天天气很好，我们去海边散步。（真的）他们说：「好」。", font, width)
        assert "".join(lines) == "今天天气很好，我们去海边散步。（真的）他们说：「好」。"
        assert not any(line[0] in "，。）」：" for line in lines)
        assert not any(line[-1] in "（「" for line in lines[:-1])


def test_a_font_that_lacks_characters_is_not_taken() -> None:
    """Letters of a private area are in no font: that is said, with a way out."""
    assert missing_in(font_for("a", 16, None), "abc") == ""
    with pytest.raises(InputError, match="no font on this machine has all characters"):
        font_for("\U00016f00\U00013000\U0001bc00", 16, None)
    with pytest.raises(OptionError, match="no such font"):
        font_for("a", 16, "No Such Font 1")


def test_long_words_stay_inside_small_pictures() -> None:
    """However long the text and small the picture, what is drawn lies inside it."""
    made = film(width=64, height=36)
    text = "Donaudampfschifffahrtsgesellschaft " * 6
    effects = (Captions(cues=(Caption(start=Fraction(0), end=Fraction(9), text=text),)), Title(text=text, below=text))
    laid = Overlays(effects, 64, 36).laid(picture(made), Fraction(1))
    assert laid.planes()[0].shape == (36, 64)


def test_a_logo_keeps_what_its_transparency_shows(tmp_path: Path) -> None:
    """Clear pixels leave the film as it is, solid ones cover it, each corner is where it is called."""
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 10, 20))
    image.save(tmp_path / "logo.png")
    made = film(width=320, height=180)
    given = picture(made)
    for corner in ("top-left", "top-right", "bottom-left", "bottom-right"):
        effect = Logo(path=tmp_path / "logo.png", corner=corner, opacity=1.0)  # type: ignore[arg-type]
        changed = Overlays((effect,), 320, 180).laid(given, Fraction(0)).planes()[0] != given.planes()[0]
        ys, xs = np.nonzero(changed)
        assert (ys.max() < 90) == corner.startswith("top")
        assert (xs.max() < 160) == corner.endswith("left")
        assert 0 < changed.sum() < 22 * 14


@pytest.mark.parametrize("made", ["missing", "text", "empty"])
def test_a_logo_that_is_no_picture(tmp_path: Path, made: str) -> None:
    """A missing file, text and an empty file are named."""
    path = tmp_path / "logo.png"
    if made != "missing":
        path.write_bytes(b"words" if made == "text" else b"")
    with pytest.raises(InputError, match=r"no such logo|no picture"):
        logo_picture(path)
    assert replace(Logo(path=path), size=0.5).size == 0.5
