"""An OpenTimelineIO timeline as a plan: ours exactly, anyone else's as far as it can be rendered.

Where a time in the timeline and our exact metadata differ by more than float rounding, a person moved it: the
timeline is right. What cannot be rendered goes into the plan's notes, with its name and its place.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from roughcut.errors import PlanError
from roughcut.records import FilmSpec
from roughcut.records.effect import Effect
from roughcut.timebase import format_time, standard_rate
from roughcut.timeline.metadata import KEY, SCHEMA, from_plain
from roughcut.timeline.otio_clips import ClipReader, Found
from roughcut.timeline.otio_joins import Edge, JoinReader
from roughcut.timeline.otio_json import Json, metadata_of, plain
from roughcut.timeline.otio_sound import sound_notes
from roughcut.timeline.otio_sources import Sources, heard_files
from roughcut.timeline.otio_time import exact
from roughcut.timeline.otio_writer import EXTRAS, shown_text
from roughcut.timeline.plan import Dropped, Join, Plan

_DEFAULT_SIZE = (1920, 1080)


def plan_of(thing: otio.core.SerializableObject, file: Path) -> Plan:
    """The plan in a timeline read from `file`.

    Raises:
        PlanError: the timeline says something impossible.
    """
    timeline = _timeline(thing, file)
    head, notes = _head(timeline, file), list[str]()
    video = _video_track(timeline, file, notes)
    sources = Sources(head.get("sources", []), file, heard_files(timeline, file))
    found, edges = _walk(video, ClipReader(sources, file, notes), notes, file)
    if not found:
        raise PlanError("the timeline holds no clip that can be rendered", where=file, got="; ".join(notes) or None)
    spec = _spec(head, timeline, video, notes, file)
    ends = [_field(Join, head, name, file, Join()) for name in ("opening", "closing")]
    joins = JoinReader(found, edges, spec.rate, sources.by_id, notes, str(file)).joins(*ends)
    plan = Plan(
        sources=tuple(sources.by_id.values()),
        clips=tuple(f.clip for f in found),
        joins=joins,
        spec=spec,
        dropped=_field(tuple[Dropped, ...], head, "dropped", file, ()),
        loudness_target=_field(float | None, head, "loudness_target", file, -14.0),
        track=_field(int, head, "track", file, 0),
        name=_name(head, timeline),
        effects=_field(tuple[Effect, ...], head, "effects", file, ()),
        metadata=_plan_metadata(timeline, video, len(spec.tracks)),
    )
    said = [*_field(tuple[str, ...], head, "notes", file, ()), *notes, *sound_notes(plan, timeline)]
    return replace(plan, notes=tuple(dict.fromkeys(said)))


def _timeline(thing: otio.core.SerializableObject, file: Path) -> otio.schema.Timeline:
    if isinstance(thing, otio.schema.SerializableCollection):
        timelines = [child for child in thing if isinstance(child, otio.schema.Timeline)]
        thing = timelines[0] if len(timelines) == 1 else thing
    if not isinstance(thing, otio.schema.Timeline):
        raise PlanError("not a timeline", where=file, got=type(thing).__name__, allowed="one OpenTimelineIO Timeline")
    return thing


def _head(timeline: otio.schema.Timeline, file: Path) -> Json:
    """Our metadata on the timeline, {} where another program made it."""
    head = metadata_of(timeline).get(KEY, {})
    if not isinstance(head, dict) or (head and head.get("schema") != SCHEMA):
        got = head.get("schema") if isinstance(head, dict) else head
        raise PlanError(
            "a plan of another schema", where=file, got=repr(got), allowed=SCHEMA, next_step="update roughcut"
        )
    return head


def _field(kind: object, head: Json, name: str, file: Path, default: object) -> Any:
    return from_plain(kind, head[name], f"{file}: {KEY}.{name}") if name in head else default


def _video_track(timeline: otio.schema.Timeline, file: Path, notes: list[str]) -> otio.schema.Track:
    """The lowest video track that shows something; the others are named."""
    shown = [t for t in timeline.video_tracks() if t.enabled and any(not isinstance(c, otio.schema.Gap) for c in t)]
    if not shown:
        raise PlanError("the timeline holds no clip", where=file, allowed="a video track with clips")
    for track in shown[1:]:
        count = len(track.find_clips())
        notes.append(f"video track {track.name!r} with {count} clips is not rendered: only the lowest one is")
    for child in timeline.tracks:
        if not isinstance(child, otio.schema.Track):
            notes.append(f"{child.schema_name()} {child.name!r} beside the tracks is not rendered")
    if shown[0].source_range is not None:
        notes.append(f"the trim of video track {shown[0].name!r} is not rendered: all of the track is")
    return shown[0]


def _walk(track: otio.schema.Track, reader: ClipReader, notes: list[str], file: Path) -> tuple[list[Found], list[Edge]]:
    """The clips that can be rendered, and what lies between them: one edge more than clips."""
    found: list[Found] = []
    edges, at = [Edge()], Fraction(0)
    for item in track:
        if isinstance(item, otio.schema.Transition):
            edges[-1].transitions.append(item)
            continue
        clip = reader.read(item, track.name, at) if isinstance(item, otio.schema.Clip) else None
        if clip is not None:
            found.append(clip)
            edges.append(Edge())
        else:
            edges[-1].gap = True
            _name_hole(item, at, notes)
        at += _length(item, f"{file}: track {track.name!r}, {item.name!r} at {format_time(at)}")
    return found, edges


def _length(item: otio.core.Item, where: str) -> Fraction:
    """Film seconds that an item takes."""
    try:
        span = item.trimmed_range()
    except (otio.exceptions.OTIOError, ValueError, RuntimeError) as error:
        raise PlanError("an item without a length", where=where, got=str(error)) from error
    length = exact(span.duration, where)
    if length < 0:
        raise PlanError("an item of negative length", where=where, got=f"{float(length):g} s")
    return length


def _name_hole(item: otio.core.Item, at: Fraction, notes: list[str]) -> None:
    if isinstance(item, otio.schema.Gap):
        notes.append(f"the gap at {format_time(at)} is closed: the clips beside it meet")
    elif not isinstance(item, otio.schema.Clip):
        notes.append(
            f"{item.schema_name()} {item.name!r} at {format_time(at)} is left out: nested timelines are not rendered"
        )


def _spec(
    head: Json, timeline: otio.schema.Timeline, video: otio.schema.Track, notes: list[str], file: Path
) -> FilmSpec:
    if "spec" in head:
        spec: FilmSpec = from_plain(FilmSpec, head["spec"], f"{file}: {KEY}.spec")
        return spec
    start = timeline.global_start_time
    time = start if start is not None else next(iter(video.find_clips())).trimmed_range().duration
    exact(time, f"{file}: global start time")
    width, height = _DEFAULT_SIZE
    notes.append(f"the timeline says no picture size: the film gets {width}x{height}")
    return FilmSpec(width=width, height=height, rate=standard_rate(time.rate))


def _name(head: Json, timeline: otio.schema.Timeline) -> str:
    """The plan's name, unless a person renamed the timeline."""
    recorded = str(head.get("name", ""))
    return recorded if timeline.name == shown_text(recorded) else str(timeline.name)


def _plan_metadata(timeline: otio.schema.Timeline, video: otio.schema.Track, sounds: int) -> Json:
    """What other tools wrote on the timeline, its stack and the tracks that are rendered."""
    audio = [metadata_of(track) for track in timeline.audio_tracks()[:sounds]]
    markers = [m for m in timeline.tracks.markers if KEY not in metadata_of(m)]
    extras = {
        "stack": metadata_of(timeline.tracks),
        "video": metadata_of(video),
        "audio": [*audio, *[{}] * (sounds - len(audio))] if any(audio) else [],
        "markers": [plain(m) for m in markers],
    }
    kept = {k: v for k, v in extras.items() if v}
    metadata = {k: v for k, v in metadata_of(timeline).items() if k != KEY}
    return metadata | ({EXTRAS: kept} if kept else {})
