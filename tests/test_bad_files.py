"""Odd names and bad files: a film, or one line on standard error and exit code 2; never debris."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from media import Sound, beeps, flat, write_media
from roughcut import pipeline
from roughcut.errors import InputError, OutputError, RoughcutError

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.6 s with a beep."""
    path = tmp_path_factory.mktemp("small") / "small.mp4"
    return write_media(path, (flat(20 + 4 * n) for n in range(40)), sound=Sound(samples=beeps(1.6, [1])))


def roughcut(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as people run it, from `folder`; over 60 s is a hang."""
    return subprocess.run(
        [sys.executable, "-m", "roughcut", *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=60
    )


def one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """The error is one line with these words, and the exit code 2."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


NAMES = {
    "spaces": "my film  (1).mp4",
    "quotes": 'it\'s "one" `film`.mp4',
    "chinese": "旅行の映画 影片.mp4",
    "percent": "100%20 %d %s.mp4",
    "backslash": "a\\b\\n.mp4",
    "newline": "two\nlines.mp4",
    "brackets": "[bold]x[red] *?{}.mp4",
    "long": "a" * 251 + ".mp4",
    "long chinese": "影" * 83 + ".mp4",
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_are_only_names(small: Path, tmp_path: Path, kind: str) -> None:
    """Whatever a file is called, it is edited, and the film may have that name too, or is refused in a line."""
    name = NAMES[kind]
    source = tmp_path / name
    source.write_bytes(small.read_bytes())
    made = tmp_path / "made"
    if "long" not in kind:
        result = pipeline.edit(source, made / name)
        assert result.film == made / name
        assert sorted({p.suffix for p in made.iterdir()} - {".looks"}) == [".html", ".json", ".mp4", ".otio"]
        again = pipeline.render(result.timeline, made / "again.mp4")
        assert again.film.is_file()
        return
    assert pipeline.edit(source, made / "cut.mp4").film.is_file()
    with pytest.raises(OutputError, match="name is too long"):
        pipeline.edit(source, tmp_path / "other" / name)
    assert not (tmp_path / "other").exists() or not list((tmp_path / "other").iterdir())


def test_a_film_may_have_the_longest_name_its_report_fits(small: Path, tmp_path: Path) -> None:
    """`NAME.report.html` of 255 bytes is written; temporary names do not overflow before it does."""
    name = "b" * (255 - len(".report.html")) + ".mp4"
    result = pipeline.edit(small, tmp_path / name)
    assert len([p for p in tmp_path.iterdir() if p.suffix != ".looks"]) == 4
    assert result.proof.problems == ()


def test_deep_folders(small: Path, tmp_path: Path) -> None:
    """A path of over 300 characters is a path."""
    folder = tmp_path.joinpath(*["folder of some length"] * 15)
    assert pipeline.edit(small, folder / "cut.mp4").film.is_file()


def test_a_leading_dash_is_told_from_an_option(small: Path, tmp_path: Path) -> None:
    """`-- -x.mp4` is a file."""
    (tmp_path / "-x.mp4").write_bytes(small.read_bytes())
    done = roughcut("probe", "--", "-x.mp4", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert roughcut("edit", "-o", "-y.mp4", "--quiet", "--", "-x.mp4", folder=tmp_path).returncode == 0
    assert (tmp_path / "-y.mp4").is_file()


# ---------------------------------------------------------------- what is no footage


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "bad.mp4")
    return folder / "bad.mp4"


def a_socket(folder: Path) -> Path:
    here = Path.cwd()
    os.chdir(folder)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("bad.mp4")
    finally:
        os.chdir(here)
    return folder / "bad.mp4"


def loop(folder: Path) -> Path:
    (folder / "bad.mp4").symlink_to(folder / "other.mp4")
    (folder / "other.mp4").symlink_to(folder / "bad.mp4")
    return folder / "bad.mp4"


def dangling(folder: Path) -> Path:
    (folder / "bad.mp4").symlink_to(folder / "gone.mp4")
    return folder / "bad.mp4"


def holding(content: bytes):  # type: ignore[no-untyped-def]
    def made(folder: Path) -> Path:
        (folder / "bad.mp4").write_bytes(content)
        return folder / "bad.mp4"

    return made


def sound_alone(folder: Path) -> Path:
    import av

    with av.open(str(folder / "bad.mp4"), "w") as out:
        track = out.add_stream("aac", rate=48_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 48_000), np.float32), "fltp", layout="stereo")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48_000, frame_size=track.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(track.encode(part))
        out.mux(track.encode(None))
    return folder / "bad.mp4"


def photograph(folder: Path) -> Path:
    from PIL import Image

    Image.new("RGB", (64, 64), (10, 90, 30)).save(folder / "bad.mp4", format="JPEG")
    return folder / "bad.mp4"


def a_folder(folder: Path) -> Path:
    (folder / "bad.mp4").mkdir()
    return folder / "bad.mp4"


