"""Feature extraction from sound: log-mel rows, loudness, spectral flux at 10 Hz, and speech probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from roughcut.features.voice import WINDOW as SPEECH_WINDOW
from roughcut.features.voice import WINDOWS_AT_ONCE, listener
from roughcut.records import F32, SOUND_RATE
from roughcut.records.rows import Held, Shelf

BANDS = 40
HOP = SOUND_RATE // 100  # 10 ms
HOPS_PER_ROW = 10
ROW = HOP * HOPS_PER_ROW  # 0.1 s
WINDOW = 400  # 25 ms, Hann
FFT = 512
BLOCK_ROWS = 50  # rows are computed in blocks of one fixed size, so that chunking changes no bit
QUIET = -100.0  # dBFS given to digital silence
POWER_FLOOR = 1e-10


@dataclass(frozen=True, kw_only=True)
class SoundRows:
    """The sound part of `records.Features`; fields as there."""

    sound: F32
    speech: F32


@cache
def mel_filters(bands: int = BANDS, fft: int = FFT, rate: int = SOUND_RATE) -> F32:
    """[fft // 2 + 1, bands] triangular filters, even on the HTK mel scale (2595 log10(1 + f / 700)) from 60 Hz up."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (60.0, rate / 2))
    edges = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    bins = np.arange(fft // 2 + 1)[:, None] * rate / fft
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.clip(np.minimum(rise, fall), 0, None)
    filters: F32 = (weights / weights.sum(0)).astype(np.float32)
    return filters


def log_mel(samples: F32, frames: int) -> F32:
    """[frames, 40] natural log of mel band power, 25 ms Hann windows every 10 ms, of frames * HOP + 240 samples."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][:frames]
    spectrum = np.fft.rfft(windows * np.hanning(WINDOW).astype(np.float32), FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) / WINDOW
    return np.log(power @ mel_filters() + POWER_FLOOR)


class SoundFeatures:
    """Consumes 16 kHz mono sound in chunks of any size; the numbers do not depend on the chunks."""

    def __init__(self, *, shelf: Shelf = Held) -> None:
        """Rows are kept on `shelf`."""
        self._listener = listener()
        self._unrowed = np.zeros(0, np.float32)
        self._unspoken = np.zeros(0, np.float32)
        self._last_mel: F32 | None = None
        self._rows, self._speech = shelf("sound"), shelf("speech")

    def push(self, samples: F32) -> None:
        """Take the next samples, float32 in [-1, 1]."""
        self._unspoken = self._take_speech(np.concatenate([self._unspoken, samples]))
        self._unrowed = np.concatenate([self._unrowed, samples])
        block = BLOCK_ROWS * ROW
        while len(self._unrowed) >= block + WINDOW - HOP:
            self._rows.append(self._block(self._unrowed, BLOCK_ROWS, block))
            self._unrowed = self._unrowed[block:]

    def finish(self) -> SoundRows:
        """Rows of all that was pushed; the last, partly filled row and window count as if silence followed."""
        last = _padded(self._unspoken, SPEECH_WINDOW)
        self._take_speech(last, len(last) // SPEECH_WINDOW)
        left = len(self._unrowed)
        while left > 0:  # at most twice: the last block may be full without the samples its last window wants
            rows = min(-(-left // ROW), BLOCK_ROWS)
            samples = np.concatenate([self._unrowed, np.zeros(rows * ROW + WINDOW, np.float32)])
            self._rows.append(self._block(samples, rows, min(left, rows * ROW)))
            self._unrowed = self._unrowed[rows * ROW :]
            left = len(self._unrowed)
        return SoundRows(
            sound=self._rows.whole(np.zeros((0, BANDS + 2), np.float32)),
            speech=self._speech.whole(np.zeros(0, np.float32)),
        )

    def _take_speech(self, samples: F32, windows: int = WINDOWS_AT_ONCE) -> F32:
        """Hear so many windows at a time; gives back what is left over."""
        while windows and len(samples) >= windows * SPEECH_WINDOW:
            self._speech.append(self._listener.hear(samples[: windows * SPEECH_WINDOW].reshape(windows, -1)))
            samples = samples[windows * SPEECH_WINDOW :]
        return samples

    def _block(self, samples: F32, rows: int, real: int) -> F32:
        """[rows, 42] of the first rows * ROW samples, of which `real` are not padding."""
        mel = log_mel(samples, rows * HOPS_PER_ROW)
        before = np.concatenate([mel[:1] if self._last_mel is None else self._last_mel, mel[:-1]])
        self._last_mel = mel[-1:]
        flux = np.maximum(mel - before, 0).mean(1)
        power = (samples[: rows * ROW].reshape(rows, ROW) ** 2).sum(1)
        counts = np.clip(real - np.arange(rows) * ROW, 1, ROW)
        loudness = np.maximum(10 * np.log10(power / counts + POWER_FLOOR), QUIET)
        bands = mel.reshape(rows, HOPS_PER_ROW, BANDS).mean(1)
        return np.column_stack([bands, loudness, flux.reshape(rows, HOPS_PER_ROW).mean(1)]).astype(np.float32)


def _padded(samples: F32, to: int) -> F32:
    """Zeros appended up to a multiple of `to`."""
    return np.concatenate([samples, np.zeros(-len(samples) % to, np.float32)])
