"""Exact time: rounding happens once, text and numbers come back, rates are what people mean."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roughcut.errors import OptionError
from roughcut.timebase import (
    STANDARD_RATES,
    TimeRange,
    floor_frame,
    format_time,
    fraction_text,
    frame_time,
    nearest_frame,
    parse_time,
    standard_rate,
)
from strategies import RATES, TIMES

RANGES = st.tuples(TIMES, TIMES).map(lambda pair: TimeRange(min(pair), max(pair)))


@given(n=st.integers(-(10**9), 10**9), rate=RATES)
def test_a_frames_start_rounds_to_the_frame(n: int, rate: Fraction) -> None:
    """Both roundings give a frame back from its exact start, however far out."""
    assert nearest_frame(frame_time(n, rate), rate) == floor_frame(frame_time(n, rate), rate) == n


@given(t=TIMES, rate=RATES)
def test_rounding_is_bounded(t: Fraction, rate: Fraction) -> None:
    """The frame shown at t began at most a frame ago; the nearest grid line is at most half a frame away."""
    assert 0 <= t - frame_time(floor_frame(t, rate), rate) < 1 / rate
    assert abs(t - frame_time(nearest_frame(t, rate), rate)) <= 1 / rate / 2


@given(lengths=st.lists(TIMES, max_size=50), rate=RATES)
def test_errors_never_add_up(lengths: list[Fraction], rate: Fraction) -> None:
    """Rounding each edge from its absolute position leaves the last one within half a frame."""
    end = sum(lengths, Fraction(0))
    assert abs(frame_time(nearest_frame(end, rate), rate) - end) <= 1 / rate / 2


@given(rate=RATES, digits=st.integers(3, 9))
def test_a_printed_rate_is_recognised(rate: Fraction, digits: int) -> None:
    """23.976, 29.97 and float noise are taken for the rate they mean."""
    assert standard_rate(round(float(rate), digits)) == rate


@given(value=st.floats(1e-6, 1e7))
def test_any_rate_is_positive_and_near(value: float) -> None:
    """Odd rates stay within 0.1 % of what was measured, and never become 0."""
    rate = standard_rate(value)
    assert rate > 0
    assert abs(float(rate) - value) <= 1.01e-3 * value


@pytest.mark.parametrize("value", [0, -25, float("nan"), float("inf")])
def test_impossible_rates_are_refused(value: float) -> None:
    """A rate of 0, below it, or of no number at all is an error that says so."""
    with pytest.raises(ValueError, match="a frame rate is positive"):
        standard_rate(value)


def test_standard_rates_are_far_enough_apart() -> None:
    """Every standard rate is its own nearest."""
    assert [standard_rate(r) for r in STANDARD_RATES] == list(STANDARD_RATES)


@given(ms=st.integers(0, 10**9))
def test_printed_times_are_read_back(ms: int) -> None:
    """What is printed to the millisecond reads as the same time."""
    t = Fraction(ms, 1000)
    assert parse_time(format_time(t)) == t


@given(t=st.fractions(-100, 100), digits=st.integers(0, 6))
def test_printing_rounds_once(t: Fraction, digits: int) -> None:
    """A printed time is the nearest one with so many digits; carries run through seconds and minutes."""
    text = format_time(t, digits=digits)
    value = parse_time(text.lstrip("-")) * (-1 if text.startswith("-") else 1)
    assert abs(value - t) <= Fraction(1, 2 * 10**digits)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        (" 1m30S ", 90),
        ("1:30", 90),
        ("0:01:30.5", Fraction(181, 2)),
        ("1,5m", 90),
        ("2h", 7200),
        ("1h1s", 3601),
    ],
)
def test_times_people_write(text: str, seconds: Fraction) -> None:
    """The forms that the documentation names."""
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "abc", "-5", "1:2:3:4", "5ms", "s", "1e3", "nan", "1:"])
def test_other_texts_are_refused(text: str) -> None:
    """What is no time is named, with what would be one."""
    with pytest.raises(OptionError, match=r"--target: not a time \(got .*\); allowed: 90, 90s"):
        parse_time(text, where="--target")


@given(value=st.fractions())
def test_exact_values_travel_as_text(value: Fraction) -> None:
    """Fraction reads what fraction_text writes."""
    assert Fraction(fraction_text(value)) == value


@given(a=RANGES, b=RANGES, t=TIMES)
def test_common_part_holds_what_both_hold(a: TimeRange, b: TimeRange, t: Fraction) -> None:
    """An instant lies in the intersection exactly when it lies in both ranges."""
    common = a.intersect(b)
    assert (common is not None and common.contains(t)) == (a.contains(t) and b.contains(t))


@given(a=RANGES, by=TIMES)
def test_shifting_keeps_the_length(a: TimeRange, by: Fraction) -> None:
    """A shifted range is as long, and its middle moves along."""
    assert a.shift(by).duration == a.duration
    assert a.shift(by).middle == a.middle + by


def test_ranges_check_themselves() -> None:
    """Floats and ranges that end before they start are refused."""
    with pytest.raises(TypeError, match="takes Fractions"):
        TimeRange(0.0, 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="before it starts"):
        TimeRange(Fraction(1), Fraction(0))
