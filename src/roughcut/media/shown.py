"""When the pictures of a source are shown, by its packets: nothing is decoded."""

from __future__ import annotations

from array import array
from contextlib import suppress

import av
import numpy as np

from roughcut.media.bitstream import BitstreamError
from roughcut.media.decode import demuxed, seek_before
from roughcut.media.faults import Losses, opened
from roughcut.media.gops import RUN_UP
from roughcut.records import MediaInfo
from roughcut.timebase import TimeRange
from roughcut.timeline.variable import ShownTimes


def shown_times(info: MediaInfo, span: TimeRange) -> ShownTimes:
    """The times of the pictures that are first shown inside `span`, on the clock that decoding goes by.

    Raises:
        BitstreamError: the file carries no presentation times.
    """
    base, ticks = info.video.time_base, array("q")
    untold = BitstreamError(f"the pictures of {info.path.name} carry no presentation times")
    if info.container == "avi":
        raise untold
    with opened(info.path) as container:
        stream = container.streams[info.video.index]
        if span.start - RUN_UP > info.video.start:
            with suppress(av.FFmpegError):  # a file without an index: read it from its start
                seek_before(container, stream, span.start - RUN_UP, info.parts)
        for packet in demuxed(container, stream, losses=Losses(), info=info):
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None:
                raise untold
            if span.contains(packet.pts * base):
                ticks.append(packet.pts)
            if packet.dts is not None and packet.dts * base > span.end:
                break
    return ShownTimes(ticks=array("q", np.unique(np.array(ticks, np.int64)).tobytes()), base=base)
