"""Moments: what people would keep, and when effects fit, from picture rows at 2 Hz.

    embeddings [P, D]  --grid_rows-->  [N, D]  --context_rows-->  [N, 5 D]  --moments.onnx-->  shown, accent, lull [N]
                                                                 \\  --Likeness-->  fused with shown: keep [N]

What a row means depends on its film: the network sees each row beside the means of the seconds before and after it,
of the half minute around it and of the whole film, and remembers the rest in its LSTM. What it makes of what is shown
is joined by how rare that is in the film, brought nearer to what it makes of moments alike, and smoothed over a second
or two, as people judge.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from roughcut.errors import ModelError
from roughcut.models import store
from roughcut.models.store import Model
from roughcut.records import F32, Curve, Features
from roughcut.records.rows import part
from roughcut.temporal.likeness import Likeness
from roughcut.temporal.mapper import BlockStream, sigmoid

ROW_STEP = Fraction(1, 2)  # seconds per row
NEAR_ROWS, WIDE_ROWS = 4, 30  # rows on either side: 2 and 15 seconds
PARTS = 5
BLOCK_ROWS = 1024  # rows with context at a time: 2.6 MB and a few times that on the way
HEADS = ("keep", "accent", "lull")
SMOOTH_ROWS = 2.5  # deviation of the bell that smooths keep: people judge seconds, not half seconds


def grid_rows(features: Features) -> F32:
    """[N, D] mean embedding per half second from the film's start; a cell without a picture repeats the one before."""
    return np.concatenate([np.zeros((0, features.embeddings.shape[-1]), np.float32), *grid_blocks(features)])


def grid_blocks(features: Features, size: int = BLOCK_ROWS) -> Iterator[F32]:
    """`grid_rows` in consecutive blocks of `size` rows, the last one shorter.

    Raises:
        ModelError: an embedding is not a number.
    """
    times = features.times
    if not len(times) or not len(features.picture_frames):
        return
    count = max(math.ceil(times.range.duration / ROW_STEP), 1)
    seconds = times.pts[features.picture_frames] * float(times.time_base) - float(times.range.start)
    cells = np.clip((seconds / float(ROW_STEP)).astype(np.int64), 0, count - 1)
    filled = np.bincount(cells, minlength=count)
    source = latest(np.flatnonzero(filled), count)  # cells rise, so those a block takes from lie together
    for at in range(0, count, size):
        wanted = source[at : at + size]
        first, stop = int(wanted[0]), int(wanted[-1]) + 1
        a, b = np.searchsorted(cells, [first, stop])
        sums = np.zeros((stop - first, features.embeddings.shape[1]))
        np.add.at(sums, cells[a:b] - first, part(features.embeddings, a, b))
        sums /= np.maximum(filled[first:stop, None], 1)
        if not np.isfinite(sums).all():
            raise ModelError("an embedding is not a number", where="encoder", next_step="analyse anew with --no-cache")
        yield np.asarray(sums[wanted - first], np.float32)


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
    return _beside(rows, rows.mean(0, dtype=np.float64))


def context_blocks(given: Callable[[], Iterator[F32]], size: int = BLOCK_ROWS) -> Iterator[F32]:
    """`context_rows` in blocks of at least `size` rows, from rows that come in blocks of any size.

    Args:
        given: starts the blocks from the film's first row; called twice, because the film's mean comes first.
    """
    total, count = np.zeros(1), 0
    for block in given():
        total, count = total + block.sum(0, dtype=np.float64), count + len(block)
    held, done = np.zeros((0, 0), np.float32), 0  # `done` rows of `held` are only there for those that follow
    for block in given():
        held = np.concatenate([held, block]) if len(held) else block
        settled = len(held) - WIDE_ROWS
        if settled - done >= size:
            yield _beside(held, total / count)[done:settled]
            first = max(settled - WIDE_ROWS, 0)
            held, done = held[first:], settled - first
    if len(held):
        yield _beside(held, total / count)[done:]


def _beside(rows: F32, film: np.ndarray) -> F32:
    """[N, 5 D] of rows and the mean of their film; right where the row's surroundings are among the rows."""
    before, after = _means(rows, -NEAR_ROWS, 0), _means(rows, 0, NEAR_ROWS + 1)
    before[0] = rows[0]
    wide, whole = _means(rows, -WIDE_ROWS, WIDE_ROWS + 1), np.broadcast_to(film, rows.shape)
    return np.concatenate([rows, before, after, wide, whole], 1, dtype=np.float32, casting="same_kind")


def _means(rows: F32, first: int, stop: int) -> np.ndarray:
    """[N, D]: the mean of rows `[i + first, i + stop)` of each row i."""
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, 0, dtype=np.float64)])
    at = np.arange(len(rows))
    low, high = np.maximum(at + first, 0), np.minimum(at + stop, len(rows))
    return np.asarray((sums[high] - sums[low]) / np.maximum(high - low, 1)[:, None])


def near_rows(context: F32) -> F32:
    """[N, 5 D] rows with context to [N, D]: what is seen two seconds before and after a row."""
    _, before, after, _, _ = np.split(context, PARTS, axis=1)
    return np.asarray((before + after) / 2)


def fused(shown: F32, likeness: Likeness) -> F32:
    """[N] logits of keep, from what is shown (the network's answer, deviation about 1 in a film) and its rarity.

    Their deviation within the film is 1 at most, so that no moment is all or nothing.
    """
    both = smoothed(likeness.shared(shown + likeness.rarity()))
    deviation = float(both.std()) if len(both) else 0.0
    return both if deviation <= 1 else np.asarray((both - both.mean()) / deviation)


def smoothed(values: F32, rows: float = SMOOTH_ROWS) -> F32:
    """[N] the mean under a bell of deviation `rows` around each value; at the ends of what there is."""
    if not len(values):
        return values
    reach = math.ceil(3 * rows)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / rows) ** 2)
    inside = slice(reach, reach + len(values))
    total = np.convolve(np.ones(len(values)), bell)[inside]
    return np.asarray(np.convolve(values, bell)[inside] / total, np.float32)


class MomentMapper:
    """U = RNN(X) for moments."""

    def __init__(self, model: Model | None = None) -> None:
        """The shipped network, or another of the same contract.

        Raises:
            ModelError: it has other heads.
        """
        self._model = model or store.load("moments")
        heads = self._model.card.get("heads")
        if not isinstance(heads, dict) or not set(HEADS) <= set(heads):
            raise ModelError(
                "a network of another version: it lacks heads", where=self._model.name,
                got=", ".join(heads or ()) or "none", allowed=", ".join(HEADS),
            )  # fmt: skip

    def map(self, features: Features) -> tuple[Curve, Curve, Curve]:
        """Curves `keep`, `accent`, `lull` in [0, 1], one value per half second of the film; empty without pictures."""
        start = features.times.range.start if len(features.times) else Fraction(0)
        logits = self._logits(features)
        keep, accent, lull = (Curve(name=n, start=start, step=ROW_STEP, values=sigmoid(logits[n])) for n in HEADS)
        return keep, accent, lull

    def _logits(self, features: Features) -> dict[str, F32]:
        def context() -> Iterator[F32]:
            return context_blocks(lambda: grid_blocks(features))

        stream = BlockStream(self._model)
        settled = [*(stream.push(rows) for rows in context()), stream.finish()]
        logits = {name: np.concatenate([given[name] for given in settled])[:, 0] for name in HEADS}
        likeness = Likeness(lambda: (near_rows(block) for block in context()), len(logits["keep"]))
        return logits | {"keep": fused(logits["keep"], likeness)}
