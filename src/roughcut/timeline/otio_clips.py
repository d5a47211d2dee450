"""One clip of a timeline as a clip of the plan, or a note why it cannot be one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from roughcut.errors import PlanError
from roughcut.records.effect import ParameterError
from roughcut.records.effects import Freeze, Speed
from roughcut.timebase import TimeRange, format_time
from roughcut.timeline.metadata import KEY, from_plain
from roughcut.timeline.otio_json import Json, metadata_of, plain
from roughcut.timeline.otio_sources import Sources
from roughcut.timeline.otio_time import exact_range, same
from roughcut.timeline.otio_writer import EXTRAS, LINK, RESOLVE, shown_name
from roughcut.timeline.plan import Clip, Decision, Source
from roughcut.timeline.warp import warp_of

BY_HAND = "by_hand"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A clip that was read. `ours` is our metadata on it, {} on a new one; `touched` where its range was changed."""

    clip: Clip
    ours: Json
    touched: bool
    where: str


class ClipReader:
    """Reads clips; notes go to the list it is given."""

    def __init__(self, sources: Sources, file: Path, notes: list[str]) -> None:
        self._sources, self._file, self._notes = sources, file, notes

    def read(self, item: otio.schema.Clip, track: str, at: Fraction) -> Found | None:
        """The clip at film time `at`; None (and a note) where it cannot be rendered.

        Raises:
            PlanError: it says something impossible.
        """
        name = f"{item.name!r} at {format_time(at)}"
        where = f"{self._file}: track {track!r}, clip {name}"
        reference = item.media_reference
        if not item.enabled:
            self._leave_out(name, "it is switched off")
            return None
        if not isinstance(reference, otio.schema.ExternalReference):
            self._leave_out(name, _KINDS.get(type(reference), f"its medium is a {type(reference).__name__}"))
            return None
        ours, warps = _ours(item, where), [e for e in item.effects if isinstance(e, otio.schema.LinearTimeWarp)]
        source = self._sources.of(reference, item.source_range, where)
        span, touched = self._range(item, reference, source, ours, where, warped=bool(warps))
        self._name_effects(item, name)
        clip = self._at_speed(_clip(item, ours, source, span, where), warps, name)
        return Found(clip=clip, ours=ours, touched=touched, where=where)

    def _leave_out(self, name: str, why: str) -> None:
        self._notes.append(f"clip {name} is left out: {why}")

    def _range(
        self, item: otio.schema.Clip, reference: Any, source: Source, ours: Json, where: str, *, warped: bool
    ) -> tuple[TimeRange, bool]:
        span = item.source_range or reference.available_range
        if span is None:
            raise PlanError("neither the clip nor its medium says a range", where=where)
        said = exact_range(span, where).shift(self._sources.shift(source, reference, where))
        if "range" in ours:
            kept: TimeRange = from_plain(TimeRange, ours["range"], f"{where}: range")
            if same(kept.start, said.start) and same(kept.end, said.end):
                return kept, False
        return (_begun_inside if warped else _inside)(said, source, where), True

    def _name_effects(self, item: otio.schema.Clip, name: str) -> None:
        for effect in item.effects:
            if not isinstance(effect, otio.schema.LinearTimeWarp):
                what = effect.name or effect.effect_name or type(effect).__name__
                self._notes.append(f"effect {what!r} on clip {name} is not rendered")

    def _at_speed(self, clip: Clip, warps: list[otio.schema.LinearTimeWarp], name: str) -> Clip:
        """The clip at the speed that the timeline says: ours, unless a person changed it."""
        told = warps[0] if warps else None
        if told is not None and _as_written(told):
            return clip
        if told is None and warp_of(clip) is None:
            return clip
        others = tuple(e for e in clip.effects if not isinstance(e, Speed | Freeze))
        if told is None:
            return replace(clip, effects=others)
        why = Decision(code=BY_HAND, words="set in another program")
        if isinstance(told, otio.schema.FreezeFrame) or told.time_scalar == 0:
            return replace(clip, effects=(Freeze(decision=why), *others))
        try:
            speed = Speed(rate=Fraction(told.time_scalar).limit_denominator(1000), decision=why)
        except (ParameterError, ValueError, OverflowError):
            self._notes.append(f"clip {name} plays at speed {told.time_scalar:g} there: rendered at normal speed")
            return replace(clip, effects=others)
        return replace(clip, effects=(speed, *others))


