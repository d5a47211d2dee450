"""What a person may ask of the planner."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

from roughcut.errors import OptionError
from roughcut.planner.covers import FaceWish, How
from roughcut.planner.mood import MoodWish
from roughcut.records import named_preset
from roughcut.records.effects import Shape
from roughcut.timebase import parse_time

Keep = Literal["auto", "speech", "highlights", "all"]
Looks = Literal["auto", "none"]
Transitions = Literal["auto", "cuts", "dissolves"]
Effects = Literal["none", "subtle", "rich"]
Vfr = Literal["constant", "keep"]
Restore = Literal["none", "auto"]
FILES = ("like", "captions", "logo", "music", "people")


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Options of `roughcut plan` and `roughcut edit`.

    Raises:
        OptionError: a value is not one of those allowed, or the target is not longer than 0 s.
    """

    target: Fraction | None = None
    """Longest film wanted, in seconds; None lets the footage decide."""
    keep: Keep = "auto"
    look: Looks = "auto"
    like: Path | None = None
    """A picture, film or .cube whose colours are wanted, after the correction."""
    look_strength: float = 1.0
    """How far colour is changed at all, 0 (not) to 1."""
    transitions: Transitions = "auto"
    sdr: bool = False
    """True: an HDR film is brought to SDR."""
    vfr: Vfr = "constant"
    """Of footage at a variable rate: one constant rate, or its pictures at their own times."""
    preset: str | None = None
    """How the film is written, by a name of `records.PRESETS`; None: the usual codec of its kind of file."""

    effects: Effects = "none"
    """How much the planner may do beside cuts: moves and transitions where voice and importance say so."""
    captions: Path | None = None
    """An .srt file in the time of the footage."""
    title: str | None = None
    logo: Path | None = None
    music: Path | None = None
    reframe: Shape | None = None
    """The film's shape; None: that of the footage."""
    stabilise: bool = False
    denoise: float = 0.0
    """Strength, 0..1, for all clips."""
    restore: Restore = "none"
    """`auto`: denoise and sharpen each clip as much as the restoration network is sure to help."""

    faces: str | None = None
    """What is done with faces, as `covers.FaceWish` reads it; None: nobody looks for any."""
    cover: How = "solid"
    people: Path | None = None
    """The list of names that `faces` may use."""
    mute_voices: bool = False
    """True: silence where anybody speaks."""

    mood: MoodWish | None = None
    """Moments of which mood are preferred; `any`: the mood is found and told, and prefers nothing."""
    no_faces: bool = False
    """True: the mood is found without reading any face."""

    def __post_init__(self) -> None:
        self._check_words()
        hides = self.faces is not None and FaceWish.parse(self.faces).hides
        if not hides and (self.people is not None or self.cover != "solid"):
            option = "--people" if self.people is not None else "--cover"
            raise OptionError("says how faces are covered", where=option, next_step="add --faces hide")
        self._check_mood()
        if not 0 <= self.denoise <= 1:
            raise OptionError("out of range", where="--denoise", got=self.denoise, allowed="0 to 1")
        if not 0 <= self.look_strength <= 1:
            raise OptionError("out of range", where="--look-strength", got=self.look_strength, allowed="0 to 1")
        if self.denoise and self.restore == "auto":
            step = "leave one of them out"
            raise OptionError("--restore auto chooses the strength itself", where="--denoise", next_step=step)
        if self.title is not None and not self.title.strip():
            raise OptionError("a title has words", where="--title", got=repr(self.title))
        if self.preset is not None:
            named_preset(self.preset)
        if self.target is not None and self.target <= 0:
            raise OptionError("a film lasts longer than 0 s", where="--target", got=f"{float(self.target):g} s")

    def _check_mood(self) -> None:
        if self.no_faces and self.mood is None:
            raise OptionError("says how the mood is found", where="--no-faces", next_step="add --mood any")
        if self.no_faces and self.faces is not None:
            step = "leave one of them out"
            raise OptionError("--faces looks for faces", where="--no-faces", got=repr(self.faces), next_step=step)

    @property
    def follows_faces(self) -> bool:
        """Whether the edit goes by faces: close-ups are moments."""
        return self.faces is not None and not FaceWish.parse(self.faces).hides

    def _check_words(self) -> None:
        words: tuple[tuple[str, Any], ...] = (
            ("keep", Keep), ("look", Looks), ("transitions", Transitions), ("vfr", Vfr), ("effects", Effects),
            ("reframe", Shape), ("cover", How), ("restore", Restore), ("mood", MoodWish),
        )  # fmt: skip
        for name, allowed in words:
            value = getattr(self, name)
            if value is not None and value not in get_args(allowed):
                raise OptionError(
                    "unknown value", where=f"--{name}", got=repr(value), allowed=", ".join(get_args(allowed))
                )

    @classmethod
    def parse(cls, **written: Any) -> PlanOptions:
        """Options from what people write: `target` as text (`60s`, `1:30`) or seconds, paths as text."""
        given: dict[str, Any] = {name: Path(v) if name in FILES and v is not None else v for name, v in written.items()}
        target = given.pop("target", None)
        seconds = parse_time(target, where="--target") if isinstance(target, str) else target
        return cls(target=None if seconds is None else Fraction(seconds), **given)
