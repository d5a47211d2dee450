"""Cut short at any stage, by a signal or an error: one clear end, at once, with nothing left behind."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction as F
from pathlib import Path

import pytest

from media import Sound, beeps, flat, write_media
from roughcut import parts, rendering, units
from roughcut.errors import InputError, OutputError, ProofError
from roughcut.media.mux import FilmMuxer
from roughcut.media.probe import probe
from roughcut.media.segment import SegmentWriter
from roughcut.records import ColourTags, FilmSpec
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.otio import write_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
RATE = F(25)
TAGS = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits differ on Windows")


def plan_of(path: Path) -> Plan:
    """All of a file, in one clip."""
    info = probe(path)
    source = Source(id="s", path=path, available=info.range, rate=RATE, width=64, height=48)
    clips = (Clip(source="s", range=TimeRange(F(0), info.video.duration), decision=WHY),)
    spec = FilmSpec(width=64, height=48, rate=RATE, colour=TAGS)
    return Plan(sources=(source,), clips=clips, joins=(Join(), Join()), spec=spec, loudness_target=-20.0)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 s, 200 frames, with sound."""
    frames = (flat((40 + n % 160, 3 * n % 200, 90)) for n in range(200))
    path = tmp_path_factory.mktemp("interrupt") / "s.mp4"
    return write_media(path, frames, rate=RATE, sound=Sound(samples=beeps(8, [1, 2, 4])), colour=TAGS)


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five units of 40 frames, one after the other."""
    monkeypatch.setattr(units, "UNIT_FRAMES", 40)
    monkeypatch.setattr(units, "MAX_UNIT_FRAMES", 40)
    monkeypatch.setattr(parts, "WORKERS", 1)


def none_left(folder: Path, *but: str) -> None:
    """No file beside `but`, and no thread of ours."""
    assert sorted(p.name for p in folder.iterdir()) == sorted(but)
    assert [t.name for t in threading.enumerate() if t.name.startswith("roughcut")] == []


# ---------------------------------------------------------------- signals

SIGNALLED = """
import importlib, os, signal, sys, time
from pathlib import Path
from roughcut import cli, units
place, number, timeline, film, *more = sys.argv[1:]
module, _, names = place.partition(":")
*path, name = names.split(".")
owner = importlib.import_module(module)
for part in path:
    owner = getattr(owner, part)
original, calls = getattr(owner, name), 0

def signalled(*args, **options):
    global calls
    calls += 1
    if calls == 5 or "." not in names:
        print(time.time(), file=sys.stderr)
        os.kill(os.getpid(), int(number))
    return original(*args, **options)

setattr(owner, name, signalled)
units.UNIT_FRAMES = units.MAX_UNIT_FRAMES = 40
sys.argv = ["roughcut", "render", timeline, "-o", film, "--smart", "never", *more]
cli.main()
"""
STAGES = {
    "encoding": "roughcut.media.segment:SegmentWriter.write",
    "loudness": "roughcut.soundtrack:measure_loudness",
    "muxing": "roughcut.media.mux:FilmMuxer.write_packet",
    "sound": "roughcut.media.mux:FilmMuxer.write_sound",
    "proof": "roughcut.rendering:proved",
    "folder of parts just made": "roughcut.claims:_locked",
    "parts going": "roughcut.parts:_close",
}


@pytest.mark.parametrize(
    ("stage", "number"),
    [*((s, signal.SIGINT) for s in STAGES), ("encoding", signal.SIGTERM), ("muxing", signal.SIGTERM)],
)
def test_signals_end_it_at_once(footage: Path, tmp_path: Path, stage: str, number: signal.Signals) -> None:
    """Ctrl-C gives 130 and SIGTERM 143, within two seconds, without a word, and nothing is left but the timeline."""
    timeline = tmp_path / "cut.otio"
    write_otio(plan_of(footage), timeline)
    arguments = [STAGES[stage], str(int(number)), str(timeline), str(tmp_path / "cut.mp4")]
    process = subprocess.Popen([sys.executable, "-c", SIGNALLED, *arguments], stderr=subprocess.PIPE, text=True)
    _, said = process.communicate(timeout=60)
    ended = time.time()
    assert process.returncode == 128 + number, said
    (sent,) = said.split()
    assert ended - float(sent) < 2
    none_left(tmp_path, "cut.otio")


BESIDE = """
import os, signal, sys
from roughcut import cli
from roughcut.report import write
original = write.page

def page(*args):
    os.kill(os.getpid(), signal.SIGINT)
    return original(*args)

