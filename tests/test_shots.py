"""Shot boundaries: probabilities to transitions to shots, and the shipped network on films made by hand."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.models import store
from roughcut.records import F32, U8, FrameTimes, Transition
from roughcut.temporal.shots import KINDS, ShotEvidence, ShotMapper, Thresholds, find_transitions, shots_from

THRESHOLDS = Thresholds(cut=0.5, gradual_high=0.6, gradual_low=0.3)
shipped = pytest.mark.skipif("shots" not in store.names(), reason="the shot networks are not shipped yet")


def evidence(frames: int, cuts: dict[int, float] | None = None, runs: dict[tuple[int, int], float] | None = None):
    cut, gradual, kind = np.zeros(frames, np.float32), np.zeros(frames, np.float32), np.zeros((frames, 5), np.float32)
    for t, p in (cuts or {}).items():
        cut[t] = p
    for (a, z), p in (runs or {}).items():
        gradual[a:z] = p
        kind[a:z, KINDS.index("wipe")] = 2.0
    return cut, gradual, kind, np.full(frames, 0.5, np.float32)


def found(frames: int, cuts: dict[int, float] | None = None, runs: dict[tuple[int, int], float] | None = None):
    return [(t.kind, t.start, t.end) for t in find_transitions(*evidence(frames, cuts, runs), THRESHOLDS)]


def test_cut_and_gradual() -> None:
    """A peak is a cut to its frame; a run goes from the frame before it to the one after."""
    assert found(50, {10: 0.9, 30: 0.4}, {(20, 25): 0.8}) == [("cut", 9, 10), ("wipe", 19, 25)]


def test_hysteresis() -> None:
    """A run that never reaches the high threshold is none, nor is what follows a gap below the low one; its rims are
    where it passes half of its peak."""
    assert found(50, runs={(5, 9): 0.5}) == []
    assert found(50, runs={(20, 24): 0.8, (24, 26): 0.45}) == [("wipe", 19, 26)]
    assert found(50, runs={(18, 20): 0.35, (20, 24): 0.8, (24, 26): 0.35}) == [("wipe", 19, 24)]
    assert found(50, runs={(20, 24): 0.8, (26, 30): 0.45}) == [("wipe", 19, 24)]


def test_repeats_inside_a_gradual_are_merged() -> None:
    """Cuts inside or at the rim of a long run belong to it; a short run around a surer cut is the cut."""
    assert found(50, {20: 0.9, 25: 0.9, 31: 0.7}, {(20, 30): 0.8, (30, 33): 0.45}) == [("wipe", 19, 33)]
    assert found(50, {20: 0.95}, {(20, 22): 0.7}) == [("cut", 19, 20)]


def test_a_plain_cut_beside_a_gradual_stands() -> None:
    """Where a film has faded out and then cuts in from black, or is cut just before it fades, both are found."""
    assert found(50, {30: 0.9}, {(20, 30): 0.8}) == [("wipe", 19, 29), ("cut", 29, 30)]
    assert found(50, {20: 0.9}, {(21, 30): 0.8}) == [("cut", 19, 20), ("wipe", 20, 30)]


def test_kinds_have_their_own_threshold() -> None:
    """A short wipe is one where a dissolve would still need more."""
    thresholds = Thresholds(gradual_high=0.7, wipe_high=0.6)
    cut, gradual, kind, extent = evidence(50, runs={(20, 30): 0.65})
    assert [t.kind for t in find_transitions(cut, gradual, kind, extent, thresholds)] == ["wipe"]
    assert find_transitions(cut, gradual, np.roll(kind, -2, axis=1), extent, thresholds) == ()


def test_a_long_wipe_must_be_sure() -> None:
    """What seems to wipe for seconds may be a bus that passes; shorter ones, and long dissolves, need be less sure."""
    assert found(99, runs={(20, 80): 0.8}) == []
    assert found(99, runs={(20, 80): 0.95}) == [("wipe", 19, 80)]
    assert found(99, runs={(20, 60): 0.8}) == [("wipe", 19, 60)]


def test_neighbouring_peaks() -> None:
    """Of two neighbouring frames the higher is the cut; the first frame of a film is none."""
    assert found(9, {0: 0.9, 4: 0.7, 5: 0.8}) == [("cut", 4, 5)]


def test_runs_at_the_ends_stay_inside_the_film() -> None:
    """A film that begins or ends in a fade has a transition from its first or to its last frame."""
    assert found(20, runs={(0, 4): 0.9, (15, 20): 0.9}) == [("wipe", 0, 4), ("wipe", 14, 19)]
    assert found(3, runs={(0, 3): 0.9}) == []


def test_a_hundred_thousand_cuts() -> None:
    """A film of 100,000 cuts, every second frame one, is read in time that grows with its length only."""
    cut = np.tile(np.array([0.1, 0.9], np.float32), 100_000)
    empty = np.zeros((200_000, 5), np.float32)
    assert len(find_transitions(cut, empty[:, 0], empty, empty[:, 0], THRESHOLDS)) == 100_000


def times(frames: int) -> FrameTimes:
    return FrameTimes(pts=np.arange(frames) * 1001, end_pts=frames * 1001, time_base=Fraction(1, 24000))


def test_shots_are_the_clean_stretches() -> None:
    """Frames inside a gradual belong to no shot; times are exact."""
    between = (
        Transition(kind="cut", start=3, end=4, probability=1),
        Transition(kind="fade", start=6, end=9, probability=1),
    )
    shots = shots_from(between, times(12))
    assert [(s.first, s.stop) for s in shots] == [(0, 4), (4, 7), (9, 12)]
    assert shots[1].range.start == Fraction(4 * 1001, 24000)
    assert shots_from((), times(0)) == ()


@settings(max_examples=100, deadline=None)
@given(
    frames=st.integers(1, 60),
    seed=st.integers(0, 10_000),
    sharpness=st.sampled_from([0.5, 2.0, 8.0]),
)
def test_any_evidence_gives_ordered_transitions_and_a_shot(frames: int, seed: int, sharpness: float) -> None:
    """Whatever the probabilities: transitions rise without overlap, and every film keeps at least one shot."""
    rng = np.random.default_rng(seed)
    cut, gradual, extent = (rng.random((3, frames)) ** sharpness).astype(np.float32)
    kind = rng.normal(size=(frames, 5)).astype(np.float32)
    transitions = find_transitions(cut, gradual, kind, extent, THRESHOLDS)
    assert all(a.end <= b.start for a, b in itertools.pairwise(transitions))
    assert all(0 <= t.start < t.end < frames for t in transitions)
    shots = shots_from(transitions, times(frames))
    assert len(shots) >= 1
    assert all(a.stop <= b.first for a, b in itertools.pairwise(shots))


def scene(seed: int, frames: int) -> F32:
    """A shaded picture with a shape that drifts over it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:27, 0:48] / 40
    ground = rng.random(3) * 0.6 + 0.3 * np.sin(rng.normal(0, 5) * x + rng.normal(0, 5) * y + rng.random())[..., None]
    clip = np.repeat(ground[None], frames, axis=0)
    for t in range(frames):
        left = int(5 + 0.2 * t) % 40
        clip[t, 8:20, left : left + 8] = 1 - ground.mean((0, 1))
    return np.clip(clip, 0, 1).astype(np.float32)


