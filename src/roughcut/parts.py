"""The encoded units of a film as files in a hidden folder beside it, made on several threads, kept over a kill.

A part's name is a digest of all that its bytes depend on, so a finished part found there is the part wanted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path

import roughcut
from roughcut.claims import held, undisturbed
from roughcut.media.encoders import Encoder
from roughcut.media.faults import writing
from roughcut.media.mux import abandoned
from roughcut.media.segment import SegmentWriter, left_in, part_ending, part_whole
from roughcut.records import Progress
from roughcut.records.effects import Logo
from roughcut.synthesis import Media, synthesizer
from roughcut.timeline.files import hidden_name
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.metadata import to_plain
from roughcut.timeline.plan import Plan
from roughcut.units import Unit

WORKERS = min(max((os.cpu_count() or 1) // 4, 2), 4)  # encoders have threads of their own, short parts do not fill them
LOCK = "lock"
PATIENCE = 0.1  # seconds between two looks at how far the work has come


class Stopped(Exception):
    """The render was interrupted; a part in the making is thrown away."""


def unfinished(out: Path) -> bool:
    """True where an earlier render of this film was cut short and left its parts."""
    return _folder(out).is_dir()


@contextmanager
def parts_folder(out: Path, *, resume: bool) -> Iterator[Path]:
    """The hidden folder of a film's parts, which one render at a time has. It goes when the film is done or the render
    is given up, and outlives a kill; with `resume`, it outlives Ctrl-C and errors too, and what lies in it is used.

    Raises:
        OutputError: it cannot be made, or another render of this film is at work.
    """
    folder, ours, keep = _folder(out), False, False
    with ExitStack() as lock:
        try:
            with undisturbed():
                lock.enter_context(held(folder / LOCK, out))
                ours = True
            with writing(out):
                _tidy(folder, out, keep=resume)
            yield folder
        except BaseException:
            keep = resume
            raise
        finally:
            if ours:
                with undisturbed():
                    _close(folder, lock, out, keep=keep)


def _close(folder: Path, lock: ExitStack, out: Path, *, keep: bool) -> None:
    _tidy(folder, out, keep=keep)
    if not any(_held_in(folder)):
        shutil.rmtree(folder, ignore_errors=True)
    lock.close()
    if os.name == "nt" and not any(_held_in(folder)):
        shutil.rmtree(folder, ignore_errors=True)  # there, an open lock file cannot go


def _folder(out: Path) -> Path:
    return out.with_name(hidden_name(out.name, ".parts"))


def _held_in(folder: Path) -> Iterator[Path]:
    return (p for p in folder.glob("*") if p.name != LOCK)


def _tidy(folder: Path, out: Path, *, keep: bool) -> None:
    """Remove what nobody is at work on any more: files in the making, and finished parts unless they are kept."""
    for path in [*abandoned(out), *(left_in(folder) if keep else _held_in(folder))]:
        path.unlink(missing_ok=True)


class PartMaker:
    """Encodes the units of one film.

    Raises:
        OutputError: a part cannot be written. InputError: a source cannot be read.
    """

    def __init__(self, plan: Plan, grid: FrameGrid, media: Media, encoder: Encoder, folder: Path, film: Path) -> None:
        self._plan, self._grid, self._media, self._encoder = plan, grid, media, encoder
        self._folder, self._film = folder, film
        self._stop = threading.Event()
        self._frames = 0
        self._counting = threading.Lock()
        digests = {name: info.digest for name, info in media.items()}
        self._told = hashlib.sha256(roughcut.__version__.encode())
        for record in (
            digests,
            encoder,
            plan.spec,
            *plan.sources,
            *plan.clips,
            *plan.joins,
            *plan.effects,
        ):
            self._told.update(json.dumps(to_plain(record), sort_keys=True).encode())
        for logo in (e for e in plan.effects if isinstance(e, Logo)):
            self._told.update(logo.path.read_bytes())

    def path(self, unit: Unit) -> Path:
        """Where a unit's part lies."""
        digest = self._told.copy()
        digest.update(f"{unit.first} {unit.stop}".encode())
        return self._folder / (digest.hexdigest()[:32] + part_ending(self._plan.spec))

    def make(self, units: Sequence[Unit], progress: Progress) -> int:
        """All parts that are not there yet; returns how many frames lay there finished."""
        missing = [u for u in units if not self._finished(u)]
        found = sum(map(len, units)) - sum(map(len, missing))
        total = float(sum(map(len, units)) / self._plan.spec.rate)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="roughcut-part") as pool:
            try:
                waiting: set[Future[None]] = {pool.submit(self._make, unit) for unit in missing}
                while waiting:
                    done, waiting = wait(waiting, PATIENCE, FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    progress("rendering", float((found + self._frames) / self._plan.spec.rate), total)
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return found

    def _finished(self, unit: Unit) -> bool:
        path = self.path(unit)
        return path.exists() and part_whole(path, len(unit), self._plan.spec.rate)

    def _make(self, unit: Unit) -> None:
        with (
            synthesizer(self._plan, self._grid, self._media) as film,
            SegmentWriter(self.path(unit), self._plan.spec, self._encoder, self._film) as part,
        ):
            for picture in film.pictures(unit.first, unit.stop):
                if self._stop.is_set():
                    raise Stopped
                part.write(picture)  # type: ignore[arg-type]  # our readers give FilmPictures
                with self._counting:
                    self._frames += 1
