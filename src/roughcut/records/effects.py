"""The effects of a plan: one small record each, with the range of every parameter beside it.

A record says what is wanted; `effects/` holds how it is done. Places are shares of the picture (x from the left, y from
the top, 0..1), sizes shares of its height or width, so that a plan means the same at any size. Times are exact seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from roughcut.records.decision import Decision

ASKED = Decision(code="asked", words="as asked")
Place = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
Shape = Literal["9:16", "1:1", "4:5", "16:9"]


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


def _check_path(name: str, times: tuple[Fraction, ...], points: tuple[tuple[float, float], ...]) -> None:
    """A path has a point for every time, times rise, and points are numbers about the picture."""
    if any(b <= a for a, b in pairwise(times)):
        raise ParameterError("times", "times that do not rise", "rising source times")
    if len(points) != max(len(times), 1 if name == "points" else 0):
        raise ParameterError(name, f"{len(points)} of them", f"one for each of {len(times)} times")
    if not all(-1 <= v <= 1 for point in points for v in point):
        raise ParameterError(name, "a point off the picture", "-1 to 1")


SECONDS = Fraction(36_000)

# ---------------------------------------------------------------- of a clip: where the eye is led


@dataclass(frozen=True, kw_only=True)
class PushIn(Effect):
    """A slow move towards a point over the whole clip."""

    name: ClassVar[str] = "push-in"
    words: ClassVar[str] = "move slowly closer over the whole clip"

    amount: float = param(0.06, "how much closer at the end, share of the picture", -0.5, 0.5)
    x: float = param(0.5, "where to, from the left", 0, 1)
    y: float = param(0.45, "where to, from the top", 0, 1)


@dataclass(frozen=True, kw_only=True)
class KenBurns(Effect):
    """A move from one view to another; a view is the middle of what is seen and its share of the width."""

    name: ClassVar[str] = "ken-burns"
    words: ClassVar[str] = "move from one view of the picture to another"

    from_x: float = param(0.45, "middle of the first view, from the left", 0, 1)
    from_y: float = param(0.5, "middle of the first view, from the top", 0, 1)
    from_width: float = param(0.9, "share of the width that the first view shows", 0.1, 1)
    to_x: float = param(0.55, "middle of the last view, from the left", 0, 1)
    to_y: float = param(0.5, "middle of the last view, from the top", 0, 1)
    to_width: float = param(0.8, "share of the width that the last view shows", 0.1, 1)


@dataclass(frozen=True, kw_only=True)
class PunchIn(Effect):
    """A closer view at once, as from a second camera: hides that something was cut out of one shot."""

    name: ClassVar[str] = "punch-in"
    words: ClassVar[str] = "a closer view for the whole clip, so that a cut inside one shot looks meant"

    amount: float = param(0.12, "how much closer, share of the picture", 0, 0.5)
    x: float = param(0.5, "where, from the left", 0, 1)
    y: float = param(0.4, "where, from the top", 0, 1)


@dataclass(frozen=True, kw_only=True)
class Stabilise(Effect):
    """Counter-moves against shake, measured beforehand."""

    name: ClassVar[str] = "stabilise"
    words: ClassVar[str] = "take shake out by moving against it, a little closer so that no edge shows"

    margin: float = param(0.05, "share of the picture given up at each edge at most", 0, 0.2)
    times: tuple[Fraction, ...] = ()
    """Source times at which the picture must be moved ..."""
    moves: tuple[tuple[float, float], ...] = ()
    """... and by how much: right and down, shares of the width and height."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_path("moves", self.times, self.moves)