def as_bytes(clip: F32) -> U8:
    return np.asarray(clip * 255, np.uint8)


def look_at(thumbs: U8, chunks: int = 100) -> ShotEvidence:
    mapper = ShotMapper()
    for first in range(0, len(thumbs), chunks):
        mapper.push(thumbs[first : first + chunks])
    return mapper.finish()


@shipped
def test_network_finds_cuts_dissolve_and_fade() -> None:
    """On a film made by hand the shipped network finds each change where it is, names it, and nothing else."""
    a, b, c, d = (scene(seed, 60) for seed in (1, 5, 3, 8))
    share = (np.arange(1, 21) / 21)[:, None, None, None].astype(np.float32)
    dissolve = b[40:] * (1 - share) + c[:20] * share
    fade = np.concatenate([d[40:] * (1 - share), np.zeros_like(d[:10]), a[:20] * share])
    film = np.concatenate([a, b[:40], dissolve, c[20:], d[:40], fade, a[20:]])
    transitions = look_at(as_bytes(film)).transitions
    assert [t.kind for t in transitions] == ["cut", "dissolve", "cut", "fade"]
    for got, (start, end) in zip(transitions, [(59, 60), (99, 120), (159, 160), (199, 250)], strict=True):
        assert abs(got.start - start) <= 4
        assert abs(got.end - end) <= 4


