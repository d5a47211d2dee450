"""The path of a reframed film's window. Small pictures in, points over time out.

Where a window of the new shape would hold most motion and texture; the frame holds still there and moves only when that
place has been elsewhere for a while, on a curve without a jerk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from roughcut.records import F32, U8

F64 = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]

HOLD = 1.2  # seconds that the frame stands still at least
AWAY = 0.12  # of the width: what is nearer is not followed
PATIENCE = 0.5  # seconds that something must be elsewhere
MOVE = 1.0  # seconds a move takes
STEPS = 10  # points of a move per second

Look = Callable[[Sequence[U8]], Points | None]
"""Places to look at, one per picture, from another source (faces); None: it knows of none."""


def follow_path(
    pictures: Sequence[U8], times: Sequence[Fraction], share: tuple[float, float], look: Look | None = None
) -> tuple[tuple[Fraction, ...], Points]:
    """Times and points of a reframe's path inside one clip.

    Args:
        share: of the width and height that the new shape shows; one of the two is 1.
    """
    wanted = (look(pictures) if look is not None else None) or _salient(pictures, share)
    axis = 0 if share[0] < 1 else 1
    seconds = [float(t - times[0]) for t in times]
    return _held([p[axis] for p in wanted], seconds, times, axis)


def _salient(pictures: Sequence[U8], share: tuple[float, float]) -> Points:
    """For each picture the middle of the window that holds most motion and texture."""
    axis = 0 if share[0] < 1 else 1
    found = []
    level: F64 | None = None
    for k, picture in enumerate(pictures):
        grey = picture.astype(np.float32).mean(2)
        texture = np.abs(np.diff(grey, axis=0, append=grey[-1:])) + np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
        motion = np.abs(grey - pictures[k - 1].astype(np.float32).mean(2)) if k else np.zeros_like(grey)
        energy = (motion / (motion.mean() + 2) + 0.35 * texture / (texture.mean() + 2)).sum(axis=axis)
        level = energy if level is None else 0.85 * level + 0.15 * energy
        at = _best_window(level, share[axis])
        found.append((at, 0.5) if axis == 0 else (0.5, at))
    return tuple(found)


def _best_window(energy: F64 | F32, share: float) -> float:
    """Middle of the window of that share with the greatest sum, the picture's own middle a little preferred."""
    n = len(energy)
    size = max(round(share * n), 1)
    sums = np.convolve(energy, np.ones(size), "valid")
    middles = (np.arange(len(sums)) + size / 2) / n
    return float(middles[int((sums * (1 - 0.3 * np.abs(middles - 0.5))).argmax())])


def _held(
    wanted: Sequence[float], seconds: Sequence[float], times: Sequence[Fraction], axis: int
) -> tuple[tuple[Fraction, ...], Points]:
    """Stillness and moves: points that `effects.views.along` runs through evenly."""
    first = [w for w, s in zip(wanted, seconds, strict=True) if s <= PATIENCE]
    at = float(np.median(first))
    points: list[tuple[Fraction, float]] = [(times[0], at)]
    since, free = 0.0, HOLD
    for w, s in zip(wanted, seconds, strict=True):
        if abs(w - at) < AWAY:
            since = s
            continue
        if s - since >= PATIENCE and s >= free:
            recent = [v for v, t in zip(wanted, seconds, strict=True) if s - PATIENCE <= t <= s]
            goal, start = float(np.median(recent)), times[0] + Fraction(s).limit_denominator(1000)
            for k in range(round(MOVE * STEPS) + 1):
                part = k / round(MOVE * STEPS)
                way = part**3 * (part * (6 * part - 15) + 10)
                points.append((start + Fraction(k, STEPS), at + (goal - at) * way))
            at, free, since = goal, s + MOVE + HOLD, s + MOVE
    place = (lambda v: (v, 0.5)) if axis == 0 else (lambda v: (0.5, v))
    return tuple(t for t, _ in points), tuple(place(round(v, 5)) for _, v in points)
