"""How like each other the moments of one film are: what is rare among them, and what should be judged alike.

    rarity_i = 3 typical_i - 22 density_i        density_i = mean over j of exp(32 (c_ij - 1)), typical_i of c_ij
    shared_i = .3 v_i + .7 sum_j k_ij v_j / sum_j k_ij                             k_ij = exp(12 (c_ij - 1))

with c_ij the cosine of rows i and j, each the mean of two seconds on either side. The density is a kernel estimate
(Parzen 1962): low where a film shows what it shows only once. What is merely foreign to the film (a title, a black
stretch) is as rare, so being like the rest counts for a row. `shared` is a non-local mean (Buades et al. 2005): what
looks alike is worth alike, wherever in the film it stands.

Nothing is scaled within a film. Where all is alike, densities are high and lie far apart, so that what is rare decides;
in a varied film all are low, and what is shown does. The factors bring both terms to deviations of about .3 and .6 in
varied films, beside a deviation of 1 of what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from roughcut.records import F32

SHARPNESS = 32.0  # of the density's kernel; cosines of .93 weigh a tenth
TYPICAL, DENSE = 3.0, 22.0
ALIKE = 12.0  # sharpness of the kernel of what is judged alike
SHARED = 0.7
REFERENCES = 1024  # rows of a film that all are compared with, evenly chosen

Blocks = Callable[[], Iterable[F32]]
"""Starts a film's rows [n, D], block by block, from the first; called once for each pass over them."""


class Likeness:
    """The rows of one film compared with an even choice of themselves; memory does not grow with the film."""

    def __init__(self, rows: Blocks, count: int) -> None:
        """Args: count: rows in all."""
        self._rows, self._count = rows, count
        self._at = np.linspace(0, count - 1, min(count, REFERENCES)).round().astype(np.int64)
        self._references = _unit(np.concatenate(list(_picked(rows(), self._at)))) if count else np.zeros((0, 0))

    def rarity(self) -> F32:
        """[count] logits, 0 in the mean."""
        parts = [
            TYPICAL * cosines.mean(1) - DENSE * np.exp(SHARPNESS * (cosines - 1)).mean(1) for cosines in self._cosines()
        ]
        values = np.concatenate([np.zeros(0), *parts])
        return np.asarray(values - values.sum() / max(self._count, 1), np.float32)

    def shared(self, values: F32) -> F32:
        """[count] values, each joined by the mean value of the rows like its own."""
        known = values[self._at].astype(np.float64)
        kernels = (np.exp(ALIKE * (cosines - 1)) for cosines in self._cosines())
        means = np.concatenate([np.zeros(0), *(k @ known / k.sum(1) for k in kernels)])
        return np.asarray((1 - SHARED) * values + SHARED * means, np.float32)

    def _cosines(self) -> Iterator[np.ndarray]:
        """[n, references] of each block of rows."""
        if self._count:
            yield from (_unit(block) @ self._references.T for block in self._rows())


def _picked(blocks: Iterable[F32], wanted: np.ndarray) -> Iterator[F32]:
    first = 0
    for block in blocks:
        a, b = np.searchsorted(wanted, [first, first + len(block)])
        yield block[wanted[a:b] - first]
        first += len(block)


def _unit(rows: F32) -> np.ndarray:
    """In double precision, so that blocks of any size give the same numbers."""
    wide = rows.astype(np.float64)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-6))