BAD = {
    "missing": (lambda folder: folder / "bad.mp4", "no such file"),
    "dangling link": (dangling, "no such file"),
    "link in a circle": (loop, "symbolic links"),
    "folder": (a_folder, "a folder"),
    "fifo": (fifo, "not a plain file"),
    "socket": (a_socket, "not a plain file"),
    "device": (lambda folder: Path("/dev/zero"), "not a plain file"),
    "empty": (holding(b""), "empty"),
    "text": (holding(b"only words, no film\n" * 99), "not a video file"),
    "web page": (holding(b"<!DOCTYPE html><html><body>" + b"<p>no</p>" * 300), "not a video file"),
    "subtitles": (holding(b"1\n00:00:01,000 --> 00:00:02,000\nwords\n\n" * 20), "no video stream"),
    "zeros": (holding(bytes(100_000)), "not a video file"),
    "sound alone": (sound_alone, "no video stream"),
    "photograph": (photograph, "still picture"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_footage_is_refused(small: Path, tmp_path: Path, kind: str) -> None:
    """Each kind of bad file, alone or beside a good one, is named in an error, and leaves nothing behind."""
    make, words = BAD[kind]
    (tmp_path / "in").mkdir()
    bad = make(tmp_path / "in")
    with pytest.raises(InputError, match=words) as refused:
        pipeline.probe(bad)
    assert str(bad) in str(refused.value)
    for files in ([bad], [small, bad]):
        with pytest.raises(InputError, match=words):
            pipeline.edit(files, tmp_path / "out" / "cut.mp4")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_the_command_line_says_it_in_one_line(small: Path, tmp_path: Path) -> None:
    """A FIFO, a web page called .mp4 and a good file beside a broken one: one line, exit code 2, nothing left."""
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "page.mp4").write_bytes(b"<!DOCTYPE html><html><body>" + b"<p>Sign in</p>" * 300)
    before = sorted(p.name for p in tmp_path.iterdir())
    one_line(roughcut("probe", "pipe.mp4", folder=tmp_path), "pipe.mp4", "not a plain file")
    one_line(roughcut("analyze", "page.mp4", folder=tmp_path), "page.mp4", "not a video file")
    one_line(roughcut("edit", small, "page.mp4", "-o", "cut.mp4", folder=tmp_path), "page.mp4", "not a video file")
    assert sorted(p.name for p in tmp_path.iterdir()) == before


# ---------------------------------------------------------------- where no film can go


def test_outputs_that_are_no_files(small: Path, tmp_path: Path) -> None:
    """A FIFO, a device, a socket and a folder are refused as outputs, with --force too, and stay as they are."""
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    for name in ("pipe.mp4", "folder.mp4"):
        for force in (False, True):
            with pytest.raises(OutputError):
                pipeline.edit(small, tmp_path / name, force=force)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.mp4", "pipe.mp4"]
    assert (tmp_path / "pipe.mp4").is_fifo()
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="the folder cannot be made"):
        pipeline.edit(small, tmp_path / "file" / "cut.mp4")


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_folder_without_permission(small: Path, tmp_path: Path) -> None:
    """A read-only folder is refused before any work."""
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(OutputError, match="may not be written"):
        pipeline.edit(small, tmp_path / "locked" / "cut.mp4")


@pytest.fixture
def tight(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        ROOT
        and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode
        == 0
    )
    if not mounted:
        pytest.skip("no small disk can be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_named_and_left_clean(tight: Path, tmp_path: Path) -> None:
    """A disk that fills while the film is written: one clear error, no half film."""
    noise = np.random.default_rng(0)
    source = write_media(tmp_path / "n.mp4", (noise.integers(0, 255, (240, 320, 3), np.uint8) for _ in range(30)))
    with pytest.raises(OutputError, match=r"disk is full|No space left"):
        pipeline.edit(source, tight / "cut.mp4")
    assert list(tight.iterdir()) == []


def test_a_read_only_disk_is_named(tmp_path: Path, small: Path) -> None:
    """A mount that nobody may write to, root included."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("no read-only disk can be mounted here")
    try:
        with pytest.raises(OutputError):
            pipeline.edit(small, disk / "cut.mp4")
    finally:
        subprocess.run(["umount", disk], check=True)


# ---------------------------------------------------------------- files that change under the plan


def test_a_source_that_vanishes_is_named(small: Path, tmp_path: Path) -> None:
    """Between the plan and the render the file is deleted: an error that names it, no film."""
    source = tmp_path / "s.mp4"
    source.write_bytes(small.read_bytes())
    plan = pipeline.plan(pipeline.analyze(source))
    source.unlink()
    with pytest.raises(RoughcutError, match=r"s\.mp4"):
        pipeline.render(plan, tmp_path / "out" / "cut.mp4")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_source_that_changed_is_named(small: Path, tmp_path: Path) -> None:
    """Between the plan and the render the file becomes another: the film is made, and the change is named."""
    source = tmp_path / "s.mp4"
    source.write_bytes(small.read_bytes())
    plan = pipeline.plan(pipeline.analyze(source), keep="all")
    write_media(source, (flat(200 - 4 * n) for n in range(45)), sound=Sound(samples=beeps(1.8, [1])))
    result = pipeline.render(plan, tmp_path / "cut.mp4")
    assert any("changed since" in note and "s.mp4" in note for note in result.notes())
    assert result.proof.frames_found == plan.film_frames() == 40
    assert plan.duration == Fraction(8, 5)
