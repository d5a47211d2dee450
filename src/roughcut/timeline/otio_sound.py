"""The audio tracks of a timeline: roughcut's sound follows the picture, so what differs there is named."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio

from roughcut.timeline.otio_time import exact, exact_range
from roughcut.timeline.plan import Plan


def sound_notes(plan: Plan, timeline: otio.schema.Timeline) -> list[str]:
    """What the audio tracks ask for that the film's sound will not do."""
    heard = [k for k in range(len(plan.spec.tracks)) if any(plan.source(c).tracks > k for c in plan.clips)]
    tracks = [t for t in timeline.audio_tracks() if t.find_clips()]
    if heard and not tracks:
        return ["the timeline has no sound: the film gets that of its sources"]
    extra = [f"audio track {t.name!r} is not rendered: the sound follows the picture" for t in tracks[len(heard) :]]
    gone = [f"audio track {k + 1} is not in the timeline: the film keeps it" for k in heard[len(tracks) :]]
    moved = "the audio track was cut otherwise than the picture: the film's sound follows the picture"
    follow = all(_follows(plan, k, track) for k, track in zip(heard, tracks, strict=False))
    return extra + gone + ([] if follow else [moved])


def _follows(plan: Plan, number: int, track: otio.schema.Track) -> bool:
    """True where track `number` plays the picture's cuts, give or take a frame."""
    frame = 1 / plan.spec.rate
    edges = plan.edges()
    wanted = [(edges[i], clip.range.duration) for i, clip in enumerate(plan.clips) if plan.source(clip).tracks > number]
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
