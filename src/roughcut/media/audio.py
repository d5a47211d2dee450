"""Sound by exact sample: any range of a track, at any rate and layout, silence where there is none.

Positions are absolute sample numbers on the source's own clock. When rates differ, resampling always starts where
the two rates' clocks meet (every 1 / gcd seconds), so that neighbouring reads fit together to the sample:

    44100 Hz  |...147 samples...|...147 samples...|
    48000 Hz  |...160 samples...|...160 samples...|      both grids meet at |
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream as AvAudio
from av.container import InputContainer

from roughcut.errors import PlanError
from roughcut.media.decode import decoded, demuxed, seek_before
from roughcut.media.faults import Losses, opened
from roughcut.records import F32, AudioStream, MediaInfo, Part
from roughcut.timebase import TimeRange, nearest_frame

PREROLL = Fraction(1, 5)  # decoded before the first wanted sample: codecs and resamplers need a run-up
ALIKE = 4  # frames of one length that make a grid
NEAR = 2  # seconds: reads this far ahead go on decoding, others seek
GAP = Fraction(1, 50)  # seconds: timestamps further off than this are a gap or a jump, nearer ones rounding
JOIN, AT_JOIN = Fraction(1, 4), Fraction(1, 500)  # this near to a join of recordings, less is a jump already
WITHIN_ONE = {"rematrix_maxval": "1"}  # swresample lets float mixes pass 1; this scales them down as for integers


def slack_at(t: Fraction, parts: Sequence[Part]) -> Fraction:
    """How far sound at `t` may lie from where counting puts it, seconds."""
    return AT_JOIN if any(abs(t - part.start) < JOIN for part in parts) else GAP


def channels_of(layout: str) -> int:
    """How many channels a layout of FFmpeg's names has.

    Raises:
        PlanError: FFmpeg has no such layout.
    """
    try:
        return len(av.AudioLayout(layout).channels)
    except ValueError as error:
        raise PlanError("no such channel layout", got=repr(layout), allowed="mono, stereo, 5.1 and the like") from error


def frame_of(samples: F32, layout: str, rate: int) -> AudioFrame:
    """[channels, n] as a frame. Interleaved: PyAV has no arrays of more than 7 planes."""
    packed = np.ascontiguousarray(samples.T, np.float32).reshape(1, -1)
    frame = AudioFrame.from_ndarray(packed, "flt", layout=layout)
    frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
    return frame


def kind_of(frame: AudioFrame) -> tuple[int, str, str]:
    """Rate, sample format and layout: a resampler takes only one kind."""
    return frame.sample_rate, frame.format.name, frame.layout.name


class SoundReader:
    """One track of one file. Sequential reads decode on; others seek. Use as a context manager."""

    def __init__(self, info: MediaInfo, rate: int, layout: str, *, track: int = 0) -> None:
        self._info = info
        self._track: AudioStream | None = info.audio[track] if track < len(info.audio) else None
        self._rate, self._layout, self._channels = rate, layout, channels_of(layout)
        self._open = ExitStack()
        self._runs: Iterator[tuple[int, F32]] | None = None
        self._held: list[tuple[int, F32]] = []
        self._at = 0

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; later reads open it again."""
        self._runs = None
        self._held = []
        self._open.close()

    def read(self, start: Fraction, samples: int) -> F32:
        """[channels, samples] float32 from the sample nearest to `start` (seconds, source clock) on."""
        out = np.zeros((self._channels, samples), np.float32)
        if self._track is None or samples <= 0:
            return out
        first = nearest_frame(start, Fraction(self._rate))
        self._go_to(first)
        last = first + samples
        while self._at < last and self._runs is not None:
            block = next(self._runs, None)
            if block is None:
                break
            twice = max(self._at - block[0], 0)  # where a damaged clock goes back, what was there first stays
            self._held.append((block[0] + twice, block[1][:, twice:]))
            self._at = max(self._at, block[0] + block[1].shape[1])
        for at, block_samples in self._held:
            a, b = max(at, first), min(at + block_samples.shape[1], last)
            if a < b:
                out[:, a - first : b - first] = block_samples[:, a - at : b - at]
        return out

    def _go_to(self, first: int) -> None:
        """Drop what lies before; seek where decoding on would not come by soon."""
        self._held = [(at, s) for at, s in self._held if at + s.shape[1] > first]
        earliest = self._held[0][0] if self._held else self._at
        if self._runs is not None and earliest <= first <= self._at + NEAR * self._rate:
            return
        self.close()
        self._open = ExitStack()
        self._at = first
        self._runs = self._decode(Fraction(first, self._rate) - PREROLL)

    def _decode(self, start: Fraction) -> Iterator[tuple[int, F32]]:
        """Runs of samples with their absolute places, from a little before `start`."""
        assert self._track is not None
        parts = self._info.parts
        container = self._open.enter_context(opened(self._info.path))
        stream = container.streams[self._track.index]
        grid = None
        if start > self._track.start:
            grid = _grid(self._info, self._track.index) if _coarse(stream) else None
            _seek(container, stream, start, parts)
        # swresample would take 3 dB off one channel spread to two; `read` spreads it by copying
        layout = "mono" if self._track.channels == 1 and self._layout == "stereo" else self._layout
        phase = _Phase(self._rate, layout, parts, grid)
        losses = Losses()
        latest = float(self._info.range.end) + NEAR
        for packet in demuxed(container, stream, losses=losses, info=self._info):
            for frame in decoded(packet, losses):
                if frame.time is not None and frame.time > latest:
                    continue  # a damaged timestamp must not carry the reader past everything else
                yield from phase.push(frame)  # type: ignore[arg-type]
        yield from phase.finish()


