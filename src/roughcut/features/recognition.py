"""What faces can be told apart by: a row of numbers for each, from a network that somebody fetched and chose to use.

The contract is SFace's (Zhong et al. 2021, "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition"),
as OpenCV publishes it: one face, set upright by its five points, [1, 3, 112, 112] RGB in 0..255; out comes a row whose
direction is the person. None ships: docs/log.md says why. Rows live as long as the process and are written nowhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut.errors import ModelError
from roughcut.features.faces import opened
from roughcut.models import fetched
from roughcut.records import F32, U8

SIDE = 112
UPRIGHT = np.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])
"""Where eyes, nose and corners of the mouth lie in a picture of 112 x 112 (Deng et al. 2019, ArcFace)."""


class FaceRecogniser:
    """Rows of faces, by a network of SFace's contract."""

    def __init__(self, network: Path) -> None:
        """An ONNX file, or `sface` once it was fetched.

        Raises:
            ModelError: no such network, or one of another contract.
        """
        path = fetched.file_of(network)
        self._name, self._session = str(network), opened(path)
        given = self._session.get_inputs()
        if len(given) != 1 or given[0].shape[1:] != [3, SIDE, SIDE]:
            raise ModelError(
                "not a face recogniser that roughcut knows", where=self._name,
                got=", ".join(f"{node.name} {node.shape}" for node in given),
                allowed=f"one input [1, 3, {SIDE}, {SIDE}]",
                next_step="name sface, or a file of its kind",
            )  # fmt: skip
        self._input = given[0].name

    def row(self, picture: U8, points: F32) -> F32:
        """[D] of unit length, of the face with these points [5, 2] in RGB [h, w, 3].

        Raises:
            ModelError: the network fails on it.
        """
        face = aligned(picture, points).transpose(2, 0, 1)[None].astype(np.float32)
        try:
            found = np.asarray(self._session.run(None, {self._input: face})[0], np.float32).ravel()
        except Exception as error:  # ONNX Runtime's own exceptions share no base below Exception
            raise ModelError("the face recogniser failed", where=self._name, got=error) from error
        return np.asarray(found / max(float(np.linalg.norm(found)), 1e-9), np.float32)


def aligned(picture: U8, points: F32) -> U8:
    """[112, 112, 3]: the face turned, scaled and moved so that its points lie as near to `UPRIGHT` as they can."""
    matrix = similarity(UPRIGHT, np.asarray(points, np.float64))  # from the small picture back to the large one
    image = Image.fromarray(np.ascontiguousarray(picture))
    coefficients = tuple(float(v) for v in matrix.ravel())
    upright = image.transform((SIDE, SIDE), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(upright, np.uint8)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """[2, 3]: the turn, scale and shift that bring points [N, 2] nearest to others in the sense of least squares."""
    middle, goal = source.mean(0), target.mean(0)
    x, y = (source - middle).T
    u, v = (target - goal).T
    spread = (x * x + y * y).sum()
    cosine, sine = (x * u + y * v).sum() / spread, (x * v - y * u).sum() / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.concatenate([turn, (goal - turn @ middle)[:, None]], axis=1)
