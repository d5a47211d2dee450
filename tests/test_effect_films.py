"""Plans with effects rendered to real films: times, sound at another speed, music, shape, what is copied and proved."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from media import Sound, find_beeps, find_flashes, flash_and_beep, flat, luma_levels, ramp_film, ramp_value, write_media
from roughcut.errors import InputError, PlanError
from roughcut.media.audio import read_sound
from roughcut.media.probe import probe
from roughcut.media.retime import placed
from roughcut.records import FilmSpec
from roughcut.records.effect import Effect
from roughcut.records.effects import (
    Caption,
    Captions,
    Freeze,
    Grain,
    Inset,
    Letterbox,
    Logo,
    Music,
    PunchIn,
    PushIn,
    Reframe,
    Speed,
    Title,
    Vignette,
)
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.otio import read_otio, write_otio
from roughcut.timeline.plan import Clip, Join, Plan
from roughcut.timeline.warp import Warp, warp_of
from test_render import WHY, heard, plan_of, source_of

F = Fraction


def with_effects(plan: Plan, *effects: Effect, clip: int = 0) -> Plan:
    clips = list(plan.clips)
    clips[clip] = replace(clips[clip], effects=effects)
    return plan.with_clips(tuple(clips))


@pytest.fixture(scope="module")
def flashes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flash_and_beep(tmp_path_factory.mktemp("media") / "flash.mp4", seconds=16)


@pytest.mark.parametrize("speed", [Speed(rate=F(2)), Speed(rate=F(1, 2)), Speed(rate=F(1), to=F(3))], ids=str)
def test_flash_and_beep_stay_together_at_any_speed(flashes: Path, tmp_path: Path, speed: Speed) -> None:
    """Frames and samples are counted exactly, and every flash of the source is seen and heard when the mapping says."""
    plan = with_effects(plan_of([source_of(flashes)], [("s", F(1, 5), F(21, 5)), ("s", F(12), F(13))]), speed)
    result = render_plan(plan, tmp_path / "cut.mp4")
    warp = warp_of(plan.clips[0])
    assert warp is not None
    seen = np.array(find_flashes([level for _, level in luma_levels(result.film)])) / 25
    beeps = np.array(find_beeps(heard(result.film), 48_000))
    wanted = [t for k in range(1, 14) if 0 < (t := float(warp.film(F(k) - F(1, 5)))) < 3.96]
    inside = seen[seen < 3.9]
    assert len(luma_levels(result.film)) == 125
    starts = [s for k, s in enumerate(inside) if k == 0 or s - inside[k - 1] > 0.1]
    assert len(starts) >= len(wanted) // 2  # at twice the speed every second picture is seen
    assert max(min(abs(s - t) for t in wanted) for s in starts) <= 0.045
    assert max(min(abs(b - t) for b in beeps) for t in wanted) <= 0.045
    assert result.proof.problems == ()
    assert any("another speed" in j.note for j in result.proof.joins)


def test_voices_keep_their_pitch(tmp_path: Path) -> None:
    """A tone of 440 Hz at double speed is one of 440 Hz, as loud, without breaks; 4 s give exactly 96000 samples."""
    t = np.arange(10 * 48_000) / 48_000
    tone = (0.3 * np.sin(2 * np.pi * 440 * t))[None].repeat(2, 0).astype(np.float32)
    path = write_media(tmp_path / "tone.mp4", [flat(90)] * 250, sound=Sound(samples=tone))
    plan = with_effects(plan_of([source_of(path)], [("s", F(1), F(3))]), Speed(rate=F(2)))
    film = render_plan(plan, tmp_path / "cut.mp4").film
    made = read_sound(probe(film), TimeRange(F(0), F(2)), 48_000, "stereo")
    assert made.shape[1] == 96_000
    inner = made[0, 9_600:-9_600]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner))))
    assert abs(spectrum.argmax() * 48_000 / len(inner) - 440) < 2
    levels = np.sqrt((inner[: len(inner) // 480 * 480].reshape(-1, 480) ** 2).mean(1))
    assert levels.min() > 0.8 * levels.max()


def test_speed_one_leaves_the_sound_as_it_is() -> None:
    """At the very speed of its source the stretcher gives the samples themselves."""
    from roughcut.effects.stretch import Stretcher

    noise = np.random.default_rng(1).normal(0, 0.2, (1, 60_000)).astype(np.float32)

    def read(first: int, count: int) -> np.ndarray:
        out = np.zeros((1, count), np.float32)
        a, b = max(first, 0), min(first + count, 60_000)
        out[:, a - first : b - first] = noise[:, a:b]
        return out

    stretcher = Stretcher(read, lambda t: t, 48_000)
    made = np.concatenate([stretcher.read(k, 700) for k in range(0, 42_000, 700)], 1)
    np.testing.assert_allclose(made, noise[:, :42_000], atol=1e-5)


def test_a_warp_and_its_inverse() -> None:
    """What is seen at film time t is found there again, also while the speed changes, and beyond both ends."""
    for warp in (Warp(F(1, 2), F(3), F(4)), Warp(F(3), F(1, 4), F(5)), Warp(F(2), F(2), F(1))):
        for t in (F(-1, 3), F(0), F(1, 7), F(1), F(39, 10), warp.length, warp.length + 1):
            assert float(warp.film(warp.source(t))) == pytest.approx(float(t), abs=2e-6)
        times = [warp.source(F(k, 50)) for k in range(-10, 300)]
        assert times == sorted(times)


@pytest.mark.parametrize("sound", ["off", "on"])
def test_a_frozen_clip_stands_still(tmp_path: Path, sound: str) -> None:
    """Its first picture, as long as the clip; its sound is silent or goes on; captions of that instant stay."""
    path = ramp_film(tmp_path / "ramp.mp4", [F(k, 25) for k in range(150)])
    tone = write_media(
        tmp_path / "t.mp4", [flat(90)] * 150, sound=Sound(samples=np.full((2, 288_000), 0.2, np.float32))
    )
    plan = with_effects(plan_of([source_of(path)], [("s", F(2), F(3)), ("s", F(4), F(5))]), Freeze(sound=sound))
    plan = replace(plan, spec=replace(plan.spec, tracks=()))
    levels = [level for _, level in luma_levels(render_plan(plan, tmp_path / "cut.mp4").film)]
    assert len(levels) == 50
    assert np.ptp(levels[:25]) < 1
    assert levels[0] == pytest.approx(ramp_value(F(2)), abs=3)
    assert levels[30] == pytest.approx(ramp_value(F(4) + F(5, 25)), abs=3)
    loud = with_effects(plan_of([source_of(tone)], [("s", F(1), F(2))]), Freeze(sound=sound))
    made = heard(render_plan(loud, tmp_path / "loud.mp4").film)[0, 4_800:43_200]
    assert (np.abs(made).mean() > 0.02) == (sound == "on")
    assert placed(plan)[0].film_end(F(2) + F(1, 50)) == 1


def test_smart_render_copies_around_captions(tmp_path: Path) -> None:
    """Pictures without words are the source's own packets; those with words are not."""
    path = write_media(tmp_path / "a.mp4", (flat(60 + k % 100) for k in range(250)), options={"g": "25", "crf": "20"})
    plan = plan_of([source_of(path)], [("s", F(0), F(10))])
    cues = (Caption(start=F(4), end=F(5), text="Hi"),)
    spec = replace(plan.spec, tracks=(), colour=probe(path).video.colour)
    plan = replace(plan, effects=(Captions(cues=cues),), spec=spec)
    result = render_plan(plan, tmp_path / "cut.mp4")
    assert 175 <= result.copied < 250, result.remarks
    assert result.proof.problems == ()


