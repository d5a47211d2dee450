"""Moments: what people would keep, and when effects fit, from picture rows at 2 Hz.

    embeddings [P, D]  --grid_rows-->  [N, D]  --context_rows-->  [N, 5 D]  --moments.onnx-->  keep, accent, lull [N]

What a row means depends on its film: the network sees each row beside the means of the seconds before and after it,
of the half minute around it and of the whole film, and remembers the rest in its LSTM.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from roughcut.models import store
from roughcut.models.store import Model
from roughcut.records import F32, Curve, Features
from roughcut.temporal.mapper import BlockStream, sigmoid

ROW_STEP = Fraction(1, 2)  # seconds per row
NEAR_ROWS, WIDE_ROWS = 4, 30  # rows on either side: 2 and 15 seconds
PARTS = 5
HEADS = ("keep", "accent", "lull")


def grid_rows(features: Features) -> F32:
    """[N, D] mean embedding per half second from the film's start; a cell without a picture repeats the one before."""
    times = features.times
    if not len(times) or not len(features.picture_frames):
        return np.zeros((0, features.embeddings.shape[-1]), np.float32)
    count = max(math.ceil(times.range.duration / ROW_STEP), 1)
    seconds = times.seconds()[features.picture_frames] - float(times.range.start)
    cells = np.clip((seconds / float(ROW_STEP)).astype(np.int64), 0, count - 1)
    sums = np.zeros((count, features.embeddings.shape[1]))
    np.add.at(sums, cells, features.embeddings)
    filled = np.bincount(cells, minlength=count)
    known = np.flatnonzero(filled)
    sums[known] /= filled[known, None]
    return np.asarray(sums[latest(known, count)], np.float32)


def latest(known: np.ndarray, count: int) -> np.ndarray:
    """[count] for every cell the last of the rising cells `known` up to it; the first one before that."""
    return known[np.maximum(np.searchsorted(known, np.arange(count), side="right") - 1, 0)]


def context_rows(rows: F32) -> F32:
    """[N, D] to [N, 5 D]: row | before | after | wide | film, the last four being means.

    `before` are the `NEAR_ROWS` rows up to this one, `after` this one and the `NEAR_ROWS` following, `wide` the
    `WIDE_ROWS` on either side; at the film's ends as many as there are (row 0 is its own `before`).
    """
    if not len(rows):
        return np.zeros((0, PARTS * rows.shape[1]), np.float32)
    film = np.broadcast_to(rows.mean(0, dtype=np.float64), rows.shape)
    before, after = _means(rows, -NEAR_ROWS, 0), _means(rows, 0, NEAR_ROWS + 1)
    before[0] = rows[0]
    return np.concatenate([rows, before, after, _means(rows, -WIDE_ROWS, WIDE_ROWS + 1), film], 1).astype(np.float32)


def _means(rows: F32, first: int, stop: int) -> np.ndarray:
    """[N, D]: the mean of rows `[i + first, i + stop)` of each row i."""
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, 0, dtype=np.float64)])
    at = np.arange(len(rows))
    low, high = np.maximum(at + first, 0), np.minimum(at + stop, len(rows))
    return np.asarray((sums[high] - sums[low]) / np.maximum(high - low, 1)[:, None])


class MomentMapper:
    """U = RNN(X) for moments."""

    def __init__(self, model: Model | None = None) -> None:
        """The shipped network, or another of the same contract."""
        self._model = model or store.load("moments")

    def map(self, features: Features) -> tuple[Curve, Curve, Curve]:
        """Curves `keep`, `accent`, `lull` in [0, 1], one value per half second of the film; empty without pictures."""
        rows = context_rows(grid_rows(features))
        start = features.times.range.start if len(features.times) else Fraction(0)
        values = self._probabilities(rows) if len(rows) else dict.fromkeys(HEADS, np.zeros(0, np.float32))
        keep, accent, lull = (Curve(name=name, start=start, step=ROW_STEP, values=values[name]) for name in HEADS)
        return keep, accent, lull

    def _probabilities(self, rows: F32) -> dict[str, F32]:
        stream = BlockStream(self._model)
        settled, rest = stream.push(rows), stream.finish()
        return {name: sigmoid(np.concatenate([settled[name], rest[name]])[:, 0]) for name in HEADS}
