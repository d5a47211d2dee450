"""Tracks of one person, by rows that tell faces apart: whole tracks are compared, never single pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from roughcut.records import F32
from roughcut.records.faces import FaceTrack

ALIKE = 0.363  # cosine from which OpenCV takes two of SFace's rows for one person (its own figure, on LFW)


def grouped(tracks: Sequence[FaceTrack], rows: Mapping[int, F32], alike: float = ALIKE) -> list[list[int]]:
    """Numbers of tracks, person by person, those seen in most tracks first.

    Average linkage (Sokal and Michener 1958): the two groups whose tracks are most alike on average become one, down
    to `alike`. Faces seen at one time are two persons, however alike.

    Args:
        rows: track number -> [K, D] rows of unit length of some of its looks; tracks without any stay alone.
    """
    likeness = _likeness(tracks, rows)
    groups = [[k] for k in range(len(tracks))]
    while len(groups) > 1:
        i, j = divmod(int(likeness.argmax()), len(groups))
        if likeness[i, j] < alike:
            break
        i, j = min(i, j), max(i, j)
        shares = np.array([len(groups[i]), len(groups[j])]) / (len(groups[i]) + len(groups[j]))
        joined = shares[0] * likeness[i] + shares[1] * likeness[j]
        likeness[i], likeness[:, i] = joined, joined
        likeness[i, i] = -np.inf
        likeness = np.delete(np.delete(likeness, j, 0), j, 1)
        groups[i] += groups.pop(j)
    named = [sorted(tracks[k].number for k in group) for group in groups]
    return sorted(named, key=lambda group: (-len(group), group))


def _likeness(tracks: Sequence[FaceTrack], rows: Mapping[int, F32]) -> NDArray[np.float64]:
    """[N, N] mean cosine of two tracks' looks; minus infinity where they cannot be one person, and on the diagonal."""
    found = np.full((len(tracks), len(tracks)), -np.inf)
    for i, one in enumerate(tracks):
        for j, other in enumerate(tracks[:i]):
            if one.number in rows and other.number in rows and not _together(one, other):
                found[i, j] = found[j, i] = float((rows[one.number] @ rows[other.number].T).mean())
    return found


def _together(one: FaceTrack, other: FaceTrack) -> bool:
    """Whether both are seen at one time."""
    return max(one.times[0], other.times[0]) <= min(one.times[-1], other.times[-1])
