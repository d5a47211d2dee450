"""Plans rendered to real films and measured from the written files: sync, counts, content, blends, sound."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from media import (
    Sound,
    find_beeps,
    find_flashes,
    flash_and_beep,
    flat,
    luma_levels,
    ramp_film,
    ramp_value,
    write_media,
)
from roughcut.errors import OutputError, PlanError
from roughcut.media.audio import read_sound
from roughcut.media.probe import probe
from roughcut.records import ColourTags, FilmSpec, Look, LookControls
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
RATE = Fraction(25)


def source_of(path: Path, name: str = "s") -> Source:
    info = probe(path)
    return Source(
        id=name, path=path, available=info.range, rate=info.video.rate, width=info.video.width,
        height=info.video.height, tracks=len(info.audio),
    )  # fmt: skip


def plan_of(
    sources: list[Source], ranges: list[tuple[str, Fraction, Fraction]], joins: list[Join] | None = None, **made: object
) -> Plan:
    first = sources[0]
    spec = made.pop("spec", None) or FilmSpec(width=first.width, height=first.height, rate=RATE, crf=10)
    clips = tuple(Clip(source=s, range=TimeRange(a, b), decision=WHY) for s, a, b in ranges)
    return Plan(
        sources=tuple(sources), clips=clips, joins=tuple(joins or [Join()] * (len(clips) + 1)), spec=spec,
        loudness_target=None, **made,
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture(scope="module")
def flash_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flash_and_beep(tmp_path_factory.mktemp("media") / "flash.mp4", seconds=30)


def heard(path: Path) -> np.ndarray:
    info = probe(path)
    return read_sound(info, info.range, 48_000, "stereo")


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_every_flash_keeps_its_beep(flash_film: Path, tmp_path: Path, ending: str) -> None:
    """After 24 cuts, each kept flash and its beep lie within one frame, and every count is exact."""
    starts = [Fraction(k) + Fraction(13 * k % 20, 25) for k in range(24)]
    ranges = [("s", a, Fraction(k + 1) + Fraction(7 + k % 9, 25)) for k, a in enumerate(starts)]
    plan = plan_of([source_of(flash_film)], ranges)
    result = render_plan(plan, tmp_path / f"cut{ending}")
    levels = [level for _, level in luma_levels(result.film)]
    flashes = np.array(find_flashes(levels)) / 25
    beeps = np.array(find_beeps(heard(result.film), 48_000))
    inside = [
        edge + (Fraction(t) - a)
        for edge, (_, a, b) in zip(plan.edges(), ranges, strict=False)
        for t in range(1, 30)
        if a <= t and t + Fraction(1, 25) <= b
    ]
    assert len(levels) == plan.film_frames()
    np.testing.assert_allclose(flashes, [float(t) for t in inside], atol=1e-9)
    assert len(beeps) == len(flashes)
    assert np.abs(beeps - flashes).max() <= 1 / 25
    assert np.abs(beeps - flashes).max() < 0.005
    assert result.proof.problems == ()


def test_late_sound_is_in_sync_after_the_edit(tmp_path: Path) -> None:
    """A source whose sound begins 0.5 s late is still in sync in the film."""
    path = flash_and_beep(tmp_path / "late.mp4", seconds=6, late=Fraction(1, 2))
    plan = plan_of([source_of(path)], [("s", Fraction(1, 5), Fraction(9, 5)), ("s", Fraction(13, 5), Fraction(24, 5))])
    film = render_plan(plan, tmp_path / "cut.mp4").film
    flashes = np.array(find_flashes([level for _, level in luma_levels(film)])) / 25
    assert np.abs(np.array(find_beeps(heard(film), 48_000)) - flashes).max() < 0.005


def test_variable_rate_becomes_constant_in_time(tmp_path: Path) -> None:
    """A film of 30, 10 and 60 frames/s renders at 30 with content time within one source frame everywhere."""
    steps = [Fraction(1, 30)] * 60 + [Fraction(1, 10)] * 20 + [Fraction(1, 60)] * 120
    times = list(np.cumsum([0, *steps[:-1]]))
    path = ramp_film(tmp_path / "vfr.mp4", times)
    spec = FilmSpec(width=64, height=48, rate=Fraction(30), tracks=(), crf=10)
    ranges = [("s", Fraction(1, 2), Fraction(3)), ("s", Fraction(7, 2), Fraction(11, 2))]
    plan = plan_of([source_of(path)], ranges, spec=spec)
    levels = luma_levels(render_plan(plan, tmp_path / "cut.mp4").film)
    edges = plan.frame_edges()
    for i, (_, a, _) in enumerate(ranges):
        for n in range(edges[i], edges[i + 1]):
            middle = a + (n - edges[i] + Fraction(1, 2)) / 30
            shown = max(t for t in times if t <= middle + Fraction(1, 1000))
            assert abs(levels[n][1] - ramp_value(shown)) < 3
    assert [t for t, _ in levels] == [Fraction(n, 30) for n in range(len(levels))]


def test_a_dissolve_mixes_and_keeps_the_length(tmp_path: Path) -> None:
    """Halfway through a dissolve of flat colours lies their mean; before and after, each is pure."""
    dark, light = (write_media(tmp_path / f"{v}.mp4", [flat(v)] * 75) for v in (40, 200))
    ranges = [("a", Fraction(1), Fraction(2)), ("b", Fraction(1), Fraction(2))]
    joins = [Join(), Join(kind="dissolve", duration=Fraction(2, 5)), Join()]
    plan = plan_of([source_of(dark, "a"), source_of(light, "b")], ranges, joins)
    levels = [level for _, level in luma_levels(render_plan(plan, tmp_path / "cut.mp4").film)]
    assert len(levels) == 50
    np.testing.assert_allclose(levels[:20], 40, atol=2)
    np.testing.assert_allclose(levels[30:], 200, atol=2)
    np.testing.assert_allclose(levels[20:30], 40 + 160 * np.arange(1, 11) / 11, atol=3)


def test_fades_reach_black(tmp_path: Path) -> None:
    """The first and last frame of a faded film are black, the middle is whole, and the sound fades too."""
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(4 * 48_000) / 48_000)[None].repeat(2, 0)
    path = write_media(tmp_path / "a.mp4", [flat(150)] * 100, sound=Sound(samples=tone))
    joins = [Join(kind="fade", duration=Fraction(2, 5)), Join(kind="fade", duration=Fraction(4, 5))]
    plan = plan_of([source_of(path)], [("s", Fraction(1, 2), Fraction(3))], joins)
    film = render_plan(plan, tmp_path / "cut.mp4").film
    levels = [level for _, level in luma_levels(film)]
    assert levels[0] < 3
    assert levels[-1] < 3
    np.testing.assert_allclose(levels[10:40], 150, atol=2)
    sound = np.abs(heard(film))
    assert sound[:, :480].max() < 0.03
    assert sound[:, -480:].max() < 0.03
    assert sound[:, 48_000:60_000].max() > 0.45


def test_joins_do_not_click(tmp_path: Path) -> None:
    """Cutting a pure tone at arbitrary phases leaves nothing above -60 dB of it away from its frequency."""
    tone = 0.5 * np.sin(2 * np.pi * 500 * np.arange(10 * 48_000) / 48_000)[None].repeat(2, 0)
    path = write_media(tmp_path / "tone.mov", [flat(9)] * 250, sound=Sound(samples=tone, codec="pcm_s16le"))
    ranges = [("s", Fraction(k) + Fraction(k * k % 7, 25), Fraction(k) + Fraction(15, 25)) for k in range(9)]
    plan = plan_of([source_of(path)], ranges)
    sound = heard(render_plan(plan, tmp_path / "cut.mkv").film)[0].astype(float)
    for edge in plan.frame_edges()[1:-1]:
        at = edge * 1920
        spectrum = np.abs(np.fft.rfft(sound[at - 2048 : at + 2048] * np.hanning(4096)))
        far = np.fft.rfftfreq(4096, 1 / 48_000) > 2500
        assert spectrum[far].max() < spectrum.max() * 1e-3


def test_an_unbroken_join_is_seamless(tmp_path: Path) -> None:
    """Where a clip goes on with the same source, the sound is the source's own, sample for sample of the encoder."""
    tone = 0.4 * np.sin(2 * np.pi * 300 * np.arange(4 * 44_100) / 44_100)[None].repeat(2, 0)
    path = write_media(tmp_path / "t.mov", [flat(9)] * 100, sound=Sound(samples=tone, rate=44_100, codec="pcm_s16le"))
    edges = [Fraction(k, 5) for k in range(0, 16)]
    whole = plan_of([source_of(path)], [("s", Fraction(0), Fraction(3))])
    parts = plan_of([source_of(path)], [("s", a, b) for a, b in pairwise(edges)])
    one = heard(render_plan(whole, tmp_path / "one.mkv").film)
    many = heard(render_plan(parts, tmp_path / "many.mkv").film)
    assert np.abs(one - many).max() < 1e-3


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("full", [False, True])
def test_colour_survives_a_plain_edit(tmp_path: Path, matrix: str, full: bool) -> None:
    """Patches and tags come through an edit without effects."""
    patches = [(200, 40, 40), (40, 180, 60), (30, 60, 200), (128, 128, 128), (240, 240, 240), (16, 16, 16)]
    picture = np.concatenate([flat(p, (32, 64)) for p in patches], axis=1)
    colour = ColourTags(matrix=matrix, primaries="bt709", transfer="bt709", full_range=full)
    path = write_media(tmp_path / "c.mp4", [picture] * 50, colour=colour, options={"crf": "4"})
    spec = FilmSpec(width=192, height=64, rate=RATE, colour=colour, tracks=(), crf=4)
    plan = plan_of([source_of(path)], [("s", Fraction(0), Fraction(1))], spec=spec)
    found = probe(render_plan(plan, tmp_path / "cut.mp4").film).video
    assert (found.colour.matrix, found.colour.full_range) == (matrix, full)
    from roughcut.media.decode import still

    seen = still(tmp_path / "cut.mp4", Fraction(1, 2), 192)
    assert np.abs(seen[32, 16::32].astype(int) - np.array(patches)).max() <= 4


