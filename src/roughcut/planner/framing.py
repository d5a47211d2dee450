"""Paths of the frame: against shake, and after what matters. Small pictures in, points over time out.

Shake      how far each picture lies off the one before, by phase correlation; summed up, that is the camera's path; the
           counter-move leads from it to the same path smoothed
Reframing  where a window of the new shape would hold most motion and texture; the frame holds still there and moves
           only when that place has been elsewhere for a while, on a curve without a jerk
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roughcut.records import F32, U8

F64 = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]

SMOOTH = 0.6  # seconds: shake is what is faster
TRUST = 0.1  # height of the correlation's peak: below it two pictures do not tell a move
HOLD = 1.2  # seconds that the frame stands still at least
AWAY = 0.12  # of the width: what is nearer is not followed
PATIENCE = 0.5  # seconds that something must be elsewhere
MOVE = 1.0  # seconds a move takes
STEPS = 10  # points of a move per second

Look = Callable[[Sequence[U8]], Points | None]
"""Places to look at, one per picture, from another source (faces); None: it knows of none."""


def shake_path(pictures: Sequence[U8], times: Sequence[Fraction]) -> tuple[tuple[Fraction, ...], Points]:
    """Times and counter-moves (right, down; shares of width and height) of consecutive small pictures [h, w, 3]."""
    if len(pictures) < 3:
        return (), ()
    grey = [p.mean(2) for p in pictures]
    steps = np.array([[0.0, 0.0], *(offset(a, b) for a, b in pairwise(grey))])
    camera = np.cumsum(steps, 0)
    seconds = np.array([float(t - times[0]) for t in times])
    smooth = _smoothed(camera, seconds)
    return tuple(times), tuple((float(x), float(y)) for x, y in smooth - camera)


def _smoothed(camera: F64, seconds: F64) -> F64:
    """The path [T, 2] by a line fitted around each moment, nearer ones counting more: an even pan stays as it is, also
    at the clip's ends."""
    out = np.empty_like(camera)
    for k, t in enumerate(seconds):
        near = slice(np.searchsorted(seconds, t - 4 * SMOOTH), np.searchsorted(seconds, t + 4 * SMOOTH, "right"))
        away = seconds[near] - t
        w = np.exp(-0.5 * (away / SMOOTH) ** 2)
        first, second = float((w * away).sum()), float((w * away * away).sum())
        spread = max(float(w.sum()) * second - first * first, 1e-12)
        out[k] = (second * (w @ camera[near]) - first * ((w * away) @ camera[near])) / spread
    return out


def offset(before: F64, after: F64) -> tuple[float, float]:
    """By how much the content moved (right, down; shares), to a fraction of a pixel; 0 where nothing can be told."""
    h, w = before.shape
    window = np.hanning(h)[:, None] * np.hanning(w)[None]
    a, b = (np.fft.rfft2((p - p.mean()) * window) for p in (before, after))
    cross = b * np.conj(a)
    surface = np.fft.irfft2(cross / (np.abs(cross) + 1e-3 * np.abs(cross).max() + 1e-9), (h, w))
    y, x = np.unravel_index(int(surface.argmax()), surface.shape)
    if surface[y, x] < TRUST:
        return 0.0, 0.0
    dx = _peak(surface[y, (x - 1) % w], surface[y, x], surface[y, (x + 1) % w]) + (x if x <= w // 2 else x - w)
    dy = _peak(surface[(y - 1) % h, x], surface[y, x], surface[(y + 1) % h, x]) + (y if y <= h // 2 else y - h)
    return float(dx) / w, float(dy) / h


def _peak(left: float, middle: float, right: float) -> float:
    """Where between the samples a parabola through three of them is highest."""
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


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
