"""A baseline for face detectors: boosted Haar features (Viola and Jones 2001), as OpenCV 4 ships them."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
from PIL import Image

from roughcut.features.faces import LEAST, LONG_SIDE
from roughcut.records import F32, U8
from roughcut.records.faces import Faces

CASCADE = "haarcascade_frontalface_default.xml"
SMALLEST = 20  # pixels of a picture whose longer side is 640
STEP, NEIGHBOURS = 1.1, 3  # OpenCV's own defaults


class HaarDetector:
    """Called as `FaceDetector` is. All it finds reaches the default score, since OpenCV gives no probability."""

    def __init__(self) -> None:
        """Raises ImportError where OpenCV is not installed, or has no cascades any more (version 5)."""
        cv2 = importlib.import_module("cv2")
        path = Path(str(cv2.__file__)).parent / "data" / CASCADE
        if not path.is_file():
            raise ImportError(f"OpenCV {cv2.__version__} has no {CASCADE}")
        self._cascade = cv2.CascadeClassifier(str(path))

    def __call__(self, picture: U8, least: float = LEAST) -> Faces:
        """The faces of RGB [h, w, 3]; their points are not known (NaN)."""
        scale = LONG_SIDE / max(picture.shape[:2])
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        grey = np.asarray(Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BILINEAR))
        found, _, weights = self._cascade.detectMultiScale3(
            grey, STEP, NEIGHBOURS, minSize=(SMALLEST, SMALLEST), outputRejectLevels=True
        )
        corners = np.asarray(found, np.float32).reshape(-1, 4) / scale
        boxes: F32 = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], 1).astype(np.float32)
        margin = np.clip(np.asarray(weights, np.float32).reshape(-1), 0, None)
        scores = (1 - (1 - LEAST) * np.exp(-margin / 10)).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        points = np.full((len(order), 5, 2), np.nan, np.float32)
        return Faces(boxes=boxes[order], scores=scores[order], points=points)
