"""The proof: what the written file holds, measured from the file, beside what the plan asked for."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from roughcut.media.decode import decoded, demuxed
from roughcut.media.faults import Losses, opened
from roughcut.media.probe import probe
from roughcut.records import MediaInfo
from roughcut.timebase import nearest_frame
from roughcut.timeline.plan import Plan


@dataclass(frozen=True, kw_only=True)
class JoinOffset:
    """How far sound and picture lie apart at a join, in seconds; positive where the sound is late."""

    film_time: Fraction
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Expected and found; `problems` is empty where the film is what was planned."""

    frames_expected: int
    frames_found: int
    samples_expected: int
    samples_found: int
    video_duration: float
    audio_duration: float
    joins: tuple[JoinOffset, ...]
    media: MediaInfo
    problems: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """For the report."""
        video = self.media.video
        return {
            "ok": not self.problems,
            "problems": list(self.problems),
            "frames": {"expected": self.frames_expected, "found": self.frames_found},
            "samples": {"expected": self.samples_expected, "found": self.samples_found},
            "durations": {"video": self.video_duration, "audio": self.audio_duration},
            "joins": [{"film_time": float(j.film_time), "offset": j.seconds} for j in self.joins],
            "rate": str(video.rate),
            "size": [video.width, video.height],
            "colour": vars(video.colour),
            "tracks": [video.codec, *(f"{a.codec} {a.rate} Hz {a.layout}" for a in self.media.audio)],
            "tags": self.media.tags,
        }


def measure(path: Path, plan: Plan) -> Proof:
    """Open the written film and compare it with its plan: counts, the frame grid, and the offset at every join.

    Raises:
        InputError: the film does not open.
    """
    info = probe(path)
    pts, heard = _walk(info)
    samples = heard.samples
    rate, tracks = plan.spec.rate, plan.spec.tracks
    edges = plan.frame_edges()
    expected = nearest_frame(edges[-1] / rate, Fraction(tracks[0].rate)) if tracks else 0
    joins = tuple(_offset(e, pts, heard, rate, info) for e in edges[:-1] if e < len(pts)) if samples else ()
    found = Proof(
        frames_expected=edges[-1],
        frames_found=len(pts),
        samples_expected=expected,
        samples_found=samples,
        video_duration=float(len(pts) / rate),
        audio_duration=samples / info.audio[0].rate if info.audio else 0.0,
        joins=joins,
        media=info,
    )
    return Proof(**{**vars(found), "problems": tuple(_problems(found, pts, plan))})


@dataclass
class Heard:
    """When each decoded run of samples is heard, by its own timestamp."""

    firsts: list[int] = field(default_factory=list)
    """Number of the first sample of each run."""
    times: list[Fraction] = field(default_factory=list)
    samples: int = 0

    def add(self, frame: av.AudioFrame) -> None:
        """Append a decoded run."""
        if frame.pts is not None and frame.time_base is not None:
            self.firsts.append(self.samples)
            self.times.append(frame.pts * frame.time_base)
        self.samples += frame.samples

    def time_of(self, sample: int, rate: int) -> Fraction:
        """When a sample is heard."""
        run = max(bisect_right(self.firsts, sample) - 1, 0)
        return self.times[run] + Fraction(sample - self.firsts[run], rate) if self.times else Fraction(sample, rate)


def _walk(info: MediaInfo) -> tuple[list[Fraction], Heard]:
    """Times of all pictures (sorted), and of all that is heard."""
    pts: list[Fraction] = []
    heard = Heard()
    with opened(info.path) as container:
        video = container.streams[info.video.index]
        chosen = [video, *(container.streams[a.index] for a in info.audio[:1])]
        losses = Losses()
        for packet in demuxed(container, *chosen, losses=losses):
            if packet.stream_index == video.index:
                if packet.pts is not None and packet.size:
                    pts.append(packet.pts * info.video.time_base)
                continue
            for frame in decoded(packet, losses):
                if isinstance(frame, av.AudioFrame):
                    heard.add(frame)
    return sorted(pts), heard


def _offset(edge: int, pts: list[Fraction], heard: Heard, rate: Fraction, info: MediaInfo) -> JoinOffset:
    """The sound of film frame `edge` begins at the sample nearest to edge / rate: when is it heard, when seen?"""
    sound_rate = info.audio[0].rate
    sample = nearest_frame(edge / rate, Fraction(sound_rate))
    return JoinOffset(film_time=edge / rate, seconds=float(heard.time_of(sample, sound_rate) - pts[edge]))


def _problems(found: Proof, pts: list[Fraction], plan: Plan) -> list[str]:
    rate = plan.spec.rate
    said = []
    if found.frames_found != found.frames_expected:
        said.append(f"{found.frames_found} frames were found, {found.frames_expected} planned")
    slack = max(found.media.video.time_base, Fraction(1, 1000))
    if pts and any(abs(t - pts[0] - n / rate) > slack for n, t in enumerate(pts)):
        said.append("frames lie off the film's grid")
    frame = float(1 / rate)
    if len(found.media.audio) != len(plan.spec.tracks):
        said.append(f"{len(found.media.audio)} sound tracks were found, {len(plan.spec.tracks)} planned")
    if plan.spec.tracks:
        if not found.samples_found:
            said.append("the sound is missing")
        elif abs(found.audio_duration - found.video_duration) > max(frame, 0.05):
            said.append(f"the sound lasts {found.audio_duration:.3f} s, the pictures {found.video_duration:.3f} s")
    worst = max((abs(j.seconds) for j in found.joins), default=0.0)
    if worst > frame:
        said.append(f"sound and picture lie {worst * 1000:.0f} ms apart at a join, more than a frame")
    return said
