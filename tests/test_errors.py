"""Errors for people: one line that says what, where, got, allowed and what to do next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roughcut import errors
from roughcut.errors import InputError, RoughcutError

KINDS = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, RoughcutError)]


def test_a_full_message() -> None:
    """All parts stand in their order, the next step as a sentence."""
    error = InputError("no video", where="a.mp4", got="audio", allowed="a film", next_step="choose another")
    assert str(error) == "a.mp4: no video (got audio); allowed: a film. Choose another"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_caught_as_one(kind: type[RoughcutError]) -> None:
    """The command line catches RoughcutError alone; the bare message is just what is wrong."""
    with pytest.raises(RoughcutError, match=r"^odd$"):
        raise kind("odd")


def test_the_tree_is_as_drawn() -> None:
    """The module's drawing names exactly the kinds there are."""
    assert {k.__name__ for k in KINDS} == {w for w in (errors.__doc__ or "").split() if w.endswith("Error")} | {
        "RoughcutError"
    }


@given(text=st.text())
def test_a_message_is_one_line(text: str) -> None:
    """Line breaks in names and values never break the line."""
    line = str(RoughcutError("odd", where=text, got=text, allowed=text, next_step=text))
    assert len(line.splitlines()) == 1


def test_falsy_values_are_said() -> None:
    """A got value of 0 is still said."""
    assert str(RoughcutError("odd", got=0)) == "odd (got 0)"
