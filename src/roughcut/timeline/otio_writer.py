"""A plan as an OpenTimelineIO timeline: one video track, one audio track per sound track with the same cuts, fades as
markers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import Any

import opentimelineio as otio

from roughcut.timebase import TimeRange, format_time
from roughcut.timeline.media_url import file_url, relative_url
from roughcut.timeline.metadata import KEY, SCHEMA, to_plain
from roughcut.timeline.otio_json import Json, revive, seal
from roughcut.timeline.otio_time import otio_range, rational
from roughcut.timeline.plan import Clip, Join, Plan, Source
from roughcut.timeline.warp import warp_of

EXTRAS = "roughcut.otio"
"""Key under which `metadata` keeps what other tools wrote beside metadata: markers, effects, track metadata."""
RESOLVE = "Resolve_OTIO"
LINK = "Link Group ID"
"""DaVinci Resolve's way to say that pictures and sound of a clip belong together."""


@dataclass(frozen=True)
class Files:
    """The `.cube` files of a clip's look, as paths from the timeline's folder."""

    cube: str
    keys: tuple[str, ...] = ()
    """Of a look that changes: one for each of its keys."""


def timeline_of(plan: Plan, folder: Path, cubes: Mapping[int, Files]) -> otio.schema.Timeline:
    """The timeline, to be written into `folder`; `cubes` are the clips' `.cube` files, by their numbers."""
    extras = plan.metadata.get(EXTRAS, {})
    timeline = otio.schema.Timeline(shown_text(plan.name), global_start_time=rational(Fraction(0), plan.spec.rate))
    timeline.metadata.update(seal(_foreign(plan.metadata) | {KEY: _head(plan, folder)}))
    timeline.tracks.metadata.update(seal(extras.get("stack", {})))
    timeline.tracks.markers.extend([revive(m) for m in extras.get("markers", [])] + _fade_markers(plan))
    timeline.tracks.append(_track(plan, "Video", extras.get("video", {}), cubes=cubes))
    timeline.tracks.extend(_sound_tracks(plan, extras.get("audio", [])))
    return timeline


def _sound_tracks(plan: Plan, metadata: list[Json]) -> list[otio.schema.Track]:
    """One for each of the film's; none where no clip has sound."""
    if not any(plan.source(c).has_sound for c in plan.clips):
        return []
    rooms = zip(range(len(plan.spec.tracks)), metadata or repeat({}), strict=False)
    made = [_track(plan, "Audio", theirs, k) for k, theirs in rooms]
    for k, track in enumerate(made[1:], 2):
        track.name = f"Audio {k}"
    return made


def shown_name(clip: Clip, source: Source) -> str:
    """What other programs call a clip: its name, else its file's."""
    return shown_text(clip.name or source.path.name)


def _head(plan: Plan, folder: Path) -> Json:
    """Our metadata on the timeline: all of the plan that no clip and no transition carries."""
    return {
        "schema": SCHEMA,
        "name": plan.name,
        "spec": to_plain(plan.spec),
        "sources": [_source(s, folder) for s in plan.sources],
        "loudness_target": plan.loudness_target,
        "track": plan.track,
        "opening": to_plain(plan.joins[0]),
        "closing": to_plain(plan.joins[-1]),
        "dropped": to_plain(plan.dropped),
        "notes": to_plain(plan.notes),
        "effects": to_plain(plan.effects),
    }


def _source(source: Source, folder: Path) -> Json:
    values: Json = to_plain(source)
    del values["path"]
    return values | {"url": file_url(source.path), "relative": relative_url(source.path, folder)}


def _track(
    plan: Plan, kind: str, metadata: Json, number: int = 0, cubes: Mapping[int, Files] | None = None
) -> otio.schema.Track:
    track = otio.schema.Track(kind, kind=kind)
    track.metadata.update(seal(metadata))
    for i, clip in enumerate(plan.clips):
        if i and plan.joins[i].overlaps and (kind == "Video" or _both_sound(plan, i, number)):
            track.append(_transition(plan.joins[i], plan.spec.rate))
        video = kind == "Video"
        track.append(_video_item(plan, i, (cubes or {}).get(i)) if video else _audio_item(plan, clip, i, number))
    return track


def _both_sound(plan: Plan, i: int, track: int) -> bool:
    return all(plan.source(clip).tracks > track for clip in plan.clips[i - 1 : i + 1])


def _transition(join: Join, rate: Fraction) -> otio.schema.Transition:
    """OpenTimelineIO names the dissolve alone; the others go by their name, and programs show what they know."""
    half = rational(join.duration / 2, rate)
    ours = {k: v for k, v in to_plain(join).items() if k != "metadata"}
    kind = "SMPTE_Dissolve" if join.kind == "dissolve" else "Custom_Transition"
    transition = otio.schema.Transition(transition_name(join), kind, in_offset=half, out_offset=half)
    transition.metadata.update(seal(_foreign(join.metadata) | {KEY: ours}))
    return transition


