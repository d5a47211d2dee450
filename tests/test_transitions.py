"""Synthesised films: the truth they come with is the truth of their pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.records import F32, Transition
from roughcut.temporal.shots import KINDS
from roughcut.training import blends, signal
from roughcut.training.disturbances import DISTURBANCES, disturb
from roughcut.training.footage import Footage, View, draw_view
from roughcut.training.transitions import Film, Mix, extent_rows, label_rows, synthesise, turned

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


@pytest.mark.parametrize("way", [signal.graded, signal.worn, signal.coded, signal.pass_on])
def test_what_films_go_through_keeps_them_films(way: object) -> None:
    """Looks, prints and codecs keep the number of frames and, but for grain that is clipped later, the range."""
    rng = np.random.default_rng(2)
    clip = rng.random((40, 27, 48, 3)).astype(np.float32)
    for seed in range(20):
        drawn = way(np.random.default_rng(seed), clip.copy())  # type: ignore[operator]
        assert drawn.shape == clip.shape
        assert drawn.dtype == np.float32
        assert -0.3 < drawn.min() <= drawn.max() < 1.3


def test_a_starved_codec_holds_what_hardly_changes() -> None:
    """Blocks that change less than noise are shown again; a cut comes through at once."""
    rng = np.random.default_rng(0)
    still = np.full((30, 27, 48, 3), 0.4, np.float32)
    clip = np.concatenate([still, still + 0.4]) + rng.normal(0, 0.001, (60, 27, 48, 3))
    drawn = signal.coded(np.random.default_rng(3), clip.astype(np.float32))
    change = np.abs(np.diff(drawn, axis=0)).mean((1, 2, 3))
    assert np.median(change[:29]) < 0.0001 < np.median(np.abs(np.diff(clip, axis=0)).mean((1, 2, 3)))
    assert change[29] > 0.3


@pytest.mark.parametrize("seed", range(12))
def test_transitions_move_with_repeated_frames(seed: int) -> None:
    """In a film whose frames are shown several times, a cut lies between the last of one and the first of the next."""
    mix = Mix(jump_cut=0, dissolve=0, dip=0, fade=0, wipe=0, other=0, disturbed=0, shortest=4, passed_on=False)
    flat = Footage(shots=[], stills=[np.full((1, 54, 96, 3), v, np.uint8) for v in (10, 90, 170, 250)])
    counts = signal.clock(np.random.default_rng(seed), 80)
    assert counts.min() >= 1
    assert counts.sum() >= 80 > counts[:-1].sum()
    once = synthesise(np.random.default_rng(seed), flat, 80, mix)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(signal, "clock", lambda rng, frames: counts)
        patched.setattr(signal, "blended", lambda film, counts: film.repeat(counts, axis=0))
        patched.setattr(signal, "pass_on", lambda rng, film: film)
        shown = synthesise(np.random.default_rng(seed), flat, 80, replace(mix, passed_on=True))
    first = np.concatenate([[0], np.cumsum(counts)])
    np.testing.assert_array_equal(shown.thumbs, once.thumbs[: len(counts)].repeat(counts, axis=0)[:80])
    wanted = {int(first[t.end]) for t in once.transitions if 0 < t.end < len(counts) and first[t.end] < 80}
    assert wanted <= {t.end for t in shown.transitions}


def test_a_change_that_nobody_sees_is_ignored() -> None:
    """A cut from a picture to its equal is neither wanted nor held against who finds it; no label weighs there."""
    same = Footage(shots=[], stills=[np.full((1, 54, 96, 3), 128, np.uint8)])
    only_cuts = Mix(jump_cut=0, dissolve=0, dip=0, fade=0, wipe=0, other=0, disturbed=0, shortest=4, passed_on=False)
    hidden = 0
    for seed in range(40):
        made = synthesise(np.random.default_rng(seed), same, 60, only_cuts)
        for t in made.ignored:
            hidden += 1
            assert np.abs(made.thumbs[t.start].astype(int) - made.thumbs[t.end]).mean() < 3
            assert label_rows(made.transitions, 60, KINDS, made.ignored)[2][t.start : t.end + 1].max() == 0
    assert hidden


def test_a_film_turned_twice_is_itself() -> None:
    """Backwards and mirrored, and so again; a transition lies where the film has it."""
    made = film(5, 90)
    back = turned(made)
    np.testing.assert_array_equal(back.thumbs, made.thumbs[::-1, :, ::-1])
    again = turned(back)
    np.testing.assert_array_equal(again.thumbs, made.thumbs)
    assert (again.transitions, again.ignored) == (made.transitions, made.ignored)
    assert [(89 - t.end, 89 - t.start) for t in made.transitions] == [(t.start, t.end) for t in back.transitions[::-1]]


def test_extents_rise_through_a_gradual() -> None:
    """From one clean frame to the other; nothing elsewhere; one from before the film is cut off, not shifted."""
    found = [Transition(kind="wipe", start=s, end=e, probability=1.0) for s, e in ((-2, 2), (4, 8))]
    np.testing.assert_allclose(extent_rows(found, 10), [0.5, 0.75, 0, 0, 0, 0.25, 0.5, 0.75, 0, 0])
