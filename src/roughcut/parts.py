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
from contextlib import contextmanager
from pathlib import Path

import roughcut
from roughcut.media.encoders import Encoder
from roughcut.media.faults import writing
from roughcut.media.segment import SegmentWriter, part_ending
from roughcut.records import Progress
from roughcut.synthesis import Media, synthesizer
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.metadata import to_plain
from roughcut.timeline.plan import Plan
from roughcut.units import Unit

WORKERS = min(max((os.cpu_count() or 1) // 4, 2), 4)  # encoders have threads of their own, short parts do not fill them
PATIENCE = 0.1  # seconds between two looks at how far the work has come


class Stopped(Exception):
    """The render was interrupted; a part in the making is thrown away."""


@contextmanager
def parts_folder(out: Path, *, resume: bool) -> Iterator[Path]:
    """The hidden folder of a film's parts. It goes when the film is done or the render is given up, and outlives a
    kill; with `resume`, it outlives Ctrl-C and errors too, and what lies in it is used.

    Raises:
        OutputError: it cannot be made.
    """
    folder = out.with_name(f".{out.name[:80]}.parts")
    with writing(out):
        if not resume:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except BaseException:
        if not resume or not any(folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


class PartMaker:
    """Encodes the units of one film.

    Raises:
        OutputError: a part cannot be written. InputError: a source cannot be read.
    """

    def __init__(self, plan: Plan, grid: FrameGrid, media: Media, encoder: Encoder, folder: Path) -> None:
        self._plan, self._grid, self._media, self._encoder, self._folder = plan, grid, media, encoder, folder
        self._stop = threading.Event()
        self._frames = 0
        self._counting = threading.Lock()

    def path(self, unit: Unit) -> Path:
        """Where a unit's part lies."""
        told = {
            "plan": to_plain(self._plan),
            "sources": {name: info.digest for name, info in self._media.items()},
            "frames": [unit.first, unit.stop],
            "encoder": to_plain(self._encoder),
            "version": roughcut.__version__,
        }
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
        return self._folder / (digest + part_ending(self._plan.spec))

    def make(self, units: Sequence[Unit], progress: Progress) -> int:
        """All parts that are not there yet; returns how many frames lay there finished."""
        missing = [u for u in units if not self.path(u).exists()]
        found = sum(map(len, units)) - sum(map(len, missing))
        total = float(sum(map(len, units)) / self._plan.spec.rate)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="roughcut-part") as pool:
            waiting: set[Future[None]] = {pool.submit(self._make, unit) for unit in missing}
            try:
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

    def _make(self, unit: Unit) -> None:
        with (
            synthesizer(self._plan, self._grid, self._media) as film,
            SegmentWriter(self.path(unit), self._plan.spec, self._encoder) as part,
        ):
            for picture in film.pictures(unit.first, unit.stop):
                if self._stop.is_set():
                    raise Stopped
                part.write(picture)  # type: ignore[arg-type]  # our readers give FilmPictures
                with self._counting:
                    self._frames += 1
