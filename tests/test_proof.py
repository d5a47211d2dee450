"""The proof finds what is wrong with a film, by construction, and says nothing of good ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import roughcut.pipeline as pipeline
from media import Sound, flat, write_media
from roughcut.errors import InputError, ProofError
from roughcut.media.probe import probe
from roughcut.media.proof import measure, verify
from roughcut.media.proof.echo import laid_over
from roughcut.media.proof.likeness import correlation, difference_hash, lean
from roughcut.proving import proved
from roughcut.records import ColourTags, FilmSpec, Look, LookControls, TrackSpec
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.grid import ConstantGrid
from roughcut.timeline.otio import write_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
RATE = Fraction(25)
SIZE = (96, 64)
TAGS = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False)
CUTS = [(Fraction(2, 5), Fraction(8, 5)), (Fraction(12, 5), Fraction(17, 5)), (Fraction(4), Fraction(26, 5))]


def moving(count: int, size: tuple[int, int] = SIZE, *, seed: int = 3, gain: float = 1.0) -> Iterator[np.ndarray]:
    """A smooth random scene that pans by two pixels a frame and never repeats."""
    width, height = size
    rough = np.random.default_rng(seed).normal(size=(height + 16, width + 2 * count + 16, 3))
    for axis in (0, 1):
        rough = sum(np.roll(rough, k, axis) for k in range(-4, 5)) / 3
    scene = np.clip(110 + 45 * gain * rough, 0, 255).astype(np.uint8)
    for n in range(count):
        yield scene[8 : 8 + height, 2 * n : 2 * n + width]


def noise(seconds: int, rate: int = 48_000, seed: int = 5) -> np.ndarray:
    """[2, n] low noise: like speech in that it never repeats."""
    rough = np.random.default_rng(seed).normal(size=seconds * rate).astype(np.float32)
    smooth = np.convolve(rough, np.ones(24, np.float32) / 24, "same")
    return np.stack([smooth, smooth]) * 0.5


def source_of(path: Path, name: str = "s") -> Source:
    m = probe(path)
    return Source(
        id=name, path=path, available=m.range, rate=m.video.rate, width=m.video.width, height=m.video.height,
        tracks=len(m.audio),
    )  # fmt: skip


def plan_of(
    paths: Sequence[Path], cuts: Sequence[tuple[Fraction, Fraction]] = CUTS, joins: Sequence[Join] | None = None,
    looks: Sequence[Look | None] | None = None, **spec: object,
) -> Plan:  # fmt: skip
    """Clips that take turns among the sources."""
    sources = tuple(source_of(p, f"s{k}") for k, p in enumerate(paths))
    wished = {"width": SIZE[0], "height": SIZE[1], "rate": RATE, "crf": 16, "colour": TAGS} | spec
    clips = tuple(
        Clip(source=sources[i % len(sources)].id, range=TimeRange(a, b), decision=WHY, look=(looks or [None] * 9)[i])
        for i, (a, b) in enumerate(cuts)
    )
    return Plan(
        sources=sources, clips=clips, joins=tuple(joins or [Join()] * (len(clips) + 1)),
        spec=FilmSpec(**wished), loudness_target=None,
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 s of a pan with sound that never repeats."""
    path = tmp_path_factory.mktemp("proof") / "pan.mp4"
    sound = Sound(samples=noise(6), language="eng")
    return write_media(path, moving(150), rate=RATE, sound=sound, colour=TAGS)


ENGLISH = (TrackSpec(language="eng"),)


@pytest.fixture(scope="module")
def made(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, list[np.ndarray], np.ndarray]:
    """A plan, and the frames and samples that its film has by construction."""
    frames, sound = list(moving(150)), noise(6)
    spans = [(round(a * 25), round(b * 25)) for a, b in CUTS]
    film = [frames[n] for a, b in spans for n in range(a, b)]
    heard = np.concatenate([sound[:, a * 1920 : b * 1920] for a, b in spans], axis=1)
    return plan_of([footage], tracks=ENGLISH), film, heard


def written(path: Path, frames: Sequence[np.ndarray], sound: np.ndarray | None, **other: object) -> Path:
    track = None if sound is None else Sound(samples=sound, language=str(other.pop("language", "eng")))
    return write_media(path, frames, rate=RATE, sound=track, **({"colour": TAGS} | other))  # type: ignore[arg-type]


EDGE = 30  # film frame of the first cut


