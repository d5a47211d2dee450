"""Faces found in one picture, and followed over time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from roughcut.records.media import F32
from roughcut.timebase import TimeRange


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


@dataclass(frozen=True, kw_only=True)
class FaceSigns:
    """What the faces of one picture that are large enough tell together, larger ones more; all 0 without any."""

    count: int = 0
    size: float = 0.0
    """Side of the largest face, share of the picture's longer side"""
    smile: float = 0.0
    """0..1"""
    valence: float = 0.0
    """-1..1: probability of a happy face less that of an angry, disgusted, afraid or sad one"""


@dataclass(frozen=True, kw_only=True)
class FaceTrack:
    """One face from look to look inside one shot."""

    number: int
    """From 1, in the order of the film."""
    times: tuple[Fraction, ...]
    """Rising source times of the looks."""
    boxes: F32
    """[N, 4] left, top, right, bottom, shares of the upright picture"""
    scores: F32
    """[N] in 0..1; 0 where nothing was found and the box was filled in"""
    within: TimeRange
    """When the face may be seen: a little longer than it was found, but never across a cut."""

    def __post_init__(self) -> None:
        n = len(self.times)
        if not n or self.boxes.shape != (n, 4) or self.scores.shape != (n,):
            raise ValueError(f"a track has a box and a score for each of its {n} times")
        if any(b <= a for a, b in pairwise(self.times)):
            raise ValueError("the times of a track rise")

    @property
    def score(self) -> float:
        """That of its surest look."""
        return float(self.scores.max())

    @property
    def best(self) -> int:
        """The look to show it by: sure, and large."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        return int(np.argmax(self.scores * np.sqrt(np.clip(sides.prod(1), 0, None))))

    def box_at(self, t: Fraction) -> F32:
        """[4] where it is at a time: on the way between two looks, still before the first and after the last."""
        at = [float(time) for time in self.times]
        return np.array([np.interp(float(t), at, side) for side in self.boxes.T], np.float32)


def box_overlaps(a: F32, b: F32) -> F32:
    """Intersection over union of boxes [N, 4] and [M, 4], [N, M]; 0 where both are empty."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    far = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(far - corner, 0, None), axis=2)
    area_a, area_b = (np.prod(np.clip(x[:, 2:] - x[:, :2], 0, None), axis=1) for x in (a, b))
    union = area_a[:, None] + area_b[None, :] - shared
    shares: F32 = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0).astype(np.float32)
    return shares
