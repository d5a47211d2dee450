"""Faces in pictures: what a cell says becomes a box; one face is found once; files of other kinds are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from roughcut.errors import ModelError
from roughcut.features.faces import FaceDetector, decoded, distinct
from roughcut.models import store
from roughcut.records.faces import Faces, box_overlaps

SHARED = Path(__file__).parents[2] / "shared" / "data" / "faces"
TEACHER = SHARED / "teacher" / "yunet_n_dynamic.onnx"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared faces are not here")


def test_a_cell_becomes_a_box() -> None:
    """Cell (2, 1) of stride 8: its middle half a cell further, 4 cells wide, 2 high; the nose in the middle."""
    rows = np.zeros((15, 16), np.float32)
    rows[1 * 5 + 2] = [0.81, 1.0, 0.5, 0.5, np.log(4), np.log(2), *[0.5] * 10]
    boxes, scores, points = decoded(rows, 8, 5, 0.6)
    assert np.allclose(boxes, [[20 - 16, 12 - 8, 20 + 16, 12 + 8]])
    assert np.allclose(scores, [0.9])
    assert np.allclose(points[0, 2], [20, 12])
    assert len(decoded(rows, 8, 5, 0.95)[0]) == 0


def test_one_face_is_found_once() -> None:
    """Of boxes that overlap much the surest stays; neighbours stay both."""
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [9, 0, 19, 10]], np.float32)
    assert distinct(boxes, np.array([0.7, 0.9, 0.8], np.float32)) == [1, 2]
    assert np.allclose(box_overlaps(boxes[:1], boxes), [[1, 9 / 11, 1 / 19]])
    assert box_overlaps(np.zeros((1, 4), np.float32), boxes).tolist() == [[0, 0, 0]]


def test_records_check_themselves() -> None:
    """Boxes without scores are refused; a score keeps what reaches it."""
    boxes, points = np.zeros((2, 4), np.float32), np.zeros((2, 5, 2), np.float32)
    with pytest.raises(ValueError, match=r"\[N, 4\]"):
        Faces(boxes=boxes, scores=np.zeros(1, np.float32), points=points)
    assert len(Faces(boxes=boxes, scores=np.array([0.9, 0.3], np.float32), points=points).at_least(0.5)) == 1


def test_other_networks_are_refused(tmp_path: Path) -> None:
    """A missing file, no network at all, and a network for something else: told, not run."""
    with pytest.raises(ModelError, match="no such network"):
        FaceDetector(tmp_path / "no.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ModelError, match="cannot be opened"):
        FaceDetector(tmp_path / "text.onnx")
    with pytest.raises(ModelError, match=r"not a face detector.*Leave --detector out"):
        FaceDetector(store.FOLDER / "encoder.onnx")


@needs_shared
def test_the_teacher_finds_faces_where_they_were_put() -> None:
    """Portraits moved by 64 pixels have their faces moved by as much: half of them within 4 pixels."""
    detector = FaceDetector(TEACHER)
    apart = []
    for path in sorted((SHARED / "portraits").iterdir())[:9]:
        portrait = np.asarray(Image.open(path).convert("RGB").resize((250, 250)))
        there = detector(np.pad(portrait, ((32, 198), (64, 326), (0, 0))))
        moved = detector(np.pad(portrait, ((96, 134), (128, 262), (0, 0))))
        assert len(there) == len(moved) == 1
        apart.append(np.abs(moved.boxes - there.boxes - 64).max())
    assert np.median(apart) < 4
    assert len(detector(np.zeros((64, 96, 3), np.uint8))) == 0


@needs_shared
def test_a_network_that_takes_one_size_finds_the_same(tmp_path: Path) -> None:
    """YuNet as OpenCV publishes it takes 640x640 alone: wide, tall and small pictures are fitted into it."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(TEACHER)
    sides = model.graph.input[0].type.tensor_type.shape.dim
    sides[2].dim_value = sides[3].dim_value = 640
    onnx.save(model, tmp_path / "fixed.onnx")
    free, fixed = FaceDetector(TEACHER), FaceDetector(tmp_path / "fixed.onnx")
    portrait = np.asarray(Image.open(min((SHARED / "portraits").iterdir())).convert("RGB").resize((250, 250)))
    for above, beside in ((0, 300), (300, 0), (390, 390)):
        picture = np.pad(portrait, ((above, 0), (beside, 0), (0, 0)))
        one, other = free(picture), fixed(picture)
        assert len(one) == len(other) == 1
        assert box_overlaps(one.boxes, other.boxes)[0, 0] > 0.9
