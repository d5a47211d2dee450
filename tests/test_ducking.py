"""Music gives way to speech, not to loudness: spans known from the plan, and the levels that come of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import roughcut
from footage import make_analysis
from media import Sound, flat, write_media
from roughcut.effects.bed import AHEAD, HOLD, RELEASE, Bed, duck_curve
from roughcut.records.effect import ParameterError
from roughcut.records.effects import Music
from roughcut.rendering import render_plan
from roughcut.timeline.otio import read_otio, write_otio
from test_render import heard, plan_of, source_of

F = Fraction
RATE = 48_000


def test_the_gain_is_down_before_the_first_word_and_up_after_the_last() -> None:
    """Down over a quarter of a second, held over short pauses, slowly up; long pauses are filled with music."""
    times, gains = duck_curve([(F(2), F(3)), (F(4), F(5)), (F(9), F(10))], -12.0)

    def at(t: float) -> float:
        return float(np.interp(t, times, gains))

    assert at(2 - AHEAD) == 0
    assert [at(t) for t in (2.0, 2.5, 3.5, 4.5, 5 + HOLD)] == [-12.0] * 5
    assert at(5 + HOLD + RELEASE / 2) == pytest.approx(-6)
    assert at(7.5) == 0
    assert at(9.5) == -12
    assert at(30) == 0


def test_a_film_that_begins_with_words_begins_lowered() -> None:
    """No burst of music before a word in the first tenth of a second; no speech, no change."""
    times, gains = duck_curve([(F(1, 10), F(2))], -9.0)
    assert float(np.interp(0.0, times, gains)) == -9.0
    times, gains = duck_curve([], -9.0)
    assert float(np.interp(5.0, times, gains)) == 0.0


def test_blocks_do_not_change_the_bed() -> None:
    """The music's samples are the same however the film's sound is cut into blocks."""
    effect = Music(speech=((F(1), F(2)),), fade=F(0))
    tone = np.ones((1, 4 * RATE), np.float32)

    def made(size: int) -> np.ndarray:
        bed = Bed(effect, lambda first, n: tone[:, first : first + n], RATE, 4 * RATE)
        silence = np.zeros((1, 4 * RATE), np.float32)
        return np.concatenate([bed.under(silence[:, k : k + size]) for k in range(0, 4 * RATE, size)], 1)

    np.testing.assert_allclose(made(48_000), made(7_777), atol=1e-6)


def test_music_is_lowered_under_speech_and_not_under_noise(tmp_path: Path) -> None:
    """A quiet voice lowers it by 12 dB though the meter would not; a loud engine does not, though the meter would."""
    t = np.arange(12 * RATE) / RATE
    engine = np.where(t < 5, 0.3 * np.sin(2 * np.pi * 90 * t), 0)
    voice = np.where((t > 7) & (t < 10), 0.003 * np.sin(2 * np.pi * 300 * t), 0)
    sound = (engine + voice)[None].repeat(2, 0).astype(np.float32)
    song = (0.5 * np.sin(2 * np.pi * 2000 * t[: 3 * RATE]))[None].repeat(2, 0).astype(np.float32)
    film = write_media(tmp_path / "v.mp4", [flat(90)] * 300, sound=Sound(samples=sound))
    music = write_media(tmp_path / "song.mp4", [flat(0)] * 75, sound=Sound(samples=song))
    plan = plan_of([source_of(film)], [("s", F(0), F(12))])
    effect = Music(path=music, level=-6.0, duck=-12.0, speech=((F(7), F(10)),))
    plan = replace(plan, effects=(effect,), spec=replace(plan.spec, tags={}), loudness_target=None)
    made = heard(render_plan(plan, tmp_path / "cut.mp4").film)[0]

    def level(a: float, b: float) -> float:
        part = made[int(a * RATE) : int(b * RATE)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        near = slice(int(1990 * (b - a)), int(2010 * (b - a)) + 1)
        return float(20 * np.log10(spectrum[near].max() / len(part) * 4 + 1e-9))

    assert level(2, 4) == pytest.approx(20 * np.log10(0.5) - 6, abs=1.0)
    assert level(7.5, 9.5) - level(2, 4) == pytest.approx(-12, abs=0.5)


def test_speech_of_the_footage_becomes_that_of_the_film(tmp_path: Path) -> None:
    """What was cut out moves the spans; they ride in the timeline and come back."""
    music = write_media(tmp_path / "song.mp4", [flat(0)] * 25, sound=Sound(samples=np.full((2, RATE), 0.1, np.float32)))
    analysis = make_analysis([30], speech=[(3, 8), (15, 20)])
    plan = roughcut.plan(analysis, keep="speech", music=str(music))
    (effect,) = plan.effects
    assert isinstance(effect, Music)
    assert effect.speech is not None
    heard_for = sum(float(end - start) for start, end in effect.speech)
    assert heard_for == pytest.approx(10, abs=0.2)
    assert effect.speech[-1][1] <= plan.film_frames() / plan.spec.rate
    write_otio(plan, tmp_path / "cut.otio")
    assert read_otio(tmp_path / "cut.otio").effects == plan.effects


def test_spans_out_of_order_are_refused() -> None:
    """Spans that overlap, run backwards or begin before the film are named."""
    for spans in (((F(1), F(3)), (F(2), F(4))), ((F(3), F(1)),), ((F(-1), F(1)),)):
        with pytest.raises(ParameterError, match="speech"):
            Music(speech=spans)