@dataclass(frozen=True, kw_only=True)
class Reframe(Effect):
    """A film of another shape looks at a part of the picture. The path holds still, then moves smoothly."""

    name: ClassVar[str] = "reframe"
    words: ClassVar[str] = "fill a film of another shape, following what matters"

    times: tuple[Fraction, ...] = ()
    """Source times of the path's points; before the first and after the last it stands still."""
    points: tuple[tuple[float, float], ...] = ((0.5, 0.5),)
    """The middle of what is seen: from the left, from the top."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_path("points", self.times, self.points)


# ---------------------------------------------------------------- of a clip: time


@dataclass(frozen=True, kw_only=True)
class Speed(Effect):
    """Another speed. The clip keeps its length in the film; it shows more or less of its source."""

    name: ClassVar[str] = "speed"
    words: ClassVar[str] = "play faster or slower, or change from one speed to another; voices keep their pitch"

    rate: Fraction = param(Fraction(1), "speed at the clip's start", Fraction(1, 8), Fraction(8))
    to: Fraction | None = param(None, "speed at its end, reached evenly; none: the same", Fraction(1, 8), Fraction(8))


@dataclass(frozen=True, kw_only=True)
class Freeze(Effect):
    """The clip's first picture stands still."""

    name: ClassVar[str] = "freeze"
    words: ClassVar[str] = "hold the clip's first picture"

    sound: Literal["off", "on"] = param("off", "the sound meanwhile: silent, or going on")


# ---------------------------------------------------------------- of a clip or the film: texture and repair


@dataclass(frozen=True, kw_only=True)
class Vignette(Effect):
    """Darker towards the corners."""

    name: ClassVar[str] = "vignette"
    words: ClassVar[str] = "darken towards the corners"
    on: ClassVar[tuple[str, ...]] = ("clip", "film")

    amount: float = param(0.25, "how dark the corners are: 1 is black", 0, 1)
    reach: float = param(0.6, "share of the way to the corners that stays as it is", 0, 0.95)


