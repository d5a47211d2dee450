"""Frames at exact times: seek, decode, stand upright, deinterlace; and the film grid's choice among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.filter import Graph
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from av.video.stream import VideoStream as AvVideo

from roughcut.errors import InputError
from roughcut.media.faults import Losses, opened
from roughcut.media.probe import probe
from roughcut.media.tags import swscale_matrix, swscale_range
from roughcut.media.times import BACK, unwrapped
from roughcut.records import U8, MediaInfo, Part
from roughcut.timebase import TimeRange, format_time

TURNS = {90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}


def demuxed(
    container: InputContainer, *streams: av.stream.Stream, losses: Losses, info: MediaInfo | None = None
) -> Iterator[av.Packet[Any]]:
    """Packets until the end, or until the file is cut off (noted). With `info`, those of joined or wrapped
    transport streams come on the file's one clock."""
    packets = container.demux(*streams)
    clock = OneClock(info) if info is not None and (info.parts or info.container == "mpegts") else None
    while True:
        try:
            packet = next(packets)
            if clock is not None:
                clock.set(packet)
            yield packet
        except StopIteration:
            return
        except (av.FFmpegError, OSError, IndexError):  # PyAV stumbles over a stream that appears on the way
            losses.cut_off = True
            return


class OneClock:
    """Puts the packets of a transport stream on the clock of its first recording, without wraps."""

    def __init__(self, info: MediaInfo) -> None:
        self._parts, self._start = info.parts, info.video.start
        self._places: dict[int, int] = {}  # of each stream: a packet cut out of a larger one has no place of its own

    def set(self, packet: av.Packet[Any]) -> None:
        """Change the packet's timestamps."""
        place = packet.pos or self._places.get(packet.stream_index, 0)
        self._places[packet.stream_index] = place
        shift = next((part.shift for part in reversed(self._parts) if place >= part.pos), Fraction(0))
        packet.pts = self._ticks(packet.pts, packet.time_base, shift)
        packet.dts = self._ticks(packet.dts, packet.time_base, shift)

    def _ticks(self, ticks: int | None, base: Fraction, shift: Fraction) -> int | None:
        return None if ticks is None else unwrapped(ticks, base, self._start) + round(shift / base)


def seek_before(container: InputContainer, stream: av.stream.Stream, to: Fraction, parts: Sequence[Part]) -> None:
    """Go to a place from which `to` is reached by reading on. In joined files that is the start of the part.

    Raises:
        av.FFmpegError: the file cannot be sought.
    """
    if not parts:
        container.seek(int(to / (stream.time_base or Fraction(1, av.time_base))), stream=stream)
        return
    place = next((part.pos for part in reversed(parts) if part.start <= to), 0)
    container.seek(place, stream=stream, unsupported_byte_offset=True)


def decoded(packet: av.Packet[Any], losses: Losses) -> list[VideoFrame | AudioFrame]:
    """The frames a packet completes; damaged packets are counted and give none, nor do channels that never were."""
    try:
        frames: list[VideoFrame | AudioFrame] = list(packet.decode())
    except (av.FFmpegError, OSError):
        losses.packets += 1
        return []
    if all(_mixes(frame.layout.name) for frame in frames if isinstance(frame, AudioFrame)):
        return frames
    losses.packets += 1
    return []


@cache
def _mixes(layout: str) -> bool:
    """True where FFmpeg can mix sound of that layout; damaged headers speak of 37 channels."""
    try:
        frame = AudioFrame("flt", layout, 1)
        frame.sample_rate = 48_000
        AudioResampler(format="flt", layout="mono", rate=48_000).resample(frame)
    except (av.FFmpegError, ValueError):
        return False
    return True


