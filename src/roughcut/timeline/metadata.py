"""Records to plain JSON values and back, exactly: how a plan travels in a timeline's metadata.

Driven by the records' own type hints, so a field that is added to a record is carried without a line here.

    Fraction          "24000/1001"
    an effect         {"effect": its name, "parameter": ...}; an unknown name or parameter is refused
    a dataclass       {"field": ...}; fields missing on the way back take their default, unknown ones are ignored
    tuple, list       [...]
    Path              "text"
    float, int, str, bool, None, dict[str, ...]   themselves
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from roughcut.errors import PlanError
from roughcut.records.effect import Effect, ParameterError
from roughcut.records.effects import EFFECTS
from roughcut.timebase import fraction_text

KEY = "roughcut"
"""The one metadata key that is ours, on every object."""
SCHEMA = "roughcut.plan.1"


def to_plain(value: Any) -> Any:
    """A record, or anything records hold, as JSON values without loss."""
    if isinstance(value, Fraction):
        return fraction_text(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Effect):
        return {"effect": value.name} | {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(v) for v in value]
    return value


def from_plain(kind: Any, value: Any, where: str) -> Any:
    """The value of type `kind` (a record, or any type hint that records use) that `to_plain` made `value` of.

    Raises:
        PlanError: `value` does not fit; `where` names the place, down to the field.
    """
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        return _decode_optional(kind, value, where)
    if origin is Literal:
        return _expect(value in get_args(kind), value, value, ", ".join(map(str, get_args(kind))), where)
    if origin is tuple:
        return _decode_tuple(kind, value, where)
    if origin is dict:
        _expect(isinstance(value, dict), value, value, "an object", where)
        inner = get_args(kind)[1]
        return {k: from_plain(inner, v, f"{where}.{k}") for k, v in value.items()}
    if kind is Effect:
        return _decode_effect(value, where)
    if is_dataclass(kind):
        return _decode_record(kind, value, where)
    return _decode_scalar(kind, value, where)


def _decode_optional(kind: Any, value: Any, where: str) -> Any:
    inner = [k for k in get_args(kind) if k is not NoneType]
    return None if value is None else from_plain(inner[0], value, where)


def _decode_tuple(kind: Any, value: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(value, list), value, value, "a list", where)
    inner = get_args(kind)
    kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
    _expect(len(kinds) == len(value), value, len(value), f"{len(kinds)} values", where)
    return tuple(from_plain(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True)))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode_record(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, value, "an object", where)
    parts = {}
    for f in fields(kind):
        if f.name in value:
            parts[f.name] = from_plain(_hints(kind)[f.name], value[f.name], f"{where}.{f.name}")
        elif f.default is MISSING and f.default_factory is MISSING:
            raise PlanError("a field is missing", where=f"{where}.{f.name}", next_step=_NEXT)
    try:
        return kind(**parts)
    except ParameterError as error:
        place = f"{where}.{error.parameter}"
        raise PlanError("out of range", where=place, got=repr(error.got), allowed=error.allowed) from error
    except (ValueError, TypeError) as error:
        raise PlanError(str(error), where=where, next_step=_NEXT) from error


def _decode_effect(value: Any, where: str) -> Any:
    """An effect by its name; unlike other records it takes no field that it does not know."""
    _expect(isinstance(value, dict), value, value, "an object", where)
    name = value.get("effect")
    if name not in EFFECTS:
        raise PlanError("unknown effect", where=f"{where}.effect", got=repr(name), allowed=", ".join(EFFECTS))
    known = [f.name for f in fields(EFFECTS[name])]
    for parameter in value:
        if parameter not in ("effect", *known):
            raise PlanError("unknown parameter", where=f"{where}.{parameter}", allowed=", ".join(known))
    return _decode_record(EFFECTS[name], value, where)


def _fraction(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError
    return Fraction(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return float(value)


def _is(kind: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError
        return value

    return check


def _path(value: Any) -> Path:
    return Path(_is(str)(value))


_SCALARS: dict[Any, tuple[Callable[[Any], Any], str]] = {
    Fraction: (_fraction, 'an exact fraction such as "24000/1001"'),
    float: (_number, "a number"),
    int: (_is(int), "a whole number"),
    str: (_is(str), "text"),
    bool: (_is(bool), "true or false"),
    Path: (_path, "a path"),
}
_NEXT = f'remove the "{KEY}" metadata there, or write the timeline again'


def _decode_scalar(kind: Any, value: Any, where: str) -> Any:
    convert, allowed = _SCALARS[kind]
    try:
        return convert(value)
    except (ValueError, ZeroDivisionError):
        raise PlanError("not readable", where=where, got=repr(value), allowed=allowed, next_step=_NEXT) from None


def _expect(holds: bool, value: Any, got: object, allowed: str, where: str) -> Any:
    if not holds:
        raise PlanError("not readable", where=where, got=repr(got)[:80], allowed=allowed, next_step=_NEXT)
    return value
