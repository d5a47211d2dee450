"""Choosing under a time budget, exactly: a 0/1 knapsack for whole items, and a segmental one for parts of shots.

The segmental one is a Viterbi search over time cells with the spent budget as part of the state (as in
semi-Markov segmentation, Sarawagi & Cohen 2004): it finds the selection of runs of cells, each run inside one
shot and at least `shortest` cells long, that has the greatest total value less the cost of every cut, among all
selections that fit the budget. Cuts cost nothing on a shot boundary, more inside a shot, most inside a word: so
snapping to boundaries and to silence is part of the optimum, not a repair afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


GROUP = 512  # items whose way back is remembered at a time


def knapsack(values: Sequence[float], costs: Sequence[int], budget: int) -> list[int]:
    """Indices, in order, of the items of greatest total value whose integer costs fit the budget.

    Items of value <= 0 are never taken. O(len(items) * budget) time; the way back is kept as bits for one group of
    items, and worked out anew from the state before each earlier group, so memory is O(GROUP * budget) bits.
    """
    firsts = range(0, len(values), GROUP)
    states = [np.zeros(budget + 1)]
    for first in firsts[:-1]:
        states.append(_with_group(states[-1], values, costs, first)[0])
    chosen, left = [], budget
    for first, state in zip(reversed(firsts), reversed(states), strict=False):
        _, taken = _with_group(state, values, costs, first)
        for i in reversed(range(first, first + len(taken))):
            if _bit(taken[i - first], left):
                chosen.append(i)
                left -= costs[i]
    return chosen[::-1]


def _with_group(
    best: F64, values: Sequence[float], costs: Sequence[int], first: int
) -> tuple[F64, list[NDArray[np.uint8]]]:
    """The best values by spent budget once the group of items from `first` on was offered, and who was taken where."""
    room = len(best)
    taken = []
    for value, cost in zip(values[first : first + GROUP], costs[first : first + GROUP], strict=True):
        if value <= 0 or cost >= room:
            taken.append(np.packbits(np.zeros(room, bool)))
            continue
        with_item = np.concatenate([np.full(cost, -np.inf), best[: room - cost] + value])
        taken.append(np.packbits(with_item > best))
        best = np.maximum(best, with_item)
    return best, taken


def _bit(packed: NDArray[np.uint8], at: int) -> bool:
    """Bit `at` of what `packbits` made."""
    return bool(packed[at >> 3] >> (7 - (at & 7)) & 1)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The footage as a row of small cells, each inside one shot.

    Arrays are [N]; `cost` in whole budget units; `cut_in[j]` is the price of a cut just before cell j,
    `cut_out[j]` of one just after it; `shot` rises by one at every shot boundary.
    """

    value: F64
    cost: NDArray[np.int64]
    cut_in: F64
    cut_out: F64
    shot: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.value)

    def run_needed(self, shortest: int) -> NDArray[np.int64]:
        """[N] fewest cells of a run through each cell: `shortest`, or the whole shot where it has fewer."""
        _, inverse, counts = np.unique(self.shot, return_inverse=True, return_counts=True)
        return np.minimum(counts[inverse], shortest)


def best_runs(cells: Cells, budget: int, shortest: int) -> list[tuple[int, int]]:
    """Half-open runs `[first, stop)` of cells: the best selection that fits the budget; may be empty.

    Args:
        budget: whole units, >= 0.
        shortest: fewest cells of a run, >= 1.
    """
    n = len(cells)
    needed = cells.run_needed(shortest)
    out = np.zeros(budget + 1)
    running = np.full(
        (shortest, budget + 1), -np.inf
    )  # row r: the run is r + 1 cells long so far, the last row: or longer
    ended = np.zeros((n, budget // 8 + 1), np.uint8)  # bits
    stayed = np.zeros_like(ended)
    for j in range(n):
        top, fresh = int(needed[j]) - 1, j == 0 or cells.shot[j] != cells.shot[j - 1]
        before = np.full_like(running, -np.inf) if fresh else running
        opened = out - cells.cut_in[j]
        grown = np.vstack([opened[None], before[:top]])
        stayed[j] = np.packbits(before[top] > grown[top])
        grown[top] = np.maximum(grown[top], before[top])
        running = np.full_like(running, -np.inf)
        running[: top + 1] = _spend(grown, int(cells.cost[j])) + cells.value[j]
        closed = running[top] - cells.cut_out[j]
        ended[j] = np.packbits(closed > out)
        out = np.maximum(out, closed)
    return _way_back(cells, needed, ended, stayed, int(np.argmax(out)))


def _spend(states: F64, cost: int) -> F64:
    """The states after `cost` units were spent: shifted along the budget axis."""
    shifted = np.full_like(states, -np.inf)
    if cost < states.shape[1]:
        shifted[:, cost:] = states[:, : states.shape[1] - cost]
    return shifted


def _way_back(
    cells: Cells, needed: NDArray[np.int64], ended: NDArray[np.uint8], stayed: NDArray[np.uint8], spent: int
) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    j = len(cells) - 1
    while j >= 0:
        if not _bit(ended[j], spent):
            j -= 1
            continue
        stop, row = j + 1, int(needed[j]) - 1
        while True:
            spent -= int(cells.cost[j])
            stays = row == needed[j] - 1 and _bit(stayed[j], spent)
            row = row if stays else row - 1
            j -= 1
            if row < 0:
                break
        runs.append((j + 1, stop))
    return runs[::-1]
