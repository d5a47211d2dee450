"""Damaged footage: what a decoder makes of it depends on where it began to read, so no film of it can be proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from roughcut.media.decode import read_frames
from roughcut.media.proof.complaints import decode_all
from roughcut.media.proof.found import GOOD, FrameMatch, SegmentProof
from roughcut.records import MediaInfo
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Plan


def with_damage(segments: Iterable[SegmentProof], plan: Plan, media: Mapping[str, MediaInfo]) -> list[SegmentProof]:
    """The same, frames that are not their damaged source's marked as `damaged`.

    A source is read whole to find out, and only where a frame is in doubt: are there complaints, or do two ways of
    reading give two pictures?
    """
    known: dict[str, bool] = {}

    def judged(segment: SegmentProof, match: FrameMatch | None) -> FrameMatch | None:
        if match is None or match.likeness in GOOD:
            return match
        source = plan.clips[segment.clip - 1].source
        info = media[source]
        if source not in known:
            known[source] = bool(info.warnings) or bool(decode_all(info)[1])
        damaged = known[source] or _shown(info, match.source_time) != _shown(info, match.source_time, plainly=True)
        return replace(match, likeness="damaged") if damaged else match

    return [replace(s, first=judged(s, s.first), last=judged(s, s.last)) for s in segments]


def _shown(info: MediaInfo, t: Fraction, *, plainly: bool = False) -> bytes:
    """The picture on screen at `t`."""
    for _, frame in read_frames(info, TimeRange(t, t + info.video.time_base), plainly=plainly):
        return bytes(frame.to_ndarray().tobytes())
    return b""
