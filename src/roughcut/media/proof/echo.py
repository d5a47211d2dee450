"""How late the film's sound is, heard and not read: a second of it laid over the source's own sound.

film      ---|=====join=====|---              the half second after the join, decoded from the film
source   ......|=============|......          what the plan wants there, a quarter of a second more on both sides

The highest normalised correlation of the two tells the shift. Only 5 to 3500 Hz are compared: encoders replace noise
above. Silence and sounds that repeat themselves (a steady tone fits at every period) are not measurable.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from roughcut.media.audio import SoundReader
from roughcut.media.proof.segments import untouched
from roughcut.records import F32, MediaInfo
from roughcut.records.effects import Music, Mute
from roughcut.timebase import nearest_frame
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.plan import Plan
from roughcut.timeline.warp import warp_of

LONGEST = Fraction(1, 2)  # seconds compared
SHORTEST = Fraction(1, 10)
REACH = Fraction(1, 4)  # seconds of shift that are found
CROSSING = Fraction(1, 50)  # seconds after a join that the sounds of two clips share
BAND = (5.0, 3500.0)  # Hz
SILENT, LOUD = 1e-4, 3e-3  # rms
ALIKE = 0.7  # correlation from which two sounds are the same
MOST_PLANES = 7  # that PyAV makes arrays of
PREFERRED = 0.85  # of the highest correlation: where the planned place comes so near, it is the one
UNLIKE = "unlike the source"
RIVAL = 0.97  # another peak this near to the highest leaves it open which one it is


@dataclass(frozen=True)
class Heard:
    """What was heard at a join; `late` in seconds, None where it cannot be told."""

    late: float | None
    note: str = ""


@dataclass
class _Window:
    """Film samples [first, first + len(samples)) of a clip, as far as they have come."""

    clip: int
    first: int
    start: Fraction
    """Source time of the first."""
    samples: F32


class Echo:
    """Listens to one track of the film while it is decoded; `heard[i]` is what it found after join i."""

    def __init__(self, film: MediaInfo, plan: Plan, grid: FrameGrid, media: dict[str, MediaInfo], track: int) -> None:
        self._plan, self._grid, self._media, self._track = plan, grid, media, track
        self._origin = film.video.start
        self._rate, self._layout = film.audio[track].rate, film.audio[track].layout
        self._readers: dict[str, SoundReader] = {}
        self.heard = {i: Heard(None, "transitions cover the clip") for i in range(len(plan.clips))}
        self._waiting = [
            w for i, frames in enumerate(untouched(plan, grid)) if (w := self._window(i, frames)) is not None
        ]
        self._waiting.reverse()

    def _window(self, clip: int, frames: range) -> _Window | None:
        rate, grid = self._rate, self._grid
        if not frames:
            return None
        if warp_of(self._plan.clips[clip]) is not None:
            self.heard[clip] = Heard(None, "at another speed than its source")
            return None
        first = grid.time(frames[0]) + CROSSING
        length = min(grid.time(frames[-1] + 1) - CROSSING - first, LONGEST)
        if length < SHORTEST:
            self.heard[clip] = Heard(None, "too short")
            return None
        place = nearest_frame(first, Fraction(rate))
        start = self._plan.clips[clip].range.start + Fraction(place, rate) - grid.time(grid.edges[clip])
        muted = (pair for e in self._plan.clips[clip].effects if isinstance(e, Mute) for pair in e.ranges)
        if any(a < start + length and b > start for a, b in muted):
            self.heard[clip] = Heard(None, "silenced")
            return None
        return _Window(clip, place, start, np.zeros(int(length * rate), np.float32))

    def listen(self, time: Fraction, frame: AudioFrame) -> None:
        """Take a decoded run that is heard at `time`."""
        first = nearest_frame(time - self._origin, Fraction(self._rate))
        while self._waiting and first >= self._waiting[-1].first + len(self._waiting[-1].samples):
            self._close(self._waiting.pop())
        for window in reversed(self._waiting):
            begin, end = max(first, window.first), min(first + frame.samples, window.first + len(window.samples))
            if window.first >= first + frame.samples:
                return
            if begin < end:
                window.samples[begin - window.first : end - window.first] = _mono(frame)[begin - first : end - first]

    def finish(self) -> dict[int, Heard]:
        """What was heard at each join; closes the sources."""
        while self._waiting:
            self._close(self._waiting.pop())
        for reader in self._readers.values():
            reader.close()
        return self.heard

    def _close(self, window: _Window) -> None:
        source = self._plan.clips[window.clip].source
        if source not in self._readers:
            self._readers[source] = SoundReader(self._media[source], self._rate, self._layout, track=self._track)
        reach = int(REACH * self._rate)
        around = self._readers[source].read(window.start - Fraction(reach, self._rate), len(window.samples) + 2 * reach)
        found = laid_over(window.samples, around.mean(0), self._rate)
        if found.note == UNLIKE and any(isinstance(e, Music) for e in self._plan.effects):
            found = Heard(None, "music lies over it")
        self.heard[window.clip] = found


def laid_over(film: F32, source: F32, rate: int) -> Heard:
    """How late `film` [n] is in `source` [n + 2 r], whose sample r should sound with the film's first."""
    reach = (len(source) - len(film)) // 2
    middle = source[reach : reach + len(film)]
    if _rms(_in_band(middle, 1 << len(middle).bit_length(), rate)) < LOUD:
        return Heard(None, "silence")
    if _rms(film) < SILENT:
        return Heard(None, "missing: the source is not silent here")
    likeness = _correlations(film, source, rate)
    best, peak = int(likeness.argmax()), rate // 500  # 2 ms: the peak itself
    if likeness[best] < ALIKE:
        return Heard(None, UNLIKE)
    planned = reach - peak + int(likeness[reach - peak : reach + peak + 1].argmax())
    if likeness[planned] >= PREFERRED * likeness[best]:
        best = planned
    apart = np.abs(np.arange(len(likeness)) - best) > peak
    if likeness[apart].max(initial=0.0) > RIVAL * likeness[best]:
        return Heard(None, "the sound repeats itself")
    return Heard(float((reach - best) / rate))


