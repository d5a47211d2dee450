"""What effect synthesis can do, by name: what each is for, and its parameters with ranges and defaults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from roughcut.effects.sound import MAX_GAIN_DB
from roughcut.effects.synthesizer import SOUND_JOIN
from roughcut.errors import OptionError
from roughcut.records.effect import Effect, ParameterError, allowed_values
from roughcut.records.effects import EFFECTS
from roughcut.timeline.plan import Direction


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter, as people read it."""

    name: str
    default: str
    allowed: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An effect of the catalogue. `on`: clip, film, join or sound."""

    name: str
    on: str
    words: str
    parameters: tuple[Parameter, ...] = ()


_LASTS = Parameter(name="duration", default="1/2", allowed="above 0 s", words="how long, centred on the cut")
_WHERE = Parameter(
    name="direction", default="left", allowed=", ".join(get_args(Direction)), words="where the new picture moves to"
)
_SOFT = Parameter(name="softness", default="0.05", allowed="0 to 1", words="width of the edge, share of the picture")
_COLOUR = Parameter(name="colour", default="black", allowed="black, white", words="what it goes through")

_JOINS = {
    "fade": ("fade from, to or through black or white", (_LASTS, _COLOUR)),
    "dissolve": ("blend one clip into the next", (_LASTS,)),
    "wipe": ("a soft edge runs over the picture, the new one behind it", (_LASTS, _WHERE, _SOFT)),
    "slide": ("the new picture comes in over the old one", (_LASTS, _WHERE)),
    "push": ("the new picture pushes the old one out", (_LASTS, _WHERE)),
    "zoom": ("through the old picture into the new one", (_LASTS,)),
    "blur": ("out of focus and into focus again", (_LASTS,)),
    "whip": ("a push so fast that it smears", (_LASTS, _WHERE)),
}


def catalogue() -> dict[str, Entry]:
    """All of it by name, transitions first."""
    joins = [Entry(name=n, on="join", words=words, parameters=told) for n, (words, told) in _JOINS.items()]
    effects = [
        Entry(name=kind.name, on=", ".join(kind.on), words=kind.words, parameters=tuple(_parameters(kind)))
        for kind in EFFECTS.values()
    ]
    target = Parameter(name="loudness_target", default="-14", allowed="-70 to 0 LUFS, none", words="EBU R128")
    always = [
        Entry(name="look", on="clip", words="correct colour and exposure of a clip (its own record in the plan)"),
        Entry(
            name="loudness", on="film", parameters=(target,),
            words=f"one gain of at most {MAX_GAIN_DB:.0f} dB to a loudness, peaks limited",
        ),
        Entry(
            name="sound join", on="join",
            words=f"cross the sounds at every cut over {float(SOUND_JOIN) * 1000:.0f} ms, so nothing clicks",
        ),
    ]  # fmt: skip
    return {entry.name: entry for entry in (*joins, *effects, *always)}


def _parameters(kind: type[Effect]) -> Iterator[Parameter]:
    for f in fields(kind):
        if f.name == "decision":
            continue
        default = "" if f.default is MISSING else _text(f.default)
        allowed = allowed_values(kind, f.name) or str(f.type)
        yield Parameter(name=f.name, default=default, allowed=allowed, words=f.metadata.get("words", ""))


def _text(value: Any) -> str:
    if isinstance(value, float | Fraction):
        return f"{float(value):g}"
    return str(value) if isinstance(value, str | int | Path) else "none" if value is None else "()"


def checked(name: str, **parameters: Any) -> Effect:
    """The record of an effect of a clip or film.

    Raises:
        OptionError: no such effect, a parameter unknown, or a value out of range.
    """
    if name not in EFFECTS:
        raise OptionError("unknown effect", where="effect", got=name, allowed=", ".join(EFFECTS))
    known = [f.name for f in fields(EFFECTS[name])]
    for parameter in parameters:
        if parameter not in known:
            raise OptionError("unknown parameter", where=f"{name}.{parameter}", allowed=", ".join(known))
    try:
        return EFFECTS[name](**parameters)
    except ParameterError as error:
        where = f"{name}.{error.parameter}"
        raise OptionError("out of range", where=where, got=error.got, allowed=error.allowed) from error
