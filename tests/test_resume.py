"""Renders that were cut short: what was finished is used, nothing stands half-written, no two runs meet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import roughcut
from media import Sound, beeps, flat, write_media
from roughcut import parts, units
from roughcut.batch import edit_each, jobs_for
from roughcut.errors import OutputError
from roughcut.media.probe import probe
from roughcut.media.segment import part_packets
from roughcut.parts import parts_folder
from roughcut.records import ColourTags, FilmSpec, Progress
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.files import hidden_name
from roughcut.timeline.otio import write_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
RATE, UNIT = F(25), 30
TAGS = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False)


def moving(count: int, size: tuple[int, int] = (48, 64)) -> Iterator[np.ndarray]:
    """Pictures of which no two are alike."""
    ground = np.random.default_rng(3).integers(30, 220, (*size, 3)).astype(np.uint8)
    return (np.roll(ground, 2 * n, axis=1) for n in range(count))


def plan_of(path: Path, seconds: int, codec: str = "h264") -> Plan:
    """The whole of a file in two clips, the later one first."""
    info = probe(path)
    video, half = info.video, F(seconds, 2)
    source = Source(id="s", path=path, available=info.range, rate=RATE, width=video.width, height=video.height)
    ranges = ((half, F(seconds)), (F(0), half))
    spec = FilmSpec(width=video.width, height=video.height, rate=RATE, colour=TAGS, codec=codec)
    clips = tuple(Clip(source="s", range=TimeRange(*r), decision=WHY) for r in ranges)
    return Plan(sources=(source,), clips=clips, joins=(Join(),) * 3, spec=spec, loudness_target=-20.0)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """6 s, 150 frames, with sound."""
    path = tmp_path_factory.mktemp("resume") / "s.mp4"
    sound = Sound(samples=beeps(6, [1, 2, 4]))
    return plan_of(write_media(path, moving(150), rate=RATE, sound=sound, colour=TAGS), 6)


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five units of 30 frames, one after the other."""
    monkeypatch.setattr(units, "UNIT_FRAMES", UNIT)
    monkeypatch.setattr(units, "MAX_UNIT_FRAMES", UNIT)
    monkeypatch.setattr(parts, "WORKERS", 1)


@pytest.fixture(scope="module")
def whole(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The film of the plan, never interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "UNIT_FRAMES", UNIT)
        patch.setattr(units, "MAX_UNIT_FRAMES", UNIT)
        film = render_plan(plan, tmp_path_factory.mktemp("whole") / "cut.mp4", smart="never").film
    return film.read_bytes()


def finished(folder: Path) -> dict[str, tuple[int, int]]:
    """The finished parts of a film: which file each is, and when it was last written."""
    found = (p for p in (folder / ".cut.mp4.parts").glob("*.mp4") if ".part." not in p.name)
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


def interrupted_after(folder: Path, count: int, error: type[BaseException] = KeyboardInterrupt) -> Progress:
    """Progress that breaks off when `count` parts are finished."""

    def told(stage: str, done: float, total: float) -> None:
        if len(finished(folder)) >= count:
            raise error

    return told


KILLED = f"""
import os, signal, sys
from pathlib import Path
from roughcut import parts, pipeline, units
from roughcut.media.segment import SegmentWriter
units.UNIT_FRAMES = units.MAX_UNIT_FRAMES = {UNIT}
parts.WORKERS = 1
write, count = SegmentWriter.write, 0
def counted(self, picture):
    global count
    count += 1
    write(self, picture)
    if count == 2 * {UNIT} + 10:
        os.kill(os.getpid(), signal.SIGKILL)
SegmentWriter.write = counted
pipeline.render(sys.argv[1], sys.argv[2], smart="never")
"""


