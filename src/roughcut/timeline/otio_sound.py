"""The audio tracks of a timeline: roughcut's sound follows the picture, so what differs there is named."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio

from roughcut.timeline.otio_time import exact, exact_range
from roughcut.timeline.plan import Plan


def sound_notes(plan: Plan, timeline: otio.schema.Timeline) -> list[str]:
    """What the audio tracks ask for that the film's sound will not do."""
    if plan.spec.sound_rate is None or not any(plan.source(c).has_sound for c in plan.clips):
        return []
    tracks = [t for t in timeline.audio_tracks() if t.find_clips()]
    if not tracks:
        return ["the timeline has no sound: the film gets that of its sources"]
    extra = [f"audio track {t.name!r} is not rendered: the sound follows the picture" for t in tracks[1:]]
    moved = "the audio track was cut otherwise than the picture: the film's sound follows the picture"
    return extra + ([] if _follows(plan, tracks[0]) else [moved])


def _follows(plan: Plan, track: otio.schema.Track) -> bool:
    """True where the track plays the picture's cuts, give or take a frame."""
    frame = 1 / plan.spec.rate
    edges = plan.edges()
    wanted = [(edges[i], clip.range.duration) for i, clip in enumerate(plan.clips) if plan.source(clip).has_sound]
    got = _cuts(track)
    return len(got) == len(wanted) and all(
        abs(a - c) <= frame and abs(b - d) <= frame for (a, b), (c, d) in zip(got, wanted, strict=True)
    )


def _cuts(track: otio.schema.Track) -> list[tuple[Fraction, Fraction]]:
    """Film time and length of each clip of a track."""
    cuts, at = [], Fraction(0)
    for item in track:
        if isinstance(item, otio.schema.Transition):
            continue
        span = item.trimmed_range()
        length = exact(span.duration, track.name)
        if isinstance(item, otio.schema.Clip):
            cuts.append((at, exact_range(span, track.name).duration))
        at += length
    return cuts
