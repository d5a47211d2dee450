"""What one would do without a network: a threshold on how much a frame differs from the one before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from roughcut.records import F32, U8, Transition

Measure = Callable[[U8], F32]
"""[T, 27, 48, 3] thumbs to [T] scores; the first frame scores 0."""


def frame_difference(thumbs: U8) -> F32:
    """Mean absolute difference of RGB to the frame before, in 0..1."""
    change = np.abs(np.diff(thumbs.astype(np.int16), axis=0)).mean((1, 2, 3)) / 255.0
    return _from_second(change)


def histogram_difference(thumbs: U8) -> F32:
    """One minus the intersection of joint 8x8x8 colour histograms with the frame before, in 0..1."""
    level = (thumbs >> 5).astype(np.int64).reshape(len(thumbs), -1, 3)
    codes = (level[..., 0] * 8 + level[..., 1]) * 8 + level[..., 2]
    shares = np.stack([np.bincount(row, minlength=512) for row in codes]) / codes.shape[1]
    return _from_second(1.0 - np.minimum(shares[1:], shares[:-1]).sum(1))


BASELINES: dict[str, Measure] = {"frame_difference": frame_difference, "histogram_difference": histogram_difference}


def threshold_transitions(scores: F32, threshold: float) -> tuple[Transition, ...]:
    """Every run of frames above the threshold is one transition; of one frame: a cut, of more: a dissolve."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], scores > threshold, [False]]).astype(np.int8)))
    return tuple(
        Transition(kind="cut" if z - a == 1 else "dissolve", start=a - 1, end=z - 1, probability=1.0)
        for a, z in edges.reshape(-1, 2).tolist()
        if a > 0
    )


def _from_second(change: np.ndarray) -> F32:
    return np.concatenate([[0.0], change]).astype(np.float32)
