"""Every frame of a file at one small size, for training material and for looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from av.video.reformatter import VideoReformatter

from roughcut.media.decode import read_frames, to_rgb
from roughcut.media.faults import Losses
from roughcut.records import U8, MediaInfo
from roughcut.timebase import TimeRange


def read_rgb(info: MediaInfo, width: int, height: int, within: TimeRange | None = None) -> Iterator[U8]:
    """[height, width, 3] full-range RGB of every frame (shown in the range), area-averaged, the aspect not kept."""
    return (rgb for _, rgb in read_timed_rgb(info, width, height, within))


def read_timed_rgb(
    info: MediaInfo, width: int, height: int, within: TimeRange | None = None, *,
    wanted: Callable[[int, Fraction], bool] | None = None, losses: Losses | None = None,
) -> Iterator[tuple[Fraction, U8]]:  # fmt: skip
    """The same with the time each is first shown; of those alone for whose number and time `wanted` is true."""
    scaler = VideoReformatter()
    for number, (t, frame) in enumerate(read_frames(info, within, losses=losses)):
        if wanted is None or wanted(number, t):
            yield t, to_rgb(scaler, frame, info, width, height)
