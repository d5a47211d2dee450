"""Sound at another speed and its own pitch: WSOLA (Verhelst & Roelands 1993), to the sample.

out     |--window k--|                 windows of 40 ms, half overlapping, land on the film's own sample grid
             |--window k+1--|
source  ...[  search  ]...             each is taken near its planned place, where it goes on best from the one before

The planned middle of every window comes from the clip's time mapping, so errors never add up: sound stays with its
picture within the search of 10 ms at any speed, and there are exactly as many samples as film time has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from roughcut.records import F32

WINDOW = Fraction(1, 25)  # seconds
SEARCH = Fraction(1, 100)

Read = Callable[[int, int], F32]
"""(first, count): source samples [channels, count], counted from the clip's start."""


class Stretcher:
    """Reads a clip's sound at the speed of `source` (film seconds since the clip's start -> source seconds), forwards.

    Args:
        rate: samples per second of both.
    """

    def __init__(self, read: Read, source: Callable[[Fraction], Fraction], rate: int) -> None:
        self._read, self._source, self._rate = read, source, rate
        self._hop = max(int(WINDOW * rate) // 2, 8)
        self._size, self._reach = 2 * self._hop, int(SEARCH * rate)
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._start: int | None = None
        self._made = np.zeros((1, 0), np.float32)

    def read(self, first: int, count: int) -> F32:
        """[channels, count] film samples from the `first` after the clip's start (may be negative: its handle)."""
        if self._start is None or first < self._start:
            self._begin(first)
        assert self._start is not None
        while self._start + self._done() < first + count:
            self._add()
        self._drop(first - self._start)
        return self._made[:, :count].copy()

    def _begin(self, first: int) -> None:
        self._next = (first - self._hop) // self._hop
        self._start = self._next * self._hop
        self._made = np.zeros((self._read(0, 1).shape[0], self._hop), np.float32)
        self._follows: F32 | None = None
        self._add()

    def _done(self) -> int:
        """Samples that no later window changes."""
        return self._made.shape[1] - self._hop

    def _drop(self, count: int) -> None:
        assert self._start is not None
        self._made, self._start = self._made[:, count:], self._start + count

    def _add(self) -> None:
        """The next window."""
        middle = self._source(Fraction((self._next + 1) * self._hop, self._rate)) * self._rate
        first = math.floor(middle + Fraction(1, 2)) - self._hop - self._reach
        near = self._read(first, self._size + 2 * self._reach + self._hop)
        at = self._reach if self._follows is None else _best(self._follows, near[:, : self._size + 2 * self._reach])
        new = near[:, at : at + self._size] * self._window
        self._follows = near[:, at + self._hop : at + self._hop + self._size].mean(0)
        self._made = np.concatenate([self._made, np.zeros((new.shape[0], self._hop), np.float32)], 1)
        self._made[:, -self._size :] += new
        self._next += 1


def _best(wanted: F32, near: F32) -> int:
    """Where in `near` [channels, m] what follows best [n] lies; the middle where nothing stands out."""
    heard = near.mean(0)
    places = len(heard) - len(wanted) + 1
    size = 1 << len(heard).bit_length()
    cross = np.fft.irfft(np.conj(np.fft.rfft(wanted, size)) * np.fft.rfft(heard, size), size)[:places]
    energy = np.concatenate([[0.0], np.cumsum(heard.astype(np.float64) ** 2)])
    likeness = cross / np.sqrt(energy[len(wanted) :] - energy[:places] + 1e-6)
    best, middle = int(likeness.argmax()), places // 2
    return best if likeness[best] > likeness[middle] * 1.0001 + 1e-6 else middle
