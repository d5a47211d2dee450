"""The planner keeps what it should, cuts where it may, and stays inside the target, on footage made by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footage import make_analysis
from roughcut.errors import OptionError
from roughcut.planner import PlanOptions, make_plan
from roughcut.records import Look, LookControls
from roughcut.timebase import TimeRange

SECONDS = Fraction(1)


def test_the_best_shots_are_kept_in_order() -> None:
    """With room for two of four equal shots, the two most important ones are kept whole and in order."""
    footage = [make_analysis([4, 4, 4, 4], keep=[0.2, 0.9, 0.1, 0.8])]
    plan = make_plan(footage, PlanOptions(target=8 * SECONDS, keep="highlights", transitions="cuts"))
    assert [c.range for c in plan.clips] == [TimeRange(4 * SECONDS, 8 * SECONDS), TimeRange(12 * SECONDS, 16 * SECONDS)]
    assert {c.decision.code for c in plan.clips} == {"highlight"}


def test_sentences_are_whole_and_dead_air_goes() -> None:
    """Every spoken range lies inside one clip run and no gap of half a second or more is left between words."""
    words = [(1.0, 2.0), (2.3, 3.1), (6.0, 8.0), (8.2, 9.5), (13.0, 15.0)]
    footage = [make_analysis([20], speech=words)]
    plan = make_plan(footage, PlanOptions(keep="speech"))
    for a, b in words:
        assert any(c.range.start <= Fraction(a) and Fraction(b) <= c.range.end for c in plan.clips)
    assert plan.duration < Fraction(9)
    assert {d.decision.code for d in plan.dropped} == {"dead_air"}


def test_auto_tells_a_talk_from_a_walk() -> None:
    """Footage that is mostly speech is cut as a talk, footage without speech by its moments, and the plan says so."""
    talk = make_plan([make_analysis([20], speech=[(1, 8), (11, 18)])], PlanOptions())
    walk = make_plan([make_analysis([5] * 6, keep=[0.1, 0.9, 0.1, 0.9, 0.1, 0.1])], PlanOptions())
    assert "talk" in talk.notes[0]
    assert {c.decision.code for c in talk.clips} == {"speech"}
    assert {c.decision.code for c in walk.clips} == {"highlight"}


def test_all_keeps_every_frame() -> None:
    """`--keep all` covers the footage without a gap, cut where the shots change, every join unbroken."""
    footage = [make_analysis([2, 3, 1.4])]
    plan = make_plan(footage, PlanOptions(keep="all", transitions="cuts"))
    assert plan.film_frames() == len(footage[0].features.times)
    assert [j.decision.code for j in plan.joins[1:-1]] == ["unbroken"] * 2
    assert plan.dropped == ()


def test_dissolves_borrow_only_clean_frames() -> None:
    """The handles of a dissolve lie inside the shots they come from, and the film keeps to its target."""
    footage = [make_analysis([6, 6, 6], keep=[0.9, 0.1, 0.8])]
    plan = make_plan(footage, PlanOptions(target=12 * SECONDS, keep="highlights", transitions="dissolves"))
    shots = [s.range for s in footage[0].timing.shots]
    assert [j.kind for j in plan.joins] == ["fade", "dissolve", "fade"]
    for i, clip in enumerate(plan.clips):
        before, after = plan.handles(i)
        assert any(s.start <= clip.range.start - before and clip.range.end + after <= s.end for s in shots)


def test_auto_dissolves_only_where_it_is_calm() -> None:
    """Calm joins between different scenes dissolve; the same joins without calm, or in one scene, are cut."""
    options = PlanOptions(target=12 * SECONDS, keep="highlights")

    def kind(**made: object) -> str:
        return make_plan([make_analysis([6, 6, 6], keep=[0.9, 0.1, 0.8], **made)], options).joins[1].kind  # type: ignore[arg-type]

    assert kind(lull=0.9) == "dissolve"
    assert kind(lull=0.1) == "cut"
    assert kind(lull=0.9, same_scene=True) == "cut"


def test_looks_follow_the_shots() -> None:
    """Each clip carries its shot's look; identity looks and `--look none` leave clips alone."""
    warm = Look(controls=LookControls(temperature=0.3), confidence=0.8)
    footage = [make_analysis([3, 3], looks=[warm, Look()])]
    graded = make_plan(footage, PlanOptions(keep="all"))
    plain = make_plan(footage, PlanOptions(keep="all", look="none"))
    assert [c.look for c in graded.clips] == [warm, None]
    assert [c.look for c in plain.clips] == [None, None]


def test_two_rates_make_one_film() -> None:
    """Files of different rates give clips of whole film frames at the rate of what is seen longest."""
    footage = [
        make_analysis([8], rate=Fraction(30000, 1001)),
        make_analysis([3], rate=Fraction(25), name="b.mp4"),
    ]
    plan = make_plan(footage, PlanOptions(keep="all"))
    assert plan.spec.rate == Fraction(30000, 1001)
    assert all((c.range.duration * plan.spec.rate).denominator == 1 for c in plan.clips)


@settings(max_examples=40, deadline=None)
@given(
    shots=st.lists(st.floats(0.2, 9), min_size=1, max_size=8),
    target=st.integers(1, 12),
    wish=st.sampled_from(["auto", "cuts", "dissolves"]),
    seed=st.integers(0, 99),
)
def test_every_plan_keeps_its_promises(shots: list[float], target: int, wish: str, seed: int) -> None:
    """Whatever the footage: inside the target, whole frames, clips inside the media, in order, not overlapping."""
    footage = [make_analysis(shots, keep=np.random.default_rng(seed).random(len(shots)).tolist())]
    whole = footage[0].features.times.range
    if target > whole.duration:
        return
    plan = make_plan(footage, PlanOptions.parse(target=target, keep="highlights", look="auto", transitions=wish))
    assert plan.duration <= target
    assert all((c.range.duration * plan.spec.rate).denominator == 1 for c in plan.clips)
    assert all(whole.start <= c.range.start and c.range.end <= whole.end for c in plan.clips)
    ends = [c.range.end for c in plan.clips]
    assert all(b.range.start >= a for a, b in zip(ends, plan.clips[1:], strict=False))


def test_a_target_longer_than_the_footage_is_an_error() -> None:
    """The error names the option, what was got and what is allowed."""
    with pytest.raises(OptionError, match=r"--target: the target is longer than the footage.*0:01:00.*up to 0:00:05"):
        make_plan([make_analysis([5])], PlanOptions(target=60 * SECONDS))


@pytest.mark.parametrize("bad", [{"keep": "some"}, {"look": "teal"}, {"transitions": "star"}, {"target": Fraction(0)}])
def test_unknown_options_are_errors(bad: dict[str, object]) -> None:
    """Every option names its allowed values."""
    with pytest.raises(OptionError, match="--"):
        PlanOptions(**bad)  # type: ignore[arg-type]


def test_motion_breaks_ties() -> None:
    """Of two shots that people would like as much, the one where something happens is kept."""
    still = make_analysis([4, 4], keep=[0.5, 0.5])
    stats = still.features.frame_stats.copy()
    stats[:, 2] = np.where(np.arange(len(stats)) < 100, 0.001, 0.05)
    moving = replace(still, features=replace(still.features, frame_stats=stats))
    plan = make_plan([moving], PlanOptions(target=4 * SECONDS, keep="highlights", transitions="cuts"))
    assert [c.range for c in plan.clips] == [TimeRange(4 * SECONDS, 8 * SECONDS)]
