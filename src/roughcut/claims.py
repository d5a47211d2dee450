"""Who works on which film: hidden lock files, which a killed run leaves behind and a live one holds; and what becomes
of its results when it is interrupted."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

from roughcut.errors import OutputError
from roughcut.timeline.files import hidden_name


class Taken(OutputError):
    """Another run is at work there."""


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
    """Hold the name of a film and of what lies beside it; texts half-written by a killed run are removed.

    Raises:
        OutputError: another run is at work on it, or the folder cannot be written.
    """
    path = film.with_name(hidden_name(film.name, ".lock"))
    with held(path, film) as file:
        hold = Hold(file)
        if hold.killed:
            _sweep(film)
        try:
            yield hold
        finally:
            file.truncate(0)  # where the name cannot go (Windows, while it is open), an empty one says: finished
            with suppress(OSError):
                path.unlink()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until this is over: for a few steps that leave debris if one of them is left out."""
    if threading.current_thread() is not threading.main_thread():  # signals come to that one alone
        yield
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


@contextmanager
def all_or_none(results: Iterable[Path], *, before: Collection[Path] | None = None) -> Iterator[None]:
    """Where work ends by an error or Ctrl-C, its results go again; what stood under a name `before` (left out: stands
    there now) stays, and so does what has replaced it.
    """
    ours = [p for p in results if (not p.exists() if before is None else p not in before)]
    try:
        yield
    except Taken:  # then they are the other run's
        raise
    except BaseException:
        with undisturbed():
            for path in ours:
                path.unlink(missing_ok=True)
        raise


@contextmanager
def held(path: Path, film: Path) -> Iterator[IO[str]]:
    """A lock file for work on `film`, locked while the context lasts; removing it, while it is locked, is up to the
    caller. The system lets go of a dead process's lock, so no living run is taken for a dead one.

    Raises:
        OutputError: another run has it, or the folder cannot be written.
    """
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise OutputError("the folder cannot be written", where=film.parent, got=error.strerror) from error
        with file:
            if not _locked(file):
                raise Taken("another run is at work on this film", where=film, next_step="wait for it to end")
            if _stands(file, path):  # the run before may have removed it since it was opened
                yield file
                return


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
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True  # a file system without locks
    return True


def _stands(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _sweep(film: Path) -> None:
    """Remove what a killed process wrote under temporary names beside this film (`timeline.files`')."""
    names = (hidden_name(film.stem + ending, ".") for ending in (".otio", ".report.html", ".report.json"))
    texts = re.compile(f"({'|'.join(map(re.escape, names))}).{{8}}\\.tmp")
    with suppress(OSError):
        for path in film.parent.iterdir():
            if texts.fullmatch(path.name):
                path.unlink(missing_ok=True)
