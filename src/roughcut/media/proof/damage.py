"""Damaged footage: what a decoder makes of it depends on where it began to read, so no film of it can be proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from roughcut.media.proof.complaints import decode_all
from roughcut.media.proof.found import GOOD, FrameMatch, SegmentProof
from roughcut.records import MediaInfo
from roughcut.timeline.plan import Plan


def with_damage(segments: Iterable[SegmentProof], plan: Plan, media: Mapping[str, MediaInfo]) -> list[SegmentProof]:
    """The same, frames that are not their damaged source's marked as `damaged`.

    A source is read whole to find out, and only where a frame is in doubt.
    """
    known: dict[str, bool] = {}

    def judged(segment: SegmentProof, match: FrameMatch | None) -> FrameMatch | None:
        if match is None or match.likeness in GOOD:
            return match
        source = plan.clips[segment.clip - 1].source
        if source not in known:
            known[source] = bool(media[source].warnings) or bool(decode_all(media[source])[1])
        return replace(match, likeness="damaged") if known[source] else match

    return [replace(s, first=judged(s, s.first), last=judged(s, s.last)) for s in segments]
