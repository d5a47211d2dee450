"""Hiding faces, from footage to film. The detector stands for one that finds red squares: where they are is known."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from media import write_media
from roughcut import pipeline
from roughcut.cli.commands import app
from roughcut.errors import InputError, ModelError, OptionError
from roughcut.features.faces import FaceDetector
from roughcut.media.audio import read_sound
from roughcut.media.probe import probe
from roughcut.media.rgb import read_rgb
from roughcut.people import known_names, read_names, voices, write_sheet
from roughcut.records import Speech
from roughcut.records.faces import Faces
from roughcut.timebase import TimeRange

SIZE, FACE = (160, 90), 18
RED = np.array([230, 20, 20])


class RedSquares:
    """Finds what is plainly red, as a detector finds faces; a square of a dull red is found with doubt."""

    version = "red"

    def __call__(self, picture: np.ndarray, least: float = 0.6) -> Faces:
        red = picture[..., 0].astype(int) - picture[..., 1] > 90
        columns = np.flatnonzero(red.any(0))
        boxes = []
        for run in np.split(columns, np.flatnonzero(np.diff(columns) > 3) + 1) if len(columns) else ():
            rows = np.flatnonzero(red[:, run].any(1))
            boxes.append((run[0], rows[0], run[-1] + 1, rows[-1] + 1))
        n = len(boxes)
        return Faces(
            boxes=np.array(boxes, np.float32).reshape(n, 4), scores=np.full(n, 0.9, np.float32),
            points=np.zeros((n, 5, 2), np.float32),
        )  # fmt: skip


@pytest.fixture(autouse=True)
def red_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roughcut.people.FaceDetector", lambda network: RedSquares())


def scene(seed: int, faces: list[tuple[float, float]], size: tuple[int, int] = SIZE) -> np.ndarray:
    """A grey texture with red squares whose middles are shares of the picture."""
    rng = np.random.default_rng(seed)
    w, h = size
    coarse = rng.integers(60, 160, (h // 10 + 1, w // 10 + 1))
    frame = np.repeat(np.kron(coarse, np.ones((10, 10), int))[:h, :w, None], 3, 2)
    for x, y in faces:
        left, top = round(x * w) - FACE // 2, round(y * h) - FACE // 2
        frame[max(top, 0) : max(top + FACE, 0), max(left, 0) : max(left + FACE, 0)] = RED
    return frame.astype(np.uint8)


def red_left(path: Path) -> list[int]:
    """Red pixels in each frame of a film."""
    info = probe(path)
    frames = read_rgb(info, info.video.width, info.video.height)
    return [int((f[..., 0].astype(int) - f[..., 1] > 90).sum()) for f in frames]


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """Two shots of two seconds: one face walks in from the left border, then two stand and hurry about."""
    frames = [scene(1, [(-0.1 + 0.022 * k, 0.5)]) for k in range(50)]
    frames += [scene(2, [(0.3, 0.4), (0.75 + 0.12 * np.sin(k / 3), 0.6)]) for k in range(50)]
    return write_media(tmp_path / "crowd.mp4", frames)


def test_no_frame_shows_a_face(crowd: Path, tmp_path: Path) -> None:
    """All frames of the film, joins, first and last frames of each track: no red is left; the proof holds."""
    assert max(red_left(crowd)) > 200
    result = pipeline.edit(crowd, tmp_path / "cut.mp4", keep="all", look="none", faces="hide")
    assert sum(red_left(result.film)) == 0
    page = result.reports[0].read_text()
    assert "data:image" not in page
    again = pipeline.render(tmp_path / "cut.otio", tmp_path / "again.mp4")  # the covers ride in the timeline
    assert sum(red_left(again.film)) == 0


@pytest.mark.parametrize("shape", [{"reframe": "1:1"}, {"preset": None}])
def test_covers_follow_the_picture_into_another_shape(crowd: Path, tmp_path: Path, shape: dict[str, str]) -> None:
    """Footage beside other footage of another shape, or cut to another: the covers lie where the faces are."""
    tall = write_media(tmp_path / "tall.mp4", [scene(4, [(0.5, 0.3 + 0.004 * k)], (90, 120)) for k in range(60)])
    files = [crowd] if shape.get("reframe") else [crowd, tall]
    result = pipeline.edit(files, tmp_path / "cut.mp4", keep="all", look="none", faces="hide", **shape)
    assert sum(red_left(result.film)) == 0


def test_a_phone_held_upright(tmp_path: Path) -> None:
    """A turned film: boxes are those of the picture as it is seen."""
    frames = [scene(3, [(0.2 + 0.01 * k, 0.3)]) for k in range(40)]
    turned = write_media(tmp_path / "phone.mp4", frames, rotation=90)
    result = pipeline.edit(turned, tmp_path / "cut.mp4", keep="all", look="none", faces="hide")
    assert sum(red_left(result.film)) == 0


def test_some_are_hidden(crowd: Path, tmp_path: Path) -> None:
    """By number and by name; the list of people is read back; who is unknown is told with those who are."""
    found = pipeline.faces(crowd)
    assert [t.number for t in found.tracks] == [1, 2, 3]
    people = tmp_path / "people.json"
    people.write_text(json.dumps({"tracks": {"2": "anna"}}))
    for wish, more in (("hide-except 2", {}), ("hide-except anna", {"people": people}), ("hide 1 3", {})):
        plan = pipeline.plan_files([crowd], keep="all", faces=wish, **more)  # type: ignore[arg-type]
        covered = {e.person for c in plan.clips for e in c.effects if e.name == "cover"}
        assert covered == {"1", "3"}
    with pytest.raises(OptionError, match=r"nobody of that name \(got carl\).*numbers 1 to 3"):
        pipeline.plan_files([crowd], faces="hide carl")
    with pytest.raises(OptionError, match="names go with one file"):
        pipeline.plan_files([crowd, crowd], faces="hide 1")
    people.write_text(json.dumps({"tracks": {"9": "anna"}}))
    with pytest.raises(OptionError, match=r"does not have \(got 9\); allowed: 1 to 3"):
        pipeline.plan_files([crowd], faces="hide", people=people)
    for text in ("[", "[]", '{"tracks": {"x": "anna"}}'):
        people.write_text(text)
        with pytest.raises(InputError, match="list of people"):
            read_names(people)
    with pytest.raises(InputError, match="list of people"):
        read_names(tmp_path / "no.json")


def test_nobody_looked_means_nothing_is_planned(crowd: Path) -> None:
    """Fail closed: a plan that hides faces needs analyses that looked for them."""
    with pytest.raises(OptionError, match="nobody has looked"):
        pipeline.plan(pipeline.analyze(crowd), faces="hide")


def test_nothing_is_written_without_a_detector(crowd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is no detector, or none at all: an error before any work."""
    monkeypatch.setattr("roughcut.people.FaceDetector", FaceDetector)
    for name in ("no.onnx", crowd.name):
        with pytest.raises(ModelError):
            pipeline.edit(crowd, tmp_path / "cut.mp4", faces="hide", detector=tmp_path / name)
    assert not list(tmp_path.glob("cut*"))


