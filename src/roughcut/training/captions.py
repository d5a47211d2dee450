"""A space of meaning for captions: which words they hold, and what they say as a whole.

Words weighted by rarity, brought to a few dimensions (latent semantic analysis, Deerwester et al. 1990), and beside
them the strongest axes of a sentence encoder's rows. Deterministic, and small enough to be refitted for every fold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from roughcut.errors import DataError
from roughcut.records import F32

_WORD = re.compile(r"[a-z]+")
Encode = Callable[[Sequence[str]], F32]
"""Captions to rows of any width."""


@dataclass(frozen=True)
class CaptionSpace:
    """`embed` gives rows of two parts, each of length about 1; a caption without a known word is zero in the first."""

    words: WordAxes
    sentences: SentenceAxes | None

    @classmethod
    def fit(cls, captions: Sequence[str], words: int, sentences: int = 0, encode: Encode | None = None) -> CaptionSpace:
        """The space of the distinct captions' strongest axes: `words` of what they hold, `sentences` of `encode`.

        Raises:
            DataError: the captions have too few distinct words.
        """
        distinct = sorted(set(captions))
        said = SentenceAxes.fit(distinct, sentences, encode) if encode is not None and sentences else None
        return cls(WordAxes.fit(distinct, words), said)

    def embed(self, captions: Sequence[str]) -> F32:
        """[len(captions), words + sentences]."""
        rows = self.words(captions)
        return rows if self.sentences is None else np.concatenate([rows, self.sentences(captions)], 1)


@dataclass(frozen=True)
class WordAxes:
    """Captions to unit rows [N, K] by the words they hold."""

    words: dict[str, int]
    axes: F32
    """[words, K], each word's rarity already in it"""

    @classmethod
    def fit(cls, distinct: Sequence[str], dimensions: int) -> WordAxes:
        """The strongest axes of distinct captions."""
        words = {word: i for i, word in enumerate(sorted({w for c in distinct for w in _words(c)}))}
        if min(len(words), len(distinct)) <= dimensions:
            raise DataError("too few captions", where="captions", got=len(distinct), allowed=f"more than {dimensions}")
        counts = _counts(distinct, words)
        rarity = np.log((1 + len(distinct)) / (1 + np.asarray(counts.sum(0)).ravel()))
        _, _, axes = svds(_unit_rows(counts.multiply(rarity).tocsr()), dimensions, random_state=0)
        return cls(words, (rarity[:, None] * _signed(axes[::-1]).T).astype(np.float32))

    def __call__(self, captions: Sequence[str]) -> F32:
        rows = np.asarray(_counts(captions, self.words) @ self.axes, np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))


@dataclass(frozen=True)
class SentenceAxes:
    """Captions to rows [N, K] of mean length 1, by what an encoder makes of them."""

    encode: Encode
    middle: F32
    axes: F32

    @classmethod
    def fit(cls, distinct: Sequence[str], dimensions: int, encode: Encode) -> SentenceAxes:
        """The principal axes of distinct captions."""
        rows = encode(distinct).astype(np.float64)
        if min(rows.shape) < dimensions:
            raise DataError("too few captions", where="captions", got=len(distinct), allowed=f"at least {dimensions}")
        middle = rows.mean(0)
        _, axes = np.linalg.eigh((rows - middle).T @ (rows - middle))
        axes = _signed(axes[:, ::-1][:, :dimensions].T).T
        length = float(np.linalg.norm((rows - middle) @ axes, axis=1).mean())
        return cls(encode, middle.astype(np.float32), (axes / max(length, 1e-9)).astype(np.float32))

    def __call__(self, captions: Sequence[str]) -> F32:
        return np.asarray((self.encode(captions) - self.middle) @ self.axes, np.float32)


def _signed(axes: np.ndarray) -> np.ndarray:
    """[K, D] axes with the largest number of each positive, so that they are the same on every machine."""
    return np.asarray(axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None])


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