def test_a_look_changes_its_clip_alone(tmp_path: Path) -> None:
    """One stop of exposure brightens the clip that has it; the other keeps its level."""
    path = write_media(tmp_path / "a.mp4", [flat(90)] * 75)
    plan = plan_of([source_of(path)], [("s", Fraction(0), Fraction(1)), ("s", Fraction(2), Fraction(3))])
    bright = Look(controls=LookControls(exposure=1.0))
    clips = (plan.clips[0], Clip(**{**vars(plan.clips[1]), "look": bright}))
    levels = [level for _, level in luma_levels(render_plan(plan.with_clips(clips), tmp_path / "cut.mp4").film)]
    np.testing.assert_allclose(levels[:25], 90, atol=2)
    assert min(levels[25:]) > 110


def test_sizes_and_rates_mix(tmp_path: Path) -> None:
    """A small portrait clip in a landscape film stands in the middle between black bars."""
    wide = write_media(tmp_path / "w.mp4", [flat(120, (160, 90))] * 50)
    tall = write_media(tmp_path / "t.mp4", [flat(220, (60, 120))] * 60, rate=Fraction(30))
    plan = plan_of(
        [source_of(wide, "w"), source_of(tall, "t")],
        [("w", Fraction(0), Fraction(1)), ("t", Fraction(0), Fraction(1))],
    )
    from roughcut.media.decode import still

    render_plan(plan, tmp_path / "cut.mp4")
    seen = still(tmp_path / "cut.mp4", Fraction(3, 2), 160)
    assert seen.shape == (90, 160, 3)
    assert seen[45, 80].min() > 200
    assert seen[45, :50].max() < 10