def _correlations(film: F32, source: F32, rate: int) -> NDArray[np.float64]:
    """[len(source) - len(film) + 1] normalised correlation at each place, -1 to 1."""
    size, places = 1 << (len(source) + len(film)).bit_length(), len(source) - len(film) + 1
    one, other = (_in_band(samples, size, rate) for samples in (film, source))
    cross = np.fft.irfft(np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size), size)[:places]
    energy = np.concatenate([[0.0], np.cumsum(other**2)])
    there = energy[len(film) :][:places] - energy[:places]
    norm = np.sqrt(np.maximum(there * float((one**2).sum()), 0.0))
    floor = 0.05 * float(norm.max(initial=0.0)) + 1e-20  # what is nearly silent resembles nothing
    found: NDArray[np.float64] = cross / np.maximum(norm, floor)
    return found


def _in_band(samples: F32, size: int, rate: int) -> NDArray[np.float64]:
    """The same samples without what lies outside BAND."""
    hertz = np.fft.rfftfreq(size, 1 / rate)
    kept = np.fft.rfft(samples, size) * ((hertz >= BAND[0]) & (hertz <= BAND[1]))
    inside: NDArray[np.float64] = np.fft.irfft(kept, size)[: len(samples)]
    return inside


def _mono(frame: AudioFrame) -> F32:
    """[n] mean over channels, full scale 1."""
    if len(frame.layout.channels) > MOST_PLANES:
        (frame,) = AudioResampler(format="flt", layout=frame.layout, rate=frame.sample_rate).resample(frame)
    samples = frame.to_ndarray()
    scale = 1.0 if samples.dtype.kind == "f" else 1 / float(1 << (8 * samples.dtype.itemsize - 1))
    if not frame.format.is_planar:
        samples = samples.reshape(frame.samples, -1).T
    mean: F32 = (samples.astype(np.float32) * scale).mean(0)
    return mean


def _rms(samples: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
