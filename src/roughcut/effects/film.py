"""Effects of the film as a whole: texture, words and pictures laid over it, another source in a corner."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from roughcut.effects.chain import Filter, Moment, is_neutral, touches, treated
from roughcut.effects.overlays import Overlays, corner
from roughcut.effects.planes import WHOLE, seen, stamped
from roughcut.errors import PlanError
from roughcut.records import Picture
from roughcut.records.effects import Captions, Inset, Logo, Music, Title
from roughcut.timebase import TimeRange, format_time
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.plan import Plan, Source

Read = Callable[[Source, Sequence[Fraction], bool], Iterator[Picture]]


@dataclass(frozen=True)
class Small:
    """A picture in picture, while it is read: film frames `frames`."""

    effect: Inset
    frames: range
    pictures: Iterator[Picture]


class FilmEffects:
    """The film's own effects.

    Args:
        filtered: FFmpeg's filters; None: as a proof sees the film. size: width and height, the film's by default.

    Raises:
        PlanError: an effect lies outside the film, or shows a source that the plan does not have.
        InputError, OptionError: as `Overlays`.
    """

    def __init__(
        self, plan: Plan, grid: FrameGrid, filtered: Filter | None, size: tuple[int, int] | None = None
    ) -> None:
        self._plan, self._grid, self._filtered = plan, grid, filtered
        self._size = size or (plan.spec.width, plan.spec.height)
        apart = Captions | Title | Logo | Inset | Music
        self._whole = tuple(e for e in plan.effects if not isinstance(e, apart) and not is_neutral(e))
        self._insets = [e for e in plan.effects if isinstance(e, Inset)]
        self._check()
        self._overlays = Overlays(plan.effects, *self._size)
        self._spans = [*self._overlays.spans(), *(TimeRange(e.start, e.start + e.duration) for e in self._insets)]

    def _check(self) -> None:
        end, known = self._grid.time(len(self._grid)), [s.id for s in self._plan.sources]
        for k, effect in enumerate(self._plan.effects):
            if isinstance(effect, Title | Inset) and effect.start + effect.duration > end:
                got = f"{effect.name} until {format_time(effect.start + effect.duration)}"
                where, allowed = f"effects[{k}].duration", f"up to {format_time(end)}"
                raise PlanError("an effect is longer than the film", where=where, got=got, allowed=allowed)
            if isinstance(effect, Inset) and effect.source not in known:
                where = f"effects[{k}].source"
                raise PlanError("unknown source", where=where, got=effect.source, allowed=", ".join(known))

    def clear(self, first: int, stop: int) -> Iterator[tuple[int, int]]:
        """The stretches of film frames [first, stop) that no effect of the film touches."""
        if touches(self._whole) or None in self._spans:
            return
        begin, waiting = first, deque(sorted(s for s in self._spans if s is not None))
        covered = Fraction(-1)  # until when something that has begun lasts
        for n in range(first, stop):
            t = self._grid.time(n)
            while waiting and waiting[0].start <= t:
                covered = max(covered, waiting.popleft().end)
            if t < covered:
                if begin < n:
                    yield begin, n
                begin = n + 1
        if begin < stop:
            yield begin, stop

    def insets(self, first: int, stop: int, read: Read) -> list[Small]:
        """Readers of the pictures in picture for film frames [first, stop)."""
        found = []
        for effect in self._insets:
            span = TimeRange(effect.start, effect.start + effect.duration)
            frames = [n for n in range(first, stop) if span.contains(self._grid.time(n))]
            if frames:
                source = next(s for s in self._plan.sources if s.id == effect.source)
                half = 1 / self._plan.spec.rate / 2
                times = [effect.source_start + self._grid.time(n) + half - effect.start for n in frames]
                found.append(Small(effect, range(frames[0], frames[-1] + 1), read(source, times, False)))
        return found

    def laid(self, picture: Picture, n: int, insets: Sequence[Small] = ()) -> Picture:
        """Film frame n with all of them."""
        t = self._grid.time(n)
        for inset in insets:
            if n in inset.frames:
                picture = self._in_corner(picture, next(inset.pictures), inset.effect)
        if self._whole:
            moment = Moment(part=n / max(len(self._grid) - 1, 1), frame=n, source_time=t, size=self._size)
            picture = treated(picture, self._whole, moment, self._filtered)
        return self._overlays.laid(picture, t)

    def _in_corner(self, picture: Picture, small: Picture, effect: Inset) -> Picture:
        width, height = self._size
        size = (max(round(effect.size * width / 2) * 2, 2), max(round(effect.size * height / 2) * 2, 2))
        x, y = corner(effect.corner, size, self._size, effect.margin * height)
        left, top = (
            min(max(round(v / 2) * 2, 0), room - n) for v, n, room in ((x, size[0], width), (y, size[1], height))
        )
        over = seen(small, WHOLE, size=size).planes()
        return stamped(picture, over, [np.full(p.shape, 256, np.uint16) for p in over], left, top)
