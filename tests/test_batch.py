"""One film of each file: only what is missing is made, one bad file stops no other, a kill costs nothing done."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from media import Sound, beeps, flat, write_media
from roughcut import batch
from roughcut.batch import edit_each, jobs_for, plan_each
from roughcut.claims import working_on
from roughcut.errors import OptionError, OutputError

WISHES = {"keep": "all", "look": "none"}


def footage(path: Path, seconds: int = 2, level: int = 60) -> Path:
    """A small film that differs by `level`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = (flat((level, 3 * n % 200, 90)) for n in range(10 * seconds))
    return write_media(path, frames, rate=Fraction(10), sound=Sound(samples=beeps(seconds, [0.5])))


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [footage(tmp_path / "in" / f"{name}.mp4", level=50 * i) for i, name in enumerate("abc", 1)]


def states(jobs: list[batch.Job], **options: object) -> list[str]:
    return [o.state for o in edit_each(jobs, **(WISHES | options))]  # type: ignore[arg-type]


def marks(folder: Path) -> dict[str, tuple[int, int]]:
    """Which file each name is, and when it was last written."""
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.iterdir()}


def roughcut(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "roughcut", *map(str, arguments)]


def test_only_what_is_missing_is_made(three: list[Path], tmp_path: Path) -> None:
    """A second run writes nothing; a lost report, a cut film, a changed source or --force make a film anew."""
    out = tmp_path / "out"
    jobs = jobs_for(three, out)
    assert states(jobs) == ["made"] * 3
    first = marks(out)
    assert set(first) == {f"{n}{e}" for n in "abc" for e in (".mp4", ".otio", ".report.html", ".report.json")}
    assert states(jobs) == ["there"] * 3
    assert marks(out) == first
    for path in jobs[1].outputs():
        path.unlink()
    assert states(jobs) == ["there", "made", "there"]
    kept = {n: m for n, m in marks(out).items() if not n.startswith("b.")}
    assert kept == {n: m for n, m in first.items() if not n.startswith("b.")}
    assert states(jobs, force=True) == ["made"] * 3


def test_other_films_are_not_replaced_unasked(three: list[Path], tmp_path: Path) -> None:
    """With other wishes, other content or a stranger's file in the way, nothing is touched; --force replaces."""
    out = tmp_path / "out"
    jobs = jobs_for(three[:1], out)
    assert states(jobs) == ["made"]
    before = marks(out)
    assert states(jobs, look="auto") == ["failed"]
    footage(three[0], level=200)
    assert states(jobs) == ["failed"]
    assert marks(out) == before
    assert states(jobs, force=True) == ["made"]
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "a.otio").write_text("precious")
    (outcome,) = edit_each(jobs_for(three[:1], strange), **WISHES)
    assert isinstance(outcome.error, OutputError)
    assert {p.name: p.read_text() for p in strange.iterdir()} == {"a.otio": "precious"}


def test_wishes_that_mean_the_same_are_the_same(three: list[Path], tmp_path: Path) -> None:
    """A target of `1s` and one of `0:01` make the same film, so it is not made again."""
    jobs = jobs_for(three[:1], tmp_path / "out")
    assert states(jobs, target="1s") == ["made"]
    assert states(jobs, target="0:01") == ["there"]


def test_one_broken_file_among_three(three: list[Path], tmp_path: Path) -> None:
    """The broken file is named, the others are made, the exit code is 2, and JSON has one result per file."""
    three[1].write_bytes(b"not a video at all" * 100)
    command = roughcut("edit", *three, "--out-dir", tmp_path / "out", "--keep", "all", "--look", "none")
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    told = json.loads(done.stdout)
    assert [t["state"] for t in told] == ["made", "failed", "made"]
    assert "b.mp4" in told[1]["error"]
    assert told[0]["result"]["proof"]["ok"]
    assert {p.stem.split(".")[0] for p in (tmp_path / "out").iterdir()} == {"a", "c"}
    again = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert again.returncode == 2
    assert "3 files: 2 made already, 1 failed" in again.stdout
    assert "Traceback" not in again.stderr


def test_a_killed_batch_goes_on(three: list[Path], tmp_path: Path) -> None:
    """After SIGKILL in the middle of a film, nothing half lies under a final name, and only the missing is made."""
    out = tmp_path / "out"
    slow = footage(tmp_path / "in" / "b.mp4", seconds=40)
    run = subprocess.Popen(roughcut("edit", *three, "--out-dir", out, "--keep", "all", "--look", "none"),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    deadline = time.monotonic() + 90
    while not list(out.glob(".b*.lock")) and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.01)
    time.sleep(0.3)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert slow.exists()
    assert (out / "a.report.json").exists()
    assert not (out / "b.report.json").exists(), "the kill came too late to test anything"
    (out / f".b.{run.pid}.part.mp4").write_bytes(b"half a film")  # as a render leaves it
    (out / ".bb.12345678.part.mp4").write_bytes(b"another film's")
    finished = {n: m for n, m in marks(out).items() if n.startswith("a.")}
    assert len(finished) == 4
    assert [o.state for o in edit_each(jobs_for(three, out), **WISHES)] == ["there", "made", "made"]
    assert {n: m for n, m in marks(out).items() if n.startswith("a.")} == finished
    assert [p.name for p in out.iterdir() if p.name.startswith(".")] == [".bb.12345678.part.mp4"]
    assert len(list(out.iterdir())) == 13