@shipped
@pytest.mark.parametrize("chunks", [1, 37, 400])
def test_chunks_change_nothing(chunks: int) -> None:
    """Frames pushed one by one or all at once give the same probabilities and transitions."""
    film = as_bytes(np.concatenate([scene(1, 90), scene(2, 200), scene(3, 60)]))
    whole, parts = look_at(film, 350), look_at(film, chunks)
    assert [(t.kind, t.start, t.end) for t in whole.transitions] == [
        (t.kind, t.start, t.end) for t in parts.transitions
    ]
    np.testing.assert_allclose(parts.cut, whole.cut, atol=1e-5)
    assert len(parts.gradual) == 350


@shipped
@pytest.mark.parametrize("frames", [0, 1, 2, 129])
def test_films_without_a_change(frames: int) -> None:
    """No frame, one frame, pure black, a flat colour: no transition, and a probability per frame."""
    for level in (0, 127):
        seen = look_at(np.full((frames, 27, 48, 3), level, np.uint8))
        assert seen.transitions == ()
        assert len(seen.cut) == len(seen.gradual) == frames


def test_a_plainer_cut_splits_a_run() -> None:
    """Inside a long run that sinks around a sure cut, the cut stays and the run becomes two transitions."""
    cut, gradual, kind, extent = evidence(60, {30: 0.95}, {(10, 50): 0.9})
    gradual[29:32] = 0.32
    told = [(t.kind, t.start, t.end) for t in find_transitions(cut, gradual, kind, extent, THRESHOLDS)]
    assert told == [("wipe", 9, 29), ("cut", 29, 30), ("wipe", 31, 50)]


def test_two_graduals_back_to_back_are_told_apart() -> None:
    """Where the evidence dips for three frames or the extent starts anew, one transition ends and another begins."""
    dip = evidence(60, runs={(10, 29): 0.9, (29, 32): 0.35, (32, 50): 0.8})
    assert [(t.start, t.end) for t in find_transitions(*dip, THRESHOLDS)] == [(9, 29), (31, 50)]
    cut, gradual, kind, extent = evidence(60, runs={(10, 50): 0.9})
    extent[10:50] = np.tile(np.linspace(0.05, 0.95, 20), 2)
    anew = find_transitions(cut, gradual, kind, extent, THRESHOLDS)
    assert len(anew) == 2
    assert abs(anew[0].end - 30) <= 2


def test_evidence_that_is_no_number_is_no_transition() -> None:
    """NaN in any of the probabilities finds nothing there, and does not disturb what lies elsewhere."""
    cut, gradual, kind, extent = evidence(60, {50: 0.9}, {(10, 20): 0.9})
    for array in (cut, gradual, kind, extent):
        array[5:30] = np.nan
    assert [(t.kind, t.start) for t in find_transitions(cut, gradual, kind, extent, THRESHOLDS)] == [("cut", 49)]
    extent[:] = gradual[:] = np.nan
    assert len(find_transitions(cut, gradual, kind, extent, THRESHOLDS)) == 1
