"""When pictures are shown, told by demuxing alone: their steps, how long the file really is, and where parts join.

Small files are read whole. Of large ones the index tells all steps (mp4, mov, avi), else the head, the tail and
windows spread over the length: the cost is bounded, and a rate that changes late is still seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Stream

from roughcut.media.faults import opened
from roughcut.records import I64, Part
from roughcut.timebase import format_time

WHOLE = 64 << 20  # bytes: files up to this size are demuxed from end to end
HEAD, WINDOWS, WINDOW = 2_000, 16, 200  # packets at the start, further windows, packets of each
REORDER = 16  # frames that may still come before those already read
BACK, AHEAD = Fraction(1), Fraction(10)  # seconds: clocks that jump this far were set anew
WRAP = 1 << 33  # where transport streams count on from 0
LAST_OF_WRAP = Fraction(WRAP, 90_000) - 60  # seconds ahead: FFmpeg takes what lies a little before 0 for its end
JOINABLE = ("mpegts", "mpeg")  # containers whose files may be laid end to end
INDEXED = ("mov", "avi")  # containers whose index names every picture


@dataclass(frozen=True, kw_only=True)
class PictureTimes:
    """Ticks of the video stream's time base."""

    first: int
    """The earliest picture."""
    last: int | None
    """Start of the last picture; None where the file was not read to its end."""
    last_step: int | None
    """How long the container shows the last picture, where it tells."""
    steps: I64
    """From picture to picture, of all that was looked at."""
    parts: tuple[Part, ...] = ()
    """Where the clock was set anew, in order; empty for nearly all files."""
    lost: int = 0
    """Pictures the index speaks of that lie beyond the end of the file."""
    listed: int = 0
    """Pictures the index speaks of."""
    pictures: int = 0
    """Pictures that were read."""
    read: int = 0
    """Where in the file the last packet that was read ends, bytes."""
    end: Fraction | None = None
    """When the last of all streams that were read ends, seconds."""

    @property
    def usual(self) -> int:
        """The median step."""
        return max(int(np.median(self.steps)), 1) if len(self.steps) else 1


def read_times(path: Path, index: int) -> PictureTimes | None:
    """Look through a file; None where its pictures carry no times. Damage ends the look, not the program.

    Opens the file anew: raw streams cannot be sought back.
    """
    with opened(path) as container:
        stream = container.streams[index]
        lost, listed, steps = _index(container, stream, path)
        seen = _Seen(stream, by_dts=container.format.name == "avi")
        if path.stat().st_size <= WHOLE or any(name in container.format.name for name in JOINABLE):
            _look(container, seen, None)
            return seen.times(lost, listed)
        _look(container, seen, HEAD)
        if steps is not None and seen.pts:
            return PictureTimes(first=min(seen.pts), last=None, last_step=None, steps=steps, lost=lost, listed=listed)
        _windows(container, seen)
        return seen.times(lost, listed)


@dataclass
class _Row:
    """Timestamps of one stream in the order of the file."""

    part: int = 0
    last: Fraction | None = None


@dataclass
class _Seen:
    """What has been read: the pictures' times, kept apart per part and per window."""

    stream: Stream
    runs: list[list[int]] = field(default_factory=lambda: [[]])
    run_parts: list[int] = field(default_factory=lambda: [0])
    places: list[int] = field(default_factory=lambda: [0])
    """Byte at which each part begins."""
    rows: dict[int, _Row] = field(default_factory=dict)
    by_dts: bool = False
    """AVI stores no presentation times; what FFmpeg makes of them is not to be relied on."""
    at_end: bool = False
    read: int = 0
    end: Fraction | None = None
    last_duration: tuple[int, int] = (0, 0)  # of the latest picture: start, duration

    @property
    def pts(self) -> list[int]:
        return self.runs[-1]

    def add(self, packet: av.Packet[Any], *, joinable: bool) -> None:
        if joinable:
            self._follow(packet)
        self.read = max(self.read, (packet.pos or 0) + packet.size)
        if packet.pts is not None and packet.time_base is not None:
            self.end = max(self.end or Fraction(0), (packet.pts + (packet.duration or 0)) * packet.time_base)
        counted = self.by_dts or packet.pts is None
        ticks = packet.dts if counted else packet.pts
        if packet.stream_index != self.stream.index or ticks is None or packet.is_discard:
            return
        if self.rows and self.rows[packet.stream_index].part != self.run_parts[-1]:
            self.begin(self.rows[packet.stream_index].part)
        self.pts.append(ticks)
        if ticks >= self.last_duration[0]:
            self.last_duration = (ticks, packet.duration or 0)

    def begin(self, part: int) -> None:
        """What follows does not continue what was read."""
        self.runs.append([])
        self.run_parts.append(part)
        self.last_duration = (-(1 << 62), 0)

    def _follow(self, packet: av.Packet[Any]) -> None:
        """Notice a clock that was set anew; each stream crosses the same join in its own packets."""
        row = self.rows.setdefault(packet.stream_index, _Row(part=0))
        ticks = packet.dts if packet.dts is not None else packet.pts
        if ticks is None or packet.time_base is None:
            return
        now = unwrapped(ticks, packet.time_base, row.last or Fraction(0)) * packet.time_base
        if row.last is not None and not -BACK < now - row.last < AHEAD and packet.pos is not None:
            row.part += 1
            if row.part == len(self.places):
                self.places.append(packet.pos)
            self.places[row.part] = min(self.places[row.part], packet.pos)
        row.last = now

    def times(self, lost: int, listed: int) -> PictureTimes | None:
        """All of it together."""
        runs = [(part, sorted(pts)) for part, pts in zip(self.run_parts, self.runs, strict=True) if pts]
        if not runs:
            return None
        steps = np.concatenate([np.diff(np.array(pts, np.int64)) for _, pts in runs])
        steps = steps[steps > 0]
        usual = max(int(np.median(steps)), 1) if len(steps) else 1
        shift, parts = 0, []
        base = self.stream.time_base or Fraction(1, 1000)
        for (_, before), (part, pts) in pairwise(runs) if len(self.places) > 1 else ():
            shift += before[-1] + usual - pts[0]
            parts.append(Part(pos=self.places[part], start=(pts[0] + shift) * base, shift=shift * base))
        ended = self.at_end and self.last_duration[1] > 0
        return PictureTimes(
            first=min(pts[0] for _, pts in runs) if not parts else runs[0][1][0],
            last=runs[-1][1][-1] + shift if self.at_end else None,
            last_step=self.last_duration[1] if ended else None,
            steps=steps, parts=tuple(parts), lost=lost, listed=listed, read=self.read,
            end=self.end, pictures=sum(len(pts) for _, pts in runs),
        )  # fmt: skip


