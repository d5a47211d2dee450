"""A space of meaning for captions: words weighted by rarity, brought to K dimensions (latent semantic analysis).

Deerwester et al. 1990. Deterministic, and small enough to be refitted for every fold of an evaluation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from roughcut.errors import DataError
from roughcut.records import F32

_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class CaptionSpace:
    """`embed` gives unit rows; a caption without a known word is the zero row."""

    words: dict[str, int]
    axes: F32
    """[words, K], each word's rarity already in it"""

    @classmethod
    def fit(cls, captions: Sequence[str], dimensions: int) -> CaptionSpace:
        """The space of the distinct captions' `dimensions` strongest axes.

        Raises:
            DataError: the captions have too few distinct words.
        """
        distinct = sorted(set(captions))
        words = {word: i for i, word in enumerate(sorted({w for c in distinct for w in _words(c)}))}
        if min(len(words), len(distinct)) <= dimensions:
            raise DataError("too few captions", where="captions", got=len(distinct), allowed=f"more than {dimensions}")
        counts = _counts(distinct, words)
        rarity = np.log((1 + len(distinct)) / (1 + np.asarray(counts.sum(0)).ravel()))
        _, _, axes = svds(_unit_rows(counts.multiply(rarity).tocsr()), dimensions, random_state=0)
        axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
        return cls(words, (rarity[:, None] * axes[::-1].T).astype(np.float32))

    def embed(self, captions: Sequence[str]) -> F32:
        """[len(captions), K]."""
        rows = np.asarray(_counts(captions, self.words) @ self.axes, np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))


def _words(caption: str) -> list[str]:
    """Its distinct words, sorted: caption models stutter, so how often a word is said says nothing."""
    return sorted(set(_WORD.findall(caption.lower())))


def _counts(captions: Sequence[str], words: dict[str, int]) -> sparse.csr_matrix:
    pairs = [(i, words[w]) for i, caption in enumerate(captions) for w in _words(caption) if w in words]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(captions), len(words)))


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1)).ravel())
    return sparse.diags(1 / np.maximum(norms, 1e-6)) @ matrix
