"""Spatial mapping: pooling over a shot, weights from the timing, the network's shape, the simulator's honesty."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from roughcut.networks import spatial as network
from roughcut.records import Curve, Features, FrameTimes, LookControls, Shot, Timing, Transition
from roughcut.spatial.colour import CAPS, robust_mean, shrunk, weighted_median
from roughcut.spatial.mapper import SpaceMapper, evidence, inside_bars, picture_weights, resized
from roughcut.timebase import TimeRange
from roughcut.training.faults import FaultSettings, degrade, locus

RATE = 25


class Fixed:
    """A store whose network reads its answer from the pictures: exposure = first red code / 100."""

    def load(self, name: str) -> Fixed:
        assert name == "colour"
        return self

    def run(self, **inputs: np.ndarray) -> dict[str, Any]:
        pictures = inputs["pictures"]
        assert pictures.shape[1:] == (48, 64, 3)
        sliders = np.zeros((len(pictures), 8), np.float32)
        sliders[:, 2] = pictures[:, 0, 0, 0] / 100
        grid = np.zeros((len(pictures), 3, 4), np.float32)
        grid[:, 0, 0] = pictures[:, 0, 0, 1] / 100
        return {"sliders": sliders, "confidence": pictures[:, 0, 0, 2].astype(np.float32) / 100, "grid": grid}


def film(colours: list[tuple[int, int, int]], every: int = 10) -> Features:
    """One flat 64x36 picture each `every` frames."""
    frames = len(colours) * every
    flat = np.array(colours, np.uint8).reshape(-1, 1, 1, 3)
    return Features(
        times=FrameTimes(pts=np.arange(frames), end_pts=frames, time_base=Fraction(1, RATE)),
        frame_stats=np.zeros((frames, 4), np.float32),
        picture_frames=np.arange(0, frames, every),
        embeddings=np.zeros((len(colours), 4), np.float32),
        pictures=np.broadcast_to(flat, (len(colours), 36, 64, 3)).copy()
        if colours
        else np.zeros((0, 0, 64, 3), np.uint8),
        sound=np.zeros((0, 42), np.float32),
        speech=np.zeros(0, np.float32),
    )


def timing(shots: list[tuple[int, int]], transitions: tuple[Transition, ...] = (), keep: float = 0.5) -> Timing:
    """Shots by frames; importance the same everywhere."""
    curve = Curve(name="keep", start=Fraction(0), step=Fraction(1, 2), values=np.full(100, keep, np.float32))
    return Timing(
        transitions=transitions,
        shots=tuple(Shot(first=a, stop=b, range=TimeRange(Fraction(a, RATE), Fraction(b, RATE))) for a, b in shots),
        keep=curve,
        accent=curve,
        lull=curve,
        speech=(),
        loudness=curve,
    )


def test_one_look_per_shot() -> None:
    """Each shot takes what its own pictures say, times their confidence."""
    features = film([(100, 0, 100)] * 3 + [(50, 0, 65)] * 3)
    looks = SpaceMapper(Fixed()).map(features, timing([(0, 30), (30, 60)]))
    assert [round(look.controls.exposure, 3) for look in looks] == [1.0, 0.325]
    assert [look.confidence for look in looks] == [1.0, 0.65]
    assert all(look.grid is None for look in looks)


def test_one_odd_picture_does_not_pull() -> None:
    """A flash among nine equal pictures hardly moves the shot's map."""
    looks = SpaceMapper(Fixed()).map(film([(40, 0, 100)] * 9 + [(160, 0, 100)]), timing([(0, 100)]))
    assert looks[0].controls.exposure == pytest.approx(0.4, abs=0.02)


def test_pictures_in_transitions_do_not_count() -> None:
    """What lies in a blend belongs to neither shot."""
    blend = Transition(kind="dissolve", start=25, end=35, probability=0.9)
    features = film([(40, 0, 100)] * 3 + [(160, 0, 100)] + [(80, 0, 100)] * 3)
    found = timing([(0, 31), (31, 70)], (blend,))
    assert picture_weights(features, found)[3] == 0
    looks = SpaceMapper(Fixed()).map(features, found)
    assert [round(look.controls.exposure, 3) for look in looks] == [0.4, 0.8]


def test_important_pictures_count_more() -> None:
    """The weight rises with the importance curve."""
    features = film([(0, 0, 0)] * 2)
    low, high = (picture_weights(features, timing([(0, 20)], keep=k)) for k in (0.0, 1.0))
    assert (high > low).all()
    assert (low > 0).all()


def test_shots_without_a_picture() -> None:
    """A shot between two pictures takes the nearest one; a film without pictures is left alone."""
    features = film([(40, 0, 100), (80, 0, 100)])
    looks = SpaceMapper(Fixed()).map(features, timing([(0, 7), (7, 10), (10, 20)]))
    assert [round(look.controls.exposure, 3) for look in looks] == [0.4, 0.8, 0.8]
    empty = SpaceMapper(Fixed()).map(film([]), timing([(0, 7)]))
    assert empty[0].controls.is_identity()
    assert empty[0].confidence == 0


def test_doubt_means_identity() -> None:
    """Without confidence nothing is changed, with it the map grows from identity; sliders stay within their caps."""
    assert shrunk(np.ones(8, np.float32), 0.0) == LookControls()
    assert shrunk(np.ones(8, np.float32), 0.01).exposure == pytest.approx(0.01)
    capped = shrunk(np.full(8, 100, np.float32), 1.0)
    assert dict(zip(LookControls.names(), capped.values(), strict=True)) == CAPS


