"""Skin under a look: its hue is not turned away from where skin lies, and faces are neither blown nor crushed.

Skin of all shades lies near one line of hue (123 degrees on a vectorscope; in OKLab about 57). A look may turn it
towards that line as far as it likes, away from it by a few degrees; where it goes further, its white balance is taken
back until it does not. Skin is what lies in the faces where somebody looked for them, else what has its colour: then
much that is no skin has a say, so more is allowed.

A face that a look would make brighter than faces are, or darker, has the look's tone taken back in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from roughcut.oklab import oklab, skin_likeness
from roughcut.records import U8, Look, LookControls

F64 = NDArray[np.float64]
ApplyLook = Callable[[U8, Look], U8]
LINE = 57.0  # degrees of hue in OKLab
MOST_AWAY, MOST_AWAY_GUESSED = 8.0, 30.0  # degrees: of faces, of what has the colour of skin
LEAST_SKIN = 0.03  # share of a picture that must have its colour
GREY = 0.02  # chroma below which a hue says nothing
DARKEST, BRIGHTEST = 0.38, 0.86  # lightness of a face's middle tone
WHITEST = 0.95  # lightness of its brightest tenth
BALANCE, TONE = ("temperature", "tint"), ("exposure", "black", "white", "gamma", "contrast")
STEPS = 6  # of bisection


def skin_kept(look: Look, pixels: U8, faces: U8 | None, apply: ApplyLook) -> Look:
    """The look with its white balance, and where faces are known its tone, taken back as far as skin needs.

    Args:
        pixels: [n, 3] of the shot. faces: [m, 3] of its faces, None where nobody looked for them. apply: lays a look
            on a picture.
    """
    if faces is not None and len(faces):
        every = np.ones(len(faces))
        look = _taken_back(look, BALANCE, lambda k: turned_away(k, faces, every, apply) <= MOST_AWAY)
        return _taken_back(look, TONE, lambda k: well_lit(k, faces, apply))
    weights = skin_likeness(oklab(pixels / 255.0))
    if weights.mean() < LEAST_SKIN:
        return look
    return _taken_back(look, BALANCE, lambda k: turned_away(k, pixels, weights, apply) <= MOST_AWAY_GUESSED)


def turned_away(look: Look, skin: U8, weights: F64, apply: ApplyLook) -> float:
    """Degrees by which a look turns skin [n, 3] away from the line of skin, on the mean; negative: towards it."""
    before, after = (oklab(p / 255.0) for p in (skin, apply(skin[None], look)[0]))
    told = weights * np.clip(np.hypot(after[:, 1], after[:, 2]) / GREY, 0, 1)
    away = _off_line(after) - _off_line(before)
    return float((told * away).sum() / max(told.sum(), 1e-9))


def _off_line(lab: F64) -> F64:
    turn = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) - LINE
    off: F64 = np.abs((turn + 180) % 360 - 180)
    return off


def well_lit(look: Look, faces: U8, apply: ApplyLook) -> bool:
    """False where a look makes faces [m, 3] brighter than faces are, or darker; as they were filmed they may be so."""
    before, after = (
        np.percentile(oklab(p / 255.0)[:, 0], (50, 90)) for p in (faces, apply(faces[None], look)[0])
    )  # fmt: skip
    dark = after[0] < min(DARKEST, before[0])
    return not dark and bool((after <= np.maximum((BRIGHTEST, WHITEST), before)).all())


def _taken_back(look: Look, sliders: tuple[str, ...], holds: Callable[[Look], bool]) -> Look:
    """The look with as much of these sliders as holds: all of them, or a share found by bisection."""
    if not any(getattr(c, name) for c in _every(look) for name in sliders) or holds(look):
        return look
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(_with(look, sliders, middle)) else (low, middle)
    return _with(look, sliders, low)


def _every(look: Look) -> list[LookControls]:
    return [look.controls, *(key.controls for key in look.keys)]


def _with(look: Look, sliders: tuple[str, ...], share: float) -> Look:
    """The look with a share of these sliders."""

    def part(controls: LookControls) -> LookControls:
        return replace(controls, **{name: round(getattr(controls, name) * share, 4) for name in sliders})

    keys = tuple(replace(key, controls=part(key.controls)) for key in look.keys)
    return replace(look, controls=part(look.controls), keys=keys)
