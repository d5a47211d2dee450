"""A voice without a recording: source-filter synthesis of made-up syllables, close enough to speech for its detectors.

Glottal pulses with a falling pitch are shaped by gliding formants (Fant 1960; vowel formants as measured by
Peterson & Barney 1952, rounded) and set off by bursts of noise for consonants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

RATE = 48_000
HOP, WINDOW = 240, 960  # 5 ms steps of 20 ms windows
VOWELS = {  # formant frequencies in Hz
    "a": (730, 1090, 2440, 3400),
    "e": (530, 1840, 2480, 3500),
    "i": (270, 2290, 3010, 3600),
    "o": (570, 840, 2410, 3300),
    "u": (300, 870, 2240, 3200),
}
BANDWIDTHS = (70, 90, 140, 220)


@dataclass(frozen=True)
class Syllable:
    """A consonant's noise, then a vowel."""

    vowel: str
    start: float
    length: float
    hiss: float
    """Centre of the consonant's noise in Hz; 0 for a soft onset"""


def sentence(seconds: float, rng: np.random.Generator) -> F64:
    """[n] samples at 48 kHz of a sentence of about `seconds`, its level that of close speech (peak 0.5)."""
    count = round(seconds * RATE)
    syllables = _syllables(seconds, rng)
    voiced = _shape(_glottis(count, rng), _formants(count, syllables))
    envelope = _envelope(count, syllables)
    sound = voiced * envelope + _hisses(count, syllables, rng)
    sound[-RATE // 50 :] *= np.linspace(1, 0, RATE // 50)
    loud: F64 = 0.5 * sound / max(float(np.abs(sound).max()), 1e-9)
    return loud


def _syllables(seconds: float, rng: np.random.Generator) -> list[Syllable]:
    """About five a second, in words of one to three with a short breath between."""
    found: list[Syllable] = []
    t = 0.02
    while t < seconds - 0.18:
        for _ in range(rng.integers(1, 4)):
            length = float(rng.uniform(0.15, 0.24))
            if t + length > seconds:
                break
            hiss = float(rng.choice([0, 0, 2500, 4000, 5500]))
            found.append(Syllable(str(rng.choice(list(VOWELS))), t, length, hiss))
            t += length
        t += float(rng.uniform(0.03, 0.08))
    return found


def _glottis(count: int, rng: np.random.Generator) -> F64:
    """A train of glottal pulses, its pitch falling over the sentence and trembling a little, with some breath."""
    t = np.arange(count) / RATE
    wander = np.interp(t, np.linspace(0, t[-1], 24), rng.normal(0, 5, 24))
    pitch = 135 - 30 * t / t[-1] + 12 * np.sin(2 * np.pi * 2.1 * t) + wander
    phase = np.cumsum(pitch / RATE) % 1
    opening = np.where(phase < 0.4, 0.5 * (1 - np.cos(np.pi * phase / 0.4)), 0)
    closing = np.where((phase >= 0.4) & (phase < 0.56), np.cos(0.5 * np.pi * (phase - 0.4) / 0.16), 0)
    return np.diff(opening + closing, prepend=0) + 0.0015 * rng.normal(size=count)


def _formants(count: int, syllables: list[Syllable]) -> F64:
    """[frames, 4] Hz: vowels held in the middle of their syllables, gliding between."""
    at = np.arange(count // HOP + 1) * HOP / RATE
    knots = [s.start + part * s.length for s in syllables for part in (0.35, 0.8)]
    values = np.array([VOWELS[s.vowel] for s in syllables for _ in range(2)], dtype=float)
    return np.stack([np.interp(at, knots, values[:, k]) for k in range(values.shape[1])], 1)


def _shape(source: F64, formants: F64) -> F64:
    """The source through the vocal tract, window by window in the frequency domain (overlap-add)."""
    f = np.fft.rfftfreq(WINDOW, 1 / RATE)[None]
    response = np.ones((len(formants), f.shape[1]), complex)
    for k, width in enumerate(BANDWIDTHS):
        centre = formants[:, k : k + 1]
        response *= centre**2 / (centre**2 - f**2 + 1j * f * width)
    padded = np.concatenate([np.zeros(WINDOW // 2), source, np.zeros(WINDOW)])
    out = np.zeros(len(padded) + WINDOW)
    hann = np.hanning(WINDOW + 1)[:-1] / 2
    for i in range(len(formants)):
        part = np.fft.rfft(padded[i * HOP : i * HOP + WINDOW] * hann) * response[i]
        out[i * HOP : i * HOP + WINDOW] += np.fft.irfft(part, WINDOW)
    return out[WINDOW // 2 : WINDOW // 2 + len(source)]


def _envelope(count: int, syllables: list[Syllable]) -> F64:
    t = np.arange(count) / RATE
    knots, levels = [0.0], [0.0]
    for s in syllables:
        knots += [s.start, s.start + 0.25 * s.length, s.start + 0.7 * s.length, s.start + s.length]
        levels += [0.12, 1.0, 0.8, 0.12]
    return np.interp(t, [*knots, knots[-1] + 0.05], [*levels, 0.0])


def _hisses(count: int, syllables: list[Syllable], rng: np.random.Generator) -> F64:
    """Short bursts of band noise at the onsets that have one."""
    sound = np.zeros(count)
    for s in syllables:
        n, at = round(0.06 * RATE), round(s.start * RATE)
        if not s.hiss or at + n > count:
            continue
        spectrum = np.fft.rfft(rng.normal(size=n))
        f = np.fft.rfftfreq(n, 1 / RATE)
        burst = np.fft.irfft(spectrum * np.exp(-(((f - s.hiss) / 900) ** 2)), n)
        sound[at : at + n] += 0.01 * np.hanning(n) * burst / max(burst.std(), 1e-9)
    return sound


def ambience(count: int, rng: np.random.Generator) -> F64:
    """[n] quiet outdoor air: noise that falls off with frequency, swelling slowly (about -52 dBFS)."""
    spectrum = np.fft.rfft(rng.normal(size=count))
    f = np.fft.rfftfreq(count, 1 / RATE)
    air = np.fft.irfft(spectrum / np.maximum(f, 60) ** 0.8 * (f > 60), count)
    swell = 1 + 0.3 * np.sin(2 * np.pi * np.arange(count) / RATE / 7)
    quiet: F64 = 0.0025 * swell * air / air.std()
    return quiet
