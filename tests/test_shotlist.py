"""`roughcut shots`: what it prints, the film of each shot, the pictures of each shot."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from media import Sound, write_media
from roughcut import pipeline, shotlist
from roughcut.cli.commands import app
from roughcut.errors import OutputError
from roughcut.models import store
from roughcut.records import FrameTimes, Transition
from roughcut.shotlist import ShotList, save_images, split, write_files
from roughcut.temporal.shots import shots_from

RATE = Fraction(25)
LEVELS = np.concatenate([30 + np.arange(30), 130 + np.arange(24), 200 + np.arange(26)])
"""The grey of each of 80 frames: cuts at 30 and 54, and every frame tells which one it is."""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """80 frames of rising grey with two jumps, and a tone that jumps with them."""
    t = np.arange(round(80 / 25 * 48_000)) / 48_000
    tone = 0.3 * np.sin(2 * np.pi * np.where(t < 30 / 25, 300, np.where(t < 54 / 25, 900, 2000)) * t)
    frames = (np.full((64, 96, 3), level, np.uint8) for level in LEVELS)
    return write_media(tmp_path / "a film.mp4", frames, rate=RATE, sound=Sound(samples=tone[None].astype(np.float32)))


def listed(path: Path) -> ShotList:
    """The shots of the film as they are, whatever a network would say."""
    info = pipeline.probe(path)
    ticks = int(1 / (RATE * info.video.time_base))
    times = FrameTimes(pts=np.arange(80) * ticks, end_pts=80 * ticks, time_base=info.video.time_base)
    cuts = tuple(Transition(kind="cut", start=t - 1, end=t, probability=1.0) for t in (30, 54))
    return ShotList(media=info, times=times, transitions=cuts, shots=shots_from(cuts, times))


def greys(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(f.to_ndarray(format="rgb24").mean()) for f in container.decode(video=0)]


def opened(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def pitch(path: Path) -> float:
    """The strongest frequency of the middle half of a film's sound."""
    with av.open(str(path)) as container:
        sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    return float(np.abs(np.fft.rfft(middle)).argmax() * 48_000 / len(middle))


def test_split_holds_each_frame_once(film: Path, tmp_path: Path) -> None:
    """One film per shot, in order; together they hold every frame of the source, each with its own sound."""
    paths = split(listed(film), tmp_path / "shots")
    assert [p.name for p in paths] == ["001.mp4", "002.mp4", "003.mp4"]
    found = [greys(path) for path in paths]
    assert [len(f) for f in found] == [30, 24, 26]
    np.testing.assert_allclose(np.concatenate(found), LEVELS, atol=2.5)
    assert [round(pitch(path) / 100) for path in paths] == [3, 9, 20]
    assert sorted(p.name for p in (tmp_path / "shots").iterdir()) == [p.name for p in paths]


def test_frames_of_a_gradual_belong_to_no_film(film: Path, tmp_path: Path) -> None:
    """The clean frames alone are written: those inside a dissolve are in neither film."""
    found = listed(film)
    one = (Transition(kind="dissolve", start=25, end=40, probability=1.0),)
    paths = split(
        ShotList(media=found.media, times=found.times, transitions=one, shots=shots_from(one, found.times)),
        tmp_path / "shots",
    )
    assert [len(greys(p)) for p in paths] == [26, 40]


def test_pictures_are_the_first_middle_and_last(film: Path, tmp_path: Path) -> None:
    """Three JPEGs of full size per shot, each of the frame it names."""
    paths = save_images(listed(film), tmp_path / "stills")
    assert [p.name for p in paths[:4]] == ["001-first.jpg", "001-middle.jpg", "001-last.jpg", "002-first.jpg"]
    pictures = [opened(p) for p in paths]
    assert {p.shape for p in pictures} == {(64, 96, 3)}
    wanted = LEVELS[[0, 14, 29, 30, 41, 53, 54, 66, 79]]
    np.testing.assert_allclose([p.mean() for p in pictures], wanted, atol=2.5)


