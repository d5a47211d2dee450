"""Expressions of faces: seven probabilities of each, of which only smiles and the sign of valence are relied on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut.models import store
from roughcut.models.store import Model
from roughcut.records import U8
from roughcut.records.faces import Faces, FaceSigns

CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""In FER-2013's order, which is the network's."""
NEGATIVE = ("angry", "disgust", "fear", "sad")
HAPPY = CLASSES.index("happy")
SIZE = 48
SMALLEST = 0.04
"""Side of a face as a share of the picture's longer side; smaller ones are left out: nothing can be read in them."""


class ExpressionReader:
    """Reads the faces of one picture at a time."""

    def __init__(self, model: Model | None = None) -> None:
        """The shipped network, or another of the same contract. Raises ModelError."""
        self._model = model or store.load("expression")
        self.version = self._model.version

    def __call__(self, picture: U8, faces: Faces) -> FaceSigns:
        """What the faces of RGB [h, w, 3] tell together, larger ones more.

        Raises:
            ModelError: the network fails on them.
        """
        sides = np.sqrt(np.clip(faces.boxes[:, 2:] - faces.boxes[:, :2], 0, None).prod(1)) / max(picture.shape[:2])
        large = sides >= SMALLEST
        if not large.any():
            return FaceSigns()
        whole = Image.fromarray(picture)
        crops = np.stack([square_crop(whole, box, SIZE) for box in faces.boxes[large]])
        smiles, signs = smile_and_sign(self._model.run(faces=crops)["logits"])
        weights = sides[large] ** 2
        return FaceSigns(
            count=int(large.sum()),
            size=float(min(sides.max(), 1.0)),
            smile=float(np.average(smiles, weights=weights)),
            valence=float(np.average(signs, weights=weights)),
        )


def smile_and_sign(logits: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """[N, 7] logits to smiles [N] in 0..1, and to the sign of valence [N] in -1..1: happy less what is negative."""
    apart = np.exp(logits - logits.max(1, keepdims=True))
    chances = apart / apart.sum(1, keepdims=True)
    negative = chances[:, [CLASSES.index(name) for name in NEGATIVE]].sum(1)
    return chances[:, HAPPY], chances[:, HAPPY] - negative


def square_crop(picture: Image.Image, box: Sequence[float], size: int) -> U8:
    """[size, size] grey: the square around a box (left, top, right, bottom), black beyond the picture."""
    left, top, right, bottom = map(float, box)
    half = max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    area = (round(x - half), round(y - half), round(x + half), round(y + half))
    return np.asarray(picture.convert("L").crop(area).resize((size, size), Image.Resampling.BOX))
