"""Which pictures of a source can be taken over as packets: runs that decode on their own, found without decoding.

    decode order   I0 P3 B1 B2 P6 B4 B5 | I7 ...        numbers: place in presentation order
    wanted               [ 2  3  4  5  6  7  8 ...
    entry                                 I7            the first key picture in the wanted frames
    end            a place in decode order before which nothing is shown later than what comes after: the prefix is
                   whole, so what follows may go without harming it

Frames before the entry and behind the end are encoded anew; what lies between is copied, bit by bit.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from roughcut.media.bitstream import BitstreamError, ParameterSets, entry_kind, packet_units, without_sets
from roughcut.media.decode import demuxed
from roughcut.media.faults import Losses, opened
from roughcut.records import MediaInfo
from roughcut.timebase import TimeRange

RUN_UP = 2  # seconds: indices go by decoding time, and MPEG-TS has none
MIN_COPIED = 12  # frames: shorter runs are not worth their joins
OTHER, KEY, LEADING_KEY, BARRIER = 0, 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Film frames `[first, stop)` taken over from a source as packets."""

    first: int
    stop: int
    info: MediaInfo
    pts: array[int]
    """Of the copied pictures, rising, in ticks of the source."""
    delay: int
    """Frames by which decoding runs ahead of showing."""
    broken_link: bool
    """The first picture is an HEVC CRA whose leading pictures are left out."""

    def __len__(self) -> int:
        return self.stop - self.first


class Rows:
    """Packets of a stretch of video in decode order: when each is shown and what it is."""

    def __init__(self, pts: array[int], kinds: bytearray) -> None:
        self.pts, self.kinds = pts, kinds
        ticks = np.frombuffer(pts, np.int64) if len(pts) else np.zeros(0, np.int64)
        self.shown = np.sort(ticks)
        """[n] ticks, rising."""
        self.ranks = np.searchsorted(self.shown, ticks)
        """[n] place of every packet in presentation order."""

    def __len__(self) -> int:
        return len(self.pts)


def read_rows(info: MediaInfo, span: TimeRange, sets: ParameterSets | None) -> Rows:
    """Packets from the key picture before `span` to its end.

    Raises:
        BitstreamError: a packet without a presentation time, or with parameter sets that the header does not have.
    """
    pts, kinds = array("q"), bytearray()
    first, end = span.start / info.video.time_base, span.end / info.video.time_base
    with opened(info.path) as container:
        stream = container.streams[info.video.index]
        if span.start - RUN_UP > info.video.start:
            container.seek(int(first - RUN_UP / info.video.time_base), stream=stream)
        for packet in demuxed(container, stream, losses=Losses(), info=info):
            if not packet.size:
                continue
            if packet.pts is None:
                raise BitstreamError("its pictures carry no presentation times")
            pts.append(packet.pts)
            kinds.append(_kind(packet, sets))
            if packet.pts > end and packet.dts is not None and packet.dts > end:
                break
    return Rows(pts, kinds)


def _kind(packet: object, sets: ParameterSets | None) -> int:
    if packet.is_discard or packet.is_corrupt:  # type: ignore[attr-defined]
        return BARRIER
    if not packet.is_keyframe:  # type: ignore[attr-defined]
        return OTHER
    if sets is None:
        return KEY
    units, own = without_sets(packet_units(bytes(packet), sets), sets.codec)  # type: ignore[call-overload]
    if any(unit not in sets.units for unit in own):
        raise BitstreamError("its parameters change in the middle")
    return {"idr": KEY, "cra": LEADING_KEY, None: OTHER}[entry_kind(units, sets.codec)]


def copies(info: MediaInfo, rows: Rows, first: int, wanted: Sequence[Fraction]) -> Iterator[Copy]:
    """The runs of packets that give film frames from `first` on, which show the source at the `wanted` times."""
    if len(rows) == 0 or np.any(np.diff(rows.shown) == 0):
        return
    base = info.video.time_base
    ticks = np.array([(t / base).__floor__() for t in wanted], np.int64)
    ranks = np.searchsorted(rows.shown, ticks, side="right") - 1
    breaks = np.flatnonzero(np.diff(ranks) != 1) + 1
    for begin, end in zip([0, *breaks.tolist()], [*breaks.tolist(), len(ranks)], strict=True):
        if end - begin >= MIN_COPIED and ranks[begin] >= 0:
            yield from _runs(info, rows, first + begin, int(ranks[begin]), end - begin)


def _runs(info: MediaInfo, rows: Rows, first: int, rank: int, count: int) -> Iterator[Copy]:
    """Runs inside film frames [first, first + count), which show ranks [rank, rank + count)."""
    at, last_rank = 0, rank + count
    while (entry := _entry(rows, rank, at)) is not None:
        found = _prefix(rows, entry, last_rank)
        at = max(found.stop, entry + 1)
        if found.count >= MIN_COPIED:
            start = first + found.rank - rank
            yield Copy(
                first=start,
                stop=start + found.count,
                info=info,
                pts=array("q", rows.shown[found.rank : found.rank + found.count].tolist()),
                delay=found.delay,
                broken_link=rows.kinds[entry] == LEADING_KEY,
            )
        if found.rank + found.count >= last_rank or not found.barrier:
            return


def _entry(rows: Rows, not_before: int, at: int) -> int | None:
    """Index of the next key picture that is shown at or after a place."""
    for i in range(at, len(rows)):
        if rows.kinds[i] in (KEY, LEADING_KEY) and rows.ranks[i] >= not_before:
            return i
    return None


@dataclass
class _Prefix:
    """What can be taken from an entry on."""

    rank: int
    count: int = 0
    stop: int = 0
    """Index of the packet behind the run."""
    delay: int = 0
    barrier: bool = False


def _prefix(rows: Rows, entry: int, last_rank: int) -> _Prefix:
    """The longest whole prefix from an entry on that shows nothing from `last_rank` on."""
    found = _Prefix(rank=int(rows.ranks[entry]), stop=entry)
    taken, highest, delay = 0, found.rank - 1, 0
    for i in range(entry, len(rows)):
        if rows.kinds[i] == BARRIER:
            found.barrier = True
            break
        rank = int(rows.ranks[i])
        if rank < found.rank:  # leads the entry: belongs to what lies before
            continue
        if rank >= last_rank:
            break
        delay = max(delay, taken - (rank - found.rank))
        taken, highest = taken + 1, max(highest, rank)
        if highest - found.rank + 1 == taken:
            found.count, found.stop, found.delay = taken, i + 1, delay
    return found
