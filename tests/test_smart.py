"""Smart render: copied pictures are the source's bit for bit, joins decode cleanly, the rest is what it would be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path

import av
import av.logging
import numpy as np
import pytest

from media import Sound, beeps, write_media
from roughcut import pipeline
from roughcut.errors import OptionError, PlanError
from roughcut.media.probe import probe
from roughcut.records import ColourTags, FilmSpec, Look, LookControls
from roughcut.rendering import EditResult, render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
TAGS = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False)
X264 = {"preset": "medium", "crf": "18", "g": "25"}
X265 = {"preset": "superfast", "crf": "20", "x265-params": "log-level=none:keyint=25:min-keyint=25:open-gop={}"}
HEVC = {k: v.format(0) for k, v in X265.items()}
KINDS = {
    "h264": ("libx264", X264, "mp4"),
    "h264-no-b": ("libx264", {**X264, "bf": "0"}, "mp4"),
    "h264-baseline": ("libx264", {**X264, "profile": "baseline"}, "mov"),
    "h264-deep": ("libx264", {**X264, "bf": "6", "x264-params": "b-pyramid=normal:ref=5"}, "mkv"),
    "h264-ts": ("libx264", X264, "ts"),
    "h264-10": ("libx264", X264, "mp4"),
    "hevc": ("libx265", HEVC, "mp4"),
    "hevc-open": ("libx265", {k: v.format(1) for k, v in X265.items()}, "mp4"),
    "hevc-mkv": ("libx265", HEVC, "mkv"),
    "vp9": ("libvpx-vp9", {"g": "25", "cpu-used": "8", "crf": "30", "b": "0"}, "webm"),
}


def pictures(count: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Moving pictures of which no two are alike."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(40, 200, (12, 16, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    for n in range(count):
        picture = np.roll(ground, 3 * n, axis=1)
        picture[:8, : 1 + n % 128] = 255
        yield picture


def footage(folder: Path, kind: str, *, name: str = "s", count: int = 150, seed: int = 0, rate: F = F(25)) -> Path:
    codec, options, ending = KINDS[kind]
    path = folder / f"{name}.{ending}"
    pixel_format = "yuv420p10le" if kind.endswith("-10") else "yuv420p"
    sound = Sound(samples=beeps(float(count / rate), [1, 2, 3]), codec="libopus" if ending == "webm" else "aac")
    return write_media(
        path, pictures(count, seed), rate=rate, codec=codec, options=options, colour=TAGS, sound=sound,
        pixel_format=pixel_format,
    )  # fmt: skip


def plan_of(paths: list[Path], ranges: list[tuple[int, int, int]], codec: str = "h264", **made: object) -> Plan:
    """A plan of (source, first frame, last frame) at the sources' own rate and shape."""
    infos = [probe(p) for p in paths]
    rate = infos[0].video.rate
    sources = tuple(
        Source(id=f"s{k}", path=p, available=i.range, rate=i.video.rate, width=128, height=96, digest=i.digest)
        for k, (p, i) in enumerate(zip(paths, infos, strict=True))
    )
    clips = tuple(
        Clip(
            source=f"s{k}",
            range=TimeRange(infos[k].video.start + a / rate, infos[k].video.start + b / rate),
            decision=WHY,
        )
        for k, a, b in ranges
    )
    depth = infos[0].video.bit_depth
    spec = FilmSpec(width=128, height=96, rate=rate, colour=TAGS, codec=codec, crf=10, bit_depth=depth)
    joins = made.pop("joins", None) or (Join(),) * (len(clips) + 1)
    return Plan(sources=sources, clips=clips, joins=joins, spec=spec, loudness_target=None, **made)  # type: ignore[arg-type]


def decoded(path: Path) -> tuple[list[F], list[np.ndarray], list[str]]:
    """Times, raw pictures and FFmpeg's warnings."""
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as said, av.open(str(path)) as container:
            frames = list(container.decode(video=0))
    finally:
        av.logging.set_level(None)
    return [f.pts * f.time_base for f in frames], [f.to_ndarray() for f in frames], [m for _, _, m in said]


