"""The catalogue names what exists and checks what it is given."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest

from roughcut.effects.catalogue import catalogue, checked
from roughcut.effects.transitions import BLENDS
from roughcut.errors import OptionError, PlanError
from roughcut.records.effect import Effect, ParameterError
from roughcut.records.effects import EFFECTS, Caption, Grain, Letterbox, Speed
from roughcut.timebase import TimeRange
from roughcut.timeline.metadata import from_plain, to_plain
from roughcut.timeline.plan import OVERLAPPING, Clip, Decision, JoinKind


def test_every_effect_and_join_of_a_plan_is_listed() -> None:
    """Each kind of join but the cut, and each effect, is in the catalogue with words for each ranged parameter."""
    listed = catalogue()
    assert set(get_args(JoinKind)) - {"cut"} <= set(listed)
    assert set(EFFECTS) <= set(listed)
    assert set(BLENDS) == set(OVERLAPPING)
    assert all(entry.words for entry in listed.values())
    assert {p.name: p.allowed for p in listed["vignette"].parameters} == {"amount": "0 to 1", "reach": "0 to 0.95"}


@pytest.mark.parametrize("kind", EFFECTS.values(), ids=lambda k: k.name)
def test_effects_travel_as_plain_values(kind: type[Effect]) -> None:
    """Every effect with its defaults is itself again."""
    made = kind(decision=Decision(code="why", words="because", probability=0.5))
    assert from_plain(Effect, to_plain(made), "here") == made


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("glow", {}, r"unknown effect \(got glow\); allowed: cover, push-in"),
        ("grain", {"amount": 3}, r"grain.amount: out of range \(got 3\); allowed: 0 to 0.3"),
        ("grain", {"amount": float("nan")}, r"grain.amount: out of range"),
        ("grain", {"amount": "much"}, r"grain.amount: out of range"),
        ("grain", {"size": 1}, r"grain.size: unknown parameter; allowed: decision, amount, seed"),
        ("freeze", {"sound": "loud"}, r"freeze.sound: out of range \(got loud\); allowed: off, on"),
        ("reframe", {"times": (Fraction(1),), "points": ()}, r"reframe.points: out of range \(got 0 of them\)"),
        ("reframe", {"points": ((7.0, 0.5),)}, r"reframe.points: out of range \(got a point off the picture\)"),
        ("stabilise", {"times": (Fraction(1),) * 2, "moves": ((0.0, 0.0),) * 2}, r"stabilise.times: out of range"),
        (
            "captions",
            {"cues": tuple(Caption(start=Fraction(k), end=Fraction(9), text="x") for k in (2, 1))},
            r"captions.cues: out of range \(got cues out of order\)",
        ),
        ("speed", {"rate": Fraction(100)}, r"speed.rate: out of range \(got 100\); allowed: 0.125 to 8"),
    ],
)
def test_wrong_parameters_are_named(name: str, parameters: dict[str, object], message: str) -> None:
    """The message says which effect, what came and what is allowed."""
    with pytest.raises(OptionError, match=message):
        checked(name, **parameters)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"effect": "glow"}, r"clips\[3\].effects\[0\].effect: unknown effect \(got 'glow'\)"),
        (
            {"effect": "grain", "amount": 3},
            r"clips\[3\].effects\[0\].amount: out of range \(got 3.0\)",
        ),
        ({"effect": "grain", "size": 3}, r"clips\[3\].effects\[0\].size: unknown parameter"),
        ({"effect": "grain", "amount": "x"}, r"clips\[3\].effects\[0\].amount: not readable"),
        ("grain", r"clips\[3\].effects\[0\]: not readable"),
    ],
)
def test_a_plan_names_the_place(plain: object, message: str) -> None:
    """What is wrong with an effect in a timeline is said with its path."""
    with pytest.raises(PlanError, match=message):
        from_plain(tuple[Effect, ...], [plain], "clips[3].effects")


def test_effects_stand_where_they_belong() -> None:
    """Captions of a clip, or the speed of a film, are refused."""
    span = TimeRange(Fraction(0), Fraction(1))
    why = Decision(code="x", words="x")
    with pytest.raises(ParameterError, match="captions stands on a film"):
        Clip(source="s", range=span, decision=why, effects=(checked("captions"),))
    assert Clip(source="s", range=span, decision=why, effects=(Speed(), Letterbox(), Grain())).effects