def transition_name(join: Join) -> str:
    """`Dissolve`, `Wipe left`: what other programs show."""
    moves = join.kind in ("wipe", "slide", "push", "whip")
    return f"{join.kind.capitalize()} {join.direction}" if moves else join.kind.capitalize()


def _warp(clip: Clip) -> list[otio.schema.TimeEffect]:
    """The clip's speed as other programs understand it; a change of speed is told by its mean, the rest by us."""
    warp = warp_of(clip)
    if warp is None:
        return []
    made = otio.schema.FreezeFrame() if warp.rate == warp.to == 0 else otio.schema.LinearTimeWarp("speed")
    if warp.to:
        made.time_scalar = float(warp.source(warp.length) / warp.length)
    made.metadata.update(seal({KEY: {"time_scalar": made.time_scalar}}))
    return [made]


def _item(plan: Plan, clip: Clip) -> otio.schema.Clip:
    source, film = plan.source(clip), plan.spec.rate
    reference = otio.schema.ExternalReference(
        file_url(source.path), otio_range(source.available, source.rate, source.rate)
    )
    reference.name = shown_text(source.path.name)
    return otio.schema.Clip(shown_name(clip, source), reference, otio_range(clip.range, film, source.rate))


def _video_item(plan: Plan, i: int, files: Files | None) -> otio.schema.Clip:
    clip = plan.clips[i]
    extras = clip.metadata.get(EXTRAS, {})
    item = _item(plan, clip)
    item.media_reference.metadata.update(seal(extras.get("media", {})))
    item.markers.extend(revive(m) for m in extras.get("markers", []))
    item.effects.extend([*_warp(clip), *(revive(e) for e in extras.get("effects", []))])
    item.metadata.update(seal(_linked(_foreign(clip.metadata), _clip_head(plan, i, files), i)))
    return item


def _clip_head(plan: Plan, i: int, files: Files | None) -> Json:
    """Our metadata on clip i, with the join before it unless that is at the film's start or a transition's own."""
    clip, join = plan.clips[i], plan.joins[i]
    values: Json = to_plain(clip)
    del values["metadata"]
    values["id"] = i + 1
    if files is not None:
        values["cube"] = files.cube
    if files is not None and files.keys:
        values["key_cubes"] = list(files.keys)
    if i and not join.overlaps:
        values["join"] = to_plain(join) | {"after": i}
    return values


def _linked(foreign: Json, ours: Json, i: int) -> Json:
    """Clip metadata with Resolve's link between pictures and sound, unless Resolve has written there itself."""
    if RESOLVE in foreign:
        return foreign | {KEY: ours}
    return foreign | {KEY: ours | {"link": i + 1}, RESOLVE: {LINK: i + 1}}


def _audio_item(plan: Plan, clip: Clip, i: int, track: int) -> otio.core.Item:
    source = plan.source(clip)
    if source.tracks <= track:
        span = otio_range(TimeRange(Fraction(0), clip.range.duration), plan.spec.rate, plan.spec.rate)
        return otio.schema.Gap(source_range=span)
    item = _item(plan, clip)
    theirs = {RESOLVE: clip.metadata[RESOLVE]} if RESOLVE in clip.metadata else {}
    item.metadata.update(seal(_linked(theirs, {"id": i + 1}, i)))
    return item


def _fade_markers(plan: Plan) -> list[otio.schema.Marker]:
    """OpenTimelineIO has no fade: a marker tells people in other programs that one is meant, and where."""
    last = len(plan.clips)
    markers = []
    for i, (edge, join) in enumerate(zip(plan.edges(), plan.joins, strict=True)):
        if join.kind == "cut" or (join.overlaps and 0 < i < last):
            continue
        start = max(edge - (Fraction(0) if i == 0 else join.duration if i == last else join.duration / 2), Fraction(0))
        where = f"{'from' if i == 0 else 'to' if i == last else 'through'} {join.colour}"
        markers.append(_marker(f"fade {where}, {format_time(join.duration)}", start, join, plan.spec.rate))
    return markers


def _marker(words: str, start: Fraction, join: Join, rate: Fraction) -> otio.schema.Marker:
    span = otio_range(TimeRange(start, start + join.duration), rate, rate)
    note = f"{words}: {shown_text(join.decision.words)}"
    metadata: dict[str, Any] = {KEY: {"marker": "fade"}, RESOLVE: {"Note": note}}
    marker = otio.schema.Marker(words, span, color=otio.schema.MarkerColor.PURPLE, comment=note)
    marker.metadata.update(seal(metadata))
    return marker


def _foreign(metadata: Json) -> Json:
    return {k: v for k, v in metadata.items() if k not in (KEY, EXTRAS)}


def shown_text(text: str) -> str:
    """Text that OpenTimelineIO's strings can hold (file names may hold undecodable bytes)."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")
