"""Shots that show the same again: takes of one scene, from one place. A film of highlights needs one of them.

Two shots are takes of one scene where their mean embeddings and their mean pictures (luma at 64 pixels, without mean
and contrast, so that light does not matter) agree. The thresholds pass three quarters of the halves of real single
shots, and of pairs of different shots only those of one place and framing.

Shots that are mostly speech are never takes of each other: the camera comes back to a speaker for other words. And
what a fixed camera saw of a game is alike as well, though each play is its own: further takes are worth less, not
nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import combinations

import numpy as np

from roughcut.planner.pieces import Footage
from roughcut.records import Analysis, Shot
from roughcut.records.rows import part
from roughcut.timebase import TimeRange

ALIKE, LAYOUT = 0.9, 0.7
SPOKEN = 0.5
MOST_PICTURES = 16  # of a shot
LEAST_CONTRAST = 0.02  # of a picture that can be compared at all

ShotKey = tuple[int, int]
"""Index of the source, index of the shot"""


class Retakes:
    """Which shots of the footage are takes of one scene."""

    def __init__(self, footage: Footage, shots: set[ShotKey]) -> None:
        """Looks at these shots alone."""
        self._group = {key: key for key in shots}
        seen = {key: look for key in sorted(shots) if (look := _look(footage[key[0]], key[1])) is not None}
        for a, b in combinations(seen, 2):
            if _alike(seen[a], seen[b]):
                self._group[b] = self._group[a]

    def lesser(self, worth: dict[ShotKey, float]) -> dict[ShotKey, ShotKey]:
        """Of every scene, all takes but the one worth most, each with that one."""
        best: dict[ShotKey, ShotKey] = {}
        for key in sorted(worth):
            scene = self._group[key]
            if scene not in best or worth[key] > worth[best[scene]]:
                best[scene] = key
        return {key: best[self._group[key]] for key in worth if key != best[self._group[key]]}


Look = tuple[np.ndarray, np.ndarray]


def _alike(a: Look, b: Look) -> bool:
    if float(a[0] @ b[0]) < ALIKE or a[1].shape != b[1].shape:
        return False
    return float((a[1] * b[1]).mean()) >= LAYOUT


def _look(analysis: Analysis, number: int) -> Look | None:
    """Mean unit embedding and standardised mean luma picture of a shot; None where it cannot be a retake."""
    shot, features = analysis.timing.shots[number], analysis.features
    first, stop = np.searchsorted(features.picture_frames, [shot.first, shot.stop])
    if first == stop or _spoken(analysis, shot) > SPOKEN:
        return None
    rows = np.unique(np.linspace(first, stop - 1, MOST_PICTURES).round().astype(np.int64))
    luma = np.mean([part(features.pictures, i, i + 1)[0].astype(np.float32).mean(-1) for i in rows], 0) / 255
    if luma.std() < LEAST_CONTRAST:
        return None
    mean = np.mean([part(features.embeddings, i, i + 1)[0] for i in rows], 0)
    return mean / max(float(np.linalg.norm(mean)), 1e-6), (luma - luma.mean()) / luma.std()


def _spoken(analysis: Analysis, shot: Shot) -> float:
    """The share of a shot in which somebody speaks."""
    return spoken_share(analysis, shot.range)


def spoken_share(analysis: Analysis, over: TimeRange) -> float:
    """The share of a stretch in which somebody speaks, 0..1."""
    speech = analysis.timing.speech
    total = 0.0
    for heard in speech[bisect_left(speech, over.start, key=lambda s: s.range.end) :]:
        if heard.range.start >= over.end:
            break
        both = heard.range.intersect(over)
        total += float(both.duration) if both is not None else 0.0
    return total / float(over.duration) if over.duration else 0.0