def _seek(container: InputContainer, stream: av.stream.Stream, to: Fraction, parts: Sequence[Part]) -> None:
    try:
        seek_before(container, stream, to, parts)
    except (av.FFmpegError, OSError):
        container.seek(0)


def _coarse(stream: av.stream.Stream) -> bool:
    """True where the timestamps cannot name every sample, as Matroska's milliseconds."""
    return isinstance(stream, AvAudio) and (stream.time_base or 0) > Fraction(1, stream.rate or 1)


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Where the codec's frames begin, in samples: at `origin` and every `step` from there."""

    origin: int
    step: int

    def nearest(self, at: int, samples: int, slack: int) -> int:
        """Where a frame begins whose timestamp was rounded; the timestamp where nothing fits within `slack`.

        The end is looked at first: the first frame after a seek may be trimmed at its head.
        """
        for inside in (samples, 0):
            line = self.origin + round((at + inside - self.origin) / self.step) * self.step
            if abs(line - inside - at) <= slack:
                return line - inside
        return at


def _grid(info: MediaInfo, index: int) -> _Grid | None:
    """Counted from the start of the track, as reading it whole does; None where the frames differ in length."""
    frames: list[AudioFrame] = []
    with opened(info.path) as container:
        for packet in demuxed(container, container.streams[index], losses=Losses()):
            frames += [f for f in decoded(packet, Losses()) if isinstance(f, AudioFrame)]
            if len(frames) >= ALIKE:
                break
    if len(frames) < ALIKE or len({f.samples for f in frames[1:ALIKE]}) > 1 or frames[0].pts is None:
        return None
    first = nearest_frame(frames[0].pts * (frames[0].time_base or Fraction(1)), Fraction(frames[0].sample_rate))
    return _Grid(origin=first + frames[0].samples, step=frames[1].samples)  # the first one may be trimmed


class _Phase:
    """Resampling that starts only where both rates' grids meet, and anew after every gap."""

    def __init__(self, rate: int, layout: str, parts: Sequence[Part] = (), grid: _Grid | None = None) -> None:
        self._rate, self._layout = rate, layout
        self._parts, self._grid = parts, grid
        self._resampler: AudioResampler | None = None
        self._in_rate = 0
        self._kind: tuple[int, str, str] | None = None
        self._next_in = 0  # absolute source sample expected next
        self._place = 0  # absolute film-rate sample of the next output

    def push(self, frame: AudioFrame) -> Iterator[tuple[int, F32]]:
        at = self._source_place(frame)
        if self._resampler is None or self._jumps(at, frame):
            yield from self.finish()
            begun = self._begin(frame, at)
            if begun is None:
                return
            frame = begun
        self._next_in += frame.samples
        yield from self._emit(frame)

    def _jumps(self, at: int, frame: AudioFrame) -> bool:
        slack = slack_at(Fraction(at, frame.sample_rate), self._parts)
        return abs(at - self._next_in) > slack * frame.sample_rate or kind_of(frame) != self._kind

    def _source_place(self, frame: AudioFrame) -> int:
        if frame.pts is None or frame.time_base is None:
            return self._next_in
        at = nearest_frame(frame.pts * frame.time_base, Fraction(frame.sample_rate))
        if self._grid is None:
            return at
        return self._grid.nearest(at, frame.samples, math.ceil(frame.time_base * frame.sample_rate))

    def _begin(self, frame: AudioFrame, at: int) -> AudioFrame | None:
        """Start a run at the next meeting point of the grids inside the frame; None where it has none."""
        self._in_rate, self._kind = frame.sample_rate, kind_of(frame)
        meet = self._in_rate // math.gcd(self._in_rate, self._rate)
        skip = -at % meet
        if skip >= frame.samples:
            self._resampler = None
            self._next_in = at + frame.samples
            return None
        self._next_in = at + skip
        self._place = (at + skip) * self._rate // self._in_rate
        self._resampler = AudioResampler(format="flt", layout=self._layout, rate=self._rate, options=WITHIN_ONE)
        return frame if not skip else _without_head(frame, skip)

    def _emit(self, frame: AudioFrame | None) -> Iterator[tuple[int, F32]]:
        if self._resampler is None:
            return
        if frame is not None:
            frame.pts = None
        for out in self._resampler.resample(frame):
            samples: F32 = out.to_ndarray().reshape(out.samples, -1).T.astype(np.float32, copy=False)
            yield self._place, samples
            self._place += samples.shape[1]

    def finish(self) -> Iterator[tuple[int, F32]]:
        yield from self._emit(None)
        self._resampler = None


def _without_head(frame: AudioFrame, skip: int) -> AudioFrame:
    (packed,) = AudioResampler(format=frame.format.packed, layout=frame.layout, rate=frame.sample_rate).resample(frame)
    rest = AudioFrame.from_ndarray(
        np.ascontiguousarray(packed.to_ndarray()[:, skip * len(frame.layout.channels) :]),  # type: ignore[arg-type]
        format=packed.format.name,
        layout=frame.layout.name,
    )
    rest.sample_rate = frame.sample_rate
    return rest


def read_sound(info: MediaInfo, within: TimeRange, rate: int, layout: str, *, track: int = 0) -> F32:
    """[channels, n] of a range; n and the first sample by rounding both ends from their absolute positions."""
    first, last = (nearest_frame(t, Fraction(rate)) for t in (within.start, within.end))
    with SoundReader(info, rate, layout, track=track) as reader:
        return reader.read(Fraction(first, rate), last - first)