def test_a_kill_between_film_and_report(three: list[Path], tmp_path: Path) -> None:
    """A film without its report, left by a killed run, is made anew without being asked twice."""
    out = tmp_path / "out"
    jobs = jobs_for(three[:1], out)
    assert states(jobs) == ["made"]
    (out / "a.report.json").unlink()
    assert states(jobs) == ["failed"]  # no killed run says that this film is its own
    (out / ".a.mp4.lock").write_text("12345678")
    assert states(jobs) == ["made"]
    assert len(list(out.iterdir())) == 4


def test_two_runs_do_not_meet(three: list[Path], tmp_path: Path) -> None:
    """A film that another process is at work on is left to it, and its lock stays."""
    out = tmp_path / "out"
    out.mkdir()
    with working_on(out / "a.mp4") as hold:
        hold.begin()
        code = (
            "import sys; from roughcut.batch import *;"
            "print([o.error.what for o in edit_each(jobs_for(sys.argv[1:2], sys.argv[2]))])"
        )
        done = subprocess.run([sys.executable, "-c", code, str(three[0]), str(out)], capture_output=True, text=True)
        assert "another run is at work" in done.stdout, done.stderr
        assert [p.name for p in out.iterdir()] == [".a.mp4.lock"]
    assert list(out.iterdir()) == []


def test_interruption_leaves_no_debris(three: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the film and before its report removes that film; the finished one stays whole."""
    out = tmp_path / "out"
    jobs = jobs_for(three[:2], out)
    assert states(jobs[:1]) == ["made"]
    finished = marks(out)

    def interrupted(*_: object) -> None:
        assert (out / "b.mp4").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(batch.pipeline, "reported", interrupted)
    with pytest.raises(KeyboardInterrupt):
        states(jobs)
    assert marks(out) == finished


def test_same_stems_get_numbers(tmp_path: Path) -> None:
    """Files of one stem get distinct names in order, told in a note; a name that a file has by itself stays its own."""
    paths = [tmp_path / p for p in ("x/talk.mp4", "y/talk.mov", "z/talk-2.mp4", "y/Talk.mkv", "x/../x/talk.mp4")]
    jobs = jobs_for(paths, tmp_path / "out")
    assert [j.film.name for j in jobs] == ["talk.mp4", "talk-3.mp4", "talk-2.mp4", "Talk-4.mp4"]
    assert [j.note is None for j in jobs] == [True, False, True, False]
    assert "another file is called talk" in (jobs[1].note or "")


def test_films_never_replace_footage(three: list[Path]) -> None:
    """A folder in which a film would have the name of any of the files is refused before any work."""
    with pytest.raises(OutputError, match="--out-dir"):
        jobs_for(three, three[0].parent)
    with pytest.raises(OptionError, match="no file"):
        jobs_for([], three[0].parent)


def test_dry_run_writes_nothing(three: list[Path], tmp_path: Path) -> None:
    """Planning each file writes nothing, or the timelines alone; one that fails does not stop the others."""
    three[0].write_bytes(b"")
    jobs = jobs_for(three, tmp_path / "out")
    assert [o.state for o in plan_each(jobs, keep="all")] == ["failed", "planned", "planned"]
    assert not (tmp_path / "out").exists()
    assert [o.state for o in plan_each(jobs, keep="all", write=True)] == ["failed", "planned", "planned"]
    assert {p.name for p in (tmp_path / "out").iterdir() if p.suffix != ".looks"} == {"b.otio", "c.otio"}


def test_a_film_or_a_folder(three: list[Path], tmp_path: Path) -> None:
    """edit wants exactly one of -o and --out-dir, and says so in one line."""
    for options in ([], ["-o", tmp_path / "x.mp4", "--out-dir", tmp_path]):
        done = subprocess.run(roughcut("edit", three[0], *options), capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert "--out-dir DIR for one film each" in " ".join(done.stderr.split())


def test_bad_wishes_stop_at_once(three: list[Path], tmp_path: Path) -> None:
    """A wish no file can fulfil is an error of the run, not of each file."""
    with pytest.raises(OptionError, match="allowed: auto, speech"):
        edit_each(jobs_for(three, tmp_path / "out"), keep="everything")
    with pytest.raises(OptionError, match=r"--smart.*allowed: auto, always, never"):
        edit_each(jobs_for(three, tmp_path / "out"), smart="sometimes")
    assert not (tmp_path / "out").exists()
