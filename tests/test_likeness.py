"""Likeness: what a film shows once stands out, more so where all else is alike; what looks alike is judged alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roughcut.records import F32
from roughcut.temporal import likeness as rooms
from roughcut.temporal.likeness import ALIKE, DENSE, SHARED, SHARPNESS, TYPICAL, Likeness
from roughcut.temporal.moments import fused, smoothed


def film(*scenes: tuple[int, int], noise: float = 0.05) -> F32:
    """Rows of `length` each around the scene's own direction."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.tile(np.eye(8)[scene], (length, 1)) for scene, length in scenes])
    return (rows + noise * rng.normal(size=rows.shape)).astype(np.float32)


def likeness(rows: F32, size: int = 10_000) -> Likeness:
    """Of rows that come in blocks."""
    return Likeness(lambda: (rows[i : i + size] for i in range(0, len(rows), size)), len(rows))


def of(rows: F32) -> F32:
    return likeness(rows).rarity()


def test_the_formula_row_by_row() -> None:
    """Each value is that of the formula, written out pair by pair."""
    rows = film((0, 5), (1, 3), noise=0.3)
    cosines = [[float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for b in rows] for a in rows]
    each = [TYPICAL * np.mean(c) - DENSE * np.mean([np.exp(SHARPNESS * (x - 1)) for x in c]) for c in cosines]
    np.testing.assert_allclose(of(rows), np.array(each) - np.mean(each), atol=1e-4)
    values = np.arange(8, dtype=np.float32)
    kernels = np.array([[np.exp(ALIKE * (x - 1)) for x in c] for c in cosines])
    means = [sum(k * values) / sum(k) for k in kernels]
    np.testing.assert_allclose(
        likeness(rows).shared(values), (1 - SHARED) * values + SHARED * np.array(means), atol=1e-4
    )


def test_what_looks_alike_is_judged_alike() -> None:
    """Two stretches of one scene, judged differently, come nearer to each other; another scene between stays."""
    rows, values = film((0, 20), (1, 20), (0, 20)), np.repeat([1.0, 5.0, 3.0], 20).astype(np.float32)
    first, other, second = likeness(rows).shared(values).reshape(3, 20).mean(1)
    assert second - first == pytest.approx((1 - SHARED) * 2, abs=0.05)
    assert other == pytest.approx(5, abs=0.05)


def test_what_is_shown_once_is_rare() -> None:
    """Ten rows of another scene in a film of one scene are rarer than all others."""
    values = of(film((0, 60), (1, 10), (0, 60)))
    assert values[60:70].min() > np.delete(values, np.s_[60:70]).max()


def test_what_is_alike_but_foreign_is_less_rare() -> None:
    """Of two scenes shown as long, the one that is a little like the film stands out more than one unlike it."""
    rows = film((0, 100), (1, 10), (2, 10))
    rows[100:110] += 0.8 * np.eye(8, dtype=np.float32)[0]
    values = of(rows)
    assert values[100:110].mean() > values[110:].mean()


def test_rarity_decides_where_all_is_alike() -> None:
    """In a film of one scene with a short other one rarity reaches far; among many short scenes it hardly counts."""
    uniform, varied = of(film((0, 110), (1, 10), noise=0.01)), of(film(*((i % 8, 15) for i in range(8)), noise=0.4))
    assert uniform.std() > 2 > 1 > 2 * varied.std()
    shown = np.linspace(-1, 1, 120).astype(np.float32)
    assert fused(-shown, likeness(film((0, 110), (1, 10), noise=0.01))).argmax() >= 110
    assert np.corrcoef(fused(shown, likeness(film(*((i, 15) for i in range(8)), noise=0.4))), shown)[0, 1] > 0.8


@given(st.integers(1, 40), st.integers(1, 17))
def test_blocks_are_the_whole(count: int, size: int) -> None:
    """Blocks of any size give the numbers of the whole film."""
    rows = np.random.default_rng(count).normal(size=(count, 6)).astype(np.float32)
    blocks, whole = likeness(rows, size), likeness(rows)
    np.testing.assert_allclose(blocks.rarity(), whole.rarity(), atol=1e-5)
    np.testing.assert_allclose(blocks.shared(rows[:, 0]), whole.shared(rows[:, 0]), atol=1e-5)


def test_some_rows_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compared with an even choice of the rows, a long film has nearly the rarity that all rows give."""
    rows = film(*((i % 3, 40 + 10 * i) for i in range(6)), noise=0.05)
    exact = of(rows)
    monkeypatch.setattr(rooms, "REFERENCES", 64)
    assert np.corrcoef(of(rows), exact)[0, 1] > 0.95


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_films_without_any_difference(count: int) -> None:
    """No row, one, or rows all alike have no rarity, and no number that is not one."""
    alike = likeness(np.tile(np.eye(1, 4, dtype=np.float32), (count, 1)))
    np.testing.assert_allclose(alike.rarity(), 0, atol=1e-5)
    np.testing.assert_allclose(fused(np.full(count, 2.0, np.float32), alike), 2, atol=1e-5)


def test_rows_of_nothing() -> None:
    """Rows of length zero (black pictures without meaning) give finite numbers."""
    assert np.isfinite(of(np.zeros((5, 4), np.float32))).all()


def test_smoothing_keeps_constants_and_spreads_peaks() -> None:
    """A constant stays as it is up to the ends; a peak keeps its place; nothing leaves the range."""
    np.testing.assert_allclose(smoothed(np.full(7, 3.0, np.float32)), 3.0, atol=1e-6)
    peak = smoothed(np.eye(1, 31, 15, dtype=np.float32)[0])
    assert peak.argmax() == 15
    assert 0 < peak[12] < peak[15] < 1


def test_no_moment_is_all_or_nothing() -> None:
    """However far rarity reaches, keep keeps to a deviation of one, and the order stays."""
    shown = np.repeat([-20.0, 30.0], 40).astype(np.float32)
    keep = fused(shown, likeness(film((0, 40), (1, 40), noise=0.0)))
    assert keep.std() == pytest.approx(1, abs=1e-5)
    assert (np.diff(keep) >= -1e-4).all()
