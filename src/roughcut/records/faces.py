"""Faces found in one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roughcut.records.media import F32


@dataclass(frozen=True, kw_only=True)
class Faces:
    """The faces of a picture, the surest first, in pixels of that picture; boxes may reach beyond its border."""

    boxes: F32
    """[N, 4] left, top, right, bottom"""
    scores: F32
    """[N] in 0..1"""
    points: F32
    """[N, 5, 2] x, y of the eyes (that on the picture's left first), the nose and the corners of the mouth"""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        if self.boxes.shape != (n, 4) or self.scores.shape != (n,) or self.points.shape != (n, 5, 2):
            shapes = f"{self.boxes.shape}, {self.scores.shape}, {self.points.shape}"
            raise ValueError(f"faces: [N, 4], [N] and [N, 5, 2], got {shapes}")

    def __len__(self) -> int:
        return len(self.boxes)

    def at_least(self, score: float) -> Faces:
        """Those with this score or more."""
        keep = self.scores >= score
        return Faces(boxes=self.boxes[keep], scores=self.scores[keep], points=self.points[keep])


def box_overlaps(a: F32, b: F32) -> F32:
    """Intersection over union of boxes [N, 4] and [M, 4], [N, M]; 0 where both are empty."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    far = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(far - corner, 0, None), axis=2)
    area_a, area_b = (np.prod(np.clip(x[:, 2:] - x[:, :2], 0, None), axis=1) for x in (a, b))
    union = area_a[:, None] + area_b[None, :] - shared
    shares: F32 = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0).astype(np.float32)
    return shares
