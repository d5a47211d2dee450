"""Films at the times of their sources: every picture against what is known by construction."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction as F
from itertools import accumulate, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

import roughcut.pipeline as pipeline
from footage import make_analysis
from media import Sound, beeps, beside, chapters_in, find_beeps, find_flashes, flat, luma_levels, write_media
from roughcut.errors import OptionError, PlanError
from roughcut.media.audio import read_sound
from roughcut.media.probe import probe
from roughcut.media.shown import shown_times
from roughcut.planner import PlanOptions, make_plan
from roughcut.records import ColourTags, FilmSpec, Look, LookControls, TrackSpec
from roughcut.rendering import render_plan
from roughcut.synthesis import frames_of
from roughcut.timebase import TimeRange
from roughcut.timeline.grid import ConstantGrid
from roughcut.timeline.otio import read_otio, write_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source
from roughcut.timeline.variable import ShownTimes, VariableGrid
from roughcut.wishes import options_of

WHY = Decision(code="by_hand", words="made for a test")
TAGS = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False)
TICK = F(1, 90_000)
X264 = {"preset": "medium", "crf": "12", "g": "24"}


def at(rate: int | F, count: int) -> list[F]:
    return [1 / F(rate)] * count


def jittered(count: int) -> list[F]:
    """Steps of a phone at 29.97: each picture up to 4 ms off its place."""
    off = np.random.default_rng(5).uniform(-0.004, 0.004, count)
    places = [round((n * F(1001, 30_000) + F(float(o))) / TICK) * TICK for n, o in enumerate(off)]
    return [b - a for a, b in pairwise(places)] + [F(1, 30)]


STEPS = {
    "30 then 10": at(30, 90) + at(10, 30),
    "60, 15, 30": at(60, 120) + at(15, 30) + at(30, 60),
    "a phone": jittered(180),
    "stills": [*at(30, 20), F(1)] * 4,
}


def level(n: int) -> int:
    """The grey of picture n; neighbours are far apart."""
    return 20 + 37 * n % 200


def source_film(path: Path, steps: Sequence[F], *, tick: F = TICK, **made: object) -> list[F]:
    """A film whose pictures come by these steps; their times."""
    times = list(accumulate(steps[:-1], initial=F(0)))
    ticks = [round(t / tick) for t in times]
    pictures = made.pop("pictures", None) or (flat(level(n)) for n in range(len(times)))
    write_media(
        path, pictures, ticks=ticks, time_base=tick, colour=TAGS, **({"options": X264} | made)  # type: ignore[arg-type]
    )  # fmt: skip
    return [k * tick for k in ticks]


def plan_of(path: Path, ranges: Sequence[tuple[F, F]], joins: Sequence[Join] = (), **spec: object) -> Plan:
    info = probe(path)
    source = Source(
        id="s", path=path, available=info.range, rate=info.video.rate, width=64, height=48, digest=info.digest,
        tracks=len(info.audio),
    )  # fmt: skip
    clips = tuple(Clip(source="s", range=TimeRange(info.video.start + a, info.video.start + b), decision=WHY)
                  for a, b in ranges)  # fmt: skip
    shape = {"width": info.video.width, "height": info.video.height, "rate": info.video.rate, "colour": TAGS,
             "crf": 10, "variable": True, "tracks": (TrackSpec(),) if info.audio else ()} | spec  # fmt: skip
    return Plan(
        sources=(source,), clips=clips, joins=tuple(joins) or (Join(),) * (len(clips) + 1),
        spec=FilmSpec(**shape), loudness_target=None,  # type: ignore[arg-type]
    )  # fmt: skip


def wanted(times: Sequence[F], ranges: Sequence[tuple[F, F]]) -> list[tuple[F, int]]:
    """(film time, picture) of a film of straight cuts."""
    found, film = list[tuple[F, int]](), F(0)
    for a, b in ranges:
        found.append((film, bisect_right(times, a) - 1))
        found += [(film + t - a, n) for n, t in enumerate(times) if a < t < b]
        film += b - a
    return found


def check_pictures(film: Path, expected: Sequence[tuple[F, int]]) -> None:
    """Every picture is the one of its source at its own time, to a tick of the film's clock."""
    found = luma_levels(film)
    slack = F(1, 1000) if film.suffix in (".mkv", ".webm") else TICK
    assert len(found) == len(expected)
    assert all(abs(t - found[0][0] - e) <= slack for (t, _), (e, _) in zip(found, expected, strict=True))
    np.testing.assert_allclose([v for _, v in found], [level(n) for _, n in expected], atol=4)


