"""The effects of a plan: one small record each, with the range of every parameter beside it.

A record says what is wanted; `effects/` holds how it is done. Places are shares of the picture (x from the left, y from
the top, 0..1), sizes shares of its height or width, so that a plan means the same at any size. Times are exact seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

from roughcut.records.effect import Effect, ParameterError, check_path, param

Place = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
Shape = Literal["9:16", "1:1", "4:5", "16:9"]
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
    twists: tuple[tuple[float, float], ...] = ()
    """... and turned about its middle, clockwise in radians, and enlarged (0.01: by a hundredth); (): not at all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_path("moves", self.times, self.moves)
        if self.twists:
            check_path("twists", self.times, self.twists)


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
        check_path("points", self.times, self.points)


@dataclass(frozen=True, kw_only=True)
class Cover(Effect):
    """Somebody's face, made unrecognisable while it is followed."""

    name: ClassVar[str] = "cover"
    words: ClassVar[str] = "cover a face; mosaic and blur are weak: people can be known again under them"

    how: Literal["solid", "mosaic", "blur"] = param("solid", "what is laid over the face")
    person: str = ""
    """Whose face it is, as the list of people names them."""
    times: tuple[Fraction, ...] = ()
    """Source times of the boxes. From the first to the last, all is covered that lies between a box and the next."""
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    """Left, top, right, bottom, shares of the picture."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(b <= a for a, b in pairwise(self.times)):
            raise ParameterError("times", "times that do not rise", "rising source times")
        if len(self.boxes) != len(self.times):
            raise ParameterError("boxes", f"{len(self.boxes)} of them", f"one for each of {len(self.times)} times")
        if not all(-2 <= a < b <= 3 for box in self.boxes for a, b in (box[::2], box[1::2])):
            raise ParameterError("boxes", "a box that runs backwards or lies far off the picture", "-2 to 3, rising")


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


@dataclass(frozen=True, kw_only=True)
class Mute(Effect):
    """Silence for a while, in all tracks: of voices, where people must not be known by them."""

    name: ClassVar[str] = "mute"
    words: ClassVar[str] = "silence these stretches of the clip, in all its tracks"

    ranges: tuple[tuple[Fraction, Fraction], ...] = ()
    """[start, end) pairs of source time, rising."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(b <= a for a, b in pairwise(t for pair in self.ranges for t in pair)):
            raise ParameterError("ranges", "ranges that do not rise", "rising [start, end) pairs of source time")


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
class Lut(Effect):
    """A look from a file."""

    name: ClassVar[str] = "lut"
    words: ClassVar[str] = "the colours of a .cube file, as grading programs write it"
    on: ClassVar[tuple[str, ...]] = ("clip", "film")

    path: Path = Path("look.cube")


@dataclass(frozen=True, kw_only=True)
class Denoise(Effect):
    """Less noise."""

    name: ClassVar[str] = "denoise"
    words: ClassVar[str] = "take noise out (FFmpeg's nlmeans, above 8 bits fftdnoiz; picture by picture)"
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
    threshold: float = param(-38.0, "without `speech`: from where on the film counts as heard, dBFS", -80, 0)
    fade: Fraction = param(Fraction(3, 2), "fade at both ends, seconds", 0, Fraction(30))
    speech: tuple[tuple[Fraction, Fraction], ...] | None = None
    """Film seconds in which someone speaks: there, and nowhere else, it is lower. None: where the film is loud."""

    def __post_init__(self) -> None:
        super().__post_init__()
        edges = [edge for span in self.speech or () for edge in span]
        if any(b < a for a, b in pairwise(edges)) or (edges and edges[0] < 0):
            raise ParameterError("speech", "spans out of order", "spans in order that do not overlap")


EFFECTS: dict[str, type[Effect]] = {
    kind.name: kind
    for kind in (
        Cover, PushIn, KenBurns, PunchIn, Stabilise, Reframe, Speed, Freeze, Mute, Vignette, Grain, Letterbox, Lut,
        Denoise,
        Sharpen, Captions, Title, Logo, Inset, Music,
    )
}  # fmt: skip
"""All effects by name."""
