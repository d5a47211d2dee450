"""What stands out in its own film: how rare a moment is among the rows of the film, without labels.

    rarity_i = typical_i / 2 - density_i      density_i = mean over j of exp(16 (c_ij - 1)), typical_i of c_ij

with c_ij the cosine of rows i and j, each the mean of two seconds on either side. The density is a kernel estimate
(Parzen 1962): low where a film shows what it shows only once. What is merely foreign to the film (a title, a black
stretch) is as rare, so half of how typical it is counts for it.

A film of one place and one event is told by what is rare in it, a varied one by what is shown; `weight` says how far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from roughcut.records import F32

SHARPNESS = 16.0  # of the kernel; cosines of .85 weigh a tenth
TYPICAL = 0.5
FLAT = 0.03  # deviations below this are not spread any further
REFERENCES = 1024  # rows of a film that all are compared with, evenly chosen
UNIFORM, SOFTNESS = -2.3, 0.3  # logarithm of the mean density at which both count alike
LEAST, MOST = 0.2, 0.8


class Rarity:
    """The rarity of each row of a film, and what it weighs beside what is shown."""

    def __init__(self, density: np.ndarray, typical: np.ndarray) -> None:
        """Args: density, typical: [N] as in the formula above."""
        self.values: F32 = _spread(TYPICAL * _spread(typical) - _spread(density)).astype(np.float32)
        """[N] of mean 0 and a deviation of 1, or less where all rows are alike"""
        self.weight = _weight(float(density.mean())) if len(density) else LEAST
        """0.2 in a varied film, 0.8 in one where all is alike"""


def rarity(rows: Callable[[], Iterable[F32]], count: int) -> Rarity:
    """Rarity from blocks of rows.

    Args:
        rows: starts the blocks [n, D] from the film's first row; called twice, because what they are compared with
            comes first.
        count: rows in all.
    """
    references = _unit(_chosen(rows(), count))
    found = [_compared(_unit(block), references) for block in rows()]
    return Rarity(*(np.concatenate([np.zeros(0), *parts]) for parts in zip(*found, strict=True)))


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


def _compared(rows: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cosines = rows @ references.T
    return np.exp(SHARPNESS * (cosines - 1)).mean(1), cosines.mean(1)


def _unit(rows: F32) -> np.ndarray:
    """In double precision, so that blocks of any size give the same rarity."""
    wide = rows.astype(np.float64)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-6))


def _spread(values: np.ndarray) -> np.ndarray:
    """Mean 0, deviation 1; deviations below `FLAT` are left small."""
    if not len(values):
        return values
    centred = values - values.mean()
    return np.asarray(centred / max(float(values.std()), FLAT))


def _weight(density: float) -> float:
    return LEAST + (MOST - LEAST) / (1 + float(np.exp((UNIFORM - np.log(max(density, 1e-9))) / SOFTNESS)))