def check(result: EditResult, plan: Plan, copied_at_least: int) -> None:
    """Every film frame is its source frame, as many as were copied to the bit, at exact times, without a warning."""
    times, found, said = decoded(result.film)
    known = {s.id: decoded(s.path) for s in plan.sources}
    wanted = []
    for clip in plan.clips:
        source_times, frames, _ = known[clip.source]
        first = next(i for i, t in enumerate(source_times) if t >= clip.range.start - F(1, 100))
        wanted += frames[first : first + round(clip.range.duration * plan.spec.rate)]
    equal = [np.array_equal(a, b) for a, b in zip(found, wanted, strict=True)]
    slack = F(1, 1000) if result.film.suffix in (".mkv", ".webm") else 0
    assert said == []
    assert all(abs(t - times[0] - n / plan.spec.rate) <= slack for n, t in enumerate(times))
    assert copied_at_least <= result.copied <= sum(equal)
    depth = 4 if plan.spec.bit_depth == 10 else 1
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(found, wanted, strict=True)) < 4 * depth


RANGES = [(0, 3, 61), (0, 75, 121), (0, 90, 150), (0, 25, 50)]


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "vp9"])
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_copied_pictures_are_the_sources(tmp_path: Path, kind: str, ending: str) -> None:
    """Cuts at and between key pictures: most is copied, and what is decodes to the source's own bits."""
    path = footage(tmp_path, kind)
    plan = plan_of([path], RANGES, "hevc" if kind.startswith("hevc") else "h264")
    result = render_plan(plan, tmp_path / f"cut{ending}", smart="always")
    check(result, plan, 130)


def test_vp9_is_copied(tmp_path: Path) -> None:
    """WebM too."""
    plan = plan_of([footage(tmp_path, "vp9")], RANGES, "vp9")
    check(render_plan(plan, tmp_path / "cut.webm", smart="always"), plan, 130)


@pytest.mark.parametrize("speed", ["10", "6"])
def test_av1_is_copied_beside_its_like_alone(tmp_path: Path, speed: str) -> None:
    """AV1 allows one sequence header: packets of our own encoder's kind are copied, others encoded, and named."""
    KINDS["av1"] = ("libsvtav1", {"preset": speed, "g": "25", "crf": "30"}, "mp4")
    path = footage(tmp_path, "av1")
    plan = plan_of([path], RANGES, "av1")
    result = render_plan(plan, tmp_path / "cut.mp4")
    check(result, plan, 0)
    same = not any("sequence header" in r for r in result.remarks)
    assert result.copied >= 100 if same else result.copied == 0


def test_an_effect_touches_its_own_pictures_alone(tmp_path: Path) -> None:
    """A look on one clip and a dissolve into the next: the rest of the film is still the source's."""
    path = footage(tmp_path, "h264")
    joins = (Join(), Join(), Join(kind="dissolve", duration=F(2, 5)), Join())
    plan = plan_of([path], [(0, 0, 50), (0, 60, 70), (0, 90, 140)], joins=joins)
    bright = Clip(**{**vars(plan.clips[1]), "look": Look(controls=LookControls(exposure=0.5))})
    plan = plan.with_clips((plan.clips[0], bright, plan.clips[2]))
    result = render_plan(plan, tmp_path / "cut.mp4")
    _, found, said = decoded(result.film)
    _, frames, _ = decoded(path)
    assert said == []
    assert result.copied >= 75
    assert all(np.array_equal(a, b) for a, b in zip(found[:49], frames, strict=False))
    full = decoded(render_plan(plan, tmp_path / "full.mp4", smart="never").film)[1]
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(found, full, strict=True)) < 3


def test_files_of_one_camera_are_joined(tmp_path: Path) -> None:
    """Runs of two files with equal parameters stand in one film."""
    paths = [footage(tmp_path, "h264", name=n, seed=k) for k, n in enumerate("ab")]
    plan = plan_of(paths, [(0, 10, 80), (1, 20, 90), (0, 100, 150)])
    check(render_plan(plan, tmp_path / "cut.mp4"), plan, 130)


def test_files_of_two_cameras_are_not_mixed(tmp_path: Path) -> None:
    """Where parameters differ, the second file is encoded, and the film says why."""
    a, b = footage(tmp_path, "h264", name="a"), footage(tmp_path, "h264-no-b", name="b", seed=1)
    plan = plan_of([a, b], [(0, 10, 80), (1, 20, 90)])
    result = render_plan(plan, tmp_path / "cut.mp4")
    check(result, plan, 40)
    assert "b.mp4 is encoded anew: its stream parameters are not those of the other files" in result.remarks