@dataclass(frozen=True, kw_only=True)
class Grain(Effect):
    """Film grain that moves: strongest in the middle tones, another pattern at each frame."""

    name: ClassVar[str] = "grain"
    words: ClassVar[str] = "film grain, the same at every render"
    on: ClassVar[tuple[str, ...]] = ("clip", "film")

    amount: float = param(0.03, "strength in the middle tones, share of the range", 0, 0.3)
    seed: int = param(0, "another number, another grain", 0, 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Letterbox(Effect):
    """Black bars that make the picture wider in shape."""

    name: ClassVar[str] = "letterbox"
    words: ClassVar[str] = "bars above and below, or at the sides, for a picture of this shape"
    on: ClassVar[tuple[str, ...]] = ("clip", "film")

    aspect: float = param(2.39, "width over height", 0.25, 4)


@dataclass(frozen=True, kw_only=True)
class Denoise(Effect):
    """Less noise."""

    name: ClassVar[str] = "denoise"
    words: ClassVar[str] = "take noise out (FFmpeg's fftdnoiz, picture by picture)"
    on: ClassVar[tuple[str, ...]] = ("clip", "film")

    strength: float = param(0.3, "0 leaves the picture alone, 1 is a lot", 0, 1)


@dataclass(frozen=True, kw_only=True)
class Sharpen(Effect):
    """More contrast at edges, in the light alone."""

    name: ClassVar[str] = "sharpen"
    words: ClassVar[str] = "more contrast at edges (FFmpeg's cas, luma alone)"
    on: ClassVar[tuple[str, ...]] = ("clip", "film")

    amount: float = param(0.4, "0 leaves the picture alone", 0, 1)


# ---------------------------------------------------------------- of the film: what is laid over it


@dataclass(frozen=True, kw_only=True)
class Caption:
    """Words on screen for `[start, end)`, film seconds."""

    start: Fraction
    end: Fraction
    text: str

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a caption ends after it starts, got {self.start} to {self.end}")


@dataclass(frozen=True, kw_only=True)
class Captions(Effect):
    """Captions drawn into the picture."""

    name: ClassVar[str] = "captions"
    words: ClassVar[str] = "words drawn into the picture, two lines at most"
    on: ClassVar[tuple[str, ...]] = ("film",)

    cues: tuple[Caption, ...] = ()
    size: float = param(0.05, "height of a line, share of the picture's height", 0.02, 0.2)
    y: float = param(0.92, "lower edge of the words, from the top", 0.1, 1)
    font: str | None = None
    """A font's file, or its name on this machine; None looks for one that holds the characters."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(b.start < a.start for a, b in pairwise(self.cues)):
            raise ParameterError("cues", "cues out of order", "cues in order of their starts")


@dataclass(frozen=True, kw_only=True)
class Title(Effect):
    """A title over the first pictures, or on a card of its own colour."""

    name: ClassVar[str] = "title"
    words: ClassVar[str] = "a title that fades in and out, over the picture or on a dark card"
    on: ClassVar[tuple[str, ...]] = ("film",)

    text: str = "Title"
    below: str = ""
    """A second, smaller line."""
    start: Fraction = param(Fraction(1, 2), "when it comes, film seconds", 0, SECONDS)
    duration: Fraction = param(Fraction(3), "how long it stays, seconds", Fraction(1, 5), Fraction(600))
    size: float = param(0.1, "height of a line, share of the picture's height", 0.02, 0.4)
    card: float = param(0.35, "how much the picture is darkened behind it: 1 is a black card", 0, 1)
    font: str | None = None


@dataclass(frozen=True, kw_only=True)
class Logo(Effect):
    """A picture in a corner."""

    name: ClassVar[str] = "logo"
    words: ClassVar[str] = "a picture (PNG with transparency) in a corner"
    on: ClassVar[tuple[str, ...]] = ("film",)

    path: Path = Path("logo.png")
    corner: Place = param("top-right", "where")
    size: float = param(0.12, "its height, share of the picture's height", 0.02, 1)
    margin: float = param(0.04, "distance from the edges, share of the picture's height", 0, 0.3)
    opacity: float = param(0.9, "1 covers what is behind", 0, 1)


@dataclass(frozen=True, kw_only=True)
class Inset(Effect):
    """Picture in picture: another source of the plan, small, without its sound."""

    name: ClassVar[str] = "picture-in-picture"
    words: ClassVar[str] = "another of the plan's sources, small in a corner"
    on: ClassVar[tuple[str, ...]] = ("film",)

    source: str = "source-1"
    source_start: Fraction = param(Fraction(0), "what it shows first, seconds of that source", 0, SECONDS)
    start: Fraction = param(Fraction(0), "when it comes, film seconds", 0, SECONDS)
    duration: Fraction = param(Fraction(5), "how long it stays, seconds", Fraction(1, 25), SECONDS)
    corner: Place = param("bottom-right", "where")
    size: float = param(0.3, "its height, share of the picture's height", 0.05, 1)
    margin: float = param(0.04, "distance from the edges, share of the picture's height", 0, 0.3)


@dataclass(frozen=True, kw_only=True)
class Music(Effect):
    """Music under the whole film, again from its start when it ends, lower where the film itself is heard."""

    name: ClassVar[str] = "music"
    words: ClassVar[str] = "music under the film, lowered where someone speaks, faded at both ends"
    on: ClassVar[tuple[str, ...]] = ("film",)

    path: Path = Path("music.mp3")
    level: float = param(-12.0, "gain of the music, dB", -60, 12)
    duck: float = param(-12.0, "further gain where the film's own sound is heard, dB", -60, 0)
    threshold: float = param(-38.0, "from where on the film counts as heard, dBFS", -80, 0)
    fade: Fraction = param(Fraction(3, 2), "fade at both ends, seconds", 0, Fraction(30))


EFFECTS: dict[str, type[Effect]] = {
    kind.name: kind
    for kind in (
        PushIn, KenBurns, PunchIn, Stabilise, Reframe, Speed, Freeze, Vignette, Grain, Letterbox, Denoise, Sharpen,
        Captions, Title, Logo, Inset, Music,
    )
}  # fmt: skip
"""All effects by name."""
