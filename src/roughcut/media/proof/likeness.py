"""Is this the frame? Small luma pictures compared so that looks, encoders and scalers do not matter, but motion does.

Let `a` be the source frame that the plan wants, `b` one beside it, `f` the film's frame. What an encoder or a scaler
changes has nothing to do with the direction from `a` to `b`, so

    lean = <f - a, b - a> / |b - a|^2         0 where f is a, 1 where f is b

tells which of the two it is even where the motion is far weaker than the noise. Brightness and contrast are first
removed (both `f - a` and `b - a` are taken orthogonal to 1 and `a`), so that a grade does not look like motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roughcut.records import F32, U8

SIDE = 128  # pixels: longest side of the small pictures
SEEN = 0.4  # levels of 255, rms: motion weaker than this is taken for none
CLEAR = 1.5  # levels: motion of a single frame that decides alone
BRIGHTER = 8.0  # levels: a change of brightness alone that decides
TEXTURE = 4.0  # levels: pictures that vary less are flat
LEVEL = 32.0  # levels by which the mean of a flat picture may be off
UNLIKE = 0.7  # correlation below which two pictures are not the same
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def luma(rgb: U8) -> F32:
    """[h, w] levels 0..255 of [h, w, 3]."""
    grey: F32 = rgb.astype(np.float32) @ LUMA
    return grey


def difference_hash(small: F32) -> int:
    """64 bits of a picture: in 8 rows of 9 areas, whether it turns brighter from each area to the next."""
    rows = np.stack([part.mean(0) for part in np.array_split(small, 8)])
    areas = np.stack([part.mean(1) for part in np.array_split(rows, 9, axis=1)], axis=1)
    return int.from_bytes(np.packbits(np.diff(areas, axis=1) > 0).tobytes(), "big")


def correlation(a: F32, b: F32) -> float | None:
    """Of two pictures, -1 to 1; None where one is flat."""
    x, y = a - a.mean(), b - b.mean()
    if min(x.std(), y.std()) < TEXTURE:
        return None
    return float((x * y).mean() / (x.std() * y.std()))


@dataclass(frozen=True, kw_only=True)
class Lean:
    """How far the film's frame leans from the planned source frame to another one."""

    towards: float
    """0: it is the planned one; 1: it is the other."""
    motion: float
    """Between the two, levels rms."""
    rest: float
    """Between the film's frame and the other, levels rms."""

    @property
    def wrong(self) -> bool:
        """Closer to the other, where the motion stands above what the encoder did: coarse encoders leave out slow
        motion, so their frames lag without being the wrong ones."""
        return self.motion >= max(SEEN, self.rest) and self.towards > 0.6

    @property
    def clear(self) -> bool:
        """So much so that one frame is enough to say it."""
        return self.motion >= CLEAR and 0.8 < self.towards < 1.5 and self.rest < self.motion / 2


def lean(film: F32, planned: F32, other: F32) -> Lean:
    """By shape; by brightness where nothing else differs and that differs much."""
    shape = _lean(_without(film - planned, planned), _without(other - planned, planned))
    level = _lean(film - planned, other - planned)
    return level if shape.motion < SEEN and level.motion >= BRIGHTER else shape


def _lean(off: F32, step: F32) -> Lean:
    length = float((step * step).mean())
    towards = float((off * step).mean()) / length if length else 0.0
    return Lean(towards=towards, motion=length**0.5, rest=float(np.sqrt(np.mean((off - step) ** 2))))


def _without(difference: F32, picture: F32) -> F32:
    """The difference without what brightness and contrast explain."""
    left: F32 = difference - difference.mean()
    shape = picture - picture.mean()
    energy = float((shape * shape).sum())
    if energy > 0:
        left = left - shape * np.float32((left * shape).sum() / energy)
    return left


def leaning(film: F32, planned: F32, others: Sequence[F32]) -> tuple[int, Lean] | None:
    """The neighbour that the film's frame leans to most, among those that can be told from the planned one."""
    leans = [(k, lean(film, planned, other)) for k, other in enumerate(others)]
    seen = [(k, found) for k, found in leans if found.motion >= SEEN]
    return max(seen, key=lambda one: (one[1].wrong, -one[1].rest)) if seen else None


def unlike(film: F32, planned: F32) -> bool:
    """True where the two cannot be the same picture."""
    alike = correlation(film, planned)
    if alike is None:
        return abs(float(film.mean() - planned.mean())) > LEVEL or _one_is_flat(film, planned)
    return alike < UNLIKE


def _one_is_flat(a: F32, b: F32) -> bool:
    low, high = sorted((float(a.std()), float(b.std())))
    return low < TEXTURE and high > 4 * TEXTURE
