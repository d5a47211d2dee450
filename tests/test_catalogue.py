"""The catalogue names what exists and checks what it is given."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest

from roughcut.effects.catalogue import CATALOGUE, checked
from roughcut.errors import OptionError
from roughcut.timeline.plan import JoinKind


def test_every_join_of_a_plan_has_its_effect() -> None:
    """Each kind of join a plan may hold, but the cut, is in the catalogue."""
    assert set(get_args(JoinKind)) - {"cut"} <= set(CATALOGUE)


def test_checked_gives_the_record() -> None:
    """Right parameters become a typed record."""
    assert checked("dissolve", duration=Fraction(1, 2)).duration == Fraction(1, 2)
    assert checked("loudness").target == -14.0


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("wipe", {}, r"unknown effect \(got wipe\); allowed: dissolve, fade"),
        ("fade", {"duration": Fraction(0)}, r"fade: not a duration \(got 0\)"),
        ("fade", {"duration": 0.5}, r"an exact Fraction"),
        ("dissolve", {"length": Fraction(1)}, r"dissolve: wrong parameters \(got length\); allowed: duration"),
        ("loudness", {"target": 3.0}, r"-70 to 0 LUFS"),
        ("look", {"look": "warm"}, r"look: not a look \(got str\)"),
    ],
)
def test_wrong_parameters_are_named(name: str, parameters: dict[str, object], message: str) -> None:
    """The message says which effect, what came and what is allowed."""
    with pytest.raises(OptionError, match=message):
        checked(name, **parameters)
