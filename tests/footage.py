"""Analyses made by hand, so that the planner's truth is known by construction."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from roughcut.records import (
    Analysis,
    AudioStream,
    ColourTags,
    Curve,
    Features,
    FrameTimes,
    Look,
    MediaInfo,
    Shot,
    Speech,
    Timing,
    Transition,
    VideoStream,
)
from roughcut.timebase import TimeRange

HALF = Fraction(1, 2)


def make_media(seconds: Fraction, rate: Fraction, *, name: str = "a.mp4", sound: bool = True) -> MediaInfo:
    video = VideoStream(
        index=0, codec="h264", width=320, height=180, coded_width=320, coded_height=180, rotation=0,
        sample_aspect=Fraction(1), rate=rate, variable=False, time_base=1 / rate, start=Fraction(0), duration=seconds,
        pixel_format="yuv420p", bit_depth=8, colour=ColourTags(),
    )  # fmt: skip
    audio = AudioStream(
        index=1, codec="aac", rate=48_000, channels=2, layout="stereo", start=Fraction(0), duration=seconds
    )
    return MediaInfo(
        path=Path(name), container="mp4", size_bytes=1, digest=name, duration=seconds, video=video,
        audio=(audio,) if sound else (),
    )  # fmt: skip


def make_analysis(
    shot_seconds: Sequence[float],
    *,
    keep: Sequence[float] | None = None,
    lull: float = 0.0,
    speech: Sequence[tuple[float, float]] = (),
    rate: Fraction = Fraction(25),
    looks: Sequence[Look] | None = None,
    name: str = "a.mp4",
    same_scene: bool = False,
) -> Analysis:
    """Shots of the given lengths with hard cuts between; `keep` is one value per shot; `speech` in seconds."""
    lengths = [round(s * rate) for s in shot_seconds]
    edges = np.cumsum([0, *lengths]).tolist()
    total = edges[-1]
    times = FrameTimes(pts=np.arange(total, dtype=np.int64), end_pts=total, time_base=1 / rate)
    shots = tuple(Shot(first=a, stop=b, range=TimeRange(times.time(a), times.time(b))) for a, b in pairwise(edges))
    seconds = times.time(total)
    half_seconds = -(-seconds // HALF)
    values = np.full(half_seconds, 0.5, np.float32)
    scenes = np.zeros((half_seconds, min(len(shots), 64)), np.float32)
    for i, shot in enumerate(shots):
        part = slice(round(shot.range.start * 2), max(round(shot.range.end * 2), round(shot.range.start * 2) + 1))
        values[part] = 0.5 if keep is None else keep[i]
        scenes[part] = np.arange(scenes.shape[1]) == (0 if same_scene else i % scenes.shape[1])
    pictures = np.minimum((np.arange(half_seconds) * rate / 2).astype(np.int64), total - 1)
    tenths = int(seconds * 10)
    loud = np.full(tenths, -60.0, np.float32)
    for a, b in speech:
        loud[int(a * 10) : int(b * 10) + 1] = -20.0
    features = Features(
        times=times, frame_stats=np.full((total, 4), 0.4, np.float32), picture_frames=pictures, embeddings=scenes,
        pictures=np.zeros((half_seconds, 36, 64, 3), np.uint8), sound=np.zeros((tenths, 42), np.float32),
        speech=np.zeros(0, np.float32),
    )  # fmt: skip

    def curve(curve_name: str, data: np.ndarray, step: Fraction) -> Curve:
        return Curve(name=curve_name, start=Fraction(0), step=step, values=data.astype(np.float32))

    timing = Timing(
        transitions=tuple(Transition(kind="cut", start=e - 1, end=e, probability=0.9) for e in edges[1:-1]),
        shots=shots,
        keep=curve("keep", values, HALF),
        accent=curve("accent", np.zeros(half_seconds), HALF),
        lull=curve("lull", np.full(half_seconds, lull), HALF),
        speech=tuple(
            Speech(range=TimeRange(*(Fraction(t).limit_denominator(1000) for t in span)), probability=0.9)
            for span in speech
        ),
        loudness=curve("loudness", loud, Fraction(1, 10)),
    )  # fmt: skip
    return Analysis(
        media=make_media(seconds, rate, name=name),
        features=features,
        timing=timing,
        looks=tuple(looks) if looks else tuple(Look() for _ in shots),
    )
