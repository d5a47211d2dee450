"""Rows that come bit by bit and may be many: kept in memory or spilled to disk, and read back in blocks.

Hours of footage have more rows than belong in memory. Who makes rows appends them to a `Rows` of a `Shelf` and does
not ask where they go; who reads many goes through them with `blocks`, so that what was read does not stay resident.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from mmap import mmap
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 4096


class Rows(Protocol):
    """One growing array; all parts have the type and the row shape of the first."""

    def append(self, part: NDArray[Any]) -> None:
        """Take the next [n, ...] rows, n >= 0."""
        ...

    def whole(self, empty: NDArray[Any]) -> NDArray[Any]:
        """All rows in order, perhaps mapped from disk; `empty` where none came. Call once."""
        ...


Shelf = Callable[[str], Rows]
"""Gives a new `Rows` for each name."""


class Held:
    """Rows in memory: for short films, and for tests."""

    def __init__(self, name: str = "") -> None:
        self._parts: list[NDArray[Any]] = []

    def append(self, part: NDArray[Any]) -> None:
        if len(part):
            self._parts.append(part)

    def whole(self, empty: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate(self._parts) if self._parts else empty


def blocks(rows: NDArray[Any], size: int = BLOCK_ROWS) -> Iterator[NDArray[Any]]:
    """Consecutive [n <= size, ...] copies of all rows; of an array mapped from disk only the last stays resident."""
    for at in range(0, len(rows), size):
        yield part(rows, at, at + size)


def part(rows: NDArray[Any], first: int, stop: int) -> NDArray[Any]:
    """A copy of `rows[first:stop]` that leaves nothing of a mapped file resident."""
    copied = np.array(rows[first:stop])
    mapped = getattr(rows, "_mmap", None)
    if isinstance(mapped, mmap) and hasattr(mapped, "madvise"):
        from mmap import MADV_DONTNEED

        with suppress(OSError, ValueError):
            mapped.madvise(MADV_DONTNEED)
    return copied
