"""Faces of whole pictures, cropped by a teacher (YuNet, Wu et al. 2023): for training material only.

The teacher gives, for strides 8, 16 and 32 and every cell of that grid, how sure it is (`cls`, `obj`) and a box
(`bbox`: offset of the middle in cells, logarithm of the size in cells).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from roughcut.errors import DataError
from roughcut.records import U8

STRIDES = (8, 16, 32)
LEAST_SURE = 0.6
Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels"""


class FaceTeacher:
    """Finds the surest face of a picture."""

    def __init__(self, path: Path) -> None:
        try:
            self._session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own exceptions share no base below Exception
            raise DataError("the face teacher cannot be opened", where=path, got=error) from error

    def surest(self, rgb: U8) -> Box | None:
        """The box of the surest face in [h, w, 3]; None where no face is sure enough."""
        height, width = (-(-side // 32) * 32 for side in rgb.shape[:2])
        padded = np.zeros((height, width, 3), np.float32)
        padded[: rgb.shape[0], : rgb.shape[1]] = rgb[..., ::-1]  # it was trained on BGR
        names = [node.name for node in self._session.get_outputs()]
        blob = padded.transpose(2, 0, 1)[None]
        given = dict(zip(names, self._session.run(None, {self._session.get_inputs()[0].name: blob}), strict=True))
        found = [self._best(given, stride, width // stride) for stride in STRIDES]
        score, box = max(found, key=lambda pair: pair[0])
        return box if score >= LEAST_SURE else None

    @staticmethod
    def _best(given: dict[str, U8], stride: int, columns: int) -> tuple[float, Box]:
        sure = np.sqrt(np.clip(given[f"cls_{stride}"], 0, 1) * np.clip(given[f"obj_{stride}"], 0, 1)).reshape(-1)
        cell = int(sure.argmax())
        x, y, w, h = given[f"bbox_{stride}"].reshape(-1, 4)[cell].astype(float)
        middle = ((cell % columns + x) * stride, (cell // columns + y) * stride)
        half = (np.exp(w) * stride / 2, np.exp(h) * stride / 2)
        return float(sure[cell]), (middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1])


def square_crop(picture: Image.Image, box: Box, size: int) -> U8:
    """[size, size] grey: the square around a box, as wide as its longer side; black beyond the picture."""
    left, top, right, bottom = box
    half = max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    area = (round(x - half), round(y - half), round(x + half), round(y + half))
    return np.asarray(picture.convert("L").crop(area).resize((size, size), Image.Resampling.BOX))
