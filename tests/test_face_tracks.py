"""Faces followed over time, on boxes whose truth is known by construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.records.faces import Faces, FaceTrack
from roughcut.spatial.tracks import UNSEEN, Look, fitting, follow
from roughcut.timebase import TimeRange

STEP = Fraction(3, 25)
Found = tuple[float, float, float]
"""Middle x, y and score of a face a tenth of the picture wide."""


def looks(count: int, faces: Callable[[int], Sequence[Found]]) -> list[Look]:
    made = []
    for k in range(count):
        rows = np.array(faces(k), np.float32).reshape(-1, 3)
        boxes = np.concatenate([rows[:, :2] - 0.05, rows[:, :2] + 0.05], 1)
        points = np.zeros((len(rows), 5, 2), np.float32)
        made.append(Look(time=k * STEP, faces=Faces(boxes=boxes, scores=rows[:, 2].copy(), points=points)))
    return made


def followed(count: int, faces: Callable[[int], Sequence[Found]], cuts: Sequence[Fraction] = ()) -> list[FaceTrack]:
    return follow(looks(count, faces), cuts, TimeRange(Fraction(0), count * STEP))


def middles(track: FaceTrack) -> np.ndarray:
    return (track.boxes[:, :2] + track.boxes[:, 2:]) / 2


def test_one_face_is_one_track_from_a_little_before_to_a_little_after() -> None:
    """Seen from look 5 to 20, with a gap: one track, its box filled in evenly where nothing was found."""
    (track,) = followed(40, lambda k: [(0.1 + 0.02 * k, 0.5, 0.9)] if 5 <= k <= 20 and k not in (9, 10, 11) else [])
    assert track.times == tuple(k * STEP for k in range(5, 21))
    assert np.allclose(middles(track)[:, 0], 0.1 + 0.02 * np.arange(5, 21), atol=1e-6)
    assert (track.scores[4:7] == 0).all()
    assert track.within == TimeRange(5 * STEP - UNSEEN, 20 * STEP + UNSEEN)


def test_two_faces_that_pass_each_other_stay_two() -> None:
    """They go straight through one another: each track keeps its own way."""
    tracks = followed(41, lambda k: [(0.1 + 0.02 * k, 0.5, 0.9), (0.9 - 0.02 * k, 0.52, 0.8)])
    assert len(tracks) == 2
    for track, slope in zip(tracks, (0.02, -0.02), strict=True):
        assert np.allclose(np.diff(middles(track)[:, 0]), slope, atol=1e-5)


def test_doubtful_looks_go_on_and_go_back_but_do_not_begin() -> None:
    """Doubtful before and after a sure look: all one track; doubtful alone: none."""
    (track,) = followed(20, lambda k: [(0.5, 0.5, 0.7 if k == 10 else 0.3), (0.1, 0.1, 0.5)])
    assert (track.times[0], track.times[-1]) == (0, 19 * STEP)


def test_no_track_crosses_a_cut() -> None:
    """The same place before and after a cut: two tracks, and neither may be seen beyond it."""
    cut = 10 * STEP
    before, after = followed(20, lambda k: [(0.5, 0.5, 0.9)], [cut])
    assert before.within == TimeRange(Fraction(0), cut)
    assert after.within == TimeRange(cut, 20 * STEP)


def test_fast_motion_is_followed() -> None:
    """A face that moves by most of its size from look to look, so that boxes do not overlap."""
    (track,) = followed(9, lambda k: [(0.05 + 0.11 * k, 0.5, 0.9)])
    assert len(track.times) == 9


def test_long_gaps_part_and_nothing_gives_nothing() -> None:
    """After two seconds it may be somebody else; no look, no face, no track."""
    tracks = followed(60, lambda k: [(0.5, 0.5, 0.9)] if k < 10 or k > 30 else [])
    assert [t.number for t in tracks] == [1, 2]
    assert followed(5, lambda k: []) == []
    assert follow([], [], TimeRange(Fraction(0), Fraction(1))) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_every_sure_detection_is_in_a_track(seed: int) -> None:
    """Whatever is found, nothing sure is lost: fail closed."""
    rng = np.random.default_rng(seed)
    rows = [[tuple(rng.random(3)) for _ in range(rng.integers(0, 4))] for _ in range(15)]
    tracks = followed(15, lambda k: rows[k])
    held = {(t, tuple(np.round(box, 5))) for track in tracks for t, box in zip(track.times, track.boxes, strict=True)}
    for look in looks(15, lambda k: rows[k]):
        for box in look.faces.at_least(0.6).boxes:
            assert (look.time, tuple(np.round(box, 5))) in held


def test_fits() -> None:
    """Overlap first; a near box of a like size still fits, one of another size or far away does not."""
    one = np.array([[0, 0, 1, 1]], np.float32)
    boxes = np.array([[0, 0, 1, 1], [1.4, 0, 2.4, 1], [3, 0, 4, 1], [1.2, 0, 5, 4]], np.float32)
    reach = np.ones(1, np.float32)
    fits = fitting(one, boxes, reach)[0]
    assert fits[0] == pytest.approx(1)
    assert fits[1:].tolist() == [0, 0, 0]
    assert 0 < fitting(one, boxes[1:2] - np.float32([0.5, 0, 0.5, 0]), reach)[0, 0] < 0.2
