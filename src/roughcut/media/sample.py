"""Sampling strategies of the input layer: every frame, uniform, at random, key frames; and two ways to resize."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from roughcut.errors import OptionError
from roughcut.media.decode import Turn, grid_frames, read_frames, to_rgb
from roughcut.media.faults import opened
from roughcut.records import U8, MediaInfo

Sample = tuple[Fraction, VideoFrame]
"""When a frame is first shown, and the frame, upright."""


def every_frame(info: MediaInfo) -> Iterator[Sample]:
    """All frames in order."""
    return read_frames(info)


def uniform(info: MediaInfo, rate: Fraction) -> Iterator[Sample]:
    """`rate` frames a second over the whole film, each the one on screen in the middle of its step.

    Raises:
        OptionError: the rate is not positive.
    """
    if rate <= 0:
        raise OptionError("a sampling rate is positive", where="rate", got=rate)
    count = max(int(info.video.duration * rate), 1)
    frames = grid_frames(info, info.video.start, count, rate)
    return ((info.video.start + k / rate, frame) for k, frame in enumerate(frames))


def at_random(info: MediaInfo, count: int, *, seed: int) -> Iterator[Sample]:
    """`count` different frames in order, drawn evenly over the film's time; the same for the same seed.

    Fewer come where the film has fewer, or where two draws meet in one frame.
    """
    spread = np.random.default_rng(seed).random(count) * float(info.video.duration)
    wanted = sorted(info.video.start + Fraction(t).limit_denominator(10**6) for t in spread.tolist())
    held: Sample | None = None
    for sample in read_frames(info):
        if held is not None and wanted and wanted[0] < sample[0]:
            yield held
            wanted = [t for t in wanted if t >= sample[0]]
        held = sample
        if not wanted:
            return
    if held is not None and wanted:
        yield held


def key_frames(info: MediaInfo) -> Iterator[Sample]:
    """The frames that decode on their own, found by the decoder without decoding the others."""
    with opened(info.path) as container:
        stream = container.streams[info.video.index]
        stream.codec_context.skip_frame = "NONKEY"
        turn: Turn | None = None
        for frame in container.decode(stream):
            if not isinstance(frame, VideoFrame) or frame.pts is None:
                continue
            frame.time_base = info.video.time_base
            turn = turn or Turn(frame, info.video.rotation)
            for upright in turn.push(frame):
                yield (upright.pts or 0) * info.video.time_base, upright
        for upright in turn.finish() if turn else []:
            yield (upright.pts or 0) * info.video.time_base, upright


def fit(frame: VideoFrame, info: MediaInfo, width: int, height: int) -> U8:
    """[h, w, 3] RGB of the whole picture with its aspect kept: h <= height, w <= width, one of them equal."""
    scale = min(Fraction(width, info.video.width), Fraction(height, info.video.height))
    size = (max(round(info.video.width * scale), 1), max(round(info.video.height * scale), 1))
    return to_rgb(VideoReformatter(), frame, info, *size)


def fill(frame: VideoFrame, info: MediaInfo, width: int, height: int) -> U8:
    """[height, width, 3] RGB: the aspect kept, what stands over cropped away evenly on both sides."""
    scale = max(Fraction(width, info.video.width), Fraction(height, info.video.height))
    w, h = max(round(info.video.width * scale), width), max(round(info.video.height * scale), height)
    whole = to_rgb(VideoReformatter(), frame, info, w, h)
    left, top = (w - width) // 2, (h - height) // 2
    return whole[top : top + height, left : left + width]
