"""A film in units: runs of packets copied from a source, and stretches to be encoded, each a closed run of its own.

clips    |--------------0--------------~|~-------1-------|
copied        |=================|              |=======|
encoded  |#####|                 |##########|  |#|     |#|
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from roughcut.effects.synthesizer import Untouched
from roughcut.media.bitstream import BitstreamError, ParameterSets
from roughcut.media.encoders import Encoder
from roughcut.media.gops import MIN_COPIED, Copy, copies, read_rows
from roughcut.media.remux import obstacle, source_sets
from roughcut.records import MediaInfo
from roughcut.timebase import TimeRange
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.plan import Plan
from roughcut.timeline.variable import VariableGrid

Smart = Literal["auto", "always", "never"]
UNIT_FRAMES = 300  # a unit ends at the first cut after so many frames ...
MAX_UNIT_FRAMES = 900  # ... and anywhere after so many


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Film frames `[first, stop)`: encoded, or copied as packets."""

    first: int
    stop: int
    copy: Copy | None = None

    def __len__(self) -> int:
        return self.stop - self.first


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """How a film is put together."""

    units: tuple[Unit, ...]
    sets: ParameterSets | None = None
    """Of the copied packets' codec, where it has such."""
    remarks: tuple[str, ...] = ()
    """Why pictures that nothing was done to are encoded anew."""

    @property
    def copied(self) -> int:
        """Number of frames that are copied."""
        return sum(len(u) for u in self.units if u.copy is not None)


def encoded_units(grid: FrameGrid) -> Cutting:
    """All of the film encoded."""
    return Cutting(units=tuple(_encoded(0, len(grid), grid)))


def smart_units(
    plan: Plan, grid: FrameGrid, untouched: Iterable[Untouched], media: Mapping[str, MediaInfo], encoder: Encoder
) -> Cutting:
    """As much as possible of what nothing is done to is copied."""
    taken: list[Copy] = []
    family, remarks = _Family(), list[str]()
    for part in untouched:
        info = media[plan.clips[part.clip].source]
        if part.stop - part.first < MIN_COPIED:
            continue
        reason = obstacle(info, plan.spec, encoder.pixel_format)
        try:
            if reason is None:
                family.admit(info)
                found = _copies(part, grid, info, family.sets)
                reason = None if found else "no picture to start from lies in a stretch of it"
                taken += found
        except BitstreamError as error:
            reason = str(error)
        if reason is not None:
            remarks.append(f"{info.path.name} is encoded anew: {reason}")
    units, at = list[Unit](), 0
    for copy in taken:
        units += [*_encoded(at, copy.first, grid), Unit(first=copy.first, stop=copy.stop, copy=copy)]
        at = copy.stop
    units += _encoded(at, len(grid), grid)
    return Cutting(units=tuple(units), sets=family.sets, remarks=tuple(dict.fromkeys(remarks)))


class _Family:
    """Sources whose packets may stand in one stream: those with the parameter sets of the first."""

    def __init__(self) -> None:
        self.sets: ParameterSets | None = None
        self._known: dict[str, bool] = {}

    def admit(self, info: MediaInfo) -> None:
        """Raises BitstreamError where the source's parameters are not those of the others."""
        if info.digest not in self._known:
            sets = source_sets(info)
            fits = not self._known or (sets is None and self.sets is None) or _equal(sets, self.sets)
            self._known[info.digest] = fits
            if fits and self.sets is None:
                self.sets = sets
        if not self._known[info.digest]:
            raise BitstreamError("its stream parameters are not those of the other files")


def _equal(one: ParameterSets | None, other: ParameterSets | None) -> bool:
    return one is not None and other is not None and set(one.units) == set(other.units)


def _copies(part: Untouched, grid: FrameGrid, info: MediaInfo, sets: ParameterSets | None) -> list[Copy]:
    wanted = [grid.source_time(part.clip, n) for n in range(part.first, min(part.stop, _last_alone(grid)))]
    rows = read_rows(info, TimeRange(wanted[0], wanted[-1]), sets)
    return list(copies(info, rows, part.first, wanted))


def _last_alone(grid: FrameGrid) -> int:
    """Where a film at its sources' times must end a unit: its last picture may stand for long, and MP4 tells how long
    only of the picture that is decoded last, which with reordered ones is another.
    """
    return len(grid) - 1 if isinstance(grid, VariableGrid) else len(grid)


def _encoded(first: int, stop: int, grid: FrameGrid) -> list[Unit]:
    """Frames [first, stop) in units that end at cuts where they can."""
    if first < _last_alone(grid) < stop:
        return [*_encoded(first, stop - 1, grid), Unit(first=stop - 1, stop=stop)]
    cuts = [e for e, zone in zip(grid.edges, grid.zones, strict=True) if len(zone) == 0 and first < e < stop]
    units = []
    while first < stop:
        at = bisect_left(cuts, first + UNIT_FRAMES)
        end = min(cuts[at] if at < len(cuts) else stop, first + MAX_UNIT_FRAMES, stop)
        units.append(Unit(first=first, stop=end))
        first = end
    return units
