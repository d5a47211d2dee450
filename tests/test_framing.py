"""Paths of the frame, on moves that are known because they were made; and where effects are laid."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from footage import make_analysis
from roughcut.effects.views import along
from roughcut.finishing import shaped
from roughcut.planner import PlanOptions, make_plan
from roughcut.planner.flourish import rising
from roughcut.planner.framing import AWAY, HOLD, MOVE, face_places, follow_path
from roughcut.planner.shake import offset, shake_path
from roughcut.records import FilmSpec
from roughcut.records.effects import PunchIn, Speed
from roughcut.records.faces import FaceTrack
from roughcut.timebase import TimeRange

F = Fraction
FIELD = np.random.default_rng(5).integers(0, 255, (60, 100)).repeat(4, 0).repeat(4, 1).astype(np.float64)


def view(x: float, y: float, h: int = 90, w: int = 160) -> np.ndarray:
    """A window on the field whose place is a fraction of a pixel."""
    i, j = int(y), int(x)
    v, u = y - i, x - j
    rows = FIELD[i : i + h + 1] * (1 - v) + FIELD[i + 1 : i + h + 2] * v
    return rows[:h, j : j + w] * (1 - u) + rows[:h, j + 1 : j + w + 1] * u


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, -2), (0.5, 0.25), (-7.3, 4.6), (12, 9)])
def test_offsets_are_found_to_a_fraction_of_a_pixel(dx: float, dy: float) -> None:
    """A window that moves by known steps: content goes the other way, found within a fifth of a pixel."""
    found = offset(view(60, 50), view(60 + dx, 50 + dy))
    assert found[0] * 160 == pytest.approx(-dx, abs=0.25)
    assert found[1] * 90 == pytest.approx(-dy, abs=0.25)


def test_pictures_without_likeness_tell_no_move() -> None:
    """Two noises, and two flat pictures, give none."""
    a, b = np.random.default_rng(1).normal(128, 40, (2, 90, 160))
    assert offset(a, b) == (0.0, 0.0)
    assert offset(np.full((90, 160), 9.0), np.full((90, 160), 200.0)) == (0.0, 0.0)


def test_shake_is_taken_out_and_pans_stay() -> None:
    """On a pan with shake, the counter-moves leave at most a fifth of the shake and do not slow the pan."""
    rng = np.random.default_rng(3)
    shake = rng.normal(0, 2.0, (60, 2))
    times = [F(k, 25) for k in range(60)]
    places = [(60 + 1.0 * k + shake[k, 0], 60 + shake[k, 1]) for k in range(60)]
    pictures = [view(x, y)[..., None].repeat(3, 2).astype(np.uint8) for x, y in places]
    path = shake_path(pictures, times)
    assert path is not None
    moves = path.moves
    left = np.array([(-x + m[0] * 160, -y + m[1] * 90) for (x, y), m in zip(places, moves, strict=True)])
    before, after = (np.diff(np.array(p), axis=0) for p in ([(-x, -y) for x, y in places], left))
    inner = slice(10, -10)
    assert after[inner].std(0).max() < 0.2 * before[inner].std(0).min()
    assert after[inner, 0].mean() == pytest.approx(-1.0, abs=0.15)


def test_the_frame_holds_then_follows_without_a_jerk() -> None:
    """Something that flickers at the left, then at the right: one move, late enough, as long as said, no jump in it."""
    rng = np.random.default_rng(0)
    pictures = []
    for k in range(150):
        picture = np.full((90, 160, 3), 90, np.uint8)
        left = 10 if k < 75 else 115
        picture[30:60, left : left + 30] = rng.integers(0, 255, (30, 30, 1))
        pictures.append(picture)
    times = [F(k, 25) for k in range(150)]
    at, points = follow_path(pictures, times, (0.32, 1.0))
    xs = np.array([along(at, points, F(k, 100))[0] for k in range(600)])
    assert abs(xs[0] - 25 / 160) < AWAY
    assert abs(xs[-1] - 130 / 160) < AWAY
    moving = np.flatnonzero(np.abs(np.diff(xs)) > 1e-6)
    assert moving[0] / 100 >= 3.0
    assert len(moving) <= MOVE * 100 + 2
    assert np.abs(np.diff(xs)).max() < 2.5 * abs(xs[-1] - xs[0]) / (MOVE * 100)


def test_the_frame_does_not_follow_restlessness() -> None:
    """What jumps from side to side five times a second is not followed; moves are never nearer than the hold."""
    rng = np.random.default_rng(0)
    pictures = []
    for k in range(200):
        picture = np.full((90, 160, 3), 90, np.uint8)
        left = 10 if k // 5 % 2 else 115
        picture[30:60, left : left + 30] = rng.integers(0, 255, (30, 30, 1))
        pictures.append(picture)
    at, points = follow_path(pictures, [F(k, 25) for k in range(200)], (0.32, 1.0))
    xs = np.array([along(at, points, F(k, 100))[0] for k in range(800)])
    starts = [k for k in range(1, len(xs) - 1) if xs[k] == xs[k - 1] and abs(xs[k + 1] - xs[k]) > 1e-7]
    assert len(starts) <= 2
    assert all(b - a >= (HOLD + MOVE) * 100 - 2 for a, b in pairwise(starts))


def face(number: int, boxes: list[tuple[float, float]]) -> FaceTrack:
    """A face a tenth of the picture wide, at (x, y) each half second."""
    times = tuple(F(k, 2) for k in range(len(boxes)))
    corners = np.array([(x - 0.05, y - 0.05, x + 0.05, y + 0.05) for x, y in boxes], np.float32)
    within = TimeRange(times[0], times[-1] + F(1, 2))
    return FaceTrack(number=number, times=times, boxes=corners, scores=np.ones(len(boxes), np.float32), within=within)


def test_faces_are_followed_rather_than_what_moves() -> None:
    """Noise flickers at the right; a face at the left holds the frame, and takes it along where it goes."""
    rng = np.random.default_rng(0)
    pictures = [np.full((90, 160, 3), 90, np.uint8) for _ in range(150)]
    for picture in pictures:
        picture[30:60, 115:145] = rng.integers(0, 255, (30, 30, 1))
    times = [F(k, 25) for k in range(150)]
    there = [(0.2, 0.5)] * 6 + [(0.6, 0.5)] * 6
    at, points = follow_path(pictures, times, (0.32, 1.0), [face(1, there)])
    assert along(at, points, F(1))[0] == pytest.approx(0.2, abs=0.02)
    assert along(at, points, F(11, 2))[0] == pytest.approx(0.6, abs=AWAY)
    without = follow_path(pictures, times, (0.32, 1.0))
    seldom = follow_path(pictures, times, (0.32, 1.0), [face(1, [(0.2, 0.5)] * 3)])
    assert seldom == without


def test_faces_that_fit_stay_together() -> None:
    """Two faces near each other are both framed; one too far off is left out, the larger one stays."""
    near, far = face(2, [(0.4, 0.5)] * 4), face(3, [(0.9, 0.5)] * 4)
    times = [F(k, 2) for k in range(4)]
    both = face_places([face(1, [(0.3, 0.5)] * 4), near, far], times, 0, 0.32)
    assert both is not None
    assert both[0][0] == pytest.approx(0.35)
    assert face_places([], times, 0, 0.32) is None


@pytest.mark.parametrize(
    ("shape", "size"), [("9:16", (608, 1080)), ("1:1", (1080, 1080)), ("4:5", (864, 1080)), ("16:9", (1920, 1080))]
)
def test_shapes(shape: str, size: tuple[int, int]) -> None:
    """The film keeps its height, and even sides."""
    spec = shaped(FilmSpec(width=1920, height=1080, rate=F(25)), shape)
    assert (spec.width, spec.height) == size


# ---------------------------------------------------------------- where effects go

TALK = make_analysis([30], speech=[(1, 8), (12, 19), (22, 29)])


def test_nothing_is_laid_unasked() -> None:
    """At level none no clip and no film has an effect."""
    plan = make_plan([TALK], PlanOptions(keep="speech"))
    assert not any(c.effects for c in plan.clips)
    assert plan.effects == ()


@pytest.mark.parametrize("level", ["subtle", "rich"])
def test_jump_cuts_of_a_talk_alternate(level: str) -> None:
    """Where pieces were cut out of one shot, every second one comes closer, with its reason."""
    plan = make_plan([TALK], PlanOptions(keep="speech", effects=level))  # type: ignore[arg-type]
    closer = [any(isinstance(e, PunchIn) for e in c.effects) for c in plan.clips]
    assert len(closer) == 3
    assert closer == [False, True, False]
    assert plan.clips[1].effects[0].decision.code == "jump_cut"


def test_a_voice_that_rises_is_felt() -> None:
    """Growing energy under speech gives a greater chance than falling energy; silence gives none."""
    analysis = make_analysis([20], speech=[(0, 20)])
    curve = analysis.timing.loudness
    span = TimeRange(F(2), F(12))
    curve.values[:] = np.linspace(-40, -10, len(curve.values))
    up = rising(span, analysis)
    curve.values[:] = np.linspace(-10, -40, len(curve.values))
    assert up > rising(span, analysis)
    assert rising(span, make_analysis([20])) == 0.0


def test_long_dull_motion_goes_faster_only_when_rich() -> None:
    """A long moving shot that matters little is played in half the time, and shows no more source than was kept."""
    analysis = make_analysis([20, 8], keep=[0.2, 0.9])
    plain = make_plan([analysis], PlanOptions(keep="all", effects="subtle"))
    rich = make_plan([analysis], PlanOptions(keep="all", effects="rich"))
    assert not any(isinstance(e, Speed) for c in plain.clips for e in c.effects)
    assert [e.name for e in rich.clips[0].effects] == ["speed"]
    assert rich.clips[0].range.duration == plain.clips[0].range.duration / 2
    assert not rich.clips[1].effects
