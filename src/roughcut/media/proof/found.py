"""What a proof says: expected and found for every stream, join and segment of a film, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from roughcut.records import MediaInfo
from roughcut.timebase import TimeRange, format_time, fraction_text

Likeness = Literal["copied", "matches", "still", "flat", "shifted", "differs", "missing", "damaged"]
"""`copied`: coded as in the source, bit for bit, from a picture to start from on; `matches`: the planned frame and no
frame beside it; `still`: the frames beside it look the same; `flat`: too little texture, level alone was compared;
`damaged`: not the planned frame, but the source does not decode cleanly, and what comes out depends on where reading
began. These five are good. `shifted`: a frame beside the planned one; `differs`: another picture; `missing`: the film
has no frame there, or the source cannot be decoded."""
GOOD = ("copied", "matches", "still", "flat", "damaged")


@dataclass(frozen=True, kw_only=True)
class Count:
    """How much of a stream there should be and is: frames or samples, and seconds."""

    expected: int
    found: int
    expected_seconds: float
    found_seconds: float


@dataclass(frozen=True, kw_only=True)
class StreamProof:
    """One stream of the film beside the plan."""

    kind: Literal["video", "sound"]
    track: int
    """From 1, sound tracks; 0 for the pictures."""
    words: str
    """Codec and format as found."""
    count: Count
    start: float
    """When the first frame or sample is shown, film seconds."""
    off_grid: float = 0.0
    """Pictures: how far a frame lies from its place at most, seconds."""
    key_frames: int = 0
    gaps: tuple[tuple[float, float], ...] = ()
    """Sound: (film seconds, length; negative where it overlaps) of breaks between decoded runs."""


@dataclass(frozen=True, kw_only=True)
class JoinOffset:
    """How far sound and picture lie apart at a join, in seconds; positive where the sound is late."""

    film_time: Fraction
    track: int
    """Sound track, from 1."""
    seconds: float
    """By the timestamps of the film."""
    heard: float | None = None
    """By content: the film's sound laid over the source's; None where that cannot be told."""
    note: str = ""
    """Why it cannot be told, or what is odd."""


@dataclass(frozen=True, kw_only=True)
class FrameMatch:
    """A frame of the film beside the source frame that the plan wants there."""

    film_frame: int
    film_time: Fraction
    source_time: Fraction
    likeness: Likeness
    film_hash: str = ""
    """64-bit difference hash, hexadecimal."""
    source_hash: str = ""
    bits: int | None = None
    """How many of the 64 bits differ."""
    correlation: float | None = None
    """Of the two luma pictures, -1 to 1; None where one is flat."""
    shift: float = 0.0
    """Seconds of source by which the film is ahead, where the frame is a neighbour of the planned one."""


@dataclass(frozen=True, kw_only=True)
class SegmentProof:
    """The first and last frame of a clip that no transition touches; None where transitions cover all of it."""

    clip: int
    """From 1."""
    name: str
    film_range: TimeRange
    first: FrameMatch | None
    last: FrameMatch | None

    def frames(self) -> list[tuple[str, FrameMatch]]:
        """What was compared, by name."""
        return [(name, m) for name, m in (("first", self.first), ("last", self.last)) if m is not None]


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Expected and found; `problems` is empty where the film is what was planned."""

    path: Path
    media: MediaInfo
    streams: tuple[StreamProof, ...]
    """Pictures first, then every sound track that is planned or found."""
    joins: tuple[JoinOffset, ...]
    segments: tuple[SegmentProof, ...]
    problems: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    """What is not as in the plan without being wrong in time or content (codec parameters, titles, subtitles)."""
    warnings: tuple[str, ...] = ()
    """What FFmpeg said while the film was read, and what is odd."""
    decoded_frames: int | None = None
    """Frames that came out when all was decoded; None where only the edges were."""

    @property
    def frames_expected(self) -> int:
        """Planned frames."""
        return self.streams[0].count.expected

    @property
    def frames_found(self) -> int:
        """Frames in the film."""
        return self.streams[0].count.found

    def to_dict(self) -> dict[str, Any]:
        """For the report; `docs/report.md` describes it."""
        video = self.media.video
        return {
            "ok": not self.problems,
            "problems": list(self.problems),
            "differs": list(self.differs),
            "warnings": list(self.warnings),
            "streams": [_stream(s) for s in self.streams],
            "decoded_frames": self.decoded_frames,
            "joins": [
                {"film_time": _time(j.film_time), "track": j.track, "offset": j.seconds, "heard": j.heard,
                 "note": j.note} for j in self.joins
            ],
            "segments": [_segment(s) for s in self.segments],
            "size": [video.width, video.height],
            "rate": fraction_text(video.rate),
            "colour": vars(video.colour),
            "tracks": [{"language": a.language, "title": a.title, "default": a.default} for a in self.media.audio],
            "subtitles": len(self.media.subtitles),
            "chapters": len(self.media.chapters),
            "tags": self.media.tags,
        }  # fmt: skip


def _stream(s: StreamProof) -> dict[str, Any]:
    c = s.count
    return {
        "kind": s.kind,
        "track": s.track,
        "words": s.words,
        "expected": {"count": c.expected, "seconds": c.expected_seconds},
        "found": {"count": c.found, "seconds": c.found_seconds},
        "start": s.start,
        "off_grid": s.off_grid,
        "key_frames": s.key_frames,
        "gaps": [{"film_time": t, "seconds": length} for t, length in s.gaps],
    }


def _segment(s: SegmentProof) -> dict[str, Any]:
    return {
        "clip": s.clip,
        "name": s.name,
        "film_range": {"start": _time(s.film_range.start), "end": _time(s.film_range.end)},
        "first": None if s.first is None else _match(s.first),
        "last": None if s.last is None else _match(s.last),
    }


def _match(m: FrameMatch) -> dict[str, Any]:
    times = {"film_time": _time(m.film_time), "source_time": _time(m.source_time)}
    return vars(m) | times


def _time(t: Fraction) -> dict[str, Any]:
    return {"exact": fraction_text(t), "seconds": float(t)}


def at(t: Fraction | float) -> str:
    """A film time in words."""
    return f"at {format_time(t)}"
