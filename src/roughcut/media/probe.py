"""What a file is, without decoding more than one frame: exact rate, start, rotation, colour, tracks."""

from __future__ import annotations

import hashlib
import statistics
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from av.audio.stream import AudioStream as AvAudio
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideo

from roughcut.errors import InputError
from roughcut.media.faults import VIDEO_NEXT, Losses, opened
from roughcut.media.language import language_of
from roughcut.media.streams import chapters, others, plain_tags, subtitle_streams
from roughcut.media.tags import tags_from_codes
from roughcut.records import AudioStream, MediaInfo, VideoStream
from roughcut.timebase import standard_rate

DIGEST_BLOCK = 1 << 20
PACKETS_LOOKED_AT = 400
UNNAMED = {"1 channels": "mono", "2 channels": "stereo", "5 channels": "5.0", "6 channels": "5.1", "8 channels": "7.1"}
"""What a bare count of channels means (PCM in Matroska tells no more)."""
PICTURE_FORMATS = ("image2", "png_pipe", "jpeg_pipe", "mjpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe", "jpegxl_pipe")


def probe(path: Path | str) -> MediaInfo:
    """Describe a file.

    Raises:
        InputError: missing, a folder, empty, no media, a still picture, without video or times, or nothing decodes.
    """
    path = Path(path)
    with opened(path) as container:
        if any(name in container.format.name for name in PICTURE_FORMATS):
            raise InputError("a still picture, not footage", where=path, next_step=VIDEO_NEXT)
        stream = video_stream(container, path)
        pts = _packet_times(path, stream.index)
        if not pts:
            step = "put it into a container first: ffmpeg -i IN -c copy OUT.mp4"
            raise InputError("a bare stream: its pictures carry no times", where=path, next_step=step)
        first = _first_frame(container, stream, path)
        video = _video(container, stream, first, pts)
        cut_off = _cut_off(container, path, video)
        audio = tuple(_audio(a, video) for a in container.streams.audio if a.rate)
        subtitles = subtitle_streams(container)
        return MediaInfo(
            path=path,
            container=container.format.name.split(",")[0],
            size_bytes=path.stat().st_size,
            digest=content_digest(path),
            duration=video.duration,
            video=video,
            audio=audio,
            subtitles=subtitles,
            chapters=chapters(container, video.start + video.duration),
            others=tuple(others(container, {video.index, *(a.index for a in audio), *(s.index for s in subtitles)})),
            tags=plain_tags(container.metadata),
            warnings=tuple(cut_off),
        )


