"""The decisions of colour correction: what a shot's pictures say together, and how far a correction may go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from roughcut.records import F32, LookControls

CAPS: dict[str, float] = {
    "temperature": 3.0,
    "tint": 1.0,
    "exposure": 1.6,
    "black": 0.2,
    "white": 0.4,
    "gamma": 0.8,
    "contrast": 0.7,
    "saturation": 0.7,
}
"""Largest value of each slider either way: what the simulated faults reach, and no further."""
_ROUNDS = 3


def robust_mean(rows: F32, weights: NDArray[np.floating]) -> F32:
    """[N, K] and [N] to [K]: a weighted mean that rows far from the weighted median hardly move.

    Iteratively reweighted, Cauchy weights around the median, per column (Huber and Ronchetti, Robust Statistics).
    """
    total = np.asarray(weights, np.float64)[:, None] / np.sum(weights)
    centre = weighted_median(rows, weights)
    spread = np.maximum(np.sum(total * np.abs(rows - centre), axis=0), 1e-3)
    for _ in range(_ROUNDS):
        near = total / (1 + ((rows - centre) / spread) ** 2)
        centre = np.sum(near * rows, axis=0) / np.sum(near, axis=0)
    return centre.astype(np.float32)


def weighted_median(rows: F32, weights: NDArray[np.floating]) -> F32:
    """[N, K] and [N] to [K]: in each column the value that splits the weight in half."""
    order = np.argsort(rows, axis=0)
    run = np.cumsum(np.asarray(weights, np.float64)[order], axis=0)
    first = np.argmax(run >= run[-1] / 2, axis=0)
    median: F32 = np.take_along_axis(np.take_along_axis(rows, order, 0), first[None], 0)[0]
    return median


def shrunk(sliders: F32, confidence: float) -> LookControls:
    """Sliders [8] times the confidence, each within its cap; identity where there is none."""
    if confidence <= 0:
        return LookControls()
    names = LookControls.names()
    values = (float(np.clip(v * confidence, -CAPS[n], CAPS[n])) for n, v in zip(names, sliders, strict=True))
    return LookControls(**dict(zip(names, (round(v, 4) for v in values), strict=True)))
