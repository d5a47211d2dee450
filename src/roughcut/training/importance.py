"""What the moments task learns from: films as rows of meaning, and the targets that people's scores give.

keep     how high the mean person scores a row among the film's rows
accent   the mean person's score begins to rise here, by half a standard deviation or more within two seconds
lull     for four seconds around, the score stays low and flat
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from roughcut.evaluation.annotations import LabelledFilm
from roughcut.evaluation.correlation import standard_ranks
from roughcut.networks.moments import compare
from roughcut.records import F32
from roughcut.temporal.likeness import Likeness
from roughcut.temporal.moments import context_rows, latest, near_rows
from roughcut.training.captions import CaptionSpace

RISE_ROWS = 4  # two seconds
RISE = 0.5  # standard deviations
CALM_ROWS = 9  # about four seconds
CALM_LEVEL, CALM_RANGE = 0.4, 0.5  # quantile of the film; standard deviations
KNOWN_ROWS = 2  # a picture speaks for this many rows on either side


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One film ready to learn from."""

    name: str
    rows: F32
    """[T, 5 K] rows of meaning with context"""
    targets: F32
    """[T, 4]: keep as a z-score, keep as a rank in 0..1, accent, lull"""
    weights: F32
    """[T] 1 where the row is known, 0 where it stands in for one that is not"""
    likeness: Likeness
    """of the film's rows among themselves"""


def caption_stream(film: LabelledFilm, space: CaptionSpace) -> Stream:
    """A film through its captions: every row is known."""
    rows = context_rows(space.embed(film.captions))
    known = np.ones(len(rows), np.float32)
    return Stream(name=film.name, rows=rows, targets=targets(film), weights=known, likeness=_likeness(rows))


def picture_stream(film: LabelledFilm, steps: Sequence[int], embeddings: F32, bridge: Bridge) -> Stream:
    """A film through the pictures there are of it: `embeddings[i]` is that of the picture at row `steps[i]`.

    Likeness is judged on the embeddings themselves, as it is when a film is edited.
    """
    order = np.argsort(steps)
    known, count = np.minimum(np.asarray(steps)[order], len(film.captions) - 1), len(film.captions)
    seen = embeddings[order][np.searchsorted(known, latest(known, count))]
    distance = np.abs(np.arange(count)[:, None] - known).min(1)
    weights = (distance <= KNOWN_ROWS).astype(np.float32)
    likeness = _likeness(context_rows(seen))
    return Stream(
        name=film.name, rows=context_rows(bridge(seen)), targets=targets(film), weights=weights, likeness=likeness
    )


def _likeness(context: F32) -> Likeness:
    return Likeness(lambda: [near_rows(context)], len(context))


def targets(film: LabelledFilm) -> F32:
    """A film's [T, 4] targets, as `Stream` lists them.

    `keep` is the mean of every person's own order of the film (standardised ranks): what correlates best with all of
    them. Accents and lulls go by the mean score.
    """
    order = standard_ranks(film.scores if film.name.startswith("tvsum") else film.mean[None]).mean(0)
    z, smooth = _standard(order), _mean(_standard(film.mean), 3)
    ranks = (np.argsort(np.argsort(z, kind="stable"), kind="stable") + 0.5) / len(z)
    return np.stack([z, ranks, _accents(smooth), _lulls(smooth)], 1).astype(np.float32)


def _standard(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-6))


def _accents(z: np.ndarray) -> np.ndarray:
    """1 on rows within one of a local maximum of the rise."""
    padded = np.pad(z, RISE_ROWS, mode="edge")
    means = np.lib.stride_tricks.sliding_window_view(padded, RISE_ROWS).mean(1)
    rise = means[RISE_ROWS : RISE_ROWS + len(z)] - means[: len(z)]
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(rise, RISE_ROWS, mode="edge"), 2 * RISE_ROWS + 1).max(1)
    return _widened((rise >= highest) & (rise >= RISE))


def _widened(mask: np.ndarray) -> np.ndarray:
    return np.asarray(np.convolve(mask, np.ones(3), "same") > 0)


def _lulls(z: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(z, CALM_ROWS // 2, mode="edge"), CALM_ROWS)
    low = windows.max(1) <= np.quantile(z, CALM_LEVEL)
    return np.asarray(low & (windows.max(1) - windows.min(1) <= CALM_RANGE))


def _mean(values: np.ndarray, width: int) -> np.ndarray:
    padded = np.pad(values, width // 2, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width).mean(1))


@dataclass(frozen=True)
class Bridge:
    """Where the caption of an embedding would lie: embeddings [N, D] @ weight [D, K] + offset [K]."""

    weight: F32
    offset: F32

    @classmethod
    def fit(cls, embeddings: F32, meanings: F32, films: Sequence[str], strength: float) -> Bridge:
        """Ridge regression, no film weighing more than thirty pictures, rescaled so that films vary as they should.

        Ridge shrinks what it is unsure of, but the moments network expects rows as far apart as captions are.
        """
        names, inverse, counts = np.unique(np.asarray(films), return_inverse=True, return_counts=True)
        shares = np.minimum(1.0, 30 / counts[inverse])[:, None]
        means = [(shares * rows).sum(0) / shares.sum() for rows in (embeddings, meanings)]
        x, y = embeddings - means[0], meanings - means[1]
        gram = x.T @ (shares * x)
        weight = np.linalg.solve(gram + strength * np.trace(gram) / len(gram) * np.eye(len(gram)), x.T @ (shares * y))
        ratio = _spread(y, inverse, len(names)) / max(_spread(x @ weight, inverse, len(names)), 1e-6)
        weight *= min(ratio, 3.0)
        return cls(weight.astype(np.float32), (means[1] - means[0] @ weight).astype(np.float32))

    def __call__(self, embeddings: F32) -> F32:
        return embeddings @ self.weight + self.offset


def _spread(rows: np.ndarray, film: np.ndarray, films: int) -> float:
    """Mean distance of rows from their own film's mean."""
    means = np.stack([rows[film == i].mean(0) for i in range(films)])
    return float(np.linalg.norm(rows - means[film], axis=1).mean())


class Ridge:
    """The linear model on the very columns the network's heads see: where they begin, and what the LSTM has to beat.

    Fitted on differences from each film's own mean, every film weighing the same; `column` of the targets.
    """

    def __init__(self, streams: Sequence[Stream], strength: float, column: int = 0) -> None:
        parts = [_columns(s) for s in streams]
        centred = [x - x.mean(0) for x in parts]
        size = parts[0].shape[1]
        gram, moment = np.zeros((size, size)), np.zeros(size)
        for x, stream in zip(centred, streams, strict=True):
            gram += x.T @ x / len(x)
            moment += x.T @ stream.targets[:, column] / len(x)
        self.weights = np.linalg.solve(gram + strength * np.trace(gram) / size * np.eye(size), moment)
        self.middle = float(np.mean([x.mean(0) @ self.weights for x in parts]))
        self.share = float(np.mean([s.targets[:, column].mean() for s in streams]))

    def __call__(self, stream: Stream) -> F32:
        return np.asarray(_columns(stream) @ self.weights - self.middle, np.float32)


def _columns(stream: Stream) -> np.ndarray:
    """[T, 4 K + 4]"""
    x: Tensor = compare(torch.from_numpy(stream.rows)[None])[0]
    return np.asarray(x.double().numpy())
