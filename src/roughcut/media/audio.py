"""Sound by exact sample: any range of a track, at any rate and layout, silence where there is none.

Positions are absolute sample numbers on the source's own clock. When rates differ, resampling always starts where
the two rates' clocks meet (every 1 / gcd seconds), so that neighbouring reads fit together to the sample:

    44100 Hz  |...147 samples...|...147 samples...|
    48000 Hz  |...160 samples...|...160 samples...|      both grids meet at |
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from roughcut.errors import PlanError
from roughcut.media.decode import decoded, demuxed
from roughcut.media.faults import Losses, opened
from roughcut.records import F32, AudioStream, MediaInfo
from roughcut.timebase import TimeRange, nearest_frame

PREROLL = Fraction(1, 5)  # decoded before the first wanted sample: codecs and resamplers need a run-up
NEAR = 2  # seconds: reads this far ahead go on decoding, others seek
GAP = Fraction(1, 25)
WITHIN_ONE = {"rematrix_maxval": "1"}  # swresample lets float mixes pass 1; this scales them down as for integers


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
            self._held.append(block)
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
        container = self._open.enter_context(opened(self._info.path))
        stream = container.streams[self._track.index]
        if start > self._track.start:
            _seek(container, stream, start)
        # swresample would take 3 dB off one channel spread to two; `read` spreads it by copying
        layout = "mono" if self._track.channels == 1 and self._layout == "stereo" else self._layout
        phase = _Phase(self._rate, layout)
        losses = Losses()
        for packet in demuxed(container, stream, losses=losses, parts=self._info.parts):
            for frame in decoded(packet, losses):
                yield from phase.push(frame)  # type: ignore[arg-type]
        yield from phase.finish()


def _seek(container: InputContainer, stream: av.stream.Stream, to: Fraction) -> None:
    try:
        container.seek(int(to / (stream.time_base or Fraction(1, av.time_base))), stream=stream)
    except (av.FFmpegError, OSError):
        container.seek(0)


class _Phase:
    """Resampling that starts only where both rates' grids meet, and anew after every gap."""

    def __init__(self, rate: int, layout: str) -> None:
        self._rate, self._layout = rate, layout
        self._resampler: AudioResampler | None = None
        self._in_rate = 0
        self._next_in = 0  # absolute source sample expected next
        self._place = 0  # absolute film-rate sample of the next output

    def push(self, frame: AudioFrame) -> Iterator[tuple[int, F32]]:
        at = self._source_place(frame)
        if self._resampler is None or abs(at - self._next_in) > GAP * frame.sample_rate or frame.rate != self._in_rate:
            yield from self.finish()
            begun = self._begin(frame, at)
            if begun is None:
                return
            frame = begun
        self._next_in += frame.samples
        yield from self._emit(frame)

    def _source_place(self, frame: AudioFrame) -> int:
        if frame.pts is None or frame.time_base is None:
            return self._next_in
        return nearest_frame(frame.pts * frame.time_base, Fraction(frame.sample_rate))

    def _begin(self, frame: AudioFrame, at: int) -> AudioFrame | None:
        """Start a run at the next meeting point of the grids inside the frame; None where it has none."""
        self._in_rate = frame.sample_rate
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