def test_grid_is_kept_where_it_matters() -> None:
    """Regional stops above the threshold ride in the look, limited."""
    looks = SpaceMapper(Fixed()).map(film([(0, 90, 100)] * 3), timing([(0, 30)]))
    assert looks[0].grid is not None
    assert looks[0].grid[0] == (0.5, 0.0, 0.0, 0.0)


def test_robust_pooling_ignores_order_and_weightless_rows() -> None:
    """Pooling is a function of the weighted set; rows of no weight say nothing."""
    rows = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    weights = np.random.default_rng(1).random(20).astype(np.float32)
    weights[3] = 0
    order = np.random.default_rng(2).permutation(20)
    np.testing.assert_allclose(robust_mean(rows, weights), robust_mean(rows[order], weights[order]), atol=1e-5)
    wild = rows.copy()
    wild[3] = 1e3
    np.testing.assert_allclose(robust_mean(wild, weights), robust_mean(rows, weights), atol=1e-5)
    assert weighted_median(np.array([[1.0], [2.0], [9.0]], np.float32), np.array([1, 5, 1])) == [2.0]


@pytest.mark.parametrize("size", [(36, 64), (48, 64), (113, 64), (20, 30), (1, 1)])
def test_resize_is_the_area_mean(size: tuple[int, int]) -> None:
    """The box filter keeps the mean and agrees with Pillow's."""
    picture = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    ours = resized(picture, 64, 48)[0]
    assert abs(ours.mean() - picture.mean()) < 0.6
    if size[0] % 48 == 0:
        theirs = np.asarray(Image.fromarray(picture[0]).resize((64, 48), Image.Resampling.BOX))
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_black_bars_are_not_looked_at() -> None:
    """Bars that all pictures share go, with the line at their edge; a dark picture and a lone dark line stay."""
    scene = np.full((2, 36, 64, 3), 90, np.uint8)
    boxed = scene.copy()
    boxed[:, :5] = boxed[:, -5:] = 16
    assert boxed[:, *inside_bars(boxed)].shape == (2, 24, 64, 3)
    boxed[1, 0, 0] = 200  # a picture without the upper bar: it is no bar of the film
    assert boxed[:, *inside_bars(boxed)].shape == (2, 30, 64, 3)
    assert scene[:, *inside_bars(scene)].shape == scene.shape
    assert inside_bars(scene // 10) == (slice(None), slice(None))
    scene[:, 10] = 0
    assert scene[:, *inside_bars(scene)].shape == scene.shape


def test_network_contract() -> None:
    """Sliders within their scales, confidences in 0..1, stops of mean near 0 within their limit; batches are rows."""
    torch.manual_seed(0)
    net = network.SpaceMapper().eval()
    pictures, rows = torch.randint(0, 256, (3, 48, 64, 3), dtype=torch.uint8), torch.randn(3, 128)
    with torch.no_grad():
        sliders, confidence, grid = net(pictures, rows)
        alone = net(pictures[1:2], rows[1:2])
    assert sliders.shape == (3, 8)
    assert confidence.shape == (3,)
    assert grid.shape == (3, *network.GRID)
    assert (sliders.abs() <= torch.tensor(network.SCALES) + 1e-6).all()
    assert ((confidence >= 0) & (confidence <= 1)).all()
    assert (grid.abs() <= network.MAX_STOPS).all()
    for whole, single in zip((sliders, confidence, grid), alone, strict=True):
        torch.testing.assert_close(whole[1:2], single, atol=1e-5, rtol=1e-5)


def test_caps_are_the_networks() -> None:
    """What the network can say is what the mapping lets through."""
    assert tuple(CAPS.values()) == network.SCALES


def test_soft_histograms_sum_to_one() -> None:
    """Every pixel is shared between two bins, those at the ends included."""
    values = torch.tensor([[-5.0, 0.0, 0.33, 1.0, 7.0]])
    torch.testing.assert_close(network.soft_bins(values, 0, 1, 8).sum(-1), torch.ones(1, 5))


def test_clean_samples_stay_clean() -> None:
    """Pictures drawn as clean differ by recording alone; the same seed gives the same faults."""
    good = torch.rand(1, 1, 1, 3).expand(64, 48, 64, 3) * 0.8 + 0.1
    once = degrade(good, FaultSettings(clean=0.5), torch.Generator().manual_seed(3))
    again = degrade(good, FaultSettings(clean=0.5), torch.Generator().manual_seed(3))
    torch.testing.assert_close(once[0], again[0])
    faulty, right, clean = once
    torch.testing.assert_close(once[1], again[1])
    moved = (faulty - right).abs().flatten(1).median(1).values
    assert 10 < int(clean.sum()) < 54
    assert moved[clean].max() < 0.03
    assert moved[~clean].mean() > 0.05
    assert faulty.min() >= 0
    assert faulty.max() <= 1


def test_planckian_locus() -> None:
    """6500 K is nearly white, lamps are red, skies blue."""
    white, lamp, sky = locus(torch.tensor([6500.0, 2500.0, 12000.0]))
    assert (white - 1).abs().max() < 0.08
    assert lamp[0] > 1.5 * lamp[2]
    assert sky[2] > 1.2 * sky[0]


def test_mostly_black_pictures_say_nothing() -> None:
    """A title card on black has no say in the colour of its shot; an ordinary picture has its full say."""
    card = np.zeros((48, 64, 3), np.uint8)
    card[20:26, 16:48] = 230
    ordinary = np.random.default_rng(0).integers(20, 240, (48, 64, 3)).astype(np.uint8)
    np.testing.assert_array_equal(evidence(np.stack([card, ordinary])), [0.0, 1.0])