def _look(container: InputContainer, seen: _Seen, limit: int | None) -> None:
    """Read on from here: to the end, or `limit` pictures."""
    joinable = any(name in container.format.name for name in JOINABLE)
    streams = [s for s in container.streams if s.type in ("video", "audio")] if joinable else [seen.stream]
    if container.format.name.startswith("matroska"):
        streams = list(container.streams)  # how long it says it is, the longest of all is
    seen.at_end = False
    with suppress(av.FFmpegError, OSError, IndexError):  # PyAV stumbles over a stream that appears on the way
        for packet in container.demux(*streams):
            if packet.size:
                seen.add(packet, joinable=joinable)
            if limit is not None and len(seen.pts) >= limit:
                seen.pts[:] = sorted(seen.pts)[:-REORDER]
                return
    seen.at_end = True


def _windows(container: InputContainer, seen: _Seen) -> None:
    """Look into the rest at even distances, and read the tail to its end."""
    base = seen.stream.time_base or Fraction(1, 1000)
    length = Fraction(container.duration or 0, av.time_base)
    for k in range(1, WINDOWS + 1):
        behind = length * k / WINDOWS - (2 if k == WINDOWS else 0)
        with suppress(av.FFmpegError, OSError):
            container.seek(int(behind / base) + seen.runs[0][0], stream=seen.stream)
            seen.begin(0)
            _look(container, seen, None if k == WINDOWS else WINDOW)


def _index(container: InputContainer, stream: Stream, path: Path) -> tuple[int, int, I64 | None]:
    """Pictures lost beyond the end of the file, pictures listed, and their steps where the index names all."""
    if not any(name in container.format.name for name in INDEXED):
        return 0, 0, None
    size = path.stat().st_size
    entries = stream.index_entries  # hours of footage have a million: as numbers they take a tenth of the room
    stamps = np.fromiter((e.timestamp for e in entries), np.int64, len(entries))
    there = np.fromiter((e.pos + e.size <= size for e in entries), bool, len(entries))
    steps: I64 = np.diff(np.sort(stamps[there])).astype(np.int64)
    whole = len(entries) > 1 and len(entries) >= (stream.frames or 0)
    return int((~there).sum()), len(entries), steps[steps > 0] if whole else None


def unwrapped(ticks: int, base: Fraction, near: Fraction) -> int:
    """The timestamp that a clock of 33 bits means where its file starts near `near`: just before, not 26 hours on."""
    return ticks - WRAP if base == Fraction(1, 90_000) and ticks * base - near > LAST_OF_WRAP else ticks


# ---------------------------------------------------------------- what is to be said of them


def gaps(pts: I64, time_base: Fraction) -> Iterator[str]:
    """One sentence where an otherwise even row of pictures stands still: there, pictures may be missing."""
    steps = np.diff(pts)
    if len(steps) < 10:
        return
    usual = float(np.median(steps))
    slack = max(2.0, 0.02 * usual)
    held = np.flatnonzero(steps > 1.5 * usual + slack)
    held = held[held > 0]  # files with reordered pictures and no presentation times begin with a longer step
    even = np.abs(steps - usual) <= slack
    if not len(held) or np.mean(even) < 0.8 or len(held) > 0.1 * len(steps):
        return  # a variable rate is no damage
    longest = int(held[np.argmax(steps[held])])
    length, at = int(steps[longest]) * time_base, int(pts[longest] - pts[0]) * time_base
    times = f"{len(held)} times, longest" if len(held) > 1 else "once,"
    yield f"the picture stands still {times} for {float(length):.2f} s at {format_time(at)}: pictures may be missing"


def joins_words(times: PictureTimes) -> list[str]:
    """What is said of files whose clock was set anew."""
    if not times.parts:
        return []
    listed = ", ".join(format_time(part.start) for part in times.parts[:5])
    return [f"{len(times.parts) + 1} recordings joined in one file: the clock was set anew at {listed}; read as one"]
