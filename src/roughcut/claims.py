"""Who works on which film: a hidden lock file beside it, which a killed run leaves behind and a live one holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from roughcut.errors import OutputError


class Hold:
    """A film's name, held."""

    def __init__(self, file: IO[str]) -> None:
        file.seek(0)
        self._file = file
        self.killed = file.read().strip()
        """The process that was killed at work on this film; empty where there was none."""

    def begin(self) -> None:
        """From here on what lies there is this run's, and may be replaced after a kill."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()


@contextmanager
def working_on(film: Path) -> Iterator[Hold]:
    """Hold the name of a film; temporary files of a run that was killed at work on it are removed.

    The system lets go of a dead process's lock, so no living run is taken for a dead one.

    Raises:
        OutputError: another run is at work on it, or the folder cannot be written.
    """
    path = film.with_name(f".{film.name[:80]}.lock")
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise OutputError("the folder cannot be written", where=film.parent, got=error.strerror) from error
    with file:
        if not _locked(file):
            raise OutputError("another run is at work on this film", where=film, next_step="wait for it to end")
        hold = Hold(file)
        if hold.killed:
            _sweep(film, hold.killed)
        try:
            yield hold
        finally:
            file.truncate(0)  # where the name cannot go (Windows, while it is open), an empty one says: finished
            with suppress(OSError):
                path.unlink()


def _locked(file: IO[str]) -> bool:
    """Take the file's lock, unless another process has it."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(film: Path, process: str) -> None:
    """Remove what the killed process wrote under temporary names for this film (`media`'s and `timeline.files`')."""
    part = re.compile(rf"\.{re.escape(film.stem[:80])}\.{re.escape(process)}\.part\..+")
    texts = re.compile(rf"\.{re.escape(film.stem)}\.(otio|report\.html|report\.json)\..{{8}}\.tmp")
    with suppress(OSError):
        for path in film.parent.iterdir():
            if part.fullmatch(path.name) or texts.fullmatch(path.name):
                path.unlink(missing_ok=True)