def test_the_proof_sees_through_effects(tmp_path: Path) -> None:
    """With all that moves or covers the picture, the right frames are found, and a film of wrong ones is refused."""
    from roughcut.proving import verified

    path = moving(tmp_path / "m.mp4")
    effects = (PushIn(amount=0.2), Vignette(amount=0.5), Grain(amount=0.05))
    plan = plan_of([source_of(path)], [("s", F(1), F(2)), ("s", F(3), F(4))])
    plan = with_effects(plan, *effects)
    plan = with_effects(plan, PunchIn(amount=0.2), clip=1)
    plan = replace(plan, spec=replace(plan.spec, tracks=()), effects=(Title(duration=F(1), start=F(0)),))
    result = render_plan(plan, tmp_path / "cut.mp4")
    assert {m.likeness for s in result.proof.segments for _, m in s.frames()} == {"matches"}
    barred = render_plan(replace(plan, effects=(Letterbox(),)), tmp_path / "barred.mp4")
    assert {m.likeness for s in barred.proof.segments for _, m in s.frames()} == {"matches"}
    late = replace(plan.clips[1], range=plan.clips[1].range.shift(F(3, 25)))
    wrong = verified(result.film, plan.with_clips((plan.clips[0], late)))
    assert any("clip 2" in p and "source" in p for p in wrong.problems), [
        (m.likeness, m.correlation, m.shift) for s in wrong.segments for _, m in s.frames()
    ]


