"""The frames of a film at a variable rate: each is shown exactly when its source showed it, moved with its clip.

source        |---0---|1|--2--|------3------|--4--|         shown as the file says
clip                [=======================[
film                |0|1|--2--|------3------|               frame 0 is what is on screen at the cut; frame 3 lasts until
                                                            the next clip begins
dissolve                                    |.|.|.|.|       two sources meet there, so the plan's rate takes over
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from roughcut.errors import PlanError
from roughcut.timebase import nearest_frame
from roughcut.timeline.grid import Zone, dissolve_time
from roughcut.timeline.plan import Plan

BRIEF = Fraction(1, 1000)  # a picture shown for less is left out: Matroska's clock could not tell it from the next


@dataclass(frozen=True, kw_only=True)
class ShownTimes:
    """When pictures of a source are first shown: rising ticks of `base` seconds."""

    ticks: array[int]
    base: Fraction


@dataclass(frozen=True)
class _Run:
    """Film frames from `first` on: the first is shown at `start`, the next ones at `base * ticks[k] + offset`."""

    first: int
    start: Fraction
    ticks: Sequence[int]
    base: Fraction
    offset: Fraction

    def time(self, frame: int) -> Fraction:
        k = frame - self.first
        return self.start if k == 0 else self.base * self.ticks[k - 1] + self.offset


class VariableGrid:
    """Frames as the sources show them; 8 bytes a frame.

    Args:
        shown: per clip, the times at which its source's frames inside the clip's range are first shown.

    Raises:
        PlanError: a dissolve is longer than a clip beside it.
    """

    def __init__(self, plan: Plan, shown: Sequence[ShownTimes]) -> None:
        self._step = 1 / plan.spec.rate
        self._starts = [c.range.start for c in plan.clips]
        self._film = plan.edges()
        self._runs, self._count = list[_Run](), 0
        self._briefly: dict[int, Fraction] = {}
        """Film frames that stand in for a picture too brief to be shown: the source time they show."""
        self.edges, self.zones = [0], [Zone(0, 0)]
        frames = [nearest_frame(dissolve_time(plan, i), plan.spec.rate) for i in range(len(self._film))]
        for i, times in enumerate(shown):
            start = self._film[i] + (frames[i] - frames[i] // 2) * self._step
            end = self._film[i + 1] - frames[i + 1] // 2 * self._step
            if start > end:
                raise PlanError(
                    "the transitions around a clip are longer than it",
                    where=f"clip {i + 1} ({plan.clips[i].name or plan.clips[i].source})",
                    next_step="shorten the transitions or lengthen the clip",
                )
            self._add_clip(i, times, start, end)
            self._add_join(end, frames[i + 1])
        self._firsts = [run.first for run in self._runs]
        self.tick = Fraction(1, self._unit())

    def _unit(self) -> int:
        exact = [f for run in self._runs for f in (run.start, run.base, run.offset)]
        return math.lcm(*(f.denominator for f in (*exact, self._film[-1])))

    def _add_clip(self, i: int, shown: ShownTimes, start: Fraction, end: Fraction) -> None:
        """The source frames of film time [start, end); the one on screen at its start counts as beginning there."""
        if start == end:
            return
        base, offset = shown.base, self._film[i] - self._starts[i]
        first = bisect_right(shown.ticks, math.floor((start - offset) / base))
        ticks = shown.ticks[first : bisect_left(shown.ticks, math.ceil((end - offset) / base))]
        ticks = _without_brief(ticks, base, end - offset)
        if ticks and base * ticks[0] + offset - start < BRIEF:
            self._briefly[self._count] = base * ticks[0]
            ticks = ticks[1:]
        self._add(_Run(self._count, start, ticks, base, offset))

    def _add_join(self, start: Fraction, frames: int) -> None:
        """The frames that two clips share, at the plan's rate; the next clip's edge is one of them."""
        first = self._count
        if frames:
            self._add(_Run(first, start, range(1, frames), self._step, start))
        self.zones.append(Zone(first, first + frames))
        self.edges.append(first + frames // 2)

    def _add(self, run: _Run) -> None:
        self._runs.append(run)
        self._count += 1 + len(run.ticks)

    def __len__(self) -> int:
        return self._count

    def time(self, frame: int) -> Fraction:
        """The source frame's own time, moved with its clip."""
        if frame >= self._count:
            return self._film[-1]
        return self._runs[bisect_right(self._firsts, frame) - 1].time(frame)

    def source_time(self, clip: int, frame: int) -> Fraction:
        """The same instant on the source's clock."""
        return self._briefly.get(frame, self._starts[clip] + self.time(frame) - self._film[clip])


def _without_brief(ticks: array[int], base: Fraction, end: Fraction) -> array[int]:
    """The pictures that stand for long enough, the last one until source time `end`."""
    if not ticks:
        return ticks
    shown = np.frombuffer(ticks, np.int64)
    kept = np.append(np.diff(shown) >= math.ceil(BRIEF / base), end - base * ticks[-1] >= BRIEF)
    return ticks if kept.all() else array("q", shown[kept].tobytes())
