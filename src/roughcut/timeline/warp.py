"""Time inside a clip whose speed is not 1: film seconds since its start to source seconds since its start.

A clip keeps its length in the film, as OpenTimelineIO's LinearTimeWarp has it: `range` starts where the source does and
is as long as the clip is in the film; the speed says how much of the source is seen meanwhile. So nothing that counts
frames or samples has to know of speeds.

    film     0 ......... length          source = rate t + (to - rate) t^2 / (2 length)
    speed    rate ......... to           beyond both ends (handles) at the speed of that end
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from roughcut.records.effects import Freeze, Speed
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip


@dataclass(frozen=True)
class Warp:
    """Speed `rate` at the clip's start, `to` at its end, `length` film seconds later; 0 stands still."""

    rate: Fraction
    to: Fraction
    length: Fraction

    def source(self, t: Fraction) -> Fraction:
        """Source seconds that have gone by after `t` film seconds."""
        inside = min(max(t, Fraction(0)), self.length)
        gone = self.rate * inside + (self.to - self.rate) * inside * inside / (2 * self.length)
        return gone + (t - inside) * (self.rate if t < 0 else self.to)

    def film(self, s: Fraction) -> Fraction:
        """Film seconds after which source second `s` is seen, to a microsecond; of a still picture, 0."""
        if self.rate == self.to:
            return s / self.rate if self.rate else Fraction(0)
        whole = self.source(self.length)
        if not 0 <= s <= whole:
            return s / self.rate if s < 0 else self.length + (s - whole) / self.to
        bend = float((self.to - self.rate) / self.length)
        first = float(self.rate)
        t = 2 * float(s) / (first + math.sqrt(max(first * first + 2 * bend * float(s), 0.0)))
        return Fraction(t).limit_denominator(1_000_000)

    def speed(self, t: Fraction) -> float:
        """The speed after `t` film seconds."""
        return float(self.rate + (self.to - self.rate) * min(max(t / self.length, Fraction(0)), Fraction(1)))


def warp_of(clip: Clip) -> Warp | None:
    """The clip's time mapping; None where it plays as it is. The first effect of time counts."""
    for effect in clip.effects:
        if isinstance(effect, Freeze):
            return Warp(Fraction(0), Fraction(0), clip.range.duration)
        if isinstance(effect, Speed):
            to = effect.rate if effect.to is None else effect.to
            return None if effect.rate == to == 1 else Warp(effect.rate, to, clip.range.duration)
    return None


def seen_range(clip: Clip) -> TimeRange:
    """The source time that a clip shows; of a still picture, the instant it begins at."""
    warp = warp_of(clip)
    if warp is None:
        return clip.range
    return TimeRange(clip.range.start, clip.range.start + warp.source(clip.range.duration))


def goes_on(before: Clip, after: Clip) -> bool:
    """True where `after` begins exactly where `before` ended: nothing is cut between them."""
    plain = warp_of(before) is None and warp_of(after) is None
    return plain and (before.source, before.range.end) == (after.source, after.range.start)
