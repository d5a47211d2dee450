"""When effects go: the effect-timing head's scale, push-ins and whips from it, and how little `subtle` does."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from footage import make_analysis
from roughcut.models import store
from roughcut.planner import PlanOptions, make_plan
from roughcut.planner.flourish import rising
from roughcut.planner.timing import RARE, USUAL, accented
from roughcut.records import Analysis
from roughcut.records.effects import PushIn
from roughcut.timebase import TimeRange

F = Fraction


def test_the_scale_is_that_of_the_shipped_head() -> None:
    """Usual and rare are about the median and the 95 % quantile in the moments network's card."""
    _, middle, high = store.load("moments").card["quantiles"]["accent"]
    near = (high - middle) / 2
    assert pytest.approx(middle, abs=near) == USUAL
    assert pytest.approx(high, abs=near) == RARE


def test_only_what_is_rare_is_an_accent() -> None:
    """Usual values give 0, rare ones 1, wherever in the span the highest lies; beyond the curve there is nothing."""
    curve = make_analysis([10]).timing.accent
    span = TimeRange(F(2), F(6))
    curve.values[:] = USUAL
    assert accented(curve, span) == pytest.approx(0, abs=1e-4)
    curve.values[9] = RARE
    assert accented(curve, span) == pytest.approx(1)
    assert accented(curve, TimeRange(F(7), F(9))) == pytest.approx(0, abs=1e-4)
    assert accented(curve, TimeRange(F(30), F(40))) == 0


def rises(accent: float) -> Analysis:
    """Ten silent seconds that matter more and more, with an accent in their second half."""
    analysis = make_analysis([10])
    values = analysis.timing.keep.values
    values[:] = np.linspace(0.2, 0.8, len(values))
    analysis.timing.accent.values[14] = accent
    return analysis


def test_importance_that_rises_towards_an_accent_is_felt() -> None:
    """Both are needed: a rise without an accent, and an accent without a rise, give nothing."""
    span = TimeRange(F(0), F(10))
    assert rising(span, rises(RARE)) == pytest.approx(1)
    assert rising(span, rises(USUAL)) == pytest.approx(0, abs=1e-4)
    level = make_analysis([10])
    level.timing.accent.values[14] = RARE
    assert rising(span, level) == 0


@pytest.mark.parametrize("level", ["subtle", "rich"])
def test_push_ins_have_reason_and_probability_and_rest_between(level: str) -> None:
    """Ten clips that all ask for one: some get it, never two in a row, each says why."""
    footage = [rises(RARE) for _ in range(10)]
    plan = make_plan(footage, PlanOptions(keep="all", effects=level))  # type: ignore[arg-type]
    pushed = [i for i, c in enumerate(plan.clips) if any(isinstance(e, PushIn) for e in c.effects)]
    assert len(pushed) == (2 if level == "subtle" else 4)
    assert min(np.diff(pushed)) > (4 if level == "subtle" else 2)
    (first,) = plan.clips[pushed[0]].effects
    assert isinstance(first, PushIn)
    assert first.amount <= (0.04 if level == "subtle" else 0.08)
    assert first.decision.words == "importance rises towards an accent"
    assert first.decision.probability == 1


def test_whips_go_into_accents_of_other_scenes_and_are_few() -> None:
    """`rich` alone, one join in four at most; where nothing begins, none."""
    footage = make_analysis([3] * 12)
    footage.timing.accent.values[:] = RARE
    kinds = {
        level: [j.kind for j in make_plan([footage], PlanOptions(effects=level, target=F(24))).joins]  # type: ignore[arg-type]
        for level in ("none", "subtle", "rich")
    }
    assert "whip" not in kinds["none"] + kinds["subtle"]
    places = [i for i, kind in enumerate(kinds["rich"]) if kind == "whip"]
    assert all(b - a >= 4 for a, b in pairwise(places))
    footage.timing.accent.values[:] = USUAL
    plan = make_plan([footage], PlanOptions(effects="rich", target=F(24)))
    assert "whip" not in [j.kind for j in plan.joins]


def test_subtle_leaves_most_of_a_usual_film_alone() -> None:
    """Twenty shots with usual timing curves and a talk: no effect at all."""
    rng = np.random.default_rng(0)
    footage = make_analysis([5] * 20, speech=[(2, 8), (30, 44)], keep=rng.uniform(0.3, 0.7, 20).tolist())
    footage.timing.accent.values[:] = USUAL
    plan = make_plan([footage], PlanOptions(keep="all", effects="subtle"))
    assert sum(bool(c.effects) for c in plan.clips) == 0