class Clock:
    """Gives every frame a rising timestamp in ticks, also where a file has none, or wrong ones.

    As FFmpeg's best-effort timestamps do: of the presentation and the decoding timestamp, whichever rose more
    faithfully so far. AVI stores no presentation times, so there the decoding time has the first say. A frame whose
    time does not rise is shown half a step after the one before: it counts, and the right time of the next one stands.
    """

    def __init__(self, info: MediaInfo, losses: Losses) -> None:
        self._losses = losses
        self._step = max(round(1 / (info.video.rate * info.video.time_base)), 1)
        self._far = round(BACK / info.video.time_base)
        self._last: int | None = None
        self._pts, self._dts = _Faults(int(info.container == "avi")), _Faults(0)

    def ticks(self, frame: VideoFrame) -> int | None:
        """The frame's timestamp; None where it lies so far back that the frame is of another time (counted)."""
        self._pts.look(frame.pts)
        self._dts.look(frame.dts)
        by_pts = frame.pts is not None and (frame.dts is None or self._pts.count <= self._dts.count)
        found = frame.pts if by_pts else frame.dts
        if found is None:
            found = 0 if self._last is None else self._last + self._step
        if self._last is not None and found <= self._last:
            if found < self._last - self._far:
                self._losses.frames += 1
                return None
            found = self._last + max(self._step // 2, 1)
        self._last = found
        return found


class _Faults:
    """How often a row of timestamps did not rise."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._last: int | None = None

    def look(self, ticks: int | None) -> None:
        if ticks is not None:
            self.count += self._last is not None and ticks <= self._last
            self._last = ticks


def read_frames(
    info: MediaInfo, within: TimeRange | None = None, *, losses: Losses | None = None, plainly: bool = False
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Upright frames with the exact time each is first shown, in order.

    All frames shown within the half-open range, the one on screen at its start included; the whole file without a
    range. Damaged packets are skipped and counted in `losses`.

    Args:
        plainly: without seeking and in one thread, as slow as that is: what all other ways of reading must give.
    """
    losses = losses if losses is not None else Losses()
    start = within.start if within else None
    held: tuple[Fraction, VideoFrame] | None = None
    for time, frame in _from_start(info, losses, "NONE") if plainly else _from_key_frame(info, start, losses):
        if within is not None and time >= within.end:
            break
        if start is not None and time <= start:
            held = (time, frame)
            continue
        if held is not None:
            yield held
            held = None
        yield time, frame
    if held is not None:
        yield held


def _from_key_frame(info: MediaInfo, start: Fraction | None, losses: Losses) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Frames from the last key frame at or before `start` on. From the first one where seeking gives none such: the
    index is damaged, or there is none.
    """
    if start is not None and start > info.video.start:
        with opened(info.path) as container:
            frames = _upright(container, _stream(container, info, "AUTO"), info, losses)
            first = None
            with suppress(av.FFmpegError):
                seek_before(container, container.streams[info.video.index], start, info.parts)
                first = next(frames, None)
            if first is not None and first[0] <= start and _stands_alone(first[1]):
                yield first
                yield from frames
                return
    yield from _from_start(info, losses, "AUTO")


def _from_start(info: MediaInfo, losses: Losses, threads: str) -> Iterator[tuple[Fraction, VideoFrame]]:
    with opened(info.path) as container:
        yield from _upright(container, _stream(container, info, threads), info, losses)


def _stands_alone(frame: VideoFrame) -> bool:
    """False for a picture that is made from others."""
    return bool(frame.key_frame) or frame.pict_type not in (PictureType.P, PictureType.B)


def _stream(container: InputContainer, info: MediaInfo, threads: str) -> AvVideo:
    stream = container.streams[info.video.index]
    if not isinstance(stream, AvVideo):
        raise InputError("the file has changed since it was probed", where=info.path)
    stream.thread_type = threads
    return stream


def _upright(
    container: InputContainer, stream: AvVideo, info: MediaInfo, losses: Losses
) -> Iterator[tuple[Fraction, VideoFrame]]:
    clock = Clock(info, losses)
    turn: Turn | None = None
    for packet in demuxed(container, stream, losses=losses, info=info):
        for frame in decoded(packet, losses):
            ticks = clock.ticks(frame) if isinstance(frame, VideoFrame) else None
            if ticks is None or not isinstance(frame, VideoFrame):
                continue
            frame.pts, frame.time_base = ticks, info.video.time_base
            if turn is None:
                turn = Turn(frame, info.video.rotation)
            for upright in turn.push(frame):
                yield (upright.pts or 0) * info.video.time_base, upright
    if turn is not None:
        for upright in turn.finish():
            yield (upright.pts or 0) * info.video.time_base, upright


class Turn:
    """Stands frames upright and deinterlaces flagged ones; passes them through untouched where nothing is to do."""

    def __init__(self, first: VideoFrame, rotation: int) -> None:
        steps = ["bwdif=mode=send_frame:deint=interlaced"] if first.interlaced_frame else []
        steps += TURNS.get(rotation, [])
        self._time_base = first.time_base or Fraction(1)
        self._graph = _chain(first, steps) if steps else None

    def push(self, frame: VideoFrame) -> list[VideoFrame]:
        """The frames that are ready after this one."""
        if self._graph is None:
            return [frame]
        self._graph.push(frame)
        return self._pulled(self._graph)

    def finish(self) -> list[VideoFrame]:
        """The frames still inside."""
        if self._graph is None:
            return []
        self._graph.push(None)
        return self._pulled(self._graph)

    def _pulled(self, graph: Graph) -> list[VideoFrame]:
        ready: list[VideoFrame] = []
        while True:
            try:
                frame = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return ready
            # bwdif halves the time base; the frame goes back to the stream's own ticks
            frame.pts = round((frame.pts or 0) * (frame.time_base or self._time_base) / self._time_base)
            frame.time_base = self._time_base
            ready.append(frame)


def _chain(first: VideoFrame, steps: list[str]) -> Graph:
    graph = Graph()
    last = graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=first.time_base)
    for step in [*steps, "buffersink"]:
        name, _, arguments = step.partition("=")
        following = graph.add(name, arguments or None)
        last.link_to(following)
        last = following
    graph.configure()
    return graph


def grid_frames(info: MediaInfo, start: Fraction, count: int, rate: Fraction) -> Iterator[VideoFrame]:
    """Exactly `count` frames for a film grid: number k is the frame on screen at `start + (k + 1/2) / rate`.

    Sampling at the middle of each film frame makes time bases rounded to milliseconds harmless.

    Raises:
        InputError: nothing decodes in that range.
    """
    return frames_at(info, [start + (k + Fraction(1, 2)) / rate for k in range(count)])


def frames_at(info: MediaInfo, times: Sequence[Fraction]) -> Iterator[VideoFrame]:
    """The frame on screen at each of these rising times; before the first and after the last of the file that one.

    Raises:
        InputError: nothing decodes in that range.
    """
    if not times:
        return
    source = read_frames(info, TimeRange(times[0], times[-1] + info.video.time_base))
    shown = next(source, None)
    if shown is None:
        shown = next(_last_frame(info), None)
    if shown is None:
        raise InputError("no frame can be decoded here", where=f"{info.path} at {format_time(times[0])}")
    coming = next(source, None)
    for t in times:
        while coming is not None and coming[0] <= t:
            shown, coming = coming, next(source, None)
        yield shown[1]


def _last_frame(info: MediaInfo) -> Iterator[tuple[Fraction, VideoFrame]]:
    """The last frame of the file, for ranges that lie beyond it."""
    for back in (2, 20, None):
        start = None if back is None else max(info.range.end - back, info.video.start)
        last = None
        for last in _from_key_frame(info, start, Losses()):  # noqa: B007
            pass
        if last is not None:
            yield last
            return


def still(source: MediaInfo | Path, t: Fraction, max_side: int = 320) -> U8:
    """[h, w, 3] full-range RGB of the frame on screen at `t`, its longest side at most `max_side` pixels."""
    info = probe(source) if isinstance(source, Path) else source
    _, frame = next(read_frames(info, TimeRange(t, t + 1 / info.video.rate)), (None, None))
    if frame is None:
        found = next(_last_frame(info), None)
        if found is None:
            raise InputError("no frame can be decoded here", where=f"{info.path} at {format_time(t)}")
        frame = found[1]
    scale = min(max_side / max(info.video.width, info.video.height), 1.0)
    size = (max(round(info.video.width * scale), 1), max(round(info.video.height * scale), 1))
    return to_rgb(VideoReformatter(), frame, info, *size)


def to_rgb(scaler: VideoReformatter, frame: VideoFrame, info: MediaInfo, width: int, height: int) -> U8:
    """[height, width, 3] full-range RGB, area-averaged, by the file's own matrix and range."""
    matrix = swscale_matrix(info.video.colour, info.video.coded_height)
    small = scaler.reformat(
        frame, width, height, "rgb24", src_colorspace=matrix, dst_colorspace=matrix,
        src_color_range=swscale_range(info.video.colour), dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA, threads=1,
    )  # fmt: skip
    rgb: U8 = small.to_ndarray().astype(np.uint8, copy=False)
    return rgb
