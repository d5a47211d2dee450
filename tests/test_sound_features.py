"""Sound rows, speech probabilities, speech stretches and the loudness curve."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.features.sound import BANDS, QUIET, SoundFeatures, SoundRows, mel_filters
from roughcut.records import Features, FrameTimes
from roughcut.temporal.speech import SPEECH_STEP, SpeechRules, find_speech, loudness_curve, speech_ranges

RATE = 16_000


def rows_of(*chunks: np.ndarray) -> SoundRows:
    features = SoundFeatures()
    for chunk in chunks:
        features.push(chunk)
    return features.finish()


def tone(seconds: float, frequency: float = 1000.0, level: float = 0.5) -> np.ndarray:
    at = np.arange(int(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * frequency * at)).astype(np.float32)


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 90_000), max_size=6), length=st.integers(80_000, 90_000))
def test_chunks_change_nothing(cuts: list[int], length: int) -> None:
    """Any cutting of the sound gives bit-equal rows and probabilities."""
    sound = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    whole = rows_of(sound)
    parts = rows_of(*np.split(sound, sorted(min(c, length) for c in cuts)))
    np.testing.assert_array_equal(whole.sound, parts.sound)
    np.testing.assert_array_equal(whole.speech, parts.speech)


def test_tone_has_its_level_and_band() -> None:
    """A sine of amplitude 1/2 reads -9.03 dBFS, its power lies in the band around its frequency, and it is steady."""
    rows = rows_of(tone(2.0)).sound
    assert rows.shape == (20, BANDS + 2)
    np.testing.assert_allclose(rows[:, BANDS], 10 * np.log10(0.5**2 / 2), atol=0.01)
    centre = int(np.argmax(mel_filters()[1000 * 512 // RATE]))
    assert (np.argmax(rows[2:-2, :BANDS], axis=1) == centre).all()
    assert rows[2:-2, BANDS + 1].max() < 0.01


def test_onset_shows_in_the_flux() -> None:
    """The row in which a tone begins after silence has by far the largest flux; silence reads the floor."""
    rows = rows_of(np.zeros(RATE, np.float32), tone(1.0)).sound
    assert int(np.argmax(rows[:, BANDS + 1])) in (9, 10)
    assert (rows[:9, BANDS] == QUIET).all()


def test_partly_filled_ends() -> None:
    """A last row or window that is partly filled counts; its loudness is that of the samples there are."""
    rows = rows_of(tone(0.25))
    assert len(rows.sound) == 3
    assert len(rows.speech) == -(-4000 // 512)
    assert rows.sound[2, BANDS] == pytest.approx(10 * np.log10(0.125), abs=0.1)


def test_no_sound() -> None:
    """Without a sample there is no row and no probability."""
    rows = rows_of()
    assert rows.sound.shape == (0, BANDS + 2)
    assert rows.speech.shape == (0,)


def test_hysteresis() -> None:
    """A stretch needs one window above `on`, lasts while above `off`, and joins over short gaps only."""
    low, high, off = 0.3, 0.9, 0.0
    p = np.array(
        [low] * 5 + [off] * 20 + [low, high, low, low] + [off] * 3 + [high] * 6 + [off] * 10 + [high], np.float32
    )
    found = speech_ranges(p, Fraction(2))
    assert [(s.range.start, s.range.end) for s in found] == [(2 + 25 * SPEECH_STEP, 2 + 38 * SPEECH_STEP)]


@given(p=st.lists(st.floats(0, 1, width=32), max_size=80))
def test_stretches_are_apart_and_long(p: list[float]) -> None:
    """Stretches are in order, at least `shortest` long and at least `gap` apart, whatever the probabilities."""
    rules = SpeechRules()
    found = speech_ranges(np.array(p, np.float32), Fraction(0), rules)
    assert all(s.range.duration >= rules.shortest and 0 <= s.probability <= 1 for s in found)
    assert all(b.range.start - a.range.end >= rules.gap for a, b in pairwise(found))


def features_with(rows: SoundRows) -> Features:
    return Features(
        times=FrameTimes(pts=np.array([50, 51]), end_pts=52, time_base=Fraction(1, 25)),
        frame_stats=np.zeros((2, 4), np.float32),
        picture_frames=np.zeros(0, np.int64),
        embeddings=np.zeros((0, 4), np.float32),
        pictures=np.zeros((0, 36, 64, 3), np.uint8),
        sound=rows.sound,
        speech=rows.speech,
    )


def test_loudness_curve_is_momentary() -> None:
    """The curve starts with the film, is 10 Hz, and is the mean power of 400 ms."""
    curve = loudness_curve(features_with(rows_of(tone(1.0), np.zeros(RATE, np.float32))))
    assert (curve.start, curve.step, len(curve.values)) == (2, Fraction(1, 10), 20)
    assert curve.values[5] == pytest.approx(-9.03, abs=0.01)
    assert curve.values[10] == pytest.approx(-9.03 + 10 * np.log10(0.5), abs=0.01)
    assert curve.values[15] == QUIET


def test_silent_film_has_neither() -> None:
    """Without sound there is no speech and the loudness curve is empty."""
    features = features_with(rows_of())
    assert find_speech(features) == ()
    assert len(loudness_curve(features).values) == 0


def test_noise_is_not_speech() -> None:
    """White noise and a steady tone hold no speech."""
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    assert find_speech(features_with(rows_of(noise, tone(2.0)))) == ()
