"""Faces over time: what is found picture by picture becomes tracks, one for each face in each shot.

After ByteTrack (Zhang et al. 2022, arXiv:2110.06864): a track goes on with the box that overlaps most with where it
was heading, sure detections first, doubtful ones for the tracks that are left; only a sure one begins a track. As the
whole shot is known, tracks are followed backwards too, and what lies between two finds is filled in evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from roughcut.records import F32
from roughcut.records.faces import Faces, FaceTrack, box_overlaps
from roughcut.timebase import TimeRange

START, GO_ON = 0.6, 0.2
"""Scores that begin a track, and that continue one."""
BRIDGED = Fraction(1)
"""Seconds over which a track may find nothing."""
UNSEEN = Fraction(1, 2)
"""Seconds before a face is found and after it is lost during which it may be there all the same."""
LEAST_OVERLAP = 0.2
NEAR, FARTHEST = 0.8, 2.0
"""Of the face's size: how far a face may be that does not overlap (fast motion); the greater from look to look."""
OTHER_SIZE = 2.5


@dataclass(frozen=True)
class Look:
    """What was found in one picture, boxes in shares of it."""

    time: Fraction
    faces: Faces


@dataclass(eq=False)
class _Live:
    """A track that grows: indices of looks, with boxes and scores."""

    at: list[int] = field(default_factory=list)
    boxes: list[F32] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def add(self, k: int, box: F32, score: float) -> None:
        self.at.append(k)
        self.boxes.append(box)
        self.scores.append(score)

    def expected(self, k: int) -> F32:
        """Where it would be at look k, going on as it went, for three looks at most."""
        last = self.boxes[-1]
        if len(self.at) < 2:
            return last
        step = (last - self.boxes[-2]) / (self.at[-1] - self.at[-2])
        return np.asarray(last + step * np.clip(k - self.at[-1], -3, 3), np.float32)


def follow(looks: Sequence[Look], cuts: Sequence[Fraction], whole: TimeRange) -> list[FaceTrack]:
    """All tracks, numbered from 1 in the order in which they begin.

    Args:
        looks: rising times.
        cuts: rising; the first times of shots that begin at once. No track crosses one.
        whole: the time of the film.
    """
    edges = [whole.start, *(t for t in cuts if whole.start < t < whole.end), whole.end]
    found: list[FaceTrack] = []
    for start, end in pairwise(edges):
        shot = [look for look in looks if start <= look.time < end]
        found += [_finished(track, shot, TimeRange(start, end)) for track in _followed(shot)]
    found.sort(key=lambda t: (t.times[0], float(t.boxes[0, 0])))
    return [replace(track, number=number) for number, track in enumerate(found, 1)]


def _followed(shot: Sequence[Look]) -> list[_Live]:
    taken = [np.zeros(len(look.faces), bool) for look in shot]
    done: list[_Live] = []
    live: list[_Live] = []
    for k, look in enumerate(shot):
        going = [t for t in live if look.time - shot[t.at[-1]].time <= BRIDGED]
        done += [t for t in live if t not in going]
        live, left = going, going
        for low in (START, GO_ON):
            left = _continued(left, k, look, taken[k], low)
        for i in np.flatnonzero(~taken[k] & (look.faces.scores >= START)):
            taken[k][i] = True
            live.append(_Live([k], [look.faces.boxes[i]], [float(look.faces.scores[i])]))
    for track in done + live:
        _backwards(track, shot, taken)
    return done + live


def _continued(tracks: list[_Live], k: int, look: Look, taken: np.ndarray, low: float) -> list[_Live]:
    """Give the tracks the free detections of a score from `low` on that fit best; returns those that got none."""
    free = np.flatnonzero(~taken & (look.faces.scores >= low))
    if not len(free) or not tracks:
        return tracks
    reach = np.array([FARTHEST if abs(k - t.at[-1]) == 1 else NEAR for t in tracks], np.float32)
    places = ([t.expected(k) for t in tracks], [t.boxes[-1] for t in tracks])  # as it went, or it turned round
    fits = np.maximum(*(fitting(np.stack(p), look.faces.boxes[free], reach) for p in places))
    left = set(range(len(tracks)))
    for flat in np.argsort(-fits, axis=None, kind="stable"):
        i, j = divmod(int(flat), len(free))
        if fits[i, j] <= 0:
            break
        if i in left and not taken[free[j]]:
            left.remove(i)
            taken[free[j]] = True
            tracks[i].add(k, look.faces.boxes[free[j]], float(look.faces.scores[free[j]]))
    return [tracks[i] for i in sorted(left)]


def _backwards(track: _Live, shot: Sequence[Look], taken: list[np.ndarray]) -> None:
    """Follow a track back from where it began, through doubtful detections that nobody took."""
    back = _Live(track.at[:2][::-1], track.boxes[:2][::-1], track.scores[:2][::-1])
    begun = len(back.at)
    for k in range(track.at[0] - 1, -1, -1):
        if shot[back.at[-1]].time - shot[k].time > BRIDGED:
            break
        _continued([back], k, shot[k], taken[k], GO_ON)
    earlier = slice(len(back.at) - 1, begun - 1, -1) if len(back.at) > begun else slice(0, 0)
    track.at[:0], track.boxes[:0], track.scores[:0] = back.at[earlier], back.boxes[earlier], back.scores[earlier]


def fitting(expected: F32, boxes: F32, reach: F32) -> F32:
    """How well boxes [M, 4] fit the expected ones [N, 4]: their overlap, or less than the least one for those of a
    like size within `reach` [N] of its size; 0 where they do not fit."""
    overlaps = box_overlaps(expected, boxes)
    sides = [np.clip(b[:, 2:] - b[:, :2], 1e-6, None) for b in (expected, boxes)]
    size = np.sqrt(sides[0][:, None] * sides[1][None])
    ratio = np.abs(np.log(sides[0][:, None] / sides[1][None])).max(2)
    apart = np.abs((expected[:, None, :2] + expected[:, None, 2:] - boxes[None, :, :2] - boxes[None, :, 2:]) / 2)
    distance = np.hypot(*np.moveaxis(apart / size, 2, 0))
    closeness = 1 - distance / reach[:, None]
    near = np.where((closeness > 0) & (ratio < np.log(OTHER_SIZE)), LEAST_OVERLAP * closeness, 0)
    fits: F32 = np.where(overlaps >= LEAST_OVERLAP, overlaps, near).astype(np.float32)
    return fits


def _finished(track: _Live, shot: Sequence[Look], lasts: TimeRange) -> FaceTrack:
    """With a box at every look between its first and last: filled in evenly, score 0, where nothing was found."""
    every = range(track.at[0], track.at[-1] + 1)
    times = [float(shot[k].time) for k in every]
    known = [float(shot[k].time) for k in track.at]
    boxes = np.stack([np.interp(times, known, column) for column in np.stack(track.boxes).T], 1)
    scores = np.zeros(len(every), np.float32)
    scores[np.array(track.at) - track.at[0]] = track.scores
    first, last = shot[track.at[0]].time, shot[track.at[-1]].time
    within = TimeRange(max(lasts.start, first - UNSEEN), min(lasts.end, last + UNSEEN))
    rows = {"times": tuple(shot[k].time for k in every), "boxes": boxes.astype(np.float32), "scores": scores}
    return FaceTrack(number=1, within=within, **rows)  # type: ignore[arg-type]
