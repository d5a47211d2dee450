"""Moments: what people would keep, and when effects fit, from picture rows at 2 Hz.

    embeddings [P, D]  --grid_rows-->  [N, D]  --context_rows-->  [N, 3 D]  --moments network-->  keep, accent, lull [N]

The network compares each row with the film's mean and with the seconds before it; both means are columns of the
rows, so that the network itself stays causal in memory and the film may be of any length.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Protocol

import numpy as np

from roughcut.records import F32, Curve, Features

ROW_STEP = Fraction(1, 2)  # seconds per row
RECENT_ROWS = 8  # the four seconds before a row
HEADS = ("keep", "accent", "lull")


class Network(Protocol):
    """What is asked of a loaded network."""

    def run(self, **inputs: np.ndarray) -> dict[str, np.ndarray]: ...


class Store(Protocol):
    """Where networks come from; `roughcut.models.store` is one."""

    def load(self, name: str) -> Network: ...


def grid_rows(features: Features) -> F32:
    """[N, D] mean embedding per half second from the film's start; a cell without a picture repeats the one before."""
    times = features.times
    if not len(times) or not len(features.picture_frames):
        return np.zeros((0, features.embeddings.shape[-1]), np.float32)
    span = times.range
    count = max(math.ceil(span.duration / ROW_STEP), 1)
    offset = float(span.start)
    seconds = times.seconds()[features.picture_frames] - offset
    cells = np.clip((seconds / float(ROW_STEP)).astype(np.int64), 0, count - 1)
    sums = np.zeros((count, features.embeddings.shape[1]))
    np.add.at(sums, cells, features.embeddings)
    filled = np.bincount(cells, minlength=count)
    sums[filled > 0] /= filled[filled > 0, None]
    known = np.flatnonzero(filled)
    nearest = known[np.maximum(np.searchsorted(known, np.arange(count), side="right") - 1, 0)]
    return sums[nearest].astype(np.float32)


def context_rows(rows: F32) -> F32:
    """[N, D] to [N, 3 D]: the row, the film's mean, the mean of the `RECENT_ROWS` rows before (row 0: itself)."""
    if not len(rows):
        return np.zeros((0, 3 * rows.shape[1]), np.float32)
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, 0, dtype=np.float64)])
    at = np.arange(len(rows))
    first = np.maximum(at - RECENT_ROWS, 0)
    recent = (sums[at] - sums[first]) / np.maximum(at - first, 1)[:, None]
    recent[0] = rows[0]
    film = np.broadcast_to(rows.mean(0, dtype=np.float64), rows.shape)
    return np.concatenate([rows, film, recent], 1).astype(np.float32)


class MomentMapper:
    """U = RNN(X) for moments, with the shipped network."""

    def __init__(self, store: Store) -> None:
        self._network = store.load("moments")

    def map(self, features: Features) -> tuple[Curve, Curve, Curve]:
        """Curves `keep`, `accent`, `lull` in [0, 1], one value per half second of the film; empty without pictures."""
        rows = context_rows(grid_rows(features))
        start = features.times.range.start if len(features.times) else Fraction(0)
        values = self._network.run(rows=rows) if len(rows) else {name: np.zeros(0, np.float32) for name in HEADS}
        keep, accent, lull = (Curve(name=n, start=start, step=ROW_STEP, values=values[n].reshape(-1)) for n in HEADS)
        return keep, accent, lull
