"""Where results go: checked before any work is done, so that nobody waits an hour for an error."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from roughcut.errors import OutputError
from roughcut.media.probe import content_digest
from roughcut.timeline.plan import Source

LONGEST_NAME = 255  # bytes: what file systems take


def claim(outputs: Sequence[Path], *, inputs: Sequence[Path], force: bool) -> None:
    """Check that all outputs can be written, and make the folder they go to.

    Raises:
        OutputError: an output is an input, a folder or a device, has too long a name, exists without `force`, or its
            folder cannot be written.
    """
    for path in outputs:
        _check_name(path)
        if any(_same(path, source) for source in inputs):
            raise OutputError("the output is one of the inputs", where=path, next_step="choose another name with -o")
        if path.is_dir():
            raise OutputError("the output is a folder", where=path, next_step="name a file in it")
        if path.exists() and not path.is_file():
            raise OutputError("the output is a pipe or a device, not a file", where=path, next_step="name a file")
        if path.exists() and not force:
            raise OutputError(
                "exists already", where=path, next_step="add --force to replace it, or choose another name"
            )
    for folder in {path.absolute().parent for path in outputs}:
        _check_folder(folder)


def claim_png(path: Path | None, file: Path, *, force: bool) -> None:
    """Check that a picture drawn of `file` can be written, where one is wanted.

    Raises:
        OutputError: as `claim`, or its name does not end in .png.
    """
    if path is None:
        return
    if path.suffix.lower() != ".png":
        raise OutputError("the picture's name ends in .png", where=path, got=path.suffix or "no ending")
    claim([path], inputs=[file], force=force)


def _check_name(path: Path) -> None:
    length = len(os.fsencode(path.name))
    if length > LONGEST_NAME:
        raise OutputError(
            "the name is too long", where=path, got=f"{length} bytes", allowed=f"{LONGEST_NAME} bytes with its ending",
            next_step="choose a shorter one with -o",
        )  # fmt: skip


def changed(sources: Sequence[Source]) -> tuple[str, ...]:
    """One remark per file that is not the one its plan was made from."""
    there = (s for s in sources if s.digest and s.path.is_file())
    return tuple(f"{s.path} has changed since the plan was made" for s in there if content_digest(s.path) != s.digest)


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