def test_a_transition_longer_than_its_clip_is_named(flash_film: Path, tmp_path: Path) -> None:
    """The error says which clip, and nothing is written."""
    joins = [Join(), Join(kind="dissolve", duration=Fraction(3)), Join()]
    ranges = [("s", Fraction(3), Fraction(4)), ("s", Fraction(8), Fraction(9))]
    with pytest.raises(PlanError, match=r"clip [12] .*: the transitions around a clip are longer than it"):
        render_plan(plan_of([source_of(flash_film)], ranges, joins), tmp_path / "cut.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_render_leaves_nothing(flash_film: Path, tmp_path: Path) -> None:
    """An interruption in the middle leaves neither the film nor its temporary."""

    def stop(stage: str, done: float, total: float) -> None:
        if stage == "rendering" and done > 0.5:
            raise KeyboardInterrupt

    plan = plan_of([source_of(flash_film)], [("s", Fraction(0), Fraction(4))])
    with pytest.raises(KeyboardInterrupt):
        render_plan(plan, tmp_path / "cut.mp4", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_ending_is_named(flash_film: Path, tmp_path: Path) -> None:
    """The endings that can be written are listed."""
    plan = plan_of([source_of(flash_film)], [("s", Fraction(0), Fraction(1))])
    with pytest.raises(OutputError, match=r"unknown kind of film \(got \.xyz\); allowed: \.mp4"):
        render_plan(plan, tmp_path / "cut.xyz")


def test_a_full_disk_is_said(flash_film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full the error says so and the temporary file is gone."""
    import errno

    from roughcut.media.coded_sound import SoundEncoder

    def full(self: SoundEncoder, samples: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SoundEncoder, "encode", full)
    plan = plan_of([source_of(flash_film)], [("s", Fraction(0), Fraction(2))])
    with pytest.raises(OutputError, match="the disk is full"):
        render_plan(plan, tmp_path / "cut.mp4")
    assert list(tmp_path.iterdir()) == []
