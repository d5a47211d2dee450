"""All sound tracks of the footage are in the film, each with its own rate, layout, name and samples."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import roughcut
from media import Sound, beeps, find_beeps, find_flashes, flat, luma_levels, write_media
from roughcut.demo.voice import ambience, sentence
from roughcut.errors import OptionError
from roughcut.media.audio import channels_of, read_sound
from roughcut.media.probe import probe
from roughcut.media.track import heard_track
from roughcut.planner.film import LAYOUTS, film_tracks
from roughcut.records import FilmSpec, TrackSpec
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.otio import read_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
RATE = Fraction(25)
TRACKS = (
    TrackSpec(rate=48_000, layout="stereo", language="eng", title="Talk"),
    TrackSpec(rate=44_100, layout="mono", language="deu"),
    TrackSpec(rate=48_000, layout="5.1", language="fra"),
    TrackSpec(rate=44_100, layout="stereo", title="Music and effects"),
)
TONES = (500, 900, 1400, 2300)


def toned(track: TrackSpec, hertz: int, seconds: int) -> Sound:
    """A burst of 0.2 s of one tone on every channel at every whole second."""
    mono = beeps(seconds, range(1, seconds), rate=track.rate, seconds=0.2, tone=hertz)[:1]
    samples = mono.repeat(channels_of(track.layout), 0)
    return Sound(
        samples=samples, rate=track.rate, codec="pcm_s16le", language=track.language, title=track.title
    )  # fmt: skip


def footage(path: Path, tracks: tuple[TrackSpec, ...] = TRACKS, seconds: int = 8) -> Path:
    """A white frame at every whole second, and on each track its tone from there on."""
    frames = (flat(235 if i % 25 == 0 and i else 30) for i in range(seconds * 25))
    sounds = [toned(t, hertz, seconds) for t, hertz in zip(tracks, TONES, strict=False)]
    return write_media(path, frames, rate=RATE, sound=sounds)


def plan_of(paths: list[Path], ranges: list[tuple[int, Fraction, Fraction]], **made: object) -> Plan:
    infos = [probe(p) for p in paths]
    sources = tuple(
        Source(id=f"s{i}", path=m.path, available=m.range, rate=m.video.rate, width=64, height=48, tracks=len(m.audio))
        for i, m in enumerate(infos)
    )
    clips = tuple(Clip(source=f"s{i}", range=TimeRange(a, b), decision=WHY) for i, a, b in ranges)
    spec = FilmSpec(width=64, height=48, rate=RATE, crf=10, tracks=film_tracks(infos))
    values = {"loudness_target": None} | made
    return Plan(sources=sources, clips=clips, joins=(Join(),) * (len(clips) + 1), spec=spec, **values)  # type: ignore[arg-type]


def each_its_own(layout: str, seconds: int = 3, rate: int = 48_000) -> np.ndarray:
    """[channels, n] a tone per channel, 300 Hz apart; the fourth of 5.1 and 7.1 is for low tones alone."""
    times = np.arange(seconds * rate) / rate
    hertz = [400 + 300 * c for c in range(channels_of(layout))]
    if len(hertz) in (6, 8):
        hertz[3] = 60
    return np.stack([0.2 * np.sin(2 * np.pi * h * times) for h in hertz]).astype(np.float32)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_keeps_its_channels_apart(tmp_path: Path, layout: str, ending: str) -> None:
    """Whatever the container, every channel keeps its own tone, and the layout its name (Opus has 5.1 for 5.0)."""
    sound = Sound(samples=each_its_own(layout), codec="pcm_s16le", layout=layout)
    path = write_media(tmp_path / "s.mov", [flat(9)] * 75, sound=sound)
    film = render_plan(plan_of([path], [(0, Fraction(1, 5), Fraction(14, 5))]), tmp_path / f"cut{ending}").film
    info = probe(film)
    assert info.audio[0].layout == ("5.1" if (layout, ending) == ("5.0", ".webm") else layout)
    samples = read_sound(info, TimeRange(Fraction(1, 2), Fraction(2)), 48_000, layout)
    heard = [loudest(channel, 48_000) for channel in samples]
    wanted = [loudest(channel, 48_000) for channel in sound.samples]
    np.testing.assert_allclose(heard, wanted, atol=2)


def loudest(samples: np.ndarray, rate: int) -> float:
    """The strongest frequency of [n] samples in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


