"""Exact rational time: positions are `Fraction` seconds, ranges are half-open, frames live at the edges only.

Rounding to a grid (frames, samples) happens once and from the absolute position, so errors never add up:

    seconds   0        1/25       2/25       3/25
    frames    |---0----|----1-----|----2-----|          frame n covers [n / rate, (n + 1) / rate)
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from roughcut.errors import OptionError

NTSC = Fraction(1000, 1001)
_NAMED_RATES = [Fraction(n) for n in (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 100, 120, 240)]
STANDARD_RATES = tuple(sorted([*_NAMED_RATES, *(Fraction(n) * NTSC for n in (24, 30, 48, 60, 120))]))


@dataclass(frozen=True, order=True)
class TimeRange:
    """A half-open range of time `[start, end)` in exact seconds; `end >= start`."""

    start: Fraction
    end: Fraction

    def __post_init__(self) -> None:
        if not isinstance(self.start, Fraction) or not isinstance(self.end, Fraction):
            raise TypeError(f"TimeRange takes Fractions, got {type(self.start).__name__}, {type(self.end).__name__}")
        if self.end < self.start:
            raise ValueError(f"TimeRange ends at {self.end} before it starts at {self.start}")

    @property
    def duration(self) -> Fraction:
        """Length in seconds, >= 0."""
        return self.end - self.start

    @property
    def middle(self) -> Fraction:
        """The instant half-way."""
        return (self.start + self.end) / 2

    def contains(self, t: Fraction) -> bool:
        """True for `start <= t < end`."""
        return self.start <= t < self.end

    def intersect(self, other: TimeRange) -> TimeRange | None:
        """The common part, or None where there is none (touching ranges have none)."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return TimeRange(start, end) if start < end else None

    def shift(self, by: Fraction) -> TimeRange:
        """The same range, later by `by` seconds."""
        return TimeRange(self.start + by, self.end + by)

    def __str__(self) -> str:
        return f"{format_time(self.start)}..{format_time(self.end)}"


def floor_frame(t: Fraction, rate: Fraction) -> int:
    """Index of the frame shown at `t` on a grid of `rate` frames per second starting at 0."""
    return math.floor(t * rate)


def nearest_frame(t: Fraction, rate: Fraction) -> int:
    """Index of the grid line nearest to `t`; halves round up. Serves samples as well as frames."""
    return math.floor(t * rate + Fraction(1, 2))


def frame_time(n: int, rate: Fraction) -> Fraction:
    """Start of frame `n` in seconds."""
    return Fraction(n) / rate


def standard_rate(measured: Fraction | float) -> Fraction:
    """The rate people mean by a measured one: the nearest standard rate within 0.1 %, else a small fraction.

    23.976 becomes 24000/1001, never 2997/125. NTSC rates lie 0.1 % from the whole ones, so the nearest wins.
    """
    if not math.isfinite(measured) or measured <= 0:
        raise ValueError(f"a frame rate is positive, got {measured}")
    value = Fraction(measured)
    best = min(STANDARD_RATES, key=lambda r: abs(r - value))
    if abs(best - value) / value < Fraction(1, 1000):
        return best
    return value.limit_denominator(1001) if value >= 1 else 1 / (1 / value).limit_denominator(1001)


_CLOCK = re.compile(r"^(?:(?:(?P<h>\d+):)?(?P<m>\d+):)?(?P<s>\d+(?:\.\d+)?)$")
_UNITS = re.compile(r"^(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m(?!s))?(?:(?P<s>\d+(?:\.\d+)?)s)?$")


def parse_time(text: str, *, where: str = "time") -> Fraction:
    """Seconds from what people write: `90`, `90s`, `1m30s`, `1:30`, `0:01:30.5`, `1.5m`.

    Raises:
        OptionError: the text is none of these.
    """
    cleaned = text.strip().lower().replace(",", ".")
    match = _CLOCK.match(cleaned) or (_UNITS.match(cleaned) if cleaned else None)
    if match is None or not any(match.groups()):
        raise OptionError("not a time", where=where, got=repr(text), allowed="90, 90s, 1m30s, 1:30 or 0:01:30.5")
    h, m, s = (Fraction(match[g] or 0) for g in "hms")
    return h * 3600 + m * 60 + s


def format_time(t: Fraction | float, *, digits: int = 3) -> str:
    """`0:01:02.500`: hours, minutes, seconds, rounded to `digits` decimals for reading (never for computing)."""
    unit = 10**digits
    ticks = math.floor(Fraction(t) * unit + Fraction(1, 2))
    sign, ticks = ("-", -ticks) if ticks < 0 else ("", ticks)
    seconds, rest = divmod(ticks, unit)
    decimals = f".{rest:0{digits}d}" if digits else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{decimals}"


def fraction_text(value: Fraction) -> str:
    """`24000/1001` or `25`: how exact values travel in JSON."""
    return str(value)
