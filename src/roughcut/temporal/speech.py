"""Speech probabilities and loudness rows become stretches of speech and a loudness curve."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from roughcut.records import F32, SOUND_RATE, Curve, Features, Speech
from roughcut.records.rows import blocks
from roughcut.temporal.hysteresis import runs_above
from roughcut.timebase import TimeRange

SPEECH_STEP = Fraction(512, SOUND_RATE)  # seconds per probability
SOUND_STEP = Fraction(1, 10)  # seconds per sound row
LOUDNESS_COLUMN = 40
MOMENTARY_ROWS = 4  # EBU R128's momentary window is 400 ms


@dataclass(frozen=True, kw_only=True)
class SpeechRules:
    """Hysteresis with two thresholds and the lengths below which a stretch or a gap does not count."""

    on: float = 0.5
    """A stretch must reach this probability ..."""
    off: float = 0.2
    """... and goes on for as long as it stays above this one."""
    shortest: Fraction = Fraction(1, 10)
    """Stretches shorter than this many seconds are clicks, not words."""
    gap: Fraction = Fraction(1, 5)
    """Gaps shorter than this many seconds lie inside a sentence: stops and glides, not word gaps worth cutting."""


def find_speech(features: Features, rules: SpeechRules = SpeechRules()) -> tuple[Speech, ...]:
    """Stretches of speech in order, at word gaps, unpadded; none without sound."""
    start = features.times.range.start if len(features.times) else Fraction(0)
    return speech_ranges(features.speech, start, rules)


def speech_ranges(probabilities: F32, start: Fraction, rules: SpeechRules = SpeechRules()) -> tuple[Speech, ...]:
    """Stretches of speech from one probability per 512 samples at 16 kHz, the first window beginning at `start`."""
    heard = runs_above(probabilities, rules.on, rules.off)
    joined = _join(heard, float(rules.gap / SPEECH_STEP))
    long = [(a, b) for a, b in joined if (b - a) * SPEECH_STEP >= rules.shortest]
    return tuple(
        Speech(
            range=TimeRange(start + a * SPEECH_STEP, start + b * SPEECH_STEP),
            probability=float(np.clip(probabilities[a:b].mean(), 0, 1)),
        )
        for a, b in long
    )


def loudness_curve(features: Features) -> Curve:
    """Momentary loudness in dBFS at 10 Hz: mean unweighted power over 400 ms around each row; empty without sound."""
    start = features.times.range.start if len(features.times) else Fraction(0)
    rows = [block[:, LOUDNESS_COLUMN].copy() for block in blocks(features.sound)]  # a view would keep all columns
    power = 10 ** (np.concatenate([np.zeros(0, np.float32), *rows]).astype(np.float64) / 10)
    sums = np.cumsum(np.concatenate([[0.0], power]))
    at = np.arange(len(power))
    first, last = np.maximum(at - MOMENTARY_ROWS // 2, 0), np.minimum(at + MOMENTARY_ROWS // 2, len(power))
    mean = (sums[last] - sums[first]) / np.maximum(last - first, 1)
    values = 10 * np.log10(np.maximum(mean, 1e-10))
    return Curve(name="loudness", start=start, step=SOUND_STEP, values=values.astype(np.float32))


def _join(runs: list[tuple[int, int]], gap: float) -> list[tuple[int, int]]:
    """Neighbours closer than `gap` become one."""
    joined: list[tuple[int, int]] = []
    for a, b in runs:
        if joined and a - joined[-1][1] < gap:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return joined
