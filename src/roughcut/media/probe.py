"""What a file is, without decoding more than one frame: exact rate, start, rotation, colour, tracks."""

from __future__ import annotations

import hashlib
import os
import re
from fractions import Fraction
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
from roughcut.media.rates import dominant_rate
from roughcut.media.streams import chapters, others, plain_tags, subtitle_streams
from roughcut.media.tags import peak_of, tags_from_codes
from roughcut.media.times import PictureTimes, joins_words, read_times, unwrapped
from roughcut.records import AudioStream, MediaInfo, VideoStream
from roughcut.timebase import parse_time

DIGEST_BLOCK = 1 << 20
UNREAD, SMALL = Fraction(1, 20), 2_000  # share, and bytes, of a file that may lie behind its last picture
HIDDEN = Fraction(1, 2)  # of a file's pictures may be cut away by an edit list without a word
LONGEST_LAST = Fraction(60)  # seconds: a last picture said to stand longer is not believed
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
        times = read_times(path, stream.index)
        if times is None:
            step = "put it into a container first: ffmpeg -i IN -c copy OUT.mp4"
            raise InputError("a bare stream: its pictures carry no times", where=path, next_step=step)
        first = _first_frame(container, stream, path)
        video = _video(container, stream, first, times)
        audio = tuple(_audio(a, video) for a in container.streams.audio if a.codec_context and a.rate)
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
            warnings=(*_cut_off(container, path, video, times), *joins_words(times)),
            parts=times.parts,
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
    if moving and all(s.codec_context is None for s in moving):
        raise InputError("its pictures are of an unknown kind", where=path, next_step=VIDEO_NEXT)
    moving = [s for s in moving if s.codec_context is not None]
    if not moving:
        held = ", ".join(s.type for s in container.streams) or "nothing"
        raise InputError("no video stream", where=path, got=held, next_step=VIDEO_NEXT)
    return moving[0]


def _first_frame(container: InputContainer, stream: AvVideo, path: Path) -> VideoFrame:
    losses = Losses()
    try:
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    return frame
            except av.FFmpegError:
                losses.packets += 1
    except (av.FFmpegError, IndexError):  # PyAV stumbles over a stream that appears on the way
        losses.cut_off = True
    raise InputError(
        "no frame of the video can be decoded",
        where=path,
        got=f"{losses.packets} damaged packets",
        next_step=VIDEO_NEXT,
    )


def _video(container: InputContainer, stream: AvVideo, first: VideoFrame, times: PictureTimes) -> VideoStream:
    time_base = stream.time_base or Fraction(1, 1000)
    rate, variable = dominant_rate(times.steps, time_base, stream.average_rate or stream.guessed_rate)
    start = times.first * time_base
    turned = round(-first.rotation / 90) * 90 % 360
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = _shown_size(first, aspect, turned)
    name = first.format.name
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,  # not the decoder's: av1, not libdav1d
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
        duration=_duration(container, stream, times, rate),
        pixel_format=name,
        bit_depth=max(c.bits for c in first.format.components),
        colour=tags_from_codes(
            int(first.colorspace), int(first.color_primaries), int(first.color_trc), int(first.color_range), name
        ),
        peak=peak_of(first),
        interlaced=first.interlaced_frame,
        frames=stream.frames or None,
        last=None if times.last is None else times.last * time_base,
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


def _duration(container: InputContainer, stream: AvVideo, times: PictureTimes, rate: Fraction) -> Fraction:
    """From the first picture to the end of the last: as read, else as promised without what is cut off."""
    time_base = stream.time_base or Fraction(1, 1000)
    if times.last is not None:
        told = times.last_step * time_base if times.last_step else Fraction(0)
        step = told if 0 < told <= LONGEST_LAST else max(times.usual * time_base, time_base)
        return (times.last - times.first) * time_base + step
    promised, _ = _promised(container, stream)
    if promised is None or times.lost:
        return max(int(times.steps.sum()) * time_base + 1 / rate, 1 / rate)
    return max(promised - (times.first * time_base if not stream.duration else 0), 1 / rate)


def _promised(container: InputContainer, stream: AvVideo) -> tuple[Fraction | None, bool]:
    """Where the container says that the stream ends (mp4 and avi: how long it is, which their starts make the same),
    and whether it says that of this stream: else the longest one ends there, often the sound.
    """
    if stream.duration:
        return stream.duration * (stream.time_base or Fraction(1, 1000)), True
    tagged = next((v for k, v in stream.metadata.items() if k.upper().startswith("DURATION")), "")
    if re.fullmatch(r"\d+:\d+:\d+(\.\d+)?", tagged):
        return parse_time(tagged), True
    return Fraction(container.duration, av.time_base) if container.duration else None, False


def _audio(stream: AvAudio, video: VideoStream) -> AudioStream:
    time_base = stream.time_base or Fraction(1, stream.rate)
    start = video.start
    if stream.start_time is not None:
        start = unwrapped(stream.start_time, time_base, video.start) * time_base
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


def _cut_off(container: InputContainer, path: Path, video: VideoStream, times: PictureTimes) -> list[str]:
    """A warning where the index speaks of packets beyond the end of the file, or the pictures end too early."""
    if times.lost:
        return [f"the file is cut off: {times.lost} of {times.listed} pictures are missing at the end"]
    frames = container.streams[video.index].frames
    if 0 < times.listed < (1 - HIDDEN) * frames:
        return [f"the file's edit list, or its index, leaves out {frames - times.listed} of its {frames} pictures"]
    if container.format.name == "mpegts" and path.stat().st_size % _transport_packet(path):
        return ["the file is cut off: it ends in the middle of a packet"]
    if container.format.name == "mpegts" and 0 < times.read < (1 - UNREAD) * path.stat().st_size - SMALL:
        return [f"the file is damaged: what lies beyond byte {times.read:,} of {path.stat().st_size:,} cannot be read"]
    missing = container.streams[video.index].frames - times.pictures
    if container.format.name == "avi" and video.last is not None and missing > 2:
        return [f"the file is damaged: {missing} of {missing + times.pictures} pictures are missing"]
    if container.format.name == "gif" and not _ends_with(path, b";"):
        return ["the file is cut off: its end mark is missing"]
    stream = container.streams[video.index]
    promised, of_it = _promised(container, stream) if isinstance(stream, AvVideo) else (None, False)
    if promised is None or video.last is None:
        return []
    end = video.duration if stream.duration else video.start + video.duration
    exact = of_it or container.format.name.startswith("matroska")
    short = promised - (end if of_it or times.end is None else max(end, times.end))
    if short <= (Fraction(3, 2) / video.rate if exact else max(Fraction(1), 2 / video.rate)):
        return []
    return [f"the pictures end {float(short):.2f} s before the length that the file promises"]


def _transport_packet(path: Path) -> int:
    """Bytes of a packet of a transport stream, by the marks at their beginnings."""
    with path.open("rb") as file:
        head = file.read(10 * 204)
    found = {}
    for size, mark in ((188, 0), (192, 4), (204, 0)):  # bare; an arrival time before it; a checksum behind it
        marks = head[mark::size]
        found[size] = marks.count(b"G") / max(len(marks), 1)
    return max(found, key=lambda size: found[size])


def _ends_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        file.seek(-len(mark), os.SEEK_END)
        return file.read() == mark
