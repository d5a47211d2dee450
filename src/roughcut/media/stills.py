"""Full-size pictures of a file at given times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from av.video.reformatter import VideoReformatter

from roughcut.media.decode import frames_at, to_rgb
from roughcut.records import U8, MediaInfo


def stills_at(info: MediaInfo, times: Sequence[Fraction]) -> Iterator[U8]:
    """[height, width, 3] full-range RGB of the frames on screen at these times, which do not fall; upright.

    Raises:
        InputError: nothing decodes in that range.
    """
    scaler = VideoReformatter()
    for frame in frames_at(info, times):
        yield to_rgb(scaler, frame, info, info.video.width, info.video.height)
