"""Face detection measured and taught: figures known by construction, scenes that repeat, the teacher's answers kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from roughcut.errors import DataError, OptionError
from roughcut.evaluation.faces import Truth, average_precision, evaluate_faces, judge, read_truths
from roughcut.evaluation.haar import HaarDetector
from roughcut.features.faces import LONG_SIDE, FaceDetector
from roughcut.models.fetched import fetch
from roughcut.networks.faces import STRIDES, FaceNetwork
from roughcut.records.faces import Faces, box_overlaps
from roughcut.training.face_scenes import cut, disturbed, scene
from roughcut.training.faces import from_teacher
from roughcut.training.run import train

SHARED = Path(__file__).parents[2] / "shared" / "data" / "faces"
TEACHER = SHARED / "teacher" / "yunet_n_dynamic.onnx"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared faces are not here")


def faces(*boxes: tuple[float, ...], scores: tuple[float, ...]) -> Faces:
    n = len(boxes)
    held = np.array(boxes, np.float32).reshape(n, 4)
    return Faces(boxes=held, scores=np.array(scores, np.float32), points=np.zeros((n, 5, 2), np.float32))


def truth(*boxes: tuple[float, ...], ignore: tuple[tuple[float, ...], ...] = ()) -> Truth:
    both = (np.array(b, np.float32).reshape(-1, 4) for b in (boxes, ignore))
    return Truth(**dict(zip(("boxes", "ignore"), both, strict=True)))


def test_average_precision_known_by_construction() -> None:
    """Hit, miss, hit of two faces: half the faces at precision 1, the other half at 2/3; nothing found is 0."""
    scores, hits = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
    assert average_precision(scores, hits, 2) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision(scores[::-1], hits[::-1], 2) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision(np.zeros(0), np.zeros(0, bool), 2) == 0


def test_what_counts_and_what_does_not() -> None:
    """A second box on one face is false; boxes in ignored areas and faces of other sizes are not held against it."""
    one, small, far = (0, 0, 60, 60), (100, 0, 120, 20), (300, 300, 380, 380)
    found = faces(one, (2, 2, 62, 62), small, far, scores=(0.9, 0.8, 0.7, 0.65))
    known = truth(one, small, ignore=(far,))
    whole = judge([found], [known], [1.0])
    assert (whole.faces, whole.recall, whole.false_alarms) == (2, 1.0, 1)
    large = judge([found], [known], [1.0], 48)
    assert (large.faces, large.ap, large.false_alarms) == (1, 1.0, 1)
    assert judge([found], [known], [1.0], 200).ap is None
    assert judge([found], [known], [3.0], 48).faces == 2  # sizes are those of the scaled picture


def test_boxes_are_read_or_refused(tmp_path: Path) -> None:
    """A list or boxes with ignored areas; each mistake names its picture."""
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"a.png": {"boxes": [[1, 2, 3, 4]], "ignore": [[0, 0, 9, 9]]}}))
    assert read_truths(tmp_path)["a.png"].ignore.tolist() == [[0, 0, 9, 9]]
    for text, said in (
        ("{}", "no pictures"), ("[", "cannot be read"), ('{"b.png": []}', r"missing.*b\.png"),
        ('{"a.png": [[4, 2, 3, 4]]}', r"a\.png: a box runs backwards"), ('{"a.png": [[1, 2]]}', r"a\.png: not boxes"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(DataError, match=said):
            read_truths(tmp_path)
    with pytest.raises(OptionError, match="not an option"):
        evaluate_faces(tmp_path, split="csta")


def test_scenes_repeat_and_covers_are_seen_by_the_network_alone() -> None:
    """The same draw gives the same scene; what is pasted changes the background; disturbed pictures keep their size."""
    grey, head = Image.new("RGB", (90, 80), (90, 90, 90)), Image.new("RGB", (60, 70), (220, 180, 160))
    cutting = cut(head, np.array([15, 20, 45, 60], np.float32))
    pairs = [scene(np.random.default_rng(s), [grey], [grey], [cutting], 96) for s in (3, 3, *range(20))]
    assert np.array_equal(pairs[0][0], pairs[1][0])
    assert any(np.ptp(np.asarray(clean)) > 50 for clean, _ in pairs)
    assert any(not np.array_equal(clean, seen) for clean, seen in pairs)
    seen = disturbed(pairs[0][0], np.random.default_rng(1))
    assert (seen.shape, seen.dtype) == ((96, 96, 3), np.uint8)


def test_cells_cover_the_picture() -> None:
    """A picture of 64 x 96 has 96, 24 and 6 cells; probabilities when used, logits when taught."""
    network = FaceNetwork()
    picture = torch.zeros(1, 64, 96, 3, dtype=torch.uint8)
    with torch.no_grad():
        used = network.eval()(picture)
        taught = network.train()(picture)
    assert [tuple(rows.shape) for rows in used] == [(1, 96, 16), (1, 24, 16), (1, 6, 16)]
    for u, t in zip(used, taught, strict=True):
        assert torch.allclose(u[..., :2], t[..., :2].sigmoid())


@needs_shared
def test_the_network_starts_as_its_teacher() -> None:
    """Before any step, all cells of a portrait are answered as the teacher answers them."""
    picture = np.asarray(
        Image.open(next((SHARED / "portraits").iterdir())).convert("RGB").resize((LONG_SIDE, LONG_SIDE))
    )
    wanted = FaceDetector(TEACHER)._cells(picture)
    with torch.no_grad():
        given = from_teacher(TEACHER).eval()(torch.from_numpy(picture[None].copy()))
    for ours, theirs, stride in zip(given, wanted, STRIDES, strict=True):
        assert np.abs(ours[0].numpy() - theirs).max() < 1e-3, stride


@needs_shared
def test_a_few_steps_export_a_detector_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps on a dozen pictures: the file stays below 1 MB, finds the portraits' faces, and is measured."""
    portraits = sorted((SHARED / "portraits").iterdir())[:8]
    blank = [tmp_path / f"{i}.png" for i in range(2)]
    for path in blank:
        Image.new("RGB", (200, 160), (40, 90, 60)).save(path)
    entries = [{"file": str(TEACHER), "labels": {"material": "teacher"}}]
    for number, path in enumerate([*portraits, *blank]):
        material = "still" if path in blank else "portrait"
        entries.append({"file": str(path), "labels": {"material": material}, "split": ("train", "val")[number % 2]})
    manifest = tmp_path / "faces.jsonl"
    manifest.write_text("\n".join(json.dumps(e) for e in entries))
    config = tmp_path / "c.toml"
    config.write_text("[train]\nwarmup = 1\nrate = 1e-5\n[task]\nbatch = 2\nside = 96\n")
    result = train("faces", manifest, tmp_path / "run", config=config, steps=2)
    assert result.models[0].stat().st_size <= 1_000_000
    data = tmp_path / "data"
    data.mkdir()
    picture = Image.open(portraits[0]).convert("RGB")
    picture.save(data / "a.png")
    box = FaceDetector(TEACHER)(np.asarray(picture)).boxes[0]
    (data / "boxes.json").write_text(json.dumps({"a.png": [box.tolist()]}))
    report = evaluate_faces(data, models=tmp_path / "run")
    assert report.network.sizes["all"].recall == 1.0
    assert "1 pictures" in report.table()
    monkeypatch.setenv("ROUGHCUT_DATA", str(tmp_path / "mine"))
    fetch("yunet", source=str(TEACHER))
    beside = evaluate_faces(data, models=tmp_path / "run").beside
    assert [(one.name, one.sizes["all"].ap) for one in beside][:1] == [("YuNet", 1.0)]
    (data / "a.png").write_text("no picture")
    with pytest.raises(DataError, match="cannot be read"):
        evaluate_faces(data, models=tmp_path / "run")


@needs_shared
def test_haar_finds_a_frontal_face() -> None:
    """Where OpenCV 4 is installed: most of a dozen portraits, boxes in their own pixels, the surest first."""
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    if not hasattr(cv2, "CascadeClassifier"):
        pytest.skip("OpenCV 5 has no cascades")
    haar, teacher, hits = HaarDetector(), FaceDetector(TEACHER), 0
    for path in sorted((SHARED / "portraits").iterdir())[:12]:
        picture = np.asarray(Image.open(path).convert("RGB"))
        found, wanted = haar(picture), teacher(picture)
        assert (np.diff(found.scores) <= 0).all()
        hits += bool(len(found) and len(wanted) and box_overlaps(found.boxes, wanted.boxes).max() > 0.5)
    assert hits >= 7