def test_open_groups_are_encoded_and_named(tmp_path: Path) -> None:
    """H.264 with open GOPs gives no place to start but the first: the film is right all the same."""
    KINDS["open"] = ("libx264", {**X264, "x264-params": "open-gop=1:keyint=25:min-keyint=25"}, "mp4")
    plan = plan_of([footage(tmp_path, "open")], [(0, 30, 90), (0, 95, 140)])
    result = render_plan(plan, tmp_path / "cut.mp4")
    check(result, plan, 0)
    assert any("no picture to start from" in r for r in result.remarks)


def test_always_says_why_it_cannot(tmp_path: Path) -> None:
    """A film of another size cannot take packets over; asked to, it refuses and leaves nothing."""
    path = footage(tmp_path, "h264")
    plan = plan_of([path], [(0, 0, 50)])
    small = Plan(**{**vars(plan), "spec": FilmSpec(width=64, height=48, rate=F(25), colour=TAGS)})
    with pytest.raises(PlanError, match=r"nothing can be copied.*the film has another size"):
        render_plan(small, tmp_path / "cut.mp4", smart="always")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.mp4"]


@pytest.mark.parametrize("first", range(24, 34))
@pytest.mark.parametrize("kind", ["h264-deep", "hevc-open"])
def test_every_place_in_a_group_can_be_cut(tmp_path_factory: pytest.TempPathFactory, kind: str, first: int) -> None:
    """Cutting in and out at each frame of a group of pictures keeps every frame."""
    folder = tmp_path_factory.getbasetemp() / kind
    folder.mkdir(exist_ok=True)
    path = folder / f"s.{KINDS[kind][2]}"
    if not path.exists():
        footage(folder, kind, count=100)
    plan = plan_of([path], [(0, first, first + 40), (0, 2, first + 12)], kind.split("-")[0])
    check(render_plan(plan, folder / f"cut{first}.mp4"), plan, 12)


def test_interlaced_pictures_are_not_copied(tmp_path: Path) -> None:
    """What must be deinterlaced is encoded, and the film says so."""
    KINDS["interlaced"] = ("libx264", {**X264, "x264-params": "interlaced=1"}, "mp4")
    plan = plan_of([footage(tmp_path, "interlaced")], [(0, 10, 90)])
    result = render_plan(plan, tmp_path / "cut.mp4")
    assert result.copied == 0
    assert "s.mp4 is encoded anew: it is interlaced" in result.remarks
    assert not result.proof.media.video.interlaced


def test_who_asks_for_a_quality_gets_it(tmp_path: Path) -> None:
    """Without a word, packets are taken over; with a preset, asked for now or in the plan, only if --smart says so."""
    plan = plan_of([footage(tmp_path, "h264")], [(0, 25, 100)])
    plain = replace(plan, spec=replace(plan.spec, codec=None, crf=20))
    small = replace(plan, spec=replace(plan.spec, codec="h264", crf=26))
    made = [
        pipeline.render(p, tmp_path / f"{n}.mp4", preset=preset, smart=smart).copied
        for n, (p, preset, smart) in enumerate([
            (plain, None, None), (plain, "h264-small", None), (small, None, None), (plain, None, "never"),
            (plain, "h264-small", "auto"), (small, None, "always"),
        ])
    ]  # fmt: skip
    assert [copied > 0 for copied in made] == [True, False, False, False, True, True]


def test_what_smart_may_be(tmp_path: Path) -> None:
    """Unknown values are refused with the known, before any work, and so is what excludes it."""
    path = footage(tmp_path, "h264", count=30)
    plan = plan_of([path], [(0, 0, 25)])
    for refused in (
        lambda **wrong: pipeline.render(plan, tmp_path / "cut.mp4", **wrong),
        lambda **wrong: pipeline.edit(path, tmp_path / "cut.mp4", **wrong),
    ):
        with pytest.raises(OptionError, match=r"--smart: unknown value .*allowed: auto, always, never"):
            refused(smart="sometimes")
        with pytest.raises(OptionError, match=r"only software encodes \(got --hardware auto\)"):
            refused(smart="always", hardware="auto")
    assert list(tmp_path.iterdir()) == [path]


def test_smart_belongs_to_the_recipe(tmp_path: Path) -> None:
    """A film made with other packets is another film; the value that goes without saying is the same as said."""
    path = footage(tmp_path, "h264", count=30)
    said = [
        pipeline.recipe_of([path], wishes)["wishes"]["smart"]
        for wishes in ({}, {"smart": "auto"}, {"preset": "h264"}, {"preset": "h264", "smart": "always"})
    ]
    assert said == ["auto", "auto", "never", "always"]