def content_digest(path: Path) -> str:
    """SHA-256 over size, head, middle and tail: what the caches go by, in constant time."""
    size = path.stat().st_size
    hasher = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for at in sorted({0, max(size // 2 - DIGEST_BLOCK // 2, 0), max(size - DIGEST_BLOCK, 0)}):
            file.seek(at)
            hasher.update(file.read(DIGEST_BLOCK))
    return hasher.hexdigest()[:32]


def video_stream(container: InputContainer, path: Path) -> AvVideo:
    """The first stream of moving pictures; a cover picture is none."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        held = ", ".join(s.type for s in container.streams) or "nothing"
        raise InputError("no video stream", where=path, got=held, next_step=VIDEO_NEXT)
    return moving[0]


def _packet_times(path: Path, index: int) -> list[int]:
    """Sorted timestamps of the first packets by demuxing alone; opens the file anew, raw streams cannot seek back."""
    pts: list[int] = []
    # a damaged tail may end this early: what was read so far tells enough
    with opened(path) as container, suppress(av.FFmpegError):
        for packet in container.demux(container.streams[index]):
            if packet.size and (packet.pts is not None or packet.dts is not None):
                pts.append(packet.pts if packet.pts is not None else packet.dts)  # type: ignore[arg-type]
            if len(pts) >= PACKETS_LOOKED_AT:
                break
    reordering = len(pts) - 8 if len(pts) == PACKETS_LOOKED_AT else len(pts)  # frames still to come may lie between
    return sorted(pts)[:reordering]


def _first_frame(container: InputContainer, stream: AvVideo, path: Path) -> VideoFrame:
    losses = Losses()
    try:
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    return frame
            except av.FFmpegError:
                losses.packets += 1
    except av.FFmpegError:
        losses.cut_off = True
    raise InputError(
        "no frame of the video can be decoded",
        where=path,
        got=f"{losses.packets} damaged packets",
        next_step=VIDEO_NEXT,
    )


def _video(container: InputContainer, stream: AvVideo, first: VideoFrame, pts: list[int]) -> VideoStream:
    time_base = stream.time_base or Fraction(1, 1000)
    steps = [b - a for a, b in pairwise(pts) if b > a]
    rate, variable = _rate(stream, steps, time_base)
    start = (min(pts) if pts else 0) * time_base
    turned = round(-first.rotation / 90) * 90 % 360
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = _shown_size(first, aspect, turned)
    name = first.format.name
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.name,
        width=width,
        height=height,
        coded_width=first.width,
        coded_height=first.height,
        rotation=turned,
        sample_aspect=aspect if aspect > 0 else Fraction(1),
        rate=rate,
        variable=variable,
        time_base=time_base,
        start=start,
        duration=_duration(container, stream, start, time_base) or len(pts) / rate,
        pixel_format=name,
        bit_depth=max(c.bits for c in first.format.components),
        colour=tags_from_codes(
            int(first.colorspace), int(first.color_primaries), int(first.color_trc), int(first.color_range), name
        ),
        frames=stream.frames or None,
    )


def _shown_size(first: VideoFrame, aspect: Fraction, turned: int) -> tuple[int, int]:
    """Square pixels (the longer way, so that nothing is thrown away), upright, even."""
    width, height = Fraction(first.width), Fraction(first.height)
    if aspect > 1:
        width *= aspect
    elif 0 < aspect < 1:
        height /= aspect
    if turned in (90, 270):
        width, height = height, width
    return max(round(width / 2) * 2, 2), max(round(height / 2) * 2, 2)


def _rate(stream: AvVideo, steps: list[int], time_base: Fraction) -> tuple[Fraction, bool]:
    """The dominant rate and whether frame durations differ by more than the time base's own rounding."""
    told = stream.average_rate or stream.guessed_rate
    if not steps:
        return (standard_rate(told) if told and 0 < told <= 1000 else Fraction(25)), False
    middle = statistics.median(steps)
    near = [step for step in steps if abs(step - middle) <= max(1, middle / 50)]
    usual = (
        sum(near) / Fraction(len(near)) if near else Fraction(middle)
    )  # a coarse time base rounds 33 1/3 to 33 or 34
    slack = max(2.0 if time_base > Fraction(1, 10_000) else 0.02 * usual, 0.02 * usual)
    variable = any(abs(step - usual) > slack for step in steps)
    found = 1 / (Fraction(usual) * time_base)
    agreed = told is not None and 0 < told <= 1000 and abs(told - found) / found < Fraction(1, 20)
    return standard_rate(told if told is not None and agreed and not variable else found), variable


def _duration(container: InputContainer, stream: AvVideo, start: Fraction, time_base: Fraction) -> Fraction | None:
    if stream.duration:
        return stream.duration * time_base
    if container.duration:
        begin = Fraction(container.start_time or 0, av.time_base)
        return max(Fraction(container.duration, av.time_base) + begin - start, Fraction(0)) or None
    return None


def _audio(stream: AvAudio, video: VideoStream) -> AudioStream:
    time_base = stream.time_base or Fraction(1, stream.rate)
    start = video.start if stream.start_time is None else stream.start_time * time_base
    return AudioStream(
        index=stream.index,
        codec=stream.codec_context.name,
        rate=stream.rate,
        channels=stream.channels,
        layout=UNNAMED.get(stream.layout.name, stream.layout.name),
        start=start,
        duration=stream.duration * time_base if stream.duration else video.duration,
        language=language_of(stream.language),
        title=stream.metadata.get("title") or stream.metadata.get("name"),  # `name` in mp4 and mov
        default=bool(stream.disposition & Disposition.default),
    )


def _cut_off(container: InputContainer, path: Path, video: VideoStream) -> list[str]:
    """A warning where the index speaks of packets that lie beyond the end of the file."""
    entries = container.streams[video.index].index_entries
    size = path.stat().st_size
    lost = sum(1 for e in entries if e.pos + e.size > size)
    return [f"the file is cut off: {lost} of {len(entries)} pictures are missing at the end"] if lost else []