RANGES = [(F(51, 100), F(251, 100)), (F(27, 10), F(7, 2)), (F(1, 7), F(1, 2))]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("smart", ["never", "auto"])
def test_every_picture_keeps_its_time(tmp_path: Path, name: str, ending: str, smart: str) -> None:
    """Cut anywhere, a picture is shown when it was in the source, and the last one of a clip until the next clip."""
    times = source_film(tmp_path / "s.mp4", STEPS[name])
    plan = plan_of(tmp_path / "s.mp4", RANGES)
    result = render_plan(plan, tmp_path / f"cut{ending}", smart=smart)  # type: ignore[arg-type]
    check_pictures(result.film, wanted(times, RANGES))
    assert result.proof.problems == ()
    assert (result.copied > 0) == (smart == "auto" and name != "stills")
    assert abs(probe(result.film).video.duration - plan.duration) <= F(1, 500)
    assert result.verdict().startswith("0:00:03.157, 3 clips")
    assert result.proof.frames_found == frames_of(plan) == len(wanted(times, RANGES))


def test_clocks_are_exact_where_they_can_be(tmp_path: Path) -> None:
    """In MP4 and MOV the film's times are the source's to the tick, also on a clock of its own."""
    for tick, ending in ((F(1, 90_000), ".mp4"), (F(1, 1000), ".mov"), (F(1, 19_200), ".mp4")):
        path = tmp_path / f"s{tick.denominator}.mp4"
        times = source_film(path, STEPS["60, 15, 30"], tick=tick)
        ranges = [(times[7], times[100]), (times[20], times[60])]
        film = render_plan(plan_of(path, ranges), tmp_path / f"cut{tick.denominator}{ending}").film
        assert [t for t, _ in luma_levels(film)] == [t for t, _ in wanted(times, ranges)]


