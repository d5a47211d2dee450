"""Synthesised films: the truth they come with is the truth of their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.records import F32, Transition
from roughcut.temporal.shots import KINDS
from roughcut.training import blends
from roughcut.training.disturbances import DISTURBANCES, disturb
from roughcut.training.footage import Footage, View, draw_view
from roughcut.training.transitions import Film, Mix, label_rows, synthesise

BLENDS = (blends.dissolve, *blends.WIPES, *dict.fromkeys(blends.OTHERS))


def textured(seed: int, frames: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, 54, 96, 3), dtype=np.uint8)


FOOTAGE = Footage(shots=[textured(i, 30) for i in range(3)], stills=[textured(9 + i) for i in range(3)])


def film(seed: int, frames: int = 96, **mix: float) -> Film:
    return synthesise(np.random.default_rng(seed), FOOTAGE, frames, Mix(**mix))  # type: ignore[arg-type]


def test_same_seed_same_film() -> None:
    """A film depends on its generator alone; another seed gives another one."""
    assert np.array_equal(film(1).thumbs, film(1).thumbs)
    assert film(1).transitions == film(1).transitions
    assert not np.array_equal(film(1).thumbs, film(2).thumbs)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), frames=st.integers(1, 200))
def test_transitions_follow_each_other(seed: int, frames: int) -> None:
    """Films have the asked length; transitions rise, leave a clean frame between them, and touch the film."""
    made = film(seed, frames)
    assert made.thumbs.shape == (frames, 27, 48, 3)
    assert all(a.end <= b.start for a, b in zip(made.transitions, made.transitions[1:], strict=False))
    assert all(t.end > 0 and t.start < frames - 1 for t in made.transitions)
    assert all(t.end - t.start <= 3 * 76 for t in made.transitions)  # each frame shown three times at most
    assert all(t.end - t.start > 1 for t in made.transitions if t.kind != "cut")


def test_cuts_are_where_the_truth_says() -> None:
    """Undisturbed films of stills change between frames at the cuts and nowhere else."""
    still = Footage(shots=[], stills=[np.full((1, 54, 96, 3), v, np.uint8) for v in (10, 90, 170, 250)])
    only_cuts = Mix(jump_cut=0, dissolve=0, dip=0, fade=0, wipe=0, other=0, disturbed=0, shortest=4, passed_on=False)
    for seed in range(30):
        made = synthesise(np.random.default_rng(seed), still, 80, only_cuts)
        change = np.abs(np.diff(made.thumbs.astype(int), axis=0)).mean((1, 2, 3))
        told = {t.end for t in made.transitions if t.end - t.start == 1}
        blended = {f for t in made.transitions for f in range(t.start + 1, t.end + 1)}
        found = {int(f) + 1 for f in np.flatnonzero(change > 25)}
        assert found <= told | blended


@pytest.mark.parametrize("blend", BLENDS, ids=lambda b: b.__name__)
def test_blends_lead_from_old_to_new(blend: blends.Blend) -> None:
    """At progress 0 a blend shows the old shot, at 1 the new one, and in between it stays a picture."""
    rng = np.random.default_rng(4)
    old, new = (rng.random((3, 27, 48, 3)).astype(np.float32) for _ in range(2))
    for seed in range(12):
        drawn = blend(np.random.default_rng(seed), old, new, np.array([0.0, 0.5, 1.0], np.float32))
        assert drawn.shape == old.shape
        assert drawn.dtype == np.float32
        assert -1e-5 <= drawn.min() <= drawn.max() <= 1 + 1e-5
        np.testing.assert_allclose(drawn[0], old[0], atol=0.02)
        assert np.abs(drawn[2] - new[2]).mean() < 0.02


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(1, 80))
def test_easing_rises_strictly_inside(seed: int, n: int) -> None:
    """Progress never falls and never reaches either end: those are the clean frames."""
    a = blends.eased(np.random.default_rng(seed), n)
    assert len(a) == n
    assert np.all(np.diff(a) >= 0)
    assert 0 < a[0] <= a[-1] < 1


@pytest.mark.parametrize("harm", dict.fromkeys(DISTURBANCES), ids=lambda d: d.__name__)
@pytest.mark.parametrize("frames", [1, 2, 60])
def test_disturbances_keep_the_clip_a_clip(harm: object, frames: int) -> None:
    """A hard negative of any length is a clip of the same shape in 0..1, and its input is left alone."""
    clip: F32 = np.random.default_rng(0).random((frames, 27, 48, 3)).astype(np.float32)
    before = clip.copy()
    for seed in range(5):
        harmed = harm(np.random.default_rng(seed), clip)  # type: ignore[operator]
        assert harmed.shape == clip.shape
        assert -1e-5 <= harmed.min() <= harmed.max() <= 1 + 1e-5
    assert np.array_equal(clip, before)
    assert disturb(np.random.default_rng(0), clip[:0]).shape == (0, 27, 48, 3)


def test_view_is_continuous() -> None:
    """Rendering a stretch in two parts gives the frames of the whole: shot and blend fit at their seam."""
    view: View = draw_view(np.random.default_rng(3), FOOTAGE)
    whole = view.render(-5, 20)
    assert np.array_equal(np.concatenate([view.render(-5, 7), view.render(7, 20)]), whole)
    assert 0 <= whole.min() <= whole.max() <= 1


def test_labels_by_hand() -> None:
    """A cut marks its first new frame, a dissolve what lies strictly inside, one over the film's end weighs nothing."""
    told = [
        Transition(kind="cut", start=2, end=3, probability=1),
        Transition(kind="wipe", start=5, end=8, probability=1),
        Transition(kind="fade", start=9, end=14, probability=1),
    ]
    tags, kind, weight = label_rows(told, 12, KINDS)
    assert np.flatnonzero(tags[:, 0]).tolist() == [3]
    assert np.flatnonzero(tags[:, 1]).tolist() == [6, 7]
    assert kind[[3, 6, 7]].tolist() == [0, 3, 3]
    assert weight.tolist() == [1.0] * 10 + [0.0] * 2
