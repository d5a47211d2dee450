"""Shake that turns and zooms: found on moves that are known because they were made, and taken out of films."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from golden.make_effects import film, picture
from media import write_media
from roughcut.effects.views import stabilised
from roughcut.finishing import MOST_MARGIN, finished
from roughcut.media.probe import probe
from roughcut.media.rgb import read_rgb
from roughcut.planner import PlanOptions
from roughcut.planner.shake import offset, shake_path, similarity
from roughcut.records import no_progress
from roughcut.records.effect import ParameterError
from roughcut.records.effects import Stabilise
from roughcut.rendering import render_plan
from test_render import plan_of, source_of

F = Fraction
W, H = 256, 144
SMALL = np.random.default_rng(5).integers(0, 255, (150, 260)).astype(np.uint8)
FIELD = Image.fromarray(SMALL).resize((1040, 600), Image.Resampling.BICUBIC)
Camera = tuple[float, float, float, float]


def view(camera: Camera, width: int = W, height: int = H) -> np.ndarray:
    """What is seen where the content is moved right and down (pixels), turned clockwise, and enlarged."""
    dx, dy, turn, larger = camera
    c, s = np.cos(turn) / (1 + larger), np.sin(turn) / (1 + larger)
    x, y = -width / 2 - dx, -height / 2 - dy
    matrix = (c, s, 520 + c * x + s * y, -s, c, 300 - s * x + c * y)
    return np.asarray(FIELD.transform((width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    "made",
    [(0, 0, 0, 0), (2, -1, 0, 0), (0, 0, 0.01, 0), (0, 0, 0, 0.01), (5, 3, 0.02, -0.01), (-12.3, 7.6, 0.03, 0.02)],
)
def test_moves_turns_and_enlargements_are_found(made: Camera) -> None:
    """To a tenth of a pixel, a thousandth of a radian and a thousandth of the size."""
    before, after = (view(c).astype(float) for c in ((0, 0, 0, 0), made))
    right, down, turn, larger = similarity(before, after)
    assert (right * W, down * H) == (pytest.approx(made[0], abs=0.1), pytest.approx(made[1], abs=0.1))
    assert (turn, larger) == (pytest.approx(made[2], abs=1e-3), pytest.approx(made[3], abs=1e-3))


def test_something_that_goes_its_own_way_does_not_turn_the_camera() -> None:
    """A third of the picture that moves by itself is outvoted."""
    before, after = view((0, 0, 0, 0)).astype(float), view((1, 0, 0, 0)).astype(float)
    after[:, 190:] = view((-4, 3, 0, 0))[:, 190:]
    right, _, turn, larger = similarity(before, after)
    assert right * W == pytest.approx(1, abs=0.35)
    assert abs(turn) < 4e-3
    assert abs(larger) < 4e-3


def shaken(frames: int) -> np.ndarray:
    """[n, 4] a camera that pans and is shaken in all four ways."""
    rng = np.random.default_rng(3)
    shake = rng.normal(0, 1, (frames, 4)) * (2.0, 2.0, 0.008, 0.005)
    shake[:, 0] += np.arange(frames)
    return shake


def test_shake_of_all_kinds_is_taken_out() -> None:
    """From picture to picture at most a fifth of what was is left, and the pan goes on."""
    made = shaken(60)
    pictures = [view(tuple(c))[..., None].repeat(3, 2) for c in made]  # type: ignore[arg-type]
    path = shake_path(pictures, [F(k, 25) for k in range(60)])
    assert path is not None
    left = made + np.c_[np.array(path.moves) * (W, H), np.array(path.twists)]
    before, after = (np.diff(p, axis=0)[10:-10] for p in (made, left))
    assert (after.std(0) < 0.2 * before.std(0)).all()
    assert after[:, 0].mean() == pytest.approx(1.0, abs=0.15)


def test_a_picture_is_turned_as_told_and_never_shows_what_is_not_there() -> None:
    """A turn gives the picture a camera turned the other way would; one too far is taken as far as it goes."""
    made = film(width=W, height=H)
    given = picture(made).with_rgb(view((0, 0, 0.012, 0))[..., None].repeat(3, 2))
    effect = Stabilise(times=(F(0),), moves=((0.0, 0.0),), twists=((-0.012, 0.0),), margin=0.05)
    straight = picture(made).with_rgb(view((0, 0, 0, 0))[..., None].repeat(3, 2))
    plain = stabilised(straight, replace(effect, twists=()), F(0))
    made_straight = stabilised(given, effect, F(0))
    inner = (slice(10, -10), slice(10, -10))
    error = np.abs(made_straight.planes()[0][inner].astype(float) - plain.planes()[0][inner]).mean()
    untouched = np.abs(given.planes()[0][inner].astype(float) - straight.planes()[0][inner]).mean()
    assert error < 4 < untouched / 3
    light = picture(made).with_rgb(np.full((H, W, 3), 200, np.uint8))
    for depth in (8, 10):
        deep = film(depth, W, H)
        light = picture(deep).with_rgb(np.full((H, W, 3), 200 if depth == 8 else 51_400, deep.dtype))
        far = stabilised(light, Stabilise(times=(F(0),), moves=((0.1, -0.1),), twists=((0.3, 0.1),), margin=0.05), F(0))
        for plane, was in zip(far.planes(), light.planes(), strict=True):
            assert np.abs(plane.astype(int) - int(was[0, 0])).max() <= 1


def test_films_are_steadied(tmp_path: Path) -> None:
    """Through the planner and a render: the film shakes at most a quarter as much as its footage, and is proved."""
    made = shaken(50)
    frames = [view(tuple(c), 320, 180)[..., None].repeat(3, 2) for c in made]  # type: ignore[arg-type]
    path = write_media(tmp_path / "v.mp4", frames)
    plan = plan_of([source_of(path)], [("s", F(0), F(2))])
    plan = finished(plan, {"s": probe(path)}, PlanOptions(stabilise=True), no_progress, {})
    (effect,) = plan.clips[0].effects
    assert isinstance(effect, Stabilise)
    assert effect.twists
    assert effect.margin <= MOST_MARGIN
    result = render_plan(plan, tmp_path / "cut.mp4")
    assert not result.proof.problems
    before, after = (residual(p) for p in (path, result.film))
    assert after < 0.4 * before


def residual(path: Path) -> float:
    """Deviation of the corners' steps from picture to picture, in pixels of 256."""
    grey = [p.astype(float).mean(2) for p in read_rgb(probe(path), W, H)]
    steps = np.array([similarity(a, b) for a, b in pairwise(grey[5:-5])]) * (W, H, W / 2, W / 2)
    return float(np.sqrt((steps.std(0) ** 2).sum()))


