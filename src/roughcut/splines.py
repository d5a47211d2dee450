"""Monotone cubic curves: where the given values rise, so does the curve, and its slope never jumps.

Fritsch and Carlson, "Monotone piecewise cubic interpolation" (SIAM J. Numerical Analysis 17, 1980), with the slopes of
Fritsch and Butland (1984).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]


def monotone(x: ArrayLike, y: ArrayLike, at: ArrayLike, *, level_ends: bool = False) -> F64:
    """The curve through (x, y), x [n] rising and y [n] or [n, k], at `at` [...]; beyond the ends it stays as there.

    Args:
        level_ends: reach the first and last point level, so that the slope does not jump there either.
    """
    x, y, at = (np.asarray(v, np.float64) for v in (x, y, at))
    if len(x) == 1:
        return np.broadcast_to(y[0], (*at.shape, *y.shape[1:])).copy()
    width = np.diff(x).reshape(-1, *[1] * (y.ndim - 1))
    rise = np.diff(y, axis=0) / width
    first, last = (0 * rise[:1], 0 * rise[:1]) if level_ends else (rise[:1], rise[-1:])
    slopes = np.concatenate([first, _inner(width, rise), last])
    where = np.clip(np.asarray(at), x[0], x[-1])
    i = np.clip(np.searchsorted(x, where, side="right") - 1, 0, len(x) - 2)
    t = ((where - x[i]) / np.diff(x)[i]).reshape(*at.shape, *[1] * (y.ndim - 1))
    h = width[i]
    low = (1 + 2 * t) * (1 - t) ** 2 * y[i] + t * (1 - t) ** 2 * h * slopes[i]
    made: F64 = low + t**2 * (3 - 2 * t) * y[i + 1] + t**2 * (t - 1) * h * slopes[i + 1]
    return made


def _inner(width: F64, rise: F64) -> F64:
    """Slopes at the inner points: a weighted harmonic mean of those on either side, 0 where they differ in sign."""
    before, after = rise[:-1], rise[1:]
    weights = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    both = before * after
    mean: F64 = np.where(both > 0, weights[0] + weights[1], 0.0) * both
    mean /= np.where(both > 0, weights[0] * after + weights[1] * before, 1.0)
    return mean
