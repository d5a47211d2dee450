"""The one decode pass: every frame small, a few per second larger, and the sound beside them, in bounded memory.

packets -> video frames -> 48x27 thumb of each, 256-pixel picture of some
        -> audio frames -> 16 kHz mono, aligned so that sample n lies at video start + n / 16000
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from roughcut.errors import InputError
from roughcut.media.audio import WITHIN_ONE, kind_of, slack_at
from roughcut.media.decode import Clock, decoded, demuxed, to_rgb
from roughcut.media.faults import Losses, opened
from roughcut.media.times import gaps
from roughcut.records import (
    F32,
    PICTURE_SIDE,
    SOUND_RATE,
    THUMB_SIZE,
    U8,
    FrameTimes,
    MediaInfo,
    Progress,
    ScanBatch,
    no_progress,
)
from roughcut.timebase import nearest_frame

BATCH = 128
SOUND_BATCH = 60 * SOUND_RATE  # samples that are given on without waiting for pictures
PICTURES_PER_SECOND = Fraction(2)
SHORT_BY = 0.25  # seconds that the pictures may end before the end that was found by demuxing
PLACEHOLDER = 16  # bytes: MPEG-4 packets this small repeat a picture and show none of their own


def scan(
    info: MediaInfo,
    *,
    picture_rate: Fraction | None = PICTURES_PER_SECOND,
    track: int | None = 0,
    progress: Progress = no_progress,
    losses: Losses | None = None,
) -> Iterator[ScanBatch]:
    """Batches of up to 128 consecutive frames with what belongs to them; the sound is that of `track` (from 0).

    Without a `picture_rate` there are no larger pictures, without a `track` no sound: neither is decoded then.

    Raises:
        InputError: no frame decodes at all.
    """
    losses = losses if losses is not None else Losses()
    eye, ear = _Eye(info, picture_rate, losses), _Ear(info)
    total = float(info.duration)
    with opened(info.path) as container:
        video = container.streams[info.video.index]
        video.thread_type = "AUTO"  # type: ignore[attr-defined]
        heard = () if track is None else info.audio[track : track + 1]
        chosen = [video, *(container.streams[a.index] for a in heard)]
        for packet in demuxed(container, *chosen, losses=losses, info=info):
            eye.packets += packet.stream_index == video.index and _shows(packet, info.video.codec)
            for frame in decoded(packet, losses):
                if isinstance(frame, AudioFrame):
                    ear.push(frame)
                else:
                    eye.push(frame)
            if len(eye) >= BATCH or ear.waiting >= SOUND_BATCH:
                progress("watching", min(eye.seconds, total), total)
                yield eye.batch(ear.take())
    ear.finish()
    if not eye.seen:
        raise InputError("no frame of the video can be decoded", where=info.path)
    eye.finish()
    yield eye.batch(ear.take())
    progress("watching", total, total)


def frame_times(info: MediaInfo, pts: np.ndarray) -> FrameTimes:
    """The times of a file from all pts of its scan; where its end is unknown, the last frame lasts as usual."""
    if info.video.last is not None and int(pts[-1]) * info.video.time_base == info.video.last:
        end = round(info.range.end / info.video.time_base)
        return FrameTimes(pts=pts, end_pts=max(end, int(pts[-1]) + 1), time_base=info.video.time_base)
    steps = np.diff(pts)
    usual = int(np.median(steps)) if len(steps) else max(round(1 / (info.video.rate * info.video.time_base)), 1)
    return FrameTimes(pts=pts, end_pts=int(pts[-1]) + usual, time_base=info.video.time_base)


def _shows(packet: av.Packet[Any], codec: str) -> bool:
    """True where a picture is to come of a packet; VP8 and MPEG-4 have some that show none."""
    if not packet.size or packet.is_discard:
        return False
    if codec == "vp8":
        return bool(memoryview(packet)[0] & 0x10)
    return codec != "mpeg4" or packet.size > PLACEHOLDER


class _Eye:
    """Frames on their way into a batch."""

    def __init__(self, info: MediaInfo, picture_rate: Fraction | None, losses: Losses) -> None:
        self._info = info
        self._turns = info.video.rotation // 90
        self._thumb_scaler, self._picture_scaler = VideoReformatter(), VideoReformatter()
        scale = min(PICTURE_SIDE / max(info.video.width, info.video.height), 1.0)
        self._picture_size = (max(round(info.video.width * scale), 2), max(round(info.video.height * scale), 2))
        self._clock = Clock(info, losses)
        self._picture_step = max(int(1 / (picture_rate * info.video.time_base)), 1) if picture_rate else None
        self._next_picture: int | None = None
        self._pts: list[int] = []
        self._thumbs: list[U8] = []
        self._picture_frames: list[int] = []
        self._pictures: list[U8] = []
        self._losses = losses
        self._all: list[int] = []
        self.seen = 0
        self.packets = 0
        self._given = 0
        self._last = 0

    def __len__(self) -> int:
        return len(self._pts)

    @property
    def seconds(self) -> float:
        """How far the pass has come."""
        return float(self._last * self._info.video.time_base - self._info.video.start) if self.seen else 0.0

    def push(self, frame: VideoFrame) -> None:
        self._given += 1
        self._losses.corrupt += frame.is_corrupt
        ticks = self._clock.ticks(frame)
        if ticks is None:
            return
        self._thumbs.append(self._rgb(self._thumb_scaler, frame, THUMB_SIZE))
        if self._picture_step and (self._next_picture is None or ticks >= self._next_picture):
            self._picture_frames.append(self.seen)
            self._pictures.append(self._rgb(self._picture_scaler, frame, self._picture_size))
            self._next_picture = (ticks if self._next_picture is None else self._next_picture) + self._picture_step
            self._next_picture = max(self._next_picture, ticks + self._picture_step // 2)
        self._pts.append(ticks)
        self._all.append(ticks)
        self._last = ticks
        self.seen += 1

    def finish(self) -> None:
        """Name what is missing."""
        info, losses = self._info, self._losses
        losses.undecoded = max(self.packets - self._given - losses.packets, 0)
        losses.gaps += gaps(np.array(self._all, np.int64), info.video.time_base)
        if float(info.video.duration - 2 / info.video.rate) - self.seconds > SHORT_BY:
            losses.cut_off = True

    def _rgb(self, scaler: VideoReformatter, frame: VideoFrame, size: tuple[int, int]) -> U8:
        """Scaled as coded, then turned: small pictures turn for nothing."""
        width, height = size if self._turns % 2 == 0 else size[::-1]
        rgb = to_rgb(scaler, frame, self._info, width, height)
        return np.rot90(rgb, -self._turns) if self._turns else rgb

    def batch(self, sound: F32) -> ScanBatch:
        """What was gathered, and a fresh start."""
        width, height = self._picture_size
        n = len(self._pts)
        made = ScanBatch(
            first=self.seen - n,
            pts=np.array(self._pts, np.int64),
            thumbs=np.stack(self._thumbs) if n else np.zeros((0, *THUMB_SIZE[::-1], 3), np.uint8),
            picture_frames=np.array(self._picture_frames, np.int64),
            pictures=np.stack(self._pictures) if self._pictures else np.zeros((0, height, width, 3), np.uint8),
            sound=sound,
        )
        self._pts, self._thumbs, self._picture_frames, self._pictures = [], [], [], []
        return made


@dataclass
class _Anchor:
    """Where a run of sound without gaps began: its first sample's place and how many came in since."""

    at: int
    taken: int = 0
    given: int = 0


