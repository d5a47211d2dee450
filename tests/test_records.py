"""Records refuse what cannot be, and answer by their grids."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roughcut.records import Curve, FilmSpec, FrameTimes, Look, LookControls, ScanBatch, Shot, Transition
from roughcut.timebase import TimeRange

STEPS = st.lists(st.integers(1, 9), min_size=1, max_size=30)


def frame_times(steps: list[int]) -> FrameTimes:
    pts = np.cumsum([0, *steps], dtype=np.int64)
    return FrameTimes(pts=pts[:-1], end_pts=int(pts[-1]), time_base=Fraction(1, 30))


@given(steps=STEPS)
def test_each_frame_is_shown_until_the_next(steps: list[int]) -> None:
    """At its start, and just before the next one's, a frame of a variable rate is the one shown."""
    times = frame_times(steps)
    for i in range(len(times)):
        assert times.frame_at(times.time(i)) == i
        assert times.frame_at(times.time(i + 1) - Fraction(1, 10**6)) == i
    assert times.range == TimeRange(Fraction(0), Fraction(sum(steps), 30))
    assert (times.frame_at(Fraction(-5)), times.frame_at(Fraction(10**6))) == (0, len(times) - 1)


@pytest.mark.parametrize(("pts", "end"), [([0, 0], 1), ([1, 0], 2), ([0, 1], 1)])
def test_frame_times_rise(pts: list[int], end: int) -> None:
    """Frames that stand still or go back are refused."""
    with pytest.raises(ValueError, match="must rise"):
        FrameTimes(pts=np.array(pts), end_pts=end, time_base=Fraction(1, 25))


CURVE = Curve(name="keep", start=Fraction(1), step=Fraction(1, 2), values=np.array([0.0, 1.0, 0.5], np.float32))


@pytest.mark.parametrize(
    ("t", "value"), [(0, 0.0), (1, 0.0), (Fraction(3, 2), 1.0), (Fraction(249, 100), 0.5), (9, 0.5)]
)
def test_curve_at(t: Fraction, value: float) -> None:
    """A cell holds from its start to the next one's; before and after, the ends hold."""
    assert CURVE.at(Fraction(t)) == value


@pytest.mark.parametrize(
    ("a", "b", "mean"),
    [("1", "5/2", 0.5), ("3/2", "2", 1.0), ("7/4", "9/4", 0.75), ("5", "6", 0.0), ("-3", "1/2", 0.0)],
)
def test_curve_mean(a: str, b: str, mean: float) -> None:
    """The mean over the cells a range touches; 0 where it touches none."""
    assert CURVE.mean(TimeRange(Fraction(a), Fraction(b))) == pytest.approx(mean)


def test_records_refuse_what_cannot_be() -> None:
    """Each names what it got."""
    with pytest.raises(ValueError, match="a positive step"):
        Curve(name="x", start=Fraction(0), step=Fraction(0), values=np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="runs forward"):
        Transition(kind="cut", start=3, end=3, probability=1.0)
    with pytest.raises(ValueError, match="at least one frame"):
        Shot(first=2, stop=2, range=TimeRange(Fraction(0), Fraction(1)))
    with pytest.raises(ValueError, match="rows of equal length"):
        Look(grid=((0.0,), (0.0, 1.0)))
    with pytest.raises(ValueError, match="even and positive, got 3x2"):
        FilmSpec(width=3, height=2, rate=Fraction(25))
    empty = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="thumbs are"):
        ScanBatch(
            first=0, pts=np.zeros(1, np.int64), thumbs=np.zeros((2, 27, 48, 3), np.uint8), picture_frames=empty,
            pictures=np.zeros((0, 1, 1, 3), np.uint8), sound=np.zeros(0, np.float32),
        )  # fmt: skip


def test_sliders_at_rest_are_identity() -> None:
    """All 0 is identity; a slider moved by more than the tolerance is not."""
    assert LookControls().is_identity()
    assert LookControls(gamma=0.0005).is_identity()
    assert not LookControls(gamma=0.01).is_identity()
    assert dict(zip(LookControls.names(), LookControls(tint=0.5).values(), strict=True))["tint"] == 0.5