def test_copied_packets_keep_bits_and_times(tmp_path: Path) -> None:
    """Pictures that move, at uneven times: most are copied, and those decode to the source's own bits."""
    ground = np.random.default_rng(0).integers(40, 200, (12, 16, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    moving = (np.roll(ground, 3 * n, axis=1) for n in range(180))
    times = source_film(tmp_path / "s.mp4", STEPS["a phone"], pictures=moving)
    ranges = [(F(3, 10), F(5, 2)), (F(3), F(11, 2))]
    result = render_plan(plan_of(tmp_path / "s.mp4", ranges), tmp_path / "cut.mp4", smart="always")
    with av.open(str(tmp_path / "s.mp4")) as source, av.open(str(result.film)) as film:
        known = [f.to_ndarray() for f in source.decode(video=0)]
        made = [(f.pts * f.time_base, f.to_ndarray()) for f in film.decode(video=0)]
    expected = wanted(times, ranges)
    assert result.copied >= 90
    assert all(abs(t - e) <= TICK for (t, _), (e, _) in zip(made, expected, strict=True))
    assert sum(np.array_equal(p, known[n]) for (_, p), (_, n) in zip(made, expected, strict=True)) >= result.copied


def test_flash_and_beep_stay_together(tmp_path: Path) -> None:
    """Sound cut to the sample beside pictures at uneven times: each flash has its beep, before and after a cut."""
    steps = at(30, 60) + at(10, 20) + at(60, 120)
    times = list(accumulate(steps[:-1], initial=F(0)))
    lit = [30, 70, 120, 170]
    pictures = (flat(235 if n in lit else 30) for n in range(len(times)))
    sound = Sound(samples=beeps(6, [float(times[n]) for n in lit]))
    source_film(tmp_path / "s.mp4", steps, pictures=pictures, sound=sound)
    plan = plan_of(tmp_path / "s.mp4", [(F(1, 3), F(37, 10)), (F(4), F(29, 5))])
    for ending in (".mp4", ".mkv"):
        film = render_plan(plan, tmp_path / f"cut{ending}").film
        levels, info = luma_levels(film), probe(film)
        flashes = [float(levels[n][0] - info.video.start) for n in find_flashes([v for _, v in levels])]
        heard = find_beeps(read_sound(info, info.range, 48_000, "stereo"), 48_000)
        truth = [float(times[n] - F(1, 3)) for n in lit[:2]] + [
            float(times[n] - 4 + F(37, 10) - F(1, 3)) for n in lit[2:]
        ]
        np.testing.assert_allclose(flashes, truth, atol=0.0011)
        np.testing.assert_allclose(heard, truth, atol=0.003)


def test_dissolves_go_at_the_plans_rate(tmp_path: Path) -> None:
    """Where two clips meet, pictures come at the plan's rate, mixed half and half in the middle; around it, as ever."""
    times = source_film(tmp_path / "s.mp4", STEPS["30 then 10"])
    soft = Join(kind="dissolve", duration=F(3, 10))
    ranges = [(F(1, 2), F(2)), (F(7, 2), F(5))]
    film = render_plan(plan_of(tmp_path / "s.mp4", ranges, [Join(), soft, Join()]), tmp_path / "cut.mp4").film
    found = luma_levels(film)
    inside = [(t, v) for t, v in found if F(27, 20) <= t < F(33, 20)]
    assert [b - a for (a, _), (b, _) in pairwise(t for t in inside)] == [F(1, 30)] * 8
    before, after = (level(bisect_right(times, t) - 1) for t in (F(2), F(7, 2)))
    assert abs(next(v for t, v in inside if t == F(3, 2)) - (before + after) / 2) < 5
    edges = (inside[0][0], inside[-1][0])
    outside = [(t, n) for t, n in wanted(times, ranges) if t < edges[0] or t > edges[1] + F(1, 30)]
    shown = dict(found)
    assert all(abs(shown[t] - level(n)) < 4 for t, n in outside)


def test_fades_and_looks_go_with_the_pictures(tmp_path: Path) -> None:
    """A fade darkens by time, not by frames, and a look changes no time."""
    path = tmp_path / "s.mp4"
    times = source_film(path, STEPS["60, 15, 30"], pictures=(flat(180) for _ in range(210)))
    plan = plan_of(path, [(F(1), F(5))], [Join(), Join(kind="fade", duration=F(1))])
    bright = Clip(**{**vars(plan.clips[0]), "look": Look(controls=LookControls(exposure=0.2))})
    result = render_plan(plan.with_clips((bright,)), tmp_path / "cut.mp4")
    found = luma_levels(result.film)
    assert [t for t, _ in found] == [t for t, _ in wanted(times, [(F(1), F(5))])]
    assert result.copied == 0
    full = np.median([v for t, v in found if t < 3])
    for (t, v), (following, _) in pairwise(found):
        left = min(float(4 - following), 1.0)
        assert abs(v - (16 + (full - 16) * left)) < 3 or v == pytest.approx(full * left, abs=3)
        assert t < following


@pytest.mark.parametrize("smart", ["never", "auto"])
@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_the_last_picture_stands_until_the_end(tmp_path: Path, ending: str, smart: str) -> None:
    """A film that ends in a still lasts as long as planned, behind pictures that are decoded out of order too."""
    scene = np.random.default_rng(1).integers(40, 200, (6, 60, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    pictures = (scene[:, 2 * n : 2 * n + 64] for n in range(76))
    steps = [*at(30, 45), F(1), *at(30, 30)]
    source_film(tmp_path / "s.mp4", steps, pictures=pictures, sound=Sound(samples=beeps(4, [0.5])))
    plan = plan_of(tmp_path / "s.mp4", [(F(0), F(11, 5))])
    result = render_plan(plan, tmp_path / f"cut{ending}", smart=smart)  # type: ignore[arg-type]
    with av.open(str(result.film)) as film:
        places = [p.pts for p in film.demux(video=0) if p.size]
    assert places != sorted(places)
    assert abs(probe(result.film).video.duration - F(11, 5)) <= F(1, 500)
    assert result.proof.problems == ()


def packets(film: Path) -> list[tuple[F, bytes]]:
    with av.open(str(film)) as container:
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(video=0) if p.size]


def test_an_even_source_gives_what_it_always_gave(tmp_path: Path) -> None:
    """Kept or not, the film of a constant rate has the same packets at the same times, also from milliseconds."""
    for ending in (".mp4", ".mkv"):
        path = write_media(tmp_path / f"s{ending}", (flat(level(n)) for n in range(75)), rate=F(24000, 1001),
                           colour=TAGS)  # fmt: skip
        rate = probe(path).video.rate
        spans = [(10 / rate, 40 / rate), (50 / rate, 70 / rate)]
        films = [render_plan(plan_of(path, spans, variable=v), tmp_path / f"{v}{ending}").film for v in (True, False)]
        assert packets(films[0]) == packets(films[1])


def test_without_presentation_times_the_rate_is_constant(tmp_path: Path) -> None:
    """A file that does not say when its pictures are shown gives a film of one rate, and the reason is told."""
    path = write_media(tmp_path / "s.avi", (flat(level(n)) for n in range(75)), codec="mpeg4", colour=TAGS)
    result = render_plan(plan_of(path, [(F(0), F(2))], rate=F(30)), tmp_path / "cut.mp4")
    assert "the film's rate is constant: the pictures of s.avi carry no presentation times" in result.remarks
    assert [t for t, _ in luma_levels(result.film)] == [F(n, 30) for n in range(60)]


def test_constant_is_the_default(tmp_path: Path) -> None:
    """Without a word, the film comes at one rate, its content within a frame of its time."""
    times = source_film(tmp_path / "s.mp4", STEPS["60, 15, 30"])
    film = render_plan(plan_of(tmp_path / "s.mp4", [(F(1), F(5))], variable=False), tmp_path / "cut.mp4").film
    found = luma_levels(film)
    assert [t for t, _ in found] == [F(n, 60) for n in range(240)]
    for t, v in found:
        near = range(bisect_right(times, t + 1 - F(1, 60)) - 1, bisect_right(times, t + 1 + F(1, 60)))
        assert min(abs(v - level(n)) for n in near) < 4


def test_chapters_fit(tmp_path: Path) -> None:
    """A chapter begins at the cut to it, to the millisecond, where frames come at uneven times."""
    source_film(tmp_path / "a.mp4", STEPS["30 then 10"])
    path = beside(tmp_path / "a.mp4", tmp_path / "s.mp4", chapters=[(F(0), F(3), "one"), (F(3), F(6), "two")])
    film = render_plan(plan_of(path, [(F(1), F(2)), (F(4), F(5))]), tmp_path / "cut.mp4").film
    assert chapters_in(film) == [(0, 1, "one"), (1, 2, "two")]


def test_verify_takes_the_same_times(tmp_path: Path) -> None:
    """Through a timeline file: the wish is carried, and a film of one rate is not the film that was planned."""
    source_film(tmp_path / "s.mp4", STEPS["30 then 10"])
    plan = plan_of(tmp_path / "s.mp4", [(F(1), F(5))])
    write_otio(plan, tmp_path / "cut.otio")
    assert read_otio(tmp_path / "cut.otio").spec.variable
    kept = render_plan(plan, tmp_path / "kept.mp4").film
    even = render_plan(plan_of(tmp_path / "s.mp4", [(F(1), F(5))], variable=False), tmp_path / "even.mp4").film
    assert pipeline.verify(kept, tmp_path / "cut.otio").problems == ()
    assert any("frames were found" in words for words in pipeline.verify(even, tmp_path / "cut.otio").problems)


def test_the_wish_is_the_planners() -> None:
    """`keep` stands in the plan and in what a film depends on; other words are refused."""
    analysis = make_analysis([2, 2])
    wish = {"target": None, "keep": "all", "look": "none", "transitions": "cuts"}
    assert make_plan([analysis], PlanOptions.parse(**wish, vfr="keep")).spec.variable
    assert not make_plan([analysis], PlanOptions.parse(**wish)).spec.variable
    assert options_of({"vfr": "keep"}).vfr == "keep"
    with pytest.raises(OptionError, match=r"--vfr.*constant, keep"):
        PlanOptions.parse(**wish, vfr="both")


# ---------------------------------------------------------------- the grid alone


def bare_plan(ranges: Sequence[tuple[F, F]], joins: Sequence[Join] = ()) -> Plan:
    source = Source(id="s", path=Path("s.mp4"), available=TimeRange(F(0), F(100)), rate=F(30), width=64, height=48)
    clips = tuple(Clip(source="s", range=TimeRange(a, b), decision=WHY) for a, b in ranges)
    return Plan(
        sources=(source,), clips=clips, joins=tuple(joins) or (Join(),) * (len(clips) + 1),
        spec=FilmSpec(width=64, height=48, rate=F(30)),
    )  # fmt: skip


def shown(*ticks: int, base: F = F(1, 1000)) -> ShownTimes:
    return ShownTimes(ticks=array("q", ticks), base=base)


def test_an_even_row_is_the_constant_grid() -> None:
    """Pictures at exactly the plan's rate give the constant grid's edges, zones and times, dissolves included."""
    soft = Join(kind="dissolve", duration=F(1, 6))
    plan = bare_plan([(F(1), F(2)), (F(4), F(6)), (F(3), F(4))], [Join(), soft, Join(), Join()])
    rows = [ShownTimes(ticks=shown(*range(200)).ticks, base=F(1, 30))] * 3
    variable, constant = VariableGrid(plan, rows), ConstantGrid(plan)
    assert (variable.edges, variable.zones) == (constant.edges, constant.zones)
    assert [variable.time(n) for n in range(121)] == [constant.time(n) for n in range(121)]
    assert variable.tick == F(1, 30)


def test_pictures_too_brief_to_be_told_apart_are_left_out() -> None:
    """What stands for less than a millisecond goes, at the cut, in the middle and at the end; times never fall."""
    fine = F(1, 90_000)
    plan = bare_plan([(F(1), F(2)), (F(4), F(5))])
    one = shown(90_030, 120_000, 120_020, 150_000, 179_990, base=fine)
    grid = VariableGrid(plan, [one, shown(base=fine)])
    assert [grid.time(n) for n in range(len(grid) + 1)] == [0, F(30_020, 90_000), F(60_000, 90_000), 1, 2]
    assert grid.source_time(0, 0) == 90_030 * fine
    assert grid.source_time(1, 3) == 4


def test_too_long_a_dissolve_is_refused() -> None:
    """Two dissolves that leave nothing of a clip, by name."""
    soft = Join(kind="dissolve", duration=F(1))
    with pytest.raises(PlanError, match="clip 2"):
        VariableGrid(bare_plan([(F(1), F(3)), (F(5), F(11, 2)), (F(7), F(9))], [Join(), soft, soft, Join()]),
                     [shown()] * 3)  # fmt: skip


def test_hours_take_eight_bytes_a_frame() -> None:
    """Ten hours of pictures on a fine clock: exact times from the ticks alone."""
    ticks = array("q", range(0, 36_000 * 90_000, 9009))
    plan = bare_plan([(F(1, 7), F(35_000))])
    grid = VariableGrid(plan, [ShownTimes(ticks=ticks, base=TICK)])
    inside = [n for n, t in enumerate(ticks) if F(1, 7) < t * TICK < 35_000]
    assert len(grid) == 1 + len(inside)
    for frame in (1, 300_000, len(inside)):
        assert grid.time(frame) == ticks[inside[frame - 1]] * TICK - F(1, 7)


def test_times_of_a_stretch_are_those_of_its_pictures(tmp_path: Path) -> None:
    """Read from the middle of a file or from its start: exactly the times inside."""
    for ending, tick in ((".mp4", TICK), (".ts", TICK), (".mkv", F(1, 1000))):
        path = tmp_path / f"s{ending}"
        source_film(path, STEPS["60, 15, 30"] * 2, tick=tick)
        decoded = [t for t, _ in luma_levels(path)]
        for a, b in ((F(0), F(2)), (F(7), F(9))):
            span = TimeRange(decoded[0] + a, decoded[0] + b)
            found = shown_times(probe(path), span)
            assert [t * found.base for t in found.ticks] == [t for t in decoded if span.contains(t)]