_KINDS: dict[type, str] = {
    otio.schema.MissingReference: "its medium is missing in the timeline; relink it and export again",
    otio.schema.GeneratorReference: "roughcut renders no generators and titles",
    otio.schema.ImageSequenceReference: "roughcut reads no image sequences; make a film file of it",
}


def _as_written(warp: otio.schema.LinearTimeWarp) -> bool:
    """True where the speed is still the one that we wrote, but for what OpenTimelineIO's reader does to floats."""
    ours = metadata_of(warp).get(KEY)
    written = ours.get("time_scalar") if isinstance(ours, dict) else None
    return isinstance(written, int | float) and math.isclose(written, warp.time_scalar, rel_tol=1e-9, abs_tol=1e-9)


def _ours(item: otio.schema.Clip, where: str) -> Json:
    ours = metadata_of(item).get(KEY, {})
    if not isinstance(ours, dict):
        raise PlanError(f'"{KEY}" metadata that is no object', where=where, got=repr(ours)[:80])
    return ours


def _inside(said: TimeRange, source: Source, where: str) -> TimeRange:
    """The range, cut to the medium where it reaches out by less than a frame, as other tools' rounding makes it."""
    available, frame = source.available, 1 / source.rate
    if said.start < available.start - frame or said.end > available.end + frame:
        raise PlanError("a clip reaches outside its medium", where=where, got=said, allowed=available)
    start, end = max(said.start, available.start), min(said.end, available.end)
    if start >= end:
        raise PlanError("a clip reaches outside its medium", where=where, got=said, allowed=available)
    return TimeRange(start, end)


def _begun_inside(said: TimeRange, source: Source, where: str) -> TimeRange:
    """At another speed the length says nothing of the medium's; beyond its end the last picture stands."""
    if not source.available.contains(said.start):
        raise PlanError("a clip begins outside its medium", where=where, got=said, allowed=source.available)
    return said


def _clip(item: otio.schema.Clip, ours: Json, source: Source, span: TimeRange, where: str) -> Clip:
    if "decision" not in ours:
        decision = Decision(code=BY_HAND, words="placed by hand in another program")
        return Clip(source=source.id, range=span, decision=decision, name=item.name, metadata=_foreign(item, ours))
    values = {k: v for k, v in ours.items() if k not in ("range", "source")}
    clip: Clip = from_plain(
        Clip, values | {"source": source.id, "range": _plain_range(span), "metadata": _foreign(item, ours)}, where
    )
    kept: TimeRange = from_plain(TimeRange, ours.get("range", _plain_range(span)), f"{where}: range")
    return _renamed(_retold(clip, kept, source), item.name, source)


def _plain_range(span: TimeRange) -> Json:
    return {"start": str(span.start), "end": str(span.end)}


def _retold(clip: Clip, before: TimeRange, source: Source) -> Clip:
    """The clip with the reason that now holds: a frame or more was a person's move, less a program's rounding."""
    moved = max(abs(clip.range.start - before.start), abs(clip.range.end - before.end))
    if moved < 1 / source.rate:
        return clip
    words = f"trimmed by hand; before: {clip.decision.words}"
    if clip.decision.code == BY_HAND:
        words = clip.decision.words
    return replace(clip, decision=Decision(code=BY_HAND, words=words))


def _renamed(clip: Clip, name: str, source: Source) -> Clip:
    return clip if name == shown_name(clip, source) else replace(clip, name=name)


def _foreign(item: otio.schema.Clip, ours: Json) -> Json:
    """Everything on the clip that is not ours."""
    metadata = {k: v for k, v in metadata_of(item).items() if k != KEY}
    if "link" in ours and metadata.get(RESOLVE) == {LINK: ours["link"]}:
        del metadata[RESOLVE]
    extras = {
        "media": metadata_of(item.media_reference),
        "markers": [plain(m) for m in item.markers],
        "effects": [plain(e) for e in item.effects if not isinstance(e, otio.schema.LinearTimeWarp)],
    }
    kept = {k: v for k, v in extras.items() if v}
    return metadata | ({EXTRAS: kept} if kept else {})