write.page = page
sys.argv = ["roughcut", "edit", sys.argv[1], "-o", sys.argv[2], "--keep", "all", "--smart", "never"]
cli.main()
"""


def test_ctrl_c_after_the_film(footage: Path, tmp_path: Path) -> None:
    """Interrupted while its report is made, edit takes the finished film and its timeline back."""
    arguments = [sys.executable, "-c", BESIDE, str(footage), str(tmp_path / "cut.mp4")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (130, "")
    none_left(tmp_path)


def test_ctrl_c_with_resume_keeps_the_parts(footage: Path, tmp_path: Path) -> None:
    """`render --resume`, interrupted, can be gone on with; the next one says how much it found."""
    timeline, film = tmp_path / "cut.otio", tmp_path / "cut.mp4"
    write_otio(plan_of(footage), timeline)
    arguments = [STAGES["muxing"], str(int(signal.SIGINT)), str(timeline), str(film), "--resume"]
    done = subprocess.run([sys.executable, "-c", SIGNALLED, *arguments], timeout=60, check=False)
    assert done.returncode == 130
    none_left(tmp_path, "cut.otio", ".cut.mp4.parts")
    again = [STAGES["proof"], "0", str(timeline), str(film), "--resume"]  # signal 0 is none
    done = subprocess.run([sys.executable, "-c", SIGNALLED, *again], timeout=60, capture_output=True, text=True)
    assert done.returncode == 0
    assert "200 of 200 frames were found finished" in done.stderr
    none_left(tmp_path, "cut.otio", "cut.mp4")


# ---------------------------------------------------------------- errors


def test_a_source_that_vanishes(footage: Path, tmp_path: Path) -> None:
    """Footage that goes while its film is rendered is one error that names it."""
    source = tmp_path / "s.mp4"
    source.write_bytes(footage.read_bytes())
    plan = plan_of(source)

    def told(stage: str, done: float, total: float) -> None:
        if stage == "rendering":
            source.unlink(missing_ok=True)

    with pytest.raises(InputError, match=r"s\.mp4: no such file"):
        render_plan(plan, tmp_path / "cut.mp4", smart="never", progress=told)
    none_left(tmp_path)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_full_disk_under_the_parts(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """A part that cannot be written ends all others, and the error says why."""
    monkeypatch.setattr(parts, "WORKERS", workers)

    def full(self: SegmentWriter, frame: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SegmentWriter, "_mux", full)
    with pytest.raises(OutputError, match="the disk is full"):
        render_plan(plan_of(footage), tmp_path / "cut.mp4", smart="never")
    none_left(tmp_path)


@pytest.mark.parametrize("step", ["write_sound", "close", "publish"])
def test_a_full_disk_under_the_film(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The same while the film is put together; what stood under its name is as it was."""

    def full(self: FilmMuxer, *_: object) -> None:
        raise OutputError("the disk is full", where=self.path)

    (tmp_path / "cut.mp4").write_bytes(b"an older film")
    monkeypatch.setattr(FilmMuxer, step, full)
    with pytest.raises(OutputError, match=r"cut\.mp4: the disk is full"):
        render_plan(plan_of(footage), tmp_path / "cut.mp4", smart="never")
    assert (tmp_path / "cut.mp4").read_bytes() == b"an older film"
    none_left(tmp_path, "cut.mp4")


LIMITED = """
import resource, sys
from roughcut import cli, units
units.UNIT_FRAMES = units.MAX_UNIT_FRAMES = 40
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = ["roughcut", "render", *sys.argv[2:], "--smart", "never"]
cli.main()
"""


@pytest.mark.parametrize(("share", "ending"), [(0.02, "mp4"), (0.5, "mp4"), (0.999, "mp4"), (0.999, "mkv")])
def test_no_file_may_grow_further(footage: Path, tmp_path: Path, share: float, ending: str) -> None:
    """Where the system really stops a file from growing, be it a part or the film, nothing half-written stays."""
    plan, timeline, film = plan_of(footage), tmp_path / "cut.otio", tmp_path / f"cut.{ending}"
    size = render_plan(plan, film, smart="never").film.stat().st_size
    film.unlink()
    write_otio(plan, timeline)
    arguments = [sys.executable, "-c", LIMITED, str(round(share * size)), str(timeline), "-o", str(film)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert f"/cut.{ending}: the film cannot be written (got File too large)" in done.stderr
    assert done.stderr.count("\n") == 1
    none_left(tmp_path, "cut.otio")


def test_a_film_that_fails_its_proof(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never stands under its name, and whatever stood there stays."""

    def failed(film: Path, *_: object, **__: object) -> None:
        assert film.exists()
        raise ProofError("the film is not what was planned", where=film)

    (tmp_path / "cut.mp4").write_bytes(b"an older film")
    monkeypatch.setattr(rendering, "proved", failed)
    with pytest.raises(ProofError):
        render_plan(plan_of(footage), tmp_path / "cut.mp4", smart="never")
    assert (tmp_path / "cut.mp4").read_bytes() == b"an older film"
    none_left(tmp_path, "cut.mp4")
