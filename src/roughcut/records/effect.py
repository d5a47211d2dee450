"""What every effect of a plan has: a name, a decision, and parameters that know their ranges."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from roughcut.records.decision import Decision

ASKED = Decision(code="asked", words="as asked")


class ParameterError(ValueError):
    """A parameter is out of its range. `parameter` names it."""

    def __init__(self, parameter: str, got: object, allowed: str) -> None:
        self.parameter, self.got, self.allowed = parameter, got, allowed
        super().__init__(f"{parameter} is {got!r}, allowed is {allowed}")


def param(default: Any, words: str, low: Any = None, high: Any = None) -> Any:
    """A parameter with its default, what it means, and the closed range of its values."""
    return field(default=default, metadata={"words": words, "low": low, "high": high})


_HINTS: dict[str, dict[str, Any]] = {}


def _hints(kind: type[Effect]) -> dict[str, Any]:
    if kind.name not in _HINTS:
        _HINTS[kind.name] = get_type_hints(kind)
    return _HINTS[kind.name]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What all effects have.

    Raises:
        ParameterError: a parameter is out of range.
    """

    name: ClassVar[str] = ""
    words: ClassVar[str] = ""
    on: ClassVar[tuple[str, ...]] = ("clip",)
    """What it may stand on: `clip`, `film`."""

    decision: Decision = ASKED

    def __post_init__(self) -> None:
        for f in fields(self):
            allowed = allowed_values(type(self), f.name)
            if allowed is not None and not _fits(getattr(self, f.name), f.metadata, _hints(type(self))[f.name]):
                raise ParameterError(f.name, getattr(self, f.name), allowed)


def _fits(value: Any, told: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if value is None:
        return True
    try:
        return bool(told["low"] <= value <= told["high"])  # also false for NaN
    except TypeError:
        return False


def allowed_values(kind: type[Effect], name: str) -> str | None:
    """The range of a parameter in words; None where anything of its type goes."""
    hint, told = _hints(kind)[name], kind.__dataclass_fields__[name].metadata
    if get_origin(hint) is Literal:
        return ", ".join(map(str, get_args(hint)))
    low, high = told.get("low"), told.get("high")
    return None if low is None else f"{_number(low)} to {_number(high)}"


def _number(value: Any) -> str:
    return f"{float(value):g}"


def check_path(name: str, times: tuple[Fraction, ...], points: tuple[tuple[float, float], ...]) -> None:
    """A path has a point for every time, times rise, and points are numbers about the picture."""
    if any(b <= a for a, b in pairwise(times)):
        raise ParameterError("times", "times that do not rise", "rising source times")
    if len(points) != max(len(times), 1 if name == "points" else 0):
        raise ParameterError(name, f"{len(points)} of them", f"one for each of {len(times)} times")
    if not all(-1 <= v <= 1 for point in points for v in point):
        raise ParameterError(name, "a point off the picture", "-1 to 1")
