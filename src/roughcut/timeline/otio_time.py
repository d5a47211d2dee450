"""OpenTimelineIO's times, which are pairs of floats, and our exact ones."""

from __future__ import annotations

import math
from fractions import Fraction

import opentimelineio as otio

from roughcut.errors import PlanError
from roughcut.timebase import TimeRange, standard_rate

TOLERANCE = Fraction(1, 1_000_000)
"""Seconds by which a float may differ from the exact time it was rounded from."""
_NEAR_WHOLE = Fraction(1, 10_000)


def rational(t: Fraction, *rates: Fraction) -> otio.opentime.RationalTime:
    """`t` counted at the first of `rates` where it is a whole number, else at the first with a fraction."""
    rate = next((r for r in rates if (t * r).denominator == 1), rates[0])
    return otio.opentime.RationalTime(float(t * rate), float(rate))


def otio_range(span: TimeRange, film: Fraction, source: Fraction) -> otio.opentime.TimeRange:
    """A clip's range: its length at the film's rate, its start on whichever of the two grids holds it.

    Programs take the project's rate from the clips' lengths, and lengths add up along the track: counted at the
    film's rate both come out right even where a program rounds. The start stands alone, so it may use the source's.
    """
    return otio.opentime.TimeRange(rational(span.start, film, source), rational(span.duration, film))


def exact(time: otio.opentime.RationalTime, where: str) -> Fraction:
    """Seconds meant by a RationalTime: NTSC rates and whole frames are taken for what they are.

    Raises:
        PlanError: the rate is not a positive number, or the value is not a number.
    """
    if not (math.isfinite(time.rate) and time.rate > 0 and math.isfinite(time.value)):
        raise PlanError(
            "a time without meaning",
            where=where,
            got=f"value {time.value:g} at rate {time.rate:g}",
            allowed="finite values at a rate above 0",
        )
    whole = round(time.value)
    value = Fraction(time.value)
    count = Fraction(whole) if abs(value - whole) < _NEAR_WHOLE else value.limit_denominator(1_000_000)
    return count / standard_rate(time.rate)


def exact_range(span: otio.opentime.TimeRange, where: str) -> TimeRange:
    """The same for a range.

    Raises:
        PlanError: as `exact`, or a length that is not above 0.
    """
    start, length = exact(span.start_time, where), exact(span.duration, where)
    if length <= 0:
        raise PlanError("a clip lasts longer than 0 s", where=where, got=f"{float(length):g} s", next_step="remove it")
    return TimeRange(start, start + length)


def same(a: Fraction, b: Fraction) -> bool:
    """Equal but for float rounding."""
    return abs(a - b) <= TOLERANCE