def test_what_exists_is_kept_without_force(film: Path, tmp_path: Path) -> None:
    """A name that is taken stops the work before it begins, for films and pictures together; --force replaces."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "002-last.jpg").write_text("mine")
    with pytest.raises(OutputError, match=r"002-last.jpg: exists already.*--force"):
        write_files(listed(film), films=folder, pictures=folder)
    assert [p.name for p in folder.iterdir()] == ["002-last.jpg"]
    made = write_files(listed(film), films=folder, pictures=folder, force=True)
    assert [(what, len(paths)) for what, paths in made] == [("films", 3), ("pictures", 9)]
    assert opened(folder / "002-last.jpg").shape == (64, 96, 3)


def test_interrupted_split_leaves_nothing(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at the second film leaves no film and nothing hidden."""
    real, calls = shotlist.render_plan, []

    def stopping(*args: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(shotlist, "render_plan", stopping)
    with pytest.raises(KeyboardInterrupt):
        split(listed(film), tmp_path / "shots")
    assert list((tmp_path / "shots").iterdir()) == []


@pytest.mark.parametrize(
    ("codec", "name", "made"), [("mpeg4", "a.avi", "001.mp4"), ("libvpx-vp9", "a.webm", "001.webm")]
)
def test_films_are_of_a_kind_that_holds_the_footage(codec: str, name: str, made: str, tmp_path: Path) -> None:
    """The source's own kind of file where roughcut writes it, else MP4."""
    frames = (np.full((64, 96, 3), level, np.uint8) for level in LEVELS[:12])
    path = write_media(tmp_path / name, frames, codec=codec, options={})
    info = pipeline.probe(path)
    times = FrameTimes(pts=np.arange(12), end_pts=12, time_base=1 / RATE)
    found = ShotList(media=info, times=times, transitions=(), shots=shots_from((), times))
    assert [p.name for p in split(found, tmp_path / "out")] == [made]
    assert len(greys(tmp_path / "out" / made)) == 12


@pytest.mark.skipif("shots" not in store.names(), reason="the shot networks are not shipped yet")
def test_times_are_those_of_the_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a variable rate and a late start, frames are counted as decoded and times are exactly their own."""
    monkeypatch.setenv("ROUGHCUT_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 256, (8, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(2)]
    ticks = (90_000 + np.cumsum(rng.integers(2000, 9000, 60))).tolist()
    path = write_media(
        tmp_path / "v.mkv", [pictures[i >= 33] for i in range(60)], ticks=ticks, time_base=Fraction(1, 90_000)
    )
    told = json.loads(CliRunner().invoke(app, ["shots", str(path), "--json"]).stdout)
    with av.open(str(path)) as container:
        exact = [float(f.pts * f.time_base) for f in container.decode(video=0)]
    assert told["frames"] == 60
    assert [(t["type"], t["start"], t["end"]) for t in told["transitions"]] == [("cut", 32, 33)]
    (cut,) = told["transitions"]
    assert (cut["start_time"], cut["end_time"]) == (exact[32], exact[33])
    assert told["shots"][1]["start_time"] == exact[33]


@pytest.mark.skipif("shots" not in store.names(), reason="the shot networks are not shipped yet")
def test_command(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--json is one document with exactly the promised fields; --split and --save-images write."""
    monkeypatch.setenv("ROUGHCUT_CACHE", str(tmp_path / "cache"))
    arguments = ["shots", str(film), "--json", "--split", str(tmp_path / "s"), "--save-images", str(tmp_path / "i")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert list(told) == ["fps", "frames", "transitions", "shots"]
    assert (told["fps"], told["frames"]) == ("25", 80)
    for found in told["transitions"]:
        assert list(found) == ["type", "start", "end", "start_time", "end_time", "probability"]
        assert found["end_time"] == found["end"] / 25
    assert len(list((tmp_path / "s").iterdir())) == len(told["shots"])
    assert len(list((tmp_path / "i").iterdir())) == 3 * len(told["shots"])
    again = CliRunner().invoke(app, ["shots", str(film), "--csv"])
    assert again.stdout.splitlines()[0] == "first,stop,start_time,end_time"