def test_no_faces_one_frame_and_a_picture(tmp_path: Path) -> None:
    """Nobody there is no error and covers nothing; a film of one frame is covered; a picture is no film."""
    empty = write_media(tmp_path / "empty.mp4", [scene(5, [])] * 20)
    assert pipeline.faces(empty).tracks == ()
    plan = pipeline.plan_files([empty], faces="hide", keep="all")
    assert not [e for c in plan.clips for e in c.effects if e.name == "cover"]
    one = write_media(tmp_path / "one.mp4", [scene(6, [(0.5, 0.5)])])
    result = pipeline.edit(one, tmp_path / "cut.mp4", keep="all", look="none", faces="hide")
    assert red_left(result.film) == [0]
    from PIL import Image

    Image.fromarray(scene(7, [])).save(tmp_path / "a.png")
    with pytest.raises(InputError):
        pipeline.faces(tmp_path / "a.png")


def test_what_was_found_is_kept_and_looked_up(crowd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time nothing is decoded for it, and the tracks are the same."""
    first = pipeline.faces(crowd).tracks
    monkeypatch.setattr("roughcut.people.read_timed_rgb", None)
    for a, b in zip(first, pipeline.faces(crowd).tracks, strict=True):
        assert (a.times, a.within) == (b.times, b.within)
        np.testing.assert_array_equal(a.boxes, b.boxes)


def test_the_sheet_and_the_command(crowd: Path, tmp_path: Path) -> None:
    """A picture of each face, a field for its name; JSON with boxes; names are escaped; what stands there is kept."""
    page = tmp_path / "people.html"
    found = pipeline.faces(crowd)
    write_sheet(found, page, {1: '<b>"Anna"'})
    text = page.read_text()
    assert text.count("data:image/jpeg") == 3
    assert 'value="&lt;b&gt;&quot;Anna&quot;"' in text
    assert "people.json" in text
    run = CliRunner().invoke(app, ["faces", str(crowd), "--json"])
    listed = json.loads(run.stdout)["faces"]
    assert [f["number"] for f in listed] == [1, 2, 3]
    box = next(look["box"] for look in listed[1]["looks"])
    assert np.allclose(box, [0.3 - 9 / 160, 0.4 - 0.1, 0.3 + 9 / 160, 0.4 + 0.1], atol=0.03)
    assert "face" in CliRunner().invoke(app, ["faces", str(crowd)]).stdout
    with pytest.raises(Exception, match="exists already"):
        write_sheet(found, page, {})
    with pytest.raises(OptionError):
        known_names(found.tracks, {7: "x"}, page)


def test_voices_are_silenced(talk: Path, tmp_path: Path) -> None:
    """Where somebody speaks nothing is heard; beside it the room goes on; pictures are untouched."""
    result = pipeline.edit(talk, tmp_path / "cut.mp4", keep="all", look="none", mute_voices=True)
    heard = read_sound(probe(result.film), TimeRange(Fraction(0), Fraction(14)), 48_000, "mono")[0]
    loud = np.abs(heard).reshape(-1, 4800).max(1)
    assert loud[10:24].max() < 0.002  # the first sentence: 0.6 to 2.8 s
    assert loud[32:40].max() > 0.0005  # the pause after it
    spoken = [Speech(range=TimeRange(Fraction(a), Fraction(b)), probability=0.9) for a, b in ((1, 2), (2, 3), (5, 6))]
    assert [tuple(map(float, pair)) for pair in voices(spoken)] == [(0.7, 3.3), (4.7, 6.3)]
