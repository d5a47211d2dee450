"""What FFmpeg says while a film is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from roughcut.media.decode import Clock, decoded, demuxed
from roughcut.media.faults import Losses, opened
from roughcut.records import MediaInfo


@contextmanager
def overheard() -> Iterator[list[tuple[int, str, str]]]:
    """Collects FFmpeg's warnings and errors from all threads, (level, part, words).

    A decoder thread that logs needs the interpreter's lock, so no decoder with threads may be closed in here before
    it was drained.
    """
    level = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(local=False) as logs:
            yield logs
    finally:
        av.logging.set_level(level)


def sentences(logs: list[tuple[int, str, str]]) -> list[str]:
    """One line per different message, with how often it came."""
    counted = Counter(f"{part}: {' '.join(words.split())}" for _, part, words in logs if words.strip())
    return [words if n == 1 else f"{words} ({n} times)" for words, n in counted.items()]


def decode_all(info: MediaInfo) -> tuple[int, list[str]]:
    """Decode every picture: how many came out, and what there is to say: by FFmpeg, and of their times."""
    frames, losses = 0, Losses()
    clock = Clock(info, losses)
    with overheard() as logs, opened(info.path) as container:
        stream = container.streams[info.video.index]
        assert isinstance(stream, VideoStream)
        stream.thread_type = "AUTO"
        for packet in demuxed(container, stream, losses=losses):
            for frame in decoded(packet, losses):  # the last packet is empty and drains the decoder
                frames += 1
                if isinstance(frame, VideoFrame):
                    clock.ticks(frame)
        if losses.cut_off:
            with suppress(av.FFmpegError):
                frames += len(stream.codec_context.decode(None))
    return frames, [*sentences(logs), *losses.words()]
