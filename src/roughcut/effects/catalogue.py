"""What effect synthesis can do, by name: a line of help and a checked record of parameters for each effect."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

from roughcut.effects.sound import MAX_GAIN_DB
from roughcut.effects.synthesizer import SOUND_JOIN
from roughcut.errors import OptionError
from roughcut.records import Look


@dataclass(frozen=True, kw_only=True)
class DissolveParameters:
    """`duration` in seconds, centred on the join; half of it is borrowed from the source beyond each clip."""

    duration: Fraction

    def __post_init__(self) -> None:
        _check_duration("dissolve", self.duration)


@dataclass(frozen=True, kw_only=True)
class FadeParameters:
    """`duration` in seconds: all of it inside at the film's ends, half on either side between clips."""

    duration: Fraction

    def __post_init__(self) -> None:
        _check_duration("fade", self.duration)


@dataclass(frozen=True, kw_only=True)
class LookParameters:
    """One look for the whole clip."""

    look: Look

    def __post_init__(self) -> None:
        if not isinstance(self.look, Look):
            raise OptionError("not a look", where="look", got=type(self.look).__name__, allowed="a Look record")


@dataclass(frozen=True, kw_only=True)
class LoudnessParameters:
    """`target` in LUFS (EBU R128 integrated)."""

    target: float = -14.0

    def __post_init__(self) -> None:
        if not -70 <= self.target <= 0:
            raise OptionError("not a loudness", where="loudness", got=self.target, allowed="-70 to 0 LUFS")


@dataclass(frozen=True, kw_only=True)
class SoundJoinParameters:
    """Nothing to choose: the crossfade at a straight cut has one length."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An effect's name, one line of help, and the record its parameters must fit."""

    name: str
    help: str
    parameters: type
    names: tuple[str, ...] = field(init=False)
    """Names of the parameters."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(f.name for f in fields(self.parameters)))


CATALOGUE = {
    effect.name: effect
    for effect in (
        Effect(name="dissolve", help="blend one clip into the next", parameters=DissolveParameters),
        Effect(name="fade", help="fade from black, to black, or through it", parameters=FadeParameters),
        Effect(name="look", help="correct the colour and exposure of a clip", parameters=LookParameters),
        Effect(
            name="loudness",
            help=f"bring the film to a loudness by one gain of at most {MAX_GAIN_DB:.0f} dB, peaks limited",
            parameters=LoudnessParameters,
        ),
        Effect(
            name="sound join",
            help=f"cross the sounds at every cut over {float(SOUND_JOIN) * 1000:.0f} ms, so nothing clicks",
            parameters=SoundJoinParameters,
        ),
    )
}


def checked(name: str, **parameters: Any) -> Any:
    """The parameter record of an effect.

    Raises:
        OptionError: no such effect, a parameter unknown or missing, or a value out of range.
    """
    if name not in CATALOGUE:
        raise OptionError("unknown effect", where="effect", got=name, allowed=", ".join(CATALOGUE))
    effect = CATALOGUE[name]
    try:
        return effect.parameters(**parameters)
    except TypeError as error:
        raise OptionError(
            "wrong parameters",
            where=name,
            got=", ".join(parameters) or "none",
            allowed=", ".join(effect.names) or "none",
        ) from error


def _check_duration(name: str, duration: Fraction) -> None:
    if not isinstance(duration, Fraction) or duration <= 0:
        raise OptionError("not a duration", where=name, got=duration, allowed="an exact Fraction of seconds above 0")
