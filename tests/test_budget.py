"""The budget searches are exact: equal to brute force on everything small enough to try."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.planner import budget as search
from roughcut.planner.budget import Cells, best_runs, knapsack


@given(st.lists(st.tuples(st.integers(-3, 20), st.integers(1, 8)), max_size=8), st.integers(0, 25))
def test_knapsack_equals_brute_force(items: list[tuple[int, int]], budget: int) -> None:
    """The chosen value is the best over all subsets that fit, and the choice fits."""
    values, costs = [float(v) for v, _ in items], [c for _, c in items]
    chosen = knapsack(values, costs, budget)
    subsets = (s for n in range(len(items) + 1) for s in combinations(range(len(items)), n))
    best = max(sum(values[i] for i in s) for s in subsets if sum(costs[i] for i in s) <= budget)
    assert sum(costs[i] for i in chosen) <= budget
    assert sum(values[i] for i in chosen) == best


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 8)), max_size=12), st.integers(0, 30), st.integers(1, 5))
def test_groups_change_no_choice(items: list[tuple[int, int]], budget: int, group: int) -> None:
    """Remembering the way back for a few items at a time gives the very choice of remembering all of it."""
    values, costs = [float(v) for v, _ in items], [c for _, c in items]
    whole = knapsack(values, costs, budget)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "GROUP", group)
        assert knapsack(values, costs, budget) == whole


def worth(cells: Cells, runs: list[tuple[int, int]]) -> float:
    return sum(cells.value[a:b].sum() - cells.cut_in[a] - cells.cut_out[b - 1] for a, b in runs)


def allowed(cells: Cells, runs: list[tuple[int, int]], budget: int, shortest: int) -> bool:
    needed = cells.run_needed(shortest)
    return sum(int(cells.cost[a:b].sum()) for a, b in runs) <= budget and all(
        len(set(cells.shot[a:b])) == 1 and b - a >= needed[a] for a, b in runs
    )


def selections(cells: Cells) -> list[list[tuple[int, int]]]:
    """Every way to cover some cells by runs: each cell is out, opens a run, or goes on with one."""
    found = []
    for marks in product("ong", repeat=len(cells)):
        runs: list[tuple[int, int]] = []
        good = True
        for j, mark in enumerate(marks):
            if mark == "n":
                runs.append((j, j + 1))
            elif mark == "g":
                if not runs or runs[-1][1] != j:
                    good = False
                    break
                runs[-1] = (runs[-1][0], j + 1)
        if good:
            found.append(runs)
    return found


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_best_runs_equal_brute_force(data: st.DataObject) -> None:
    """The segmental search finds the same worth as trying every selection of up to six cells."""
    n = data.draw(st.integers(1, 6))
    draw = lambda low, high: np.array(data.draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))  # noqa: E731
    cells = Cells(
        value=draw(-2, 9).astype(float),
        cost=draw(1, 3),
        cut_in=draw(0, 4).astype(float),
        cut_out=draw(0, 4).astype(float),
        shot=np.cumsum(draw(0, 1)),
    )
    budget, shortest = data.draw(st.integers(0, 12)), data.draw(st.integers(1, 3))
    runs = best_runs(cells, budget, shortest)
    best = max(worth(cells, s) for s in selections(cells) if allowed(cells, s, budget, shortest))
    assert allowed(cells, runs, budget, shortest)
    assert worth(cells, runs) == best


def test_a_cut_prefers_the_shot_boundary() -> None:
    """With equal values, runs begin and end where cutting costs nothing."""
    shot = np.repeat([0, 1, 2], 4)
    edge_in = np.where(np.arange(12) % 4 == 0, 0.0, 1.0)
    edge_out = np.where(np.arange(12) % 4 == 3, 0.0, 1.0)
    cells = Cells(value=np.full(12, 0.5), cost=np.ones(12, dtype=np.int64), cut_in=edge_in, cut_out=edge_out, shot=shot)
    assert all(a % 4 == 0 and b % 4 == 0 for a, b in best_runs(cells, 8, 2))
