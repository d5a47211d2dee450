"""Faces in pictures: the shipped detector, or another of the same family, on one picture at a time.

The family is YuNet's (Wu, Peng and Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector"): for strides 8, 16 and 32
every cell of the grid says how sure it is of a face (two probabilities, whose geometric mean is the score), where the
face's middle lies (in cells from its own corner), its size (logarithm, in cells) and five points (in cells).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from PIL import Image

from roughcut.errors import ModelError
from roughcut.models import fetched, store
from roughcut.records import F32, U8
from roughcut.records.faces import Faces, box_overlaps

LONG_SIDE = 640  # pixels; pictures are brought to it, larger or smaller
STRIDES = (8, 16, 32)
COLUMNS = ("cls", "obj", "bbox", "kps")
LEAST = 0.6
"""Score from which a face is taken for one."""
SAME_FACE = 0.4  # boxes that overlap more are one face
MOST_FACES = 500


class FaceDetector:
    """Finds faces in pictures of any size."""

    def __init__(self, network: Path | None = None) -> None:
        """The shipped network, an ONNX file of ours or of YuNet's, or a published one by its name (models/fetched.py).

        Raises:
            ModelError: no such network, or one of another family.
        """
        if network is None:
            shipped = store.load("faces")
            self._session, self._name, self.version = shipped.session, "faces", shipped.version
        else:
            network = fetched.file_of(network)
            self._session, self._name, self.version = opened(network), str(network), store.digest(network)
        """What tells its answers from another network's."""
        given = self._session.get_inputs()
        self._outputs = [node.name for node in self._session.get_outputs()]
        self._input = given[0].name
        self._ours = given[0].type == "tensor(uint8)"
        wanted = [f"stride_{s}" for s in STRIDES] if self._ours else [f"{c}_{s}" for s in STRIDES for c in COLUMNS]
        if len(given) != 1 or set(self._outputs) != set(wanted):
            raise ModelError(
                "not a face detector that roughcut knows", where=self._name, got=", ".join(self._outputs[:6]),
                allowed="outputs stride_8/16/32 (ours) or cls/obj/bbox/kps of strides 8, 16, 32 (YuNet)",
                next_step="leave --detector out to use the shipped one",
            )  # fmt: skip
        sides = given[0].shape[2:4]
        self._fixed = tuple(sides) if not self._ours and all(isinstance(side, int) for side in sides) else None
        """Height and width of the only pictures that the network takes (some published files)."""

    def __call__(self, picture: U8, least: float = LEAST) -> Faces:
        """The faces of RGB [h, w, 3] with a score of `least` or more.

        Raises:
            ModelError: the network fails on it.
        """
        height, width = picture.shape[:2]
        scale = self._scale(height, width)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        small = picture if scale == 1 else np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
        padded = np.zeros((*(self._fixed or (-(-side // 32) * 32 for side in small.shape[:2])), 3), np.uint8)
        padded[: small.shape[0], : small.shape[1]] = small
        rows, columns = self._cells(padded), padded.shape[1]
        found = [decoded(r, stride, columns // stride, least) for r, stride in zip(rows, STRIDES, strict=True)]
        boxes, scores, points = (np.concatenate(parts) for parts in zip(*found, strict=True))
        keep = distinct(boxes, scores)
        shrink = np.float32(1 / scale)
        return Faces(boxes=boxes[keep] * shrink, scores=scores[keep], points=points[keep] * shrink)

    def _scale(self, height: int, width: int) -> float:
        if self._fixed is None:
            return LONG_SIDE / max(height, width)
        return float(min(self._fixed[0] / height, self._fixed[1] / width))

    def _cells(self, picture: U8) -> list[F32]:
        """[cells, 16] for each stride: two probabilities, box, points."""
        fed = picture[None] if self._ours else picture[None, ..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)  # BGR
        try:
            given = dict(zip(self._outputs, self._session.run(None, {self._input: fed}), strict=True))
        except Exception as error:  # ONNX Runtime's own exceptions share no base below Exception
            raise ModelError("the face detector failed", where=self._name, got=error) from error
        if self._ours:
            return [given[f"stride_{s}"][0] for s in STRIDES]
        return [np.concatenate([given[f"{c}_{s}"][0] for c in COLUMNS], 1) for s in STRIDES]


def size_for(width: int, height: int) -> tuple[int, int]:
    """Width and height that pictures of a film are read at, to be looked at."""
    scale = LONG_SIDE / max(width, height)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def decoded(rows: F32, stride: int, columns: int, least: float) -> tuple[F32, F32, F32]:
    """Boxes [n, 4], scores [n] and points [n, 5, 2] in pixels, of the cells [cells, 16] that reach a score."""
    scores = np.sqrt(np.clip(rows[:, 0], 0, 1) * np.clip(rows[:, 1], 0, 1))
    cells = np.flatnonzero(scores >= least)
    rows, corner = rows[cells], np.stack([cells % columns, cells // columns], 1).astype(np.float32)
    middle = (corner + rows[:, 2:4]) * stride
    half = np.exp(np.minimum(rows[:, 4:6], 8)) * (stride / 2)
    points = (corner[:, None] + rows[:, 6:16].reshape(-1, 5, 2)) * stride
    return np.concatenate([middle - half, middle + half], 1), scores[cells], points


def distinct(boxes: F32, scores: F32) -> list[int]:
    """Indices of boxes [n, 4] of different faces, the surest first (greedy non-maximum suppression)."""
    order = np.argsort(-scores, kind="stable")[: 4 * MOST_FACES]
    overlaps = box_overlaps(boxes[order], boxes[order])
    keep: list[int] = []
    for i in range(len(order)):
        if not (overlaps[i, keep] > SAME_FACE).any():
            keep.append(i)
    return [int(order[i]) for i in keep[:MOST_FACES]]


def opened(path: Path) -> Any:
    """A session over a file of others, one thread. Raises ModelError."""
    if not path.is_file():
        raise ModelError("no such network", where=path, allowed="an .onnx file")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise ModelError("the network cannot be opened", where=path, got=error, allowed="an .onnx file") from error
