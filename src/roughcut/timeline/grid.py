"""Which frames a film has, when each is shown, and which instant of its source it shows.

film frames   0 . . . . e1 . . . e2 . . .        edges: the first frame of every clip, and the end
constant      frame f is shown at f / rate; it shows what is on screen in the middle of its time
variable      frame f is shown exactly when its source frame was, moved with its clip; inside dissolves, where two
              sources meet, the plan's rate takes over
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from roughcut.timebase import nearest_frame
from roughcut.timeline.plan import Plan

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Zone:
    """Film frames `[first, last)` around an edge in which two clips overlap."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first


class FrameGrid(Protocol):
    """The frames of a film."""

    @property
    def edges(self) -> list[int]:
        """Index of the first frame of every clip, and the number of frames."""

    @property
    def zones(self) -> list[Zone]:
        """Per join, the frames that two clips share; empty where they do not."""

    def __len__(self) -> int: ...

    def time(self, frame: int) -> Fraction:
        """When a film frame is first shown; the film's end for `len(self)`."""

    def source_time(self, clip: int, frame: int) -> Fraction:
        """The instant of clip's source that a film frame shows; also beyond the clip's edges, in its handles."""


def dissolve_time(plan: Plan, i: int) -> Fraction:
    """Seconds that clips i - 1 and i share; 0 at the film's ends and at other joins."""
    join = plan.joins[i]
    return join.duration if join.kind == "dissolve" and 0 < i < len(plan.clips) else Fraction(0)


class ConstantGrid:
    """Every frame lasts 1 / rate."""

    def __init__(self, plan: Plan) -> None:
        self._rate = plan.spec.rate
        self._starts = [c.range.start for c in plan.clips]
        self.edges = plan.frame_edges()
        self.zones = [self._zone(edge, dissolve_time(plan, i)) for i, edge in enumerate(self.edges)]

    def _zone(self, edge: int, duration: Fraction) -> Zone:
        frames = nearest_frame(duration, self._rate)
        return Zone(edge - frames // 2, edge - frames // 2 + frames)

    def __len__(self) -> int:
        return self.edges[-1]

    def time(self, frame: int) -> Fraction:
        """Frame / rate."""
        return frame / self._rate

    def source_time(self, clip: int, frame: int) -> Fraction:
        """The middle of the frame: time bases that round to milliseconds do no harm there."""
        return self._starts[clip] + (frame - self.edges[clip] + HALF) / self._rate


class UniformGrid:
    """Frames without a plan: so many, at so many a second."""

    def __init__(self, count: int, rate: Fraction) -> None:
        self._count, self._rate = count, rate
        self.edges, self.zones = [0, count], [Zone(0, 0), Zone(count, count)]

    def __len__(self) -> int:
        return self._count

    def time(self, frame: int) -> Fraction:
        """Frame / rate."""
        return frame / self._rate

    def source_time(self, clip: int, frame: int) -> Fraction:
        """The middle of the frame."""
        return (frame + HALF) / self._rate


class VariableGrid:
    """Frames as the sources show them.

    Args:
        shown: per clip, the times at which its source's frames inside the clip's range are first shown, rising.
    """

    def __init__(self, plan: Plan, shown: Sequence[Sequence[Fraction]]) -> None:
        self._starts = [c.range.start for c in plan.clips]
        self._film = plan.edges()
        denominators = {t.denominator for t in (*self._starts, *self._film)}
        denominators |= {t.denominator for times in shown for t in times}
        self._unit = math.lcm(*denominators)
        self._ticks = array("q")
        """Film times in 1 / unit seconds: exact, and small for long films."""
        self.edges, self.zones = [0], [Zone(0, 0)]
        for i, times in enumerate(shown):
            half, following = dissolve_time(plan, i) / 2, dissolve_time(plan, i + 1) / 2
            self._add_clip(i, times, self._film[i] + half, self._film[i + 1] - following)
            self._add_join(self._film[i + 1] - following, 2 * following, plan.spec.rate)

    def _add(self, time: Fraction) -> None:
        self._ticks.append(int(time * self._unit))

    def _add_clip(self, i: int, shown: Sequence[Fraction], start: Fraction, end: Fraction) -> None:
        """The source frames of film time [start, end); the one on screen at its start counts as beginning there."""
        offset = self._film[i] - self._starts[i]
        if start < end:
            self._add(start)
        for k in range(bisect_right(shown, start - offset), bisect_left(shown, end - offset)):
            self._add(shown[k] + offset)

    def _add_join(self, start: Fraction, duration: Fraction, rate: Fraction) -> None:
        """The frames that two clips share, at the plan's rate."""
        frames, first = nearest_frame(duration, rate), len(self._ticks)
        for k in range(frames):
            self._add(start + duration * k / frames)
        self.zones.append(Zone(first, first + frames))
        self.edges.append(first + frames // 2)

    def __len__(self) -> int:
        return len(self._ticks)

    def time(self, frame: int) -> Fraction:
        """The source frame's own time, moved with its clip."""
        return Fraction(self._ticks[frame], self._unit) if frame < len(self._ticks) else self._film[-1]

    def source_time(self, clip: int, frame: int) -> Fraction:
        """The same instant on the source's clock."""
        return self._starts[clip] + self.time(frame) - self._film[clip]
