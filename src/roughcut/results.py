"""Where results go: checked before any work is done, so that nobody waits an hour for an error."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from roughcut.errors import OutputError


def claim(outputs: Sequence[Path], *, inputs: Sequence[Path], force: bool) -> None:
    """Check that all outputs can be written, and make the folder they go to.

    Raises:
        OutputError: an output is an input, is a folder, exists without `force`, or its folder cannot be written.
    """
    for path in outputs:
        if any(_same(path, source) for source in inputs):
            raise OutputError("the output is one of the inputs", where=path, next_step="choose another name with -o")
        if path.is_dir():
            raise OutputError("the output is a folder", where=path, next_step="name a file in it")
        if path.exists() and not force:
            raise OutputError(
                "exists already", where=path, next_step="add --force to replace it, or choose another name"
            )
    for folder in {path.absolute().parent for path in outputs}:
        _check_folder(folder)


def _same(a: Path, b: Path) -> bool:
    try:
        return a.resolve() == b.resolve() or (a.exists() and b.exists() and a.samefile(b))
    except OSError:
        return False


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError("the folder cannot be made", where=folder, got=error.strerror) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError("the folder may not be written to", where=folder, next_step="choose another with -o")