class _Ear:
    """Sound on its way to 16 kHz mono on the video's clock: late sound is padded, early sound trimmed, gaps filled."""

    def __init__(self, info: MediaInfo) -> None:
        self._start, self._parts = info.video.start, info.parts
        self._end = info.duration + 1
        self._limit = nearest_frame(info.duration + 1, Fraction(SOUND_RATE))
        self._ready: list[F32] = []
        self.waiting = 0
        self._given = 0
        self._run: _Anchor | None = None
        self._resampler: AudioResampler | None = None
        self._rate = 0
        self._kind: tuple[int, str, str] | None = None

    def push(self, frame: AudioFrame) -> None:
        seconds = self._seconds(frame)
        if seconds > self._end:
            return  # a damaged timestamp must not fill all that follows with silence
        slack = slack_at(seconds + self._start, self._parts)
        if self._run is None or abs(seconds - self._expected()) > slack or kind_of(frame) != self._kind:
            self._begin(seconds, frame.sample_rate)
            self._kind = kind_of(frame)
        assert self._run is not None
        self._run.taken += frame.samples
        frame.pts = None
        self._emit(frame)

    def _seconds(self, frame: AudioFrame) -> Fraction:
        if frame.pts is None or frame.time_base is None:
            return self._expected()
        return frame.pts * frame.time_base - self._start

    def _expected(self) -> Fraction:
        if self._run is None:
            return Fraction(0)
        return Fraction(self._run.at, SOUND_RATE) + Fraction(self._run.taken, self._rate or 1)

    def _begin(self, seconds: Fraction, rate: int) -> None:
        self._flush()
        self._resampler = AudioResampler(format="flt", layout="mono", rate=SOUND_RATE, options=WITHIN_ONE)
        self._rate = rate
        self._run = _Anchor(at=nearest_frame(seconds, Fraction(SOUND_RATE)))
        if self._run.at > self._given:
            self._append(np.zeros(min(self._run.at, self._limit) - self._given, np.float32))

    def _emit(self, frame: AudioFrame | None) -> None:
        if self._resampler is None or self._run is None:
            return
        for out in self._resampler.resample(frame):
            samples = out.to_ndarray().reshape(-1).astype(np.float32, copy=False)
            place = self._run.at + self._run.given
            self._run.given += len(samples)
            self._append(samples[max(self._given - place, 0) :])

    def _append(self, samples: F32) -> None:
        samples = samples[: max(self._limit - self._given, 0)]
        if len(samples):
            self._ready.append(samples)
            self._given += len(samples)
            self.waiting += len(samples)

    def _flush(self) -> None:
        self._emit(None)
        self._run = None

    def finish(self) -> None:
        self._flush()

    @property
    def seconds(self) -> float:
        """How much sound was given."""
        return self._given / SOUND_RATE

    def take(self) -> F32:
        """What has become ready since the last call."""
        taken = np.concatenate(self._ready) if self._ready else np.zeros(0, np.float32)
        self._ready, self.waiting = [], 0
        return taken