def test_a_tripod_is_left_alone(tmp_path: Path) -> None:
    """Footage that stands still gets no effect, so its packets can be copied."""
    path = write_media(tmp_path / "v.mp4", [view((0, 0, 0, 0), 320, 180)[..., None].repeat(3, 2)] * 30)
    plan = plan_of([source_of(path)], [("s", F(0), F(1))])
    plan = finished(plan, {"s": probe(path)}, PlanOptions(stabilise=True), no_progress, {})
    assert plan.clips[0].effects == ()


def test_paths_that_do_not_fit_are_refused() -> None:
    """A twist for each time, or none."""
    with pytest.raises(ParameterError, match="twists"):
        Stabilise(times=(F(0), F(1)), moves=((0.0, 0.0), (0.0, 0.0)), twists=((0.0, 0.0),))


def test_pictures_without_likeness_tell_no_turn() -> None:
    """Two noises give no move of any kind."""
    a, b = np.random.default_rng(1).normal(128, 40, (2, 90, 160))
    assert offset(a, b) == (0.0, 0.0)
    assert similarity(a, b)[2:] == (0.0, 0.0)


def test_what_would_not_get_steadier_is_left_alone(tmp_path: Path) -> None:
    """Pictures that jump about without a common move: whatever was found in them, nothing is laid."""
    rng = np.random.default_rng(2)
    frames = [rng.integers(0, 255, (30, 50)).astype(np.uint8).repeat(6, 0).repeat(6, 1) for _ in range(20)]
    path = write_media(tmp_path / "v.mp4", [f[:180, :300, None].repeat(3, 2) for f in frames])
    plan = plan_of([source_of(path)], [("s", F(0), F(4, 5))])
    plan = finished(plan, {"s": probe(path)}, PlanOptions(stabilise=True), no_progress, {})
    assert plan.clips[0].effects == ()