def late(sound: np.ndarray, seconds: float) -> np.ndarray:
    return np.roll(sound, round(seconds * 48_000), axis=1)


Broken = Callable[[list[np.ndarray], np.ndarray], tuple[list[np.ndarray], np.ndarray | None, dict[str, object]]]
SABOTAGE: dict[str, tuple[Broken, str]] = {
    "a frame dropped at a join": (
        lambda f, s: (f[:EDGE] + f[EDGE + 1 :], s, {}), r"84 frames were found, 85 planned",
    ),
    "a frame repeated at a join, the count kept": (
        lambda f, s: ([*f[: EDGE - 1], f[EDGE - 2], *f[EDGE:]], s, {}),
        r"clip 1 \(pan.mp4\), last frame at 0:00:01.160: shows the source 40 ms too early",
    ),
    "a segment shifted by one frame": (
        lambda f, s: (f[:EDGE] + list(moving(150))[61:86] + f[EDGE + 25 :], s, {}),
        r"clip 2 \(pan.mp4\), first frame at 0:00:01.200: shows the source 40 ms too late",
    ),
    "sound 60 ms late": (lambda f, s: (f, late(s, 0.06), {}), r"the sound of track 1 is 60 ms late at 0:00:01.200"),
    "sound 60 ms early": (lambda f, s: (f, late(s, -0.06), {}), r"the sound of track 1 is 60 ms early"),
    "silence": (lambda f, s: (f, s * 0, {}), r"track 1 is silent at 0:00:01.200 where the source is not"),
    "a track missing": (lambda f, s: (f, None, {}), r"0 sound tracks were found, 1 planned"),
    "another language": (lambda f, s: (f, s, {"language": "deu"}), r"sound track 1 is tagged deu, planned is eng"),
    "another matrix": (
        lambda f, s: (f, s, {"colour": replace(TAGS, matrix="bt2020nc")}),
        r"colour matrix is tagged bt2020nc, planned is bt709",
    ),
    "another size": (
        lambda f, s: ([g[:48, :64] for g in f], s, {}), r"the film is 64x48, planned is 96x64",
    ),
    "cut off": (lambda f, s: (f[:70], s[:, : 70 * 1920], {}), r"70 frames were found, 85 planned"),
    "two clips swapped": (
        lambda f, s: (f[55:] + f[30:55] + f[:30], s, {}), r"clip 3 .*, first frame .* is not the source's picture",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SABOTAGE)
def test_sabotage_is_found_and_named(
    made: tuple[Plan, list[np.ndarray], np.ndarray], tmp_path: Path, what: str
) -> None:
    """Whatever is wrong is a problem that says what and where."""
    plan, frames, sound = made
    broken, words = SABOTAGE[what]
    frames, sound, other = broken(frames, sound)  # type: ignore[assignment]
    proof = measure(written(tmp_path / "film.mp4", frames, sound, **other), plan, ConstantGrid(plan))
    assert any(re.search(words, problem) for problem in proof.problems), proof.problems


def test_the_film_of_the_plan_holds(made: tuple[Plan, list[np.ndarray], np.ndarray], tmp_path: Path) -> None:
    """Made by hand from the plan: no problem, every edge recognised as its own frame, sound within a millisecond."""
    plan, frames, sound = made
    proof = verify(written(tmp_path / "film.mp4", frames, sound), plan, ConstantGrid(plan))
    assert proof.problems == ()
    assert proof.warnings == ()
    assert (proof.frames_expected, proof.frames_found, proof.decoded_frames) == (85, 85, 85)
    assert {m.likeness for s in proof.segments for _, m in s.frames()} == {"matches"}
    assert [m.film_frame for s in proof.segments for _, m in s.frames()] == [0, 29, 30, 54, 55, 84]
    assert max(abs(j.heard) for j in proof.joins if j.heard is not None) < 0.001
    assert sum(j.heard is not None for j in proof.joins) == 3


def test_fifteen_milliseconds_are_reported_and_hold(
    made: tuple[Plan, list[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    """Less than a frame is no problem, but it is measured."""
    plan, frames, sound = made
    proof = measure(written(tmp_path / "film.mp4", frames, late(sound, 0.015)), plan, ConstantGrid(plan))
    assert proof.problems == ()
    np.testing.assert_allclose([j.heard for j in proof.joins], 0.015, atol=0.001)


def test_a_damaged_frame_is_a_warning(made: tuple[Plan, list[np.ndarray], np.ndarray], tmp_path: Path) -> None:
    """What FFmpeg says of a damaged packet in the middle stands in the warnings of a whole verification."""
    plan, frames, sound = made
    good = written(tmp_path / "film.mp4", frames, sound)
    data = bytearray(good.read_bytes())
    with av.open(str(good)) as container:
        entry = container.streams.video[0].index_entries[40]
    data[entry.pos : entry.pos + entry.size] = b"\x55" * entry.size
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(data)
    assert verify(good, plan, ConstantGrid(plan)).warnings == ()
    assert any("h264" in words for words in verify(bad, plan, ConstantGrid(plan)).warnings)


SOFT = Join(kind="dissolve", duration=Fraction(2, 5))
BLACK = Join(kind="fade", duration=Fraction(2, 5))


def _good(name: str, footage: Path, folder: Path) -> tuple[Plan, str]:
    """Plans whose render is right, by name, with the ending of the film."""
    graded = Look(controls=LookControls(exposure=0.6, contrast=0.4, temperature=0.5, saturation=-0.4))
    if name == "dissolves and fades":
        return plan_of([footage], joins=[BLACK, SOFT, BLACK, BLACK]), ".mkv"
    if name == "looks":
        return plan_of([footage], looks=[graded, None, graded]), ".mov"
    if name == "low quality":
        return plan_of([footage], crf=44), ".mp4"
    if name == "webm":
        return plan_of([footage], CUTS[:2]), ".webm"
    if name == "variable rate":
        ticks = list(np.cumsum([0, *([33, 34, 100, 17] * 40)]))
        path = write_media(folder / "v.mp4", moving(120), ticks=ticks, time_base=Fraction(1, 1000), colour=TAGS)
        return plan_of([path], tracks=(), rate=Fraction(30)), ".mp4"
    if name == "rotation and mixed sizes":
        turned = write_media(folder / "r.mp4", moving(150, (64, 96)), rotation=90, rate=RATE, colour=TAGS)
        small = write_media(folder / "t.mp4", moving(160, (40, 64)), rate=Fraction(30), colour=TAGS)
        return plan_of([turned, small], tracks=()), ".mp4"
    if name == "beyond the footage":
        return plan_of(
            [footage], [(Fraction(-1), Fraction(1, 2)), (Fraction(11, 2), Fraction(13, 2))], tracks=()
        ), ".mp4"
    if name == "ten bits":
        return plan_of([footage], bit_depth=10), ".mkv"
    pictures = {"dark": moving(150, gain=0.05), "flat": (flat(90, SIZE) for _ in range(150)),
                "still": iter([next(moving(1))] * 150)}[name]  # fmt: skip
    path = write_media(folder / "d.mp4", (p // 8 if name == "dark" else p for p in pictures), rate=RATE, colour=TAGS)
    return plan_of([path], tracks=()), ".mp4"


GOOD = ("dissolves and fades", "looks", "low quality", "webm", "variable rate", "rotation and mixed sizes", "ten bits",
        "beyond the footage", "dark", "flat", "still")  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_good_films_hold(footage: Path, tmp_path: Path, name: str) -> None:
    """No false alarm, and by ear the sound lies where it belongs."""
    plan, ending = _good(name, footage, tmp_path)
    proof = render_plan(plan, tmp_path / f"cut{ending}").proof
    assert proof.problems == ()
    heard = [j.heard for j in proof.joins if j.heard is not None]
    assert len(heard) == (len(plan.clips) if plan.spec.tracks else 0)
    assert max(map(abs, heard), default=0) < 0.002
    assert all(s.first and s.last for s in proof.segments)


def test_transitions_are_left_out(footage: Path, tmp_path: Path) -> None:
    """The frames compared are the outermost that no dissolve and no fade touches."""
    plan = plan_of([footage], joins=[BLACK, SOFT, BLACK, BLACK])
    proof = render_plan(plan, tmp_path / "cut.mp4").proof
    assert [m.film_frame for s in proof.segments for _, m in s.frames()] == [10, 24, 35, 49, 60, 74]


def test_a_film_that_fails_never_has_its_name(made: tuple[Plan, list[np.ndarray], np.ndarray], tmp_path: Path) -> None:
    """The error names the clip and the time, and the film lies beside its place under another name."""
    plan, frames, sound = made
    film = written(tmp_path / "cut.mp4", [*frames[: EDGE - 1], frames[0], *frames[EDGE:]], sound)
    with pytest.raises(ProofError, match=r"cut.mp4: .*clip 1 .*last frame at 0:00:01.160.*Look at cut.failed.mp4"):
        proved(film, plan, ConstantGrid(plan))
    assert [p.name for p in tmp_path.iterdir()] == ["cut.failed.mp4"]


def test_verify_from_a_timeline(footage: Path, tmp_path: Path) -> None:
    """Written and read back, the plan proves its film and condemns another one; missing media are named."""
    plan = plan_of([footage])
    film = render_plan(plan, tmp_path / "cut.mp4").film
    write_otio(plan, tmp_path / "cut.otio")
    other = plan_of([footage], [(a + Fraction(1, 25), b + Fraction(1, 25)) for a, b in CUTS])
    write_otio(other, tmp_path / "other.otio")
    proof = pipeline.verify(film, tmp_path / "cut.otio")
    assert proof.problems == ()
    json.dumps(proof.to_dict(), allow_nan=False)
    quick = pipeline.verify(film, tmp_path / "other.otio", quick=True)
    assert sum("shows the source 40 ms too early" in words for words in quick.problems) == 6
    with pytest.raises(InputError, match="media of the timeline are missing"):
        pipeline.verify(film, replace(plan, sources=(replace(plan.sources[0], path=tmp_path / "gone.mp4"),)))


@pytest.mark.parametrize("shift", [-0.1, -0.0123, 0.0, 0.02, 0.2])
def test_sound_is_found_where_it_lies(shift: float) -> None:
    """A piece of noise, laid over what it was cut from with gain and a little other noise, gives its own shift."""
    rate, sound = 16_000, noise(2, 16_000)[0]
    first = round((0.75 - shift) * rate)
    film = 0.3 * sound[first : first + 8000] + 0.01 * noise(1, 16_000, seed=8)[0, :8000]
    assert laid_over(film, sound[8000 : 8000 + 16_000], rate).late == pytest.approx(shift, abs=1e-3)


def test_sound_that_cannot_be_placed_is_said_to_be_so() -> None:
    """Silence, a steady tone and other sound give no figure."""
    rate = 16_000
    tone = np.sin(2 * np.pi * 400 * np.arange(rate) / rate).astype(np.float32)
    one, other = noise(1, rate)[0], noise(1, rate, seed=9)[0]
    quiet = np.zeros(rate, np.float32)
    assert laid_over(tone[4000:12000], tone, rate).note == "the sound repeats itself"
    assert laid_over(quiet[4000:12000], quiet, rate).note == "silence"
    assert laid_over(one[4000:12000], other, rate).note == "unlike the source"
    assert laid_over(quiet[4000:12000], other, rate).note.startswith("missing")


def test_rumble_over_a_codecs_noise_is_no_shift() -> None:
    """Where a sub-bass tone is all that the film kept of the source, no shift is made up from the rest."""
    rate = 16_000
    rumble = 0.1 * np.sin(2 * np.pi * 18 * np.arange(rate) / rate).astype(np.float32)
    source, film = (rumble + 1e-3 * noise(1, rate, seed=n)[0] for n in (1, 2))
    assert laid_over(film[4000:12000], source, rate).late in (None, pytest.approx(0, abs=2e-3))


def test_coarse_encoders_may_lag() -> None:
    """Where an encoder's noise is greater than the motion, a frame that it left out is not wrong; else it is."""
    planned, other = (p.mean(2).astype(np.float32) for p in list(moving(2))[:2])
    grain = np.random.default_rng(0).normal(size=planned.shape).astype(np.float32)
    motion = lean(other, planned, other).motion
    assert not lean(other + 2 * motion * grain, planned, other).wrong
    assert lean(other + motion / 4 * grain, planned, other).wrong


def test_the_lean_sees_motion_and_no_grade() -> None:
    """0 at the planned frame, 1 at the other, under any brightness and contrast and under noise above the motion."""
    planned, other = (p.mean(2).astype(np.float32) for p in list(moving(2))[:2])
    grain = np.random.default_rng(0).normal(scale=12, size=planned.shape).astype(np.float32)
    assert lean(0.7 * planned + 20 + grain, planned, other).towards == pytest.approx(0, abs=0.2)
    assert lean(other + 20 + grain, planned, other).towards == pytest.approx(1, abs=0.2)
    assert correlation(planned, 0.5 * planned + 9) == pytest.approx(1)
    assert difference_hash(planned) == difference_hash(0.5 * planned + 9) != difference_hash(planned[::-1])