def killed_render(plan: Plan, folder: Path) -> Path:
    """Where a film would be, had its render not been killed with -9 in its third unit."""
    timeline, film = folder / "cut.otio", folder / "cut.mp4"
    write_otio(plan, timeline)
    done = subprocess.run([sys.executable, "-c", KILLED, str(timeline), str(film)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    timeline.unlink()
    return film


def test_a_killed_render_goes_on(plan: Plan, whole: bytes, tmp_path: Path) -> None:
    """After kill -9 no film stands; --resume keeps the finished parts untouched and ends with the same bytes."""
    film = killed_render(plan, tmp_path)
    assert not film.exists()
    before = finished(tmp_path)
    assert len(before) == 2
    debris = tmp_path / ".cut.mp4.parts" / f"{'0' * 32}.4711.part.mp4"
    debris.write_bytes(b"half a part")
    seen: list[dict[str, tuple[int, int]]] = []

    def look(stage: str, done: float, total: float) -> None:
        assert not debris.exists()
        seen.append(finished(tmp_path))

    result = roughcut.render(plan, film, smart="never", resume=True, progress=look)
    assert all(before.items() <= s.items() for s in seen)
    assert len(seen[-1]) == 5
    assert result.resumed == 2 * UNIT
    assert "60 of 150 frames were found finished" in result.notes()
    assert result.json()["resumed_frames"] == 60
    assert film.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [film]


def test_without_resume_all_is_made_anew(plan: Plan, whole: bytes, tmp_path: Path) -> None:
    """Parts left by a killed render are thrown away where nobody asks for them."""
    film = killed_render(plan, tmp_path)
    left = set(finished(tmp_path).values())

    def look(stage: str, done: float, total: float) -> None:
        assert not left & set(finished(tmp_path).values())

    result = render_plan(plan, film, smart="never", progress=look)
    assert result.resumed == 0
    assert not any("found finished" in n for n in result.notes())
    assert film.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [film]


@pytest.mark.parametrize("damage", ["empty", "garbage", "cut off", "another unit's"])
def test_broken_parts_are_made_anew(plan: Plan, whole: bytes, tmp_path: Path, damage: str) -> None:
    """A part that has its name but not its content, as a power cut leaves it, does not come into the film."""
    film = tmp_path / "cut.mp4"
    with pytest.raises(KeyboardInterrupt):
        render_plan(plan, film, smart="never", resume=True, progress=interrupted_after(tmp_path, 2))
    folder = tmp_path / ".cut.mp4.parts"
    part = min(folder.glob("*.mp4"), key=lambda p: p.stat().st_mtime_ns)
    content = part.read_bytes()
    short = write_media(tmp_path / "short.mp4", moving(UNIT - 1), rate=RATE).read_bytes()
    (tmp_path / "short.mp4").unlink()
    damaged = {"empty": b"", "garbage": bytes(len(content)), "cut off": content[: len(content) // 2]}
    part.write_bytes(damaged.get(damage, short))
    count = len(finished(tmp_path))
    result = render_plan(plan, film, smart="never", resume=True)
    assert result.resumed == (count - 1) * UNIT
    assert film.read_bytes() == whole


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OutputError("the disk is full")])
def test_interrupted_with_resume_keeps_what_is_finished(plan: Plan, tmp_path: Path, error: type[BaseException]) -> None:
    """Broken off, a render with --resume leaves its finished parts and nothing else; without, nothing at all."""
    kind = error if isinstance(error, type) else type(error)
    film = tmp_path / "cut.mp4"
    with pytest.raises(kind):
        render_plan(plan, film, smart="never", resume=True, progress=interrupted_after(tmp_path, 2, error))
    assert [p.name for p in tmp_path.iterdir()] == [".cut.mp4.parts"]
    kept = finished(tmp_path)
    assert len(kept) >= 2
    assert {p.name for p in (tmp_path / ".cut.mp4.parts").iterdir()} == {"lock", *kept}
    with pytest.raises(kind):
        render_plan(plan, film, smart="never", progress=interrupted_after(tmp_path, 1, error))
    assert list(tmp_path.iterdir()) == []


def test_parts_of_another_plan_are_not_taken(plan: Plan, tmp_path: Path) -> None:
    """A film whose quality was changed since uses none of what lies there, and clears it away."""
    film = killed_render(plan, tmp_path)
    other = replace(plan, spec=replace(plan.spec, crf=30))
    result = render_plan(other, film, smart="never", resume=True)
    assert result.resumed == 0
    assert list(tmp_path.iterdir()) == [film]


def test_what_dead_processes_left_is_swept(plan: Plan, tmp_path: Path) -> None:
    """Temporary files of this film go, those of others stay."""
    film = tmp_path / "cut.mp4"
    mine = [tmp_path / ".cut.4711.part.mp4", tmp_path / f".cut.{os.getppid()}.part.mp4"]
    others = [tmp_path / n for n in (".cut.4711.part.mkv", ".cut2.4711.part.mp4", ".cut.x.part.mp4", "cut.1.part.mp4")]
    for path in (*mine, *others):
        path.write_bytes(b"half a film")
    render_plan(plan, film, smart="never")
    assert sorted(tmp_path.iterdir()) == sorted([film, *others])


def test_two_renders_of_one_film_do_not_meet(plan: Plan, tmp_path: Path) -> None:
    """While one is at work, another is refused, and what the first has stays."""
    film = tmp_path / "cut.mp4"
    with parts_folder(film, resume=False) as folder:
        (folder / "precious.mp4").write_bytes(b"a part")
        with pytest.raises(OutputError, match="another run is at work on this film"):
            render_plan(plan, film)
        with pytest.raises(OutputError, match="another run is at work on this film"):
            render_plan(plan, film, resume=True)
        assert (folder / "precious.mp4").read_bytes() == b"a part"
        assert render_plan(plan, tmp_path / "other.mp4").film.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["other.mp4"]


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9"])
def test_bytes_do_not_depend_on_timing(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str) -> None:
    """One, two or three threads, and a render that was broken off in between, give the same file."""
    plan = replace(plan, spec=replace(plan.spec, codec=codec))
    films = []
    for workers in (1, 2, 3):
        monkeypatch.setattr(parts, "WORKERS", workers)
        films.append(render_plan(plan, tmp_path / f"{workers}.mp4", smart="never").film)
    with pytest.raises(KeyboardInterrupt):
        render_plan(plan, tmp_path / "cut.mp4", smart="never", resume=True, progress=interrupted_after(tmp_path, 2))
    resumed = render_plan(plan, tmp_path / "cut.mp4", smart="never", resume=True)
    assert resumed.resumed >= 2 * UNIT
    packets = [[p.data for p in part_packets(f, 0, RATE, None)] for f in (*films, resumed.film)]
    assert len(packets[0]) == 150
    assert packets[1:] == packets[:1] * 3
    assert {f.read_bytes() for f in films} == {resumed.film.read_bytes()}


def test_a_batch_goes_on_with_the_film_under_way(tmp_path: Path) -> None:
    """Finished parts of the film that a batch was at work on are used by the next run, unasked."""
    frames = (flat((60, 3 * n % 200, 90)) for n in range(100))
    write_media(tmp_path / "a.mp4", frames, rate=RATE, sound=Sound(samples=beeps(4, [1])))
    jobs = jobs_for([tmp_path / "a.mp4"], tmp_path / "out")
    wishes = {"keep": "all", "look": "none", "smart": "never"}

    def told(stage: str, done: float, total: float) -> None:
        parts_found = [p for p in (tmp_path / "out").glob(".a.mp4.parts/*.mp4") if ".part." not in p.name]
        if len(parts_found) >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(edit_each(jobs, resume=True, progress=told, **wishes))
    (outcome,) = edit_each(jobs, **wishes)
    assert outcome.result is not None, outcome.error
    assert outcome.result.resumed >= 2 * UNIT
    assert len(list((tmp_path / "out").iterdir())) == 4


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_hidden_names_fit(name: str) -> None:
    """Whatever a film is called, what lies hidden beside it has a name that file systems take, in bytes."""
    ending = ".12345678.part.webm"
    made = hidden_name(name, ending)
    assert made.startswith(".")
    assert made.endswith(ending)
    assert len(os.fsencode(made)) <= 255
    assert hidden_name(name + "x" * 250, "") != hidden_name(name + "x" * 251, "")
    if len(name.encode()) <= 80:
        assert made == f".{name}{ending}"


@pytest.mark.parametrize("name", ["影" * 83 + "ab.mp4", "ä" * 125 + "x.mp4", "x" * 251 + ".mp4"])
def test_the_longest_names_are_rendered(plan: Plan, tmp_path: Path, name: str) -> None:
    """A film's name may have 255 bytes."""
    assert len(os.fsencode(name)) == 255
    film = roughcut.render(plan, tmp_path / name, smart="never").film
    assert list(tmp_path.iterdir()) == [film]


@pytest.mark.slow
def test_kill_and_resume_as_people_do(tmp_path: Path) -> None:
    """On the command line, with units as they are: killed when the first part is there, `render --resume` ends it."""
    sound = Sound(samples=beeps(48, [1, 20]))
    path = write_media(tmp_path / "s.mp4", moving(1200, (240, 320)), rate=RATE, sound=sound, colour=TAGS)
    write_otio(plan_of(path, 48), tmp_path / "cut.otio")
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-m", "roughcut", "render", str(tmp_path / "cut.otio"), "--smart", "never", "-o"]
    run = subprocess.Popen([*command, str(out / "cut.mp4")])
    until = time.monotonic() + 60
    while not finished(out) and time.monotonic() < until and run.poll() is None:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not (out / "cut.mp4").exists()
    assert len(finished(out)) >= 1
    subprocess.run([*command, str(out / "cut.mp4"), "--resume"], check=True, timeout=120)
    subprocess.run([*command, str(out / "whole.mp4")], check=True, timeout=120)
    assert (out / "cut.mp4").read_bytes() == (out / "whole.mp4").read_bytes()
    assert sorted(p.name for p in out.iterdir()) == ["cut.mp4", "whole.mp4"]
