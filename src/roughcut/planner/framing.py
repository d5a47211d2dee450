"""The path of a reframed film's window. Small pictures in, points over time out.

Where faces are, if they were looked for, else where a window of the new shape would hold most motion and texture; the
frame holds still there and moves only when that place has been elsewhere for a while, on a curve without a jerk.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from roughcut.records import F32, U8
from roughcut.records.faces import FaceTrack

F64 = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]

HOLD = 1.2  # seconds that the frame stands still at least
AWAY = 0.12  # of the width: what is nearer is not followed
PATIENCE = 0.5  # seconds that something must be elsewhere
MOVE = 1.0  # seconds a move takes
STEPS = 10  # points of a move per second

MOST = 0.9  # of the window that faces may fill together
OFTEN = 0.5  # of a clip's pictures must show a face, or what moves is followed


def follow_path(
    pictures: Sequence[U8],
    times: Sequence[Fraction],
    share: tuple[float, float],
    faces: Sequence[FaceTrack] = (),
) -> tuple[tuple[Fraction, ...], Points]:
    """Times and points of a reframe's path inside one clip.

    Args:
        share: of the width and height that the new shape shows; one of the two is 1.
        faces: where any was looked for; they are followed rather than what moves, where they are seen often enough.
    """
    axis = 0 if share[0] < 1 else 1
    wanted = face_places(faces, times, axis, share[axis]) or _salient(pictures, share)
    seconds = [float(t - times[0]) for t in times]
    return _held([p[axis] for p in wanted], seconds, times, axis)


def face_places(tracks: Sequence[FaceTrack], times: Sequence[Fraction], axis: int, share: float) -> Points | None:
    """For each time the middle of the faces seen then: the largest, and all that fit into the window with it.

    Between faces the place of the one before holds. None where fewer than half of the times show a face.
    """
    middles = [_middle(tracks, t, axis, share) for t in times]
    seen = [m for m in middles if m is not None]
    if len(seen) < max(OFTEN * len(times), 1):
        return None
    at, found = seen[0], []
    for middle in middles:
        at = at if middle is None else middle
        found.append((at, 0.5) if axis == 0 else (0.5, at))
    return tuple(found)


def _middle(tracks: Sequence[FaceTrack], t: Fraction, axis: int, share: float) -> float | None:
    boxes = [track.box_at(t) for track in tracks if track.within.start <= t < track.within.end]
    if not boxes:
        return None
    low = high = None
    for box in sorted(boxes, key=lambda b: (b[2] - b[0]) * (b[3] - b[1]), reverse=True):
        start, end = float(box[axis]), float(box[axis + 2])
        joined = (start, end) if low is None or high is None else (min(low, start), max(high, end))
        if low is None or joined[1] - joined[0] <= MOST * share:
            low, high = joined
    return (low + high) / 2 if low is not None and high is not None else None


def _salient(pictures: Sequence[U8], share: tuple[float, float]) -> Points:
    """For each picture the middle of the window that holds most motion and texture."""
    axis = 0 if share[0] < 1 else 1
    found = []
    level: F64 | None = None
    for k, picture in enumerate(pictures):
        grey = picture.astype(np.float32).mean(2)
        texture = np.abs(np.diff(grey, axis=0, append=grey[-1:])) + np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
        motion = np.abs(grey - pictures[k - 1].astype(np.float32).mean(2)) if k else np.zeros_like(grey)
        energy = (motion / (motion.mean() + 2) + 0.35 * texture / (texture.mean() + 2)).sum(axis=axis)
        level = energy if level is None else 0.85 * level + 0.15 * energy
        at = _best_window(level, share[axis])
        found.append((at, 0.5) if axis == 0 else (0.5, at))
    return tuple(found)


def _best_window(energy: F64 | F32, share: float) -> float:
    """Middle of the window of that share with the greatest sum, the picture's own middle a little preferred."""
    n = len(energy)
    size = max(round(share * n), 1)
    sums = np.convolve(energy, np.ones(size), "valid")
    middles = (np.arange(len(sums)) + size / 2) / n
    return float(middles[int((sums * (1 - 0.3 * np.abs(middles - 0.5))).argmax())])


def _held(
    wanted: Sequence[float], seconds: Sequence[float], times: Sequence[Fraction], axis: int
) -> tuple[tuple[Fraction, ...], Points]:
    """Stillness and moves: points that `effects.views.along` runs through evenly."""
    first = [w for w, s in zip(wanted, seconds, strict=True) if s <= PATIENCE]
    at = float(np.median(first))
    points: list[tuple[Fraction, float]] = [(times[0], at)]
    since, free = 0.0, HOLD
    for w, s in zip(wanted, seconds, strict=True):
        if abs(w - at) < AWAY:
            since = s
            continue
        if s - since >= PATIENCE and s >= free:
            recent = [v for v, t in zip(wanted, seconds, strict=True) if s - PATIENCE <= t <= s]
            goal, start = float(np.median(recent)), times[0] + Fraction(s).limit_denominator(1000)
            for k in range(round(MOVE * STEPS) + 1):
                part = k / round(MOVE * STEPS)
                way = part**3 * (part * (6 * part - 15) + 10)
                points.append((start + Fraction(k, STEPS), at + (goal - at) * way))
            at, free, since = goal, s + MOVE + HOLD, s + MOVE
    place = (lambda v: (v, 0.5)) if axis == 0 else (lambda v: (0.5, v))
    return tuple(t for t, _ in points), tuple(place(round(v, 5)) for _, v in points)
