"""Which frames a film has, when each is shown, and which instant of its source it shows.

film frames   0 . . . . e1 . . . e2 . . .        edges: the first frame of every clip, and the end
constant      frame f is shown at f / rate; it shows what is on screen in the middle of its time
variable      frame f is shown exactly when its source frame was, moved with its clip: `timeline.variable`
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from roughcut.timebase import nearest_frame
from roughcut.timeline.plan import Plan
from roughcut.timeline.warp import warp_of

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

    @property
    def tick(self) -> Fraction:
        """Seconds of which every frame's time is a whole multiple."""

    def __len__(self) -> int: ...

    def time(self, frame: int) -> Fraction:
        """When a film frame is first shown; the film's end for `len(self)`."""

    def source_time(self, clip: int, frame: int) -> Fraction:
        """The instant of clip's source that a film frame shows; also beyond the clip's edges, in its handles."""


def dissolve_time(plan: Plan, i: int) -> Fraction:
    """Seconds that clips i - 1 and i share; 0 at the film's ends and at other joins."""
    join = plan.joins[i]
    return join.duration if join.overlaps and 0 < i < len(plan.clips) else Fraction(0)


class ConstantGrid:
    """Every frame lasts 1 / rate."""

    def __init__(self, plan: Plan) -> None:
        self._rate, self.tick = plan.spec.rate, 1 / plan.spec.rate
        self._starts = [c.range.start for c in plan.clips]
        self._warps = [warp_of(c) for c in plan.clips]
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
        since, warp = (frame - self.edges[clip] + HALF) / self._rate, self._warps[clip]
        return self._starts[clip] + (since if warp is None else warp.source(since))


class UniformGrid:
    """Frames without a plan: so many, at so many a second."""

    def __init__(self, count: int, rate: Fraction) -> None:
        self._count, self._rate, self.tick = count, rate, 1 / rate
        self.edges, self.zones = [0, count], [Zone(0, 0), Zone(count, count)]

    def __len__(self) -> int:
        return self._count

    def time(self, frame: int) -> Fraction:
        """Frame / rate."""
        return frame / self._rate

    def source_time(self, clip: int, frame: int) -> Fraction:
        """The middle of the frame."""
        return (frame + HALF) / self._rate
