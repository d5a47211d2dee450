"""Every frame of a file at one small size, for training material and for looking."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.video.reformatter import VideoReformatter

from roughcut.media.decode import read_frames, to_rgb
from roughcut.records import U8, MediaInfo
from roughcut.timebase import TimeRange


def read_rgb(info: MediaInfo, width: int, height: int, within: TimeRange | None = None) -> Iterator[U8]:
    """[height, width, 3] full-range RGB of every frame (shown in the range), area-averaged, the aspect not kept."""
    return (rgb for _, rgb in read_timed_rgb(info, width, height, within))


def read_timed_rgb(
    info: MediaInfo, width: int, height: int, within: TimeRange | None = None
) -> Iterator[tuple[Fraction, U8]]:
    """The same with the time each is first shown."""
    scaler = VideoReformatter()
    for t, frame in read_frames(info, within):
        yield t, to_rgb(scaler, frame, info, width, height)
