"""Faces of one person: set upright, compared by whole tracks, named together. The recogniser here tells by colour."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from typer.testing import CliRunner

from media import write_media
from roughcut import pipeline
from roughcut.cli.commands import app
from roughcut.errors import ModelError
from roughcut.features.recognition import UPRIGHT, FaceRecogniser, aligned, similarity
from roughcut.people import persons
from roughcut.records.faces import Faces, FaceTrack
from roughcut.spatial.persons import grouped
from roughcut.timebase import TimeRange

SIZE, FACE = (160, 90), 24
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40)}


def recogniser(path: Path, side: int = 112) -> Path:
    """A network of the contract whose row is the face's mean colour, less the mean of its channels."""
    nodes = [
        helper.make_node("ReduceMean", ["data", "axes"], ["mean"], keepdims=0),
        helper.make_node("ReduceMean", ["mean", "one"], ["grey"], keepdims=1),
        helper.make_node("Sub", ["mean", "grey"], ["fc1"]),
    ]
    given = [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, side, side])]
    told = [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 3])]
    axes = [
        helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
    ]
    graph = helper.make_graph(nodes, "colour", given, told, axes)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


class Squares:
    """Finds plainly coloured squares; their points lie as those of an upright face."""

    version = "squares"

    def __call__(self, picture: np.ndarray, least: float = 0.6) -> Faces:
        boxes = []
        for colour in COLOURS.values():
            near = np.abs(picture.astype(int) - colour).max(2) < 50
            if near.sum() > 50:
                rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
                boxes.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        found = np.array(boxes, np.float32).reshape(-1, 4)
        sides = (found[:, 2:] - found[:, :2])[:, None]
        points = found[:, None, :2] + UPRIGHT / 112 * sides
        return Faces(boxes=found, scores=np.full(len(found), 0.9, np.float32), points=points.astype(np.float32))


def track(number: int, start: float, end: float) -> FaceTrack:
    times = tuple(Fraction(t).limit_denominator(10) for t in np.linspace(start, end, 4))
    boxes = np.tile(np.array([0.4, 0.4, 0.6, 0.6], np.float32), (4, 1))
    within = TimeRange(times[0], times[-1])
    return FaceTrack(number=number, times=times, boxes=boxes, scores=np.full(4, 0.9, np.float32), within=within)


def unit(*values: float) -> np.ndarray:
    return (np.array([values]) / np.linalg.norm(values)).astype(np.float32)


def test_faces_are_set_upright() -> None:
    """A face that was turned, scaled and moved comes back as it is when it stands upright."""
    turn = 0.5 * np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    moved = UPRIGHT @ turn.T + (70, 20)
    np.testing.assert_allclose(similarity(UPRIGHT, moved), np.column_stack([turn, (70, 20)]), atol=1e-9)
    rng = np.random.default_rng(0)
    face = np.asarray(
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize((112, 112), Image.Resampling.BICUBIC)
    )
    back = np.linalg.inv(np.vstack([np.column_stack([turn, (70, 20)]), (0, 0, 1)]))[:2]
    picture = Image.fromarray(face).transform(
        (200, 160), Image.Transform.AFFINE, tuple(back.ravel()), Image.Resampling.BICUBIC
    )
    found = aligned(np.asarray(picture), moved.astype(np.float32))
    inner = (slice(10, -10), slice(10, -10))
    assert np.abs(found[inner].astype(int) - face[inner]).mean() < 4


def test_tracks_are_grouped_by_average_and_never_at_one_time() -> None:
    """Alike tracks become one person, those seen at once stay two, and so does who has no row."""
    tracks = [track(1, 0, 1), track(2, 2, 3), track(3, 2.5, 4), track(4, 5, 6), track(5, 7, 8)]
    rows = {1: unit(1, 0.1), 2: unit(1, 0), 3: unit(1, 0.05), 4: unit(0, 1)}
    groups = grouped(tracks, rows, alike=0.8)
    assert [4] in groups
    assert [5] in groups
    assert len(groups) == 4
    assert not any({2, 3} <= set(group) for group in groups)
    assert grouped([], {}) == []
    far = {1: unit(1, 0), 2: unit(1, 1), 4: unit(0, 1)}  # 2 is like both, but 1 and 4 are not: on average too little
    assert grouped([tracks[0], tracks[1], tracks[3]], far, alike=0.5) == [[1, 2], [4]]


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four shots of a second: red, green, red, green on grounds of their own."""
    monkeypatch.setattr("roughcut.people.FaceDetector", lambda network: Squares())
    frames = []
    for shot, colour in enumerate(("red", "green", "red", "green")):
        rng = np.random.default_rng(shot)
        ground = np.kron(rng.integers(60, 190, (9, 16)), np.ones((10, 10), int))[..., None].repeat(3, 2)
        ground[30 : 30 + FACE, 60 : 60 + FACE] = COLOURS[colour]
        frames += [ground.astype(np.uint8)] * 25
    return write_media(tmp_path / "film.mp4", frames)


def test_one_name_for_one_person(film: Path, tmp_path: Path) -> None:
    """Red faces are one person, green ones another; a name for one face goes to all of that person."""
    found = pipeline.faces(film, cache=False)
    assert len(found.tracks) == 4
    network = recogniser(tmp_path / "colour.onnx")
    assert persons(found, network, None, {}) == {1: "person 1", 3: "person 1", 2: "person 2", 4: "person 2"}
    assert persons(found, network, None, {4: "ben"}) == {1: "person 1", 3: "person 1", 2: "ben", 4: "ben"}


def test_the_command(film: Path, tmp_path: Path) -> None:
    """`faces --recogniser` names in JSON and on the page, and leaves no row anywhere."""
    network, page = recogniser(tmp_path / "colour.onnx"), tmp_path / "page.html"
    said = CliRunner().invoke(
        app, ["faces", str(film), "--recogniser", str(network), "--sheet", str(page), "--json", "--no-cache"]
    )
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)["faces"]
    assert [face["name"] for face in told] == ["person 1", "person 2", "person 1", "person 2"]
    assert page.read_text().count('value="person 1"') == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["colour.onnx", "film.mp4", "page.html"]


def test_networks_of_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not fetched, no file, no network, and a network of another input: one line each."""
    monkeypatch.setenv("ROUGHCUT_DATA", str(tmp_path / "data"))
    with pytest.raises(ModelError, match="models fetch sface"):
        FaceRecogniser(Path("sface"))
    with pytest.raises(ModelError, match="no such network"):
        FaceRecogniser(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="not a face recogniser"):
        FaceRecogniser(recogniser(tmp_path / "small.onnx", side=64))
