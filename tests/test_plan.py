"""The plan checks itself and puts its joins on the film's grid without drift."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings

from report_fixtures import plan as example
from roughcut.errors import PlanError
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Decision, Join, Plan, film_ranges
from strategies import plans

PLAN = example([Path("/a.mp4")])


@given(plan=plans())
@settings(max_examples=25, deadline=None)
def test_edges_lie_on_the_grid(plan: Plan) -> None:
    """Frame edges are within half a frame of the exact ones, and the clips' film ranges tile the film."""
    for exact, frame in zip(plan.edges(), plan.frame_edges(), strict=True):
        assert abs(exact - Fraction(frame) / plan.spec.rate) <= 1 / plan.spec.rate / 2
    ranges = film_ranges(plan)
    assert ranges[0].start == 0
    assert all(a.end == b.start for a, b in pairwise(ranges))
    assert ranges[-1].end == Fraction(plan.film_frames()) / plan.spec.rate


def test_handles_are_half_a_dissolve() -> None:
    """A dissolve borrows half its length from either clip; fades and cuts borrow nothing."""
    assert PLAN.joins[2].kind == "dissolve"
    half = PLAN.joins[2].duration / 2
    assert PLAN.handles(1) == (0, half)
    assert PLAN.handles(2) == (half, 0)
    assert PLAN.handles(0) == (0, 0)


def test_a_plan_needs_a_clip() -> None:
    """No clip, no film."""
    with pytest.raises(PlanError, match="holds no clip"):
        replace(PLAN, clips=(), joins=(Join(),))


def test_joins_are_counted() -> None:
    """One more than clips, else the numbers are named."""
    with pytest.raises(PlanError, match=r"one join more than clips \(got 1 joins, 4 clips"):
        replace(PLAN, joins=(Join(),))


def test_clips_come_from_known_sources() -> None:
    """An unknown source is named with its clip."""
    with pytest.raises(PlanError, match=r"clip 1: unknown source \(got zz"):
        replace(PLAN, clips=(replace(PLAN.clips[0], source="zz"), *PLAN.clips[1:]))


def test_clips_last() -> None:
    """A clip of no length is refused."""
    empty = replace(PLAN.clips[1], range=TimeRange(Fraction(1), Fraction(1)))
    with pytest.raises(PlanError, match="clip 2: a clip lasts longer than 0 s"):
        PLAN.with_clips((PLAN.clips[0], empty, *PLAN.clips[2:]))


@pytest.mark.parametrize(("kind", "duration"), [("cut", 1), ("dissolve", 0), ("fade", 0), ("fade", -1)])
def test_joins_check_themselves(kind: str, duration: int) -> None:
    """Cuts last no time, everything else lasts longer than that."""
    with pytest.raises(ValueError, match="a cut lasts 0 s"):
        Join(kind=kind, duration=Fraction(duration))  # type: ignore[arg-type]


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_probabilities_check_themselves(p: float) -> None:
    """0..1, and a number."""
    with pytest.raises(ValueError, match="a probability lies in"):
        Decision(code="x", words="x", probability=p)