CUTS = [(0, Fraction(k) + Fraction(6 + 3 * k % 14, 25), Fraction(k + 1) + Fraction(9 + k, 25)) for k in range(7)]


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_four_tracks_in_are_four_tracks_out(tmp_path: Path, ending: str) -> None:
    """Rate, layout, language and title survive; each track has its own tone alone, in time with the flashes."""
    path = footage(tmp_path / "four.mkv")
    film = render_plan(plan_of([path], CUTS), tmp_path / f"cut{ending}").film
    found = probe(film)
    assert [(a.rate, a.layout, a.language, a.title) for a in found.audio] == [
        (t.rate, t.layout, t.language, t.title) for t in TRACKS
    ]
    flashes = np.array(find_flashes([level for _, level in luma_levels(film)])) / 25
    assert len(flashes) >= 6
    for k, (track, hertz) in enumerate(zip(TRACKS, TONES, strict=True)):
        samples = read_sound(found, found.range, track.rate, track.layout, track=k)
        starts = np.array(find_beeps(samples, track.rate))
        assert len(starts) == len(flashes)
        assert np.abs(starts - flashes).max() < 0.005
        for start in starts:
            burst = samples[:, round((start + 0.03) * track.rate) :][:, : track.rate // 8]
            full_range = [c for c in range(len(burst)) if not (track.layout == "5.1" and c == 3)]
            assert [round(loudest(burst[c], track.rate), -2) for c in full_range] == [hertz] * len(full_range)


def test_a_source_with_fewer_tracks_is_silent_on_the_others(tmp_path: Path) -> None:
    """The film has as many tracks as the richest source; where a source has no such track there is silence."""
    rich, poor = footage(tmp_path / "rich.mov", TRACKS[:2]), footage(tmp_path / "poor.mov", TRACKS[:1])
    ranges = [(0, Fraction(1), Fraction(14, 5)), (1, Fraction(7, 5), Fraction(3))]
    film = render_plan(plan_of([rich, poor], ranges), tmp_path / "cut.mkv").film
    info = probe(film)
    first, second = (find_beeps(read_sound(info, info.range, 48_000, "stereo", track=k), 48_000) for k in (0, 1))
    np.testing.assert_allclose(first, [0, 1, 2.4], atol=0.005)
    np.testing.assert_allclose(second, [0, 1], atol=0.005)


def test_one_gain_for_all_tracks(tmp_path: Path) -> None:
    """Loudness is measured on the plan's track, and the balance between the tracks stays what it was."""
    quiet, loud = (toned(TRACKS[0], 500, 8) for _ in range(2))
    path = write_media(
        tmp_path / "two.mov", [flat(9)] * 200, rate=RATE,
        sound=[Sound(samples=quiet.samples / 8, codec="pcm_s16le"), Sound(samples=loud.samples / 4, codec="pcm_s16le")],
    )  # fmt: skip
    levels = []
    for track in (0, 1):
        plan = plan_of([path], [(0, Fraction(0), Fraction(8))], loudness_target=-20.0, track=track)
        info = probe(render_plan(plan, tmp_path / f"cut{track}.mkv").film)
        levels.append([np.abs(read_sound(info, info.range, 48_000, "stereo", track=k)).max() for k in (0, 1)])
    for first, second in levels:
        assert second / first == pytest.approx(2, rel=0.05)
    assert levels[0][0] / levels[1][0] == pytest.approx(2, rel=0.05)


def test_a_mixed_layout_is_named_and_the_default_flag_kept(tmp_path: Path) -> None:
    """A layout that not all containers know is mixed to stereo, which is said; the second track stays the default."""
    sounds = [
        Sound(samples=each_its_own("4.0", 2), codec="pcm_s16le", layout="4.0"),
        Sound(samples=each_its_own("stereo", 2), codec="pcm_s16le"),
    ]
    path = write_media(tmp_path / "s.mov", [flat(9)] * 50, sound=sounds)
    plan = plan_of([path], [(0, Fraction(0), Fraction(1))])
    first, second = plan.spec.tracks
    flagged = (replace(first, default=False), replace(second, default=True))
    result = render_plan(replace(plan, spec=replace(plan.spec, tracks=flagged)), tmp_path / "cut.mkv")
    assert tuple(r for r in result.remarks if "anew" not in r) == ("s.mov: sound track 1 (4.0) is mixed to stereo",)
    assert [a.default for a in result.proof.media.audio] == [False, True]
    fewer = render_plan(replace(plan, spec=replace(plan.spec, tracks=(second,))), tmp_path / "one.mkv")
    assert "s.mov: the film has 1 of its 2 sound tracks" in fewer.remarks


def test_no_sound_is_no_track(tmp_path: Path) -> None:
    """Footage without sound makes a film without a sound track."""
    path = write_media(tmp_path / "mute.mp4", [flat(9)] * 50)
    result = render_plan(plan_of([path], [(0, Fraction(0), Fraction(1))]), tmp_path / "cut.mp4")
    assert result.proof.media.audio == ()


SAID = ((1.0, 2.5), (6.0, 2.5))
"""Start and length of the sentences on the second track of `spoken`, seconds."""


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 s: quiet air on the English track, two sentences on the German one, flagged as neither's default."""
    random = np.random.default_rng(4)
    air, words = (ambience(10 * 48_000, random) for _ in range(2))
    for start, length in SAID:
        said = sentence(length, random)
        words[round(start * 48_000) :][: len(said)] += said
    tracks = [
        Sound(samples=np.stack([samples] * 2).astype(np.float32), language=language)
        for samples, language in ((air, "eng"), (words, "ger"))
    ]
    path = tmp_path_factory.mktemp("spoken") / "spoken.mkv"
    return write_media(path, (flat(40 + n % 100) for n in range(250)), rate=RATE, sound=tracks)


def test_the_chosen_track_is_what_decisions_listen_to(spoken: Path) -> None:
    """Speech is found on the track that has it and on no other, the cache keeps them apart, and the default is kept."""
    found = [roughcut.analyze(spoken, track=wish) for wish in (None, "1", 2, "ger", "deu")]
    assert [a.track for a in found] == [0, 0, 1, 1, 1]
    assert [bool(a.timing.speech) for a in found] == [False, False, True, True, True]
    said = found[2].timing.speech
    for start, length in SAID:
        middle = Fraction(start + length / 2)
        assert any(s.range.start <= middle < s.range.end for s in said)


def test_the_plan_and_the_report_say_the_track(spoken: Path, tmp_path: Path) -> None:
    """What was listened to stands in the plan, its file and the notes; the film has both tracks all the same."""
    result = roughcut.edit(spoken, tmp_path / "cut.mp4", track="deu", keep="speech")
    assert result.plan.track == 1
    assert read_otio(tmp_path / "cut.otio") == result.plan
    assert "decisions and loudness go by sound track 2 of 2 (deu); all are kept" in result.plan.notes
    assert [a.language for a in result.proof.media.audio] == ["eng", "deu"]
    assert float(result.plan.duration) < 8


def test_a_track_that_is_not_there(spoken: Path) -> None:
    """The error lists those that are."""
    for wish in ("3", "0", "fra"):
        with pytest.raises(OptionError, match=r"no such sound track .*; allowed: 1 \(eng, stereo\), 2 \(deu, stereo\)"):
            heard_track(probe(spoken), wish)


def test_the_default_track_is_the_flagged_one(spoken: Path) -> None:
    """Without a wish the stream flagged default is heard; a file without sound has nothing to choose from."""
    info = probe(spoken)
    first, second = info.audio
    flagged = replace(info, audio=(replace(first, default=False), replace(second, default=True)))
    unflagged = replace(info, audio=tuple(replace(a, default=False) for a in info.audio))
    assert [heard_track(i, None) for i in (flagged, unflagged, replace(info, audio=()))] == [1, 0, 0]


def test_kept_tracks_are_not_listed_as_lost(spoken: Path) -> None:
    """Sound tracks are none of the streams that the film lacks."""
    assert probe(spoken).others == ()
