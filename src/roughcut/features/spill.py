"""Rows on disk: an .npy file that grows as rows come, and is mapped when they are read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from roughcut.errors import OutputError


class Spilled:
    """`records.rows.Rows` in a file of its own.

    Raises:
        OutputError: the disk is full, or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._like = np.zeros(0)  # no rows of the kind that came first
        self._count = 0

    def append(self, part: NDArray[Any]) -> None:
        """Take the next [n, ...] rows, n >= 0."""
        if len(part):
            self._write(part)

    def whole(self, empty: NDArray[Any]) -> NDArray[Any]:
        """All rows, mapped; an array without rows is written as `empty`."""
        if self._file is None:
            self._write(empty[:0])
        assert self._file is not None
        try:
            self._file.seek(0)
            self._header(self._file)
            self._file.close()
        except OSError as error:
            raise self._full(error) from error
        return mapped(self._path)

    def close(self) -> None:
        """Close the file of a pass that came to nothing."""
        if self._file is not None:
            with suppress(OSError):  # what a full disk would not take
                self._file.close()

    def _write(self, part: NDArray[Any]) -> None:
        try:
            if self._file is None:
                self._file = self._path.open("wb")
                self._like = part[:0]
                self._header(self._file)
            assert (part.shape[1:], part.dtype) == (self._like.shape[1:], self._like.dtype)
            self._file.write(np.ascontiguousarray(part).tobytes())
        except OSError as error:
            raise self._full(error) from error
        self._count += len(part)

    def _header(self, file: BinaryIO) -> None:
        """The header for the rows so far; NumPy pads it so that a greater count takes no more room."""
        shape = (self._count, *self._like.shape[1:])
        header = {"descr": np.lib.format.dtype_to_descr(self._like.dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)

    def _full(self, error: OSError) -> OutputError:
        return OutputError(
            "what the analysis finds cannot be written",
            where=self._path.parent,
            got=error.strerror,
            next_step="free some space, or name another folder in ROUGHCUT_CACHE",
        )


def mapped(path: Path) -> NDArray[Any]:
    """The array of an .npy file, read-only, its pages read when they are used.

    Raises:
        OSError, ValueError: no such file, or not the whole of one.
    """
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"an .npy file of version 1.0, got {version}")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if 0 in shape:
            return np.zeros(shape, dtype)
        return np.memmap(file, dtype=dtype, mode="r", shape=shape, offset=file.tell())
