"""The edit plan: every decision with its probability and reason. The seam between deciding and rendering.

    sources    the files, by id
    clips      what is shown, in order: a source range each, with its look
    joins      how clip i-1 becomes clip i: len(clips) + 1 of them, the first opens the film, the last closes it
    dropped    what was left out, and why

Clips lie back to back; a dissolve of duration d at a join is centred on it and borrows d/2 of source beyond each
clip's range (handles), as OpenTimelineIO and every editor understand it:

    clip 0      [=========]~~~            ~~~ handle, d/2
    clip 1             ~~~[=========]
    film        [=========|=========]     the join is the | and the film's length is the sum of the clips
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Literal

from roughcut.errors import PlanError
from roughcut.records import Decision as Decision
from roughcut.records import FilmSpec, Look
from roughcut.records.effect import Effect, ParameterError
from roughcut.records.effects import Inset
from roughcut.timebase import TimeRange, nearest_frame

JoinKind = Literal["cut", "fade", "dissolve", "wipe", "slide", "push", "zoom", "blur", "whip"]
Direction = Literal["left", "right", "up", "down"]
OVERLAPPING = ("dissolve", "wipe", "slide", "push", "zoom", "blur", "whip")
"""Joins in which both clips are seen: each lends half of the duration beyond its range."""


def _check_place(effects: tuple[Effect, ...], place: str) -> None:
    for k, effect in enumerate(effects):
        if place not in effect.on:
            allowed = f"an effect of a {place}; {effect.name} stands on a {' or '.join(effect.on)}"
            raise ParameterError(f"effects[{k}]", effect.name, allowed)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file the plan takes pictures and sound from. `available` is the time its pictures cover."""

    id: str
    path: Path
    available: TimeRange
    rate: Fraction
    width: int
    height: int
    digest: str = ""
    tracks: int = 1
    """Number of sound tracks."""

    @property
    def has_sound(self) -> bool:
        """False where the file has no sound track."""
        return self.tracks > 0


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A piece of a source, shown in order."""

    source: str
    range: TimeRange
    """Source time; its length is a whole number of film frames in plans made here."""
    decision: Decision
    look: Look | None = None
    look_decision: Decision | None = None
    name: str = ""
    effects: tuple[Effect, ...] = ()
    """In the order in which they are laid on the picture."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What other tools wrote on this clip; kept as it is."""

    def __post_init__(self) -> None:
        _check_place(self.effects, "clip")


STRAIGHT = Decision(code="straight_cut", words="a straight cut")


@dataclass(frozen=True, kw_only=True)
class Join:
    """How one clip becomes the next. `duration` is 0 for a cut; a `fade` is to and from a colour, without overlap:
    at the film's ends it takes `duration`, between clips half of it on either side. All others show both
    clips at once."""

    kind: JoinKind = "cut"
    duration: Fraction = Fraction(0)
    direction: Direction = "left"
    """Where the new picture moves to: of a wipe, slide, push and whip."""
    softness: float = 0.05
    """Width of a wipe's edge, share of the picture."""
    colour: Literal["black", "white"] = "black"
    """What a fade goes through."""
    decision: Decision = STRAIGHT
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.kind == "cut") != (self.duration == 0) or self.duration < 0:
            raise ValueError(f"a cut lasts 0 s and everything else longer, got {self.kind} of {self.duration} s")
        if not 0 <= self.softness <= 1:
            raise ParameterError("softness", self.softness, "0 to 1")

    @property
    def overlaps(self) -> bool:
        """True where both clips are seen at once."""
        return self.kind in OVERLAPPING


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A range that was left out."""

    source: str
    range: TimeRange
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The timeline."""

    sources: tuple[Source, ...]
    clips: tuple[Clip, ...]
    joins: tuple[Join, ...]
    spec: FilmSpec
    dropped: tuple[Dropped, ...] = ()
    loudness_target: float | None = -14.0
    """LUFS (EBU R128 integrated); None leaves the level alone"""
    track: int = 0
    """The sound track, from 0, that decisions were made on; loudness is measured on it."""
    name: str = "roughcut"
    notes: tuple[str, ...] = ()
    """What cannot be carried or rendered, in words; shown in the report."""
    effects: tuple[Effect, ...] = ()
    """Laid over the film as a whole, in this order."""
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_place(self.effects, "film")
        if not self.clips:
            raise PlanError("the timeline holds no clip", where=self.name, next_step="keep at least one")
        if len(self.joins) != len(self.clips) + 1:
            raise PlanError(
                "a timeline has one join more than clips",
                where=self.name,
                got=f"{len(self.joins)} joins, {len(self.clips)} clips",
            )
        if self.track < 0:
            raise PlanError("sound tracks are counted from 0", where=self.name, got=self.track)
        known = {s.id for s in self.sources}
        for i, clip in enumerate(self.clips):
            if clip.source not in known:
                raise PlanError("unknown source", where=f"clip {i + 1}", got=clip.source, allowed=", ".join(known))
            if clip.range.duration <= 0:
                raise PlanError("a clip lasts longer than 0 s", where=f"clip {i + 1}", got=str(clip.range))

    def source(self, clip: Clip) -> Source:
        """The file a clip comes from."""
        return next(s for s in self.sources if s.id == clip.source)

    def used(self) -> tuple[Source, ...]:
        """The sources that are shown, by clips or as pictures in the picture."""
        names = {c.source for c in self.clips} | {e.source for e in self.effects if isinstance(e, Inset)}
        return tuple(s for s in self.sources if s.id in names)

    @property
    def duration(self) -> Fraction:
        """Exact length of the clips together in seconds (the film is this, rounded once to whole frames)."""
        return sum((c.range.duration for c in self.clips), Fraction(0))

    def edges(self) -> list[Fraction]:
        """Film time of every join: len(clips) + 1 positions, the first 0."""
        return list(accumulate((c.range.duration for c in self.clips), initial=Fraction(0)))

    def frame_edges(self) -> list[int]:
        """The joins on the film's frame grid: each rounded once, from its absolute position."""
        return [nearest_frame(t, self.spec.rate) for t in self.edges()]

    def film_frames(self) -> int:
        """Number of frames the film has."""
        return self.frame_edges()[-1]

    def handles(self, i: int) -> tuple[Fraction, Fraction]:
        """Seconds of source that clip i lends before and after its range."""
        before, after = self.joins[i], self.joins[i + 1]
        return tuple(j.duration / 2 if j.overlaps else Fraction(0) for j in (before, after))  # type: ignore[return-value]

    def with_clips(self, clips: tuple[Clip, ...]) -> Plan:
        """The same plan with other clips in the same number."""
        return replace(self, clips=clips)


def film_ranges(plan: Plan) -> list[TimeRange]:
    """Where each clip lies in the film, on its frame grid."""
    return [TimeRange(a / plan.spec.rate, b / plan.spec.rate) for a, b in pairwise(map(Fraction, plan.frame_edges()))]