def moving(path: Path, size: tuple[int, int] = (160, 90), frames: int = 150) -> Path:
    """A textured field that moves by 2 pixels a frame."""
    field = np.random.default_rng(2).integers(0, 255, (size[1] // 6 + 1, size[0] * 4 // 6, 3)).repeat(6, 0).repeat(6, 1)
    return write_media(path, (field[: size[1], 2 * k : 2 * k + size[0]].astype(np.uint8) for k in range(frames)))


def test_reframed_films_have_their_shape_and_follow_the_path(tmp_path: Path) -> None:
    """A tall film of wide footage is filled, shows the place that the path names, and is proved."""
    path = moving(tmp_path / "m.mp4")
    plan = plan_of([source_of(path)], [("s", F(1), F(2))])
    effect = Reframe(times=(F(1), F(2)), points=((0.2, 0.5), (0.2, 0.5)))
    plan = replace(with_effects(plan, effect), spec=FilmSpec(width=50, height=90, rate=F(25), crf=10, tracks=()))
    result = render_plan(plan, tmp_path / "cut.mp4")
    assert (result.proof.media.video.width, result.proof.media.video.height) == (50, 90)
    assert {m.likeness for s in result.proof.segments for _, m in s.frames()} == {"matches"}


def test_music_lies_under_the_film_and_gives_way(tmp_path: Path) -> None:
    """Where the film is silent the music is heard at its level, where it speaks 12 dB lower; both ends fade."""
    t = np.arange(12 * 48_000) / 48_000
    voice = np.where((t > 4) & (t < 8), 0.3 * np.sin(2 * np.pi * 300 * t), 0)[None].repeat(2, 0).astype(np.float32)
    song = (0.5 * np.sin(2 * np.pi * 2000 * t[: 3 * 48_000]))[None].repeat(2, 0).astype(np.float32)
    film = write_media(tmp_path / "v.mp4", [flat(90)] * 300, sound=Sound(samples=voice))
    music = write_media(tmp_path / "song.mp4", [flat(0)] * 75, sound=Sound(samples=song))
    plan = plan_of([source_of(film)], [("s", F(0), F(12))])
    plan = replace(plan, effects=(Music(path=music, level=-6.0, duck=-12.0),))
    made = heard(render_plan(plan, tmp_path / "cut.mp4").film)[0]

    def level(a: float, b: float) -> float:
        part = made[int(a * 48_000) : int(b * 48_000)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        near = slice(int(1990 * (b - a)), int(2010 * (b - a)) + 1)
        return float(20 * np.log10(spectrum[near].max() / len(part) * 4 + 1e-9))

    assert level(2.0, 2.9) == pytest.approx(20 * np.log10(0.5) - 6, abs=1.0)
    assert level(5, 7) - level(2.0, 2.9) == pytest.approx(-12, abs=1.0)
    assert np.abs(made[:480]).max() < 0.01
    assert np.abs(made[-480:]).max() < 0.01


def test_music_that_is_none(tmp_path: Path) -> None:
    """A missing file and one without sound are named before anything is rendered."""
    silent = write_media(tmp_path / "v.mp4", [flat(90)] * 30)
    plan = plan_of([source_of(silent)], [("s", F(0), F(1))])
    for path, words in ((tmp_path / "no.mp3", "no such file"), (silent, "the music holds no sound")):
        with pytest.raises(InputError, match=words):
            render_plan(replace(plan, effects=(Music(path=path),)), tmp_path / "cut.mp4")
    assert not (tmp_path / "cut.mp4").exists()


def test_another_source_in_a_corner(tmp_path: Path) -> None:
    """The corner shows the other source while the inset lasts, the rest is the film's own."""
    dark, light = (write_media(tmp_path / f"{v}.mp4", [flat(v, (160, 90))] * 75) for v in (40, 200))
    plan = plan_of([source_of(dark, "a"), source_of(light, "b")], [("a", F(0), F(2))])
    plan = replace(plan, effects=(Inset(source="b", start=F(1, 2), duration=F(1)),), spec=replace(plan.spec, tracks=()))
    film = render_plan(plan, tmp_path / "cut.mp4").film
    from roughcut.media.rgb import read_rgb

    pictures = list(read_rgb(probe(film), 160, 90))
    assert pictures[5][78, 140].mean() < 60
    assert pictures[20][78, 140].mean() > 180
    assert pictures[20][20, 20].mean() < 60
    assert pictures[45][78, 140].mean() < 60


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Title(duration=F(5)), r"effects\[0\].duration: an effect is longer than the film"),
        (Inset(duration=F(9)), r"effects\[0\].duration: an effect is longer than the film"),
        (Inset(source="q", duration=F(1)), r"effects\[0\].source: unknown source \(got q\); allowed: s"),
        (Logo(path=Path("/nowhere/logo.png")), "no such logo"),
    ],
)
def test_effects_that_cannot_be(tmp_path: Path, effect: Effect, words: str) -> None:
    """Longer than the film, of a source that is not there, of a file that is not there: one line, and no film."""
    path = write_media(tmp_path / "v.mp4", [flat(90)] * 50)
    plan = replace(plan_of([source_of(path)], [("s", F(0), F(2))]), effects=(effect,))
    with pytest.raises((PlanError, InputError), match=words):
        render_plan(plan, tmp_path / "cut.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]


def test_all_of_it_rides_in_the_timeline(tmp_path: Path) -> None:
    """Effects of clips and film, joins with their parameters and speeds come back from the file as they went."""
    path = write_media(tmp_path / "v.mp4", [flat(90)] * 250)
    plan = plan_of([source_of(path)], [("s", F(1), F(2)), ("s", F(3), F(4)), ("s", F(5), F(6)), ("s", F(7), F(8))])
    plan = with_effects(plan, Speed(rate=F(1), to=F(3)), PushIn(amount=0.1))
    plan = with_effects(plan, Freeze(), clip=1)
    joins = (
        Join(kind="fade", duration=F(1, 5), colour="white"),
        Join(kind="wipe", direction="up", softness=0.3, duration=F(1, 5)),
        Join(kind="fade", duration=F(2, 5), colour="white"),
        Join(kind="whip", direction="right", duration=F(1, 5)),
        Join(),
    )  # fmt: skip
    cues = (Caption(start=F(1, 3), end=F(1), text="Hi\nthere"),)
    plan = replace(plan, joins=joins, effects=(Grain(seed=4), Captions(cues=cues), Logo(path=tmp_path / "x.png")))
    write_otio(plan, tmp_path / "cut.otio")
    assert read_otio(tmp_path / "cut.otio") == plan


def test_clips_keep_their_speed_beside_other_effects() -> None:
    """A speed of exactly 1 is none, and the first effect of time counts."""
    span = TimeRange(F(0), F(2))
    assert warp_of(Clip(source="s", range=span, decision=WHY, effects=(Speed(),))) is None
    both = Clip(source="s", range=span, decision=WHY, effects=(Freeze(), Speed(rate=F(2))))
    assert warp_of(both) == Warp(F(0), F(0), F(2))
