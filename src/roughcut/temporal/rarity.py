"""What stands out in its own film: how rare a moment is among the rows of the film, without labels.

    rarity_i = 2.5 typical_i - 16 density_i      density_i = mean over j of exp(32 (c_ij - 1)), typical_i of c_ij

with c_ij the cosine of rows i and j, each the mean of two seconds on either side. The density is a kernel estimate
(Parzen 1962): low where a film shows what it shows only once. What is merely foreign to the film (a title, a black
stretch) is as rare, so being like the rest counts for a row.

Nothing is scaled within a film. Where all is alike, densities are high and lie far apart, so that what is rare decides;
in a varied film all are low, and what is shown does. The factors bring both terms to deviations of about .3 and .4 in
varied films, beside a deviation of 1 of what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from roughcut.records import F32

SHARPNESS = 32.0  # of the kernel; cosines of .93 weigh a tenth
TYPICAL, DENSE = 2.5, 16.0
REFERENCES = 1024  # rows of a film that all are compared with, evenly chosen


def rarity(rows: Callable[[], Iterable[F32]], count: int) -> F32:
    """[count] rarity of a film's rows, 0 in the mean, as logits.

    Args:
        rows: starts the blocks [n, D] from the film's first row; called twice, because what they are compared with
            comes first.
        count: rows in all.
    """
    if not count:
        return np.zeros(0, np.float32)
    references = _unit(_chosen(rows(), count))
    values = np.concatenate([_compared(_unit(block), references) for block in rows()])
    return np.asarray(values - values.mean(), np.float32)


def _chosen(blocks: Iterable[F32], count: int) -> F32:
    """At most `REFERENCES` rows, evenly spread."""
    wanted = np.linspace(0, count - 1, min(count, REFERENCES)).round().astype(np.int64)
    return np.concatenate(list(_picked(blocks, wanted)))


def _picked(blocks: Iterable[F32], wanted: np.ndarray) -> Iterator[F32]:
    first = 0
    for block in blocks:
        a, b = np.searchsorted(wanted, [first, first + len(block)])
        yield block[wanted[a:b] - first]
        first += len(block)


def _compared(rows: np.ndarray, references: np.ndarray) -> np.ndarray:
    cosines = rows @ references.T
    return np.asarray(TYPICAL * cosines.mean(1) - DENSE * np.exp(SHARPNESS * (cosines - 1)).mean(1))


def _unit(rows: F32) -> np.ndarray:
    """In double precision, so that blocks of any size give the same rarity."""
    wide = rows.astype(np.float64)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-6))
