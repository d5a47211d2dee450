"""Keeping the best moments: whole shots or parts of them, in order, inside the time budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roughcut.planner.budget import Cells, best_runs
from roughcut.planner.pieces import Footage, Piece
from roughcut.records import Analysis
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Decision

CELL = Fraction(1, 2)  # the search's step in seconds, stretched on long footage
SHORTEST = Fraction(2)  # a kept part lasts this long, or the whole shot where that is shorter
BUDGET_UNIT = Fraction(1, 10)
STATES = 40_000_000  # cells x budget units the search may visit; about 80 MB
STANDS_OUT, STILL_OUT = 0.7, 0.45  # ranks between which a stretch stands out (hysteresis)
PRICE_SHOT_EDGE, PRICE_INSIDE, PRICE_IN_WORD = 0.1, 0.5, 1.5  # in seconds of best footage
BLACK_LUMA, FLAT = 0.04, 0.02


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A step of one shot."""

    source: int
    shot: int
    range: TimeRange


def highlight_pieces(footage: Footage, target: Fraction | None) -> list[Piece]:
    """The selection of shot parts of greatest importance within the target, or within what stands out by itself."""
    total = sum((a.features.times.range.duration for a in footage), Fraction(0))
    unit = BUDGET_UNIT
    step = CELL
    budget = target or total
    while (total / step) * (budget / unit) > STATES:
        step, unit = step * 2, unit * 2
    row = [c for i, analysis in enumerate(footage) for c in _cells_of(i, analysis, step)]
    worth = _ranks(footage, row)
    seconds = np.array([float(c.range.duration) for c in row])
    budget = target if target is not None else _standing_out(worth, seconds)
    cells = Cells(
        value=np.where([_is_black(footage[c.source], c.range) for c in row], -1.0, worth) * seconds,
        cost=np.array([math.ceil(c.range.duration / unit) for c in row], dtype=np.int64),
        cut_in=_prices(footage, row, at_start=True),
        cut_out=_prices(footage, row, at_start=False),
        shot=np.cumsum([0, *((a.source, a.shot) != (b.source, b.shot) for a, b in pairwise(row))]),
    )
    shortest = max(math.ceil(min(SHORTEST, budget) / step), 1)
    return [_piece(footage, row[a:b]) for a, b in best_runs(cells, int(budget / unit), shortest)]


def _cells_of(source: int, analysis: Analysis, step: Fraction) -> list[Cell]:
    """The clean part of every shot in steps on frame edges; the last step of a shot takes what is left."""
    times = analysis.features.times
    cells = []
    for number, shot in enumerate(analysis.timing.shots):
        count = max(int(shot.range.duration / step), 1)
        inner = [times.time(times.frame_at(shot.range.start + step * i)) for i in range(1, count)]
        edges = sorted({shot.range.start, *inner, shot.range.end})
        cells += [Cell(source=source, shot=number, range=TimeRange(a, b)) for a, b in pairwise(edges)]
    return cells


def _ranks(footage: Footage, row: list[Cell]) -> NDArray[np.float64]:
    """[N] importance of each cell as its rank among all footage, 0..1: only the order of importance is learned."""
    keep = np.array([footage[c.source].timing.keep.mean(c.range) for c in row])
    order = np.searchsorted(np.sort(keep), keep, side="left") + np.searchsorted(np.sort(keep), keep, side="right")
    ranks: NDArray[np.float64] = order / (2 * len(keep))
    return ranks


def _standing_out(ranks: NDArray[np.float64], seconds: NDArray[np.float64]) -> Fraction:
    """Seconds of the stretches that reach the upper rank, counted for as long as they stay above the lower one."""
    above = ranks >= STILL_OUT
    edges = np.flatnonzero(np.diff(np.concatenate([[False], above, [False]]).astype(np.int8))).reshape(-1, 2)
    length = sum(seconds[a:b].sum() for a, b in edges if ranks[a:b].max() >= STANDS_OUT)
    return max(Fraction(length).limit_denominator(1000), Fraction(1))


def _is_black(analysis: Analysis, part: TimeRange) -> bool:
    times = analysis.features.times
    stats = analysis.features.frame_stats[times.frame_at(part.start) : times.frame_at(part.end) + 1]
    return bool(len(stats)) and bool(stats[:, 0].mean() < BLACK_LUMA and stats[:, 1].mean() < FLAT)


def _prices(footage: Footage, row: list[Cell], *, at_start: bool) -> NDArray[np.float64]:
    """[N] what a cut at each cell's start (or end) costs."""
    prices = np.full(len(row), PRICE_INSIDE)
    for j, cell in enumerate(row):
        shot, t = footage[cell.source].timing.shots[cell.shot].range, cell.range.start if at_start else cell.range.end
        if t in (shot.start, shot.end):
            prices[j] = PRICE_SHOT_EDGE
        elif any(s.range.start < t < s.range.end for s in footage[cell.source].timing.speech):
            prices[j] = PRICE_IN_WORD
    return prices


def _piece(footage: Footage, run: list[Cell]) -> Piece:
    part = TimeRange(run[0].range.start, run[-1].range.end)
    analysis = footage[run[0].source]
    keep = min(max(analysis.timing.keep.mean(part), 0.0), 1.0)
    whole = part == analysis.timing.shots[run[0].shot].range
    words = f"{'the whole shot' if whole else 'the best part of the shot'}, importance {keep:.2f}"
    return Piece(
        source=run[0].source,
        shot=run[0].shot,
        range=part,
        decision=Decision(code="highlight", words=words, probability=keep),
    )
