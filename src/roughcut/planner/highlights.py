"""Keeping the best moments: whole shots or parts of them, in order, inside the time budget."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roughcut.planner.budget import Cells, best_runs
from roughcut.planner.pieces import Footage, Piece
from roughcut.records import Analysis
from roughcut.temporal.hysteresis import runs_above
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Decision

CELL = Fraction(1, 2)  # the search's step in seconds, stretched on long footage
SHORTEST = Fraction(2)  # a kept part lasts this long, or the whole shot where that is shorter
BUDGET_UNIT = Fraction(1, 30)
STATES = 40_000_000  # cells x budget units the search may visit; 10 MB
STANDS_OUT, STILL_OUT = 0.7, 0.45  # ranks between which a stretch stands out (hysteresis)
PRICE_SHOT_EDGE, PRICE_INSIDE, PRICE_IN_WORD = 0.1, 0.5, 1.5  # in seconds of best footage
MOTION_SHARE = 0.3
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
    unit, step = BUDGET_UNIT, min(CELL, (target or total) / 2)
    while (total / step) * ((target or total) / unit) > STATES:
        step, unit = step * 2, unit * 2
    row = [c for i, analysis in enumerate(footage) for c in _cells_of(i, analysis, step)]
    cells = _priced(footage, row, unit)
    budget = target if target is not None else _standing_out(_worth(footage, row), _seconds(row))
    shortest = max(int(min(SHORTEST, budget * 3 / 4) / step), 1)
    runs = best_runs(cells, int(budget / unit), shortest)
    if not runs:  # too little room for the price of a cut, or nothing but black: take the best there is
        runs = best_runs(_free(cells), int(budget / unit), 1)
    return [_piece(footage, row[a:b]) for a, b in runs]


def _priced(footage: Footage, row: list[Cell], unit: Fraction) -> Cells:
    """The search's arrays; values in seconds of best footage, black counting as a loss."""
    black = np.array([_is_black(footage[c.source], c.range) for c in row])
    new_shot = [(a.source, a.shot) != (b.source, b.shot) for a, b in pairwise(row)]
    return Cells(
        value=np.where(black, -1.0, _worth(footage, row)) * _seconds(row),
        cost=np.array([_cost(footage, c, unit) for c in row], dtype=np.int64),
        cut_in=_prices(footage, row, at_start=True),
        cut_out=_prices(footage, row, at_start=False),
        shot=np.cumsum([0, *new_shot]),
    )


def _seconds(row: list[Cell]) -> NDArray[np.float64]:
    return np.array([float(c.range.duration) for c in row])


def _free(cells: Cells) -> Cells:
    """The same cells where no cut costs anything and black is worth little rather than a loss."""
    nothing = np.zeros(len(cells))
    return replace(cells, value=np.maximum(cells.value, 1e-6), cut_in=nothing, cut_out=nothing)


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


def _cost(footage: Footage, cell: Cell, unit: Fraction) -> int:
    """Budget units of a cell: the rise of its shot's rounded-up clock, so that rounding does not add up over a run."""
    start = footage[cell.source].timing.shots[cell.shot].range.start
    return math.ceil((cell.range.end - start) / unit) - math.ceil((cell.range.start - start) / unit)


def _worth(footage: Footage, row: list[Cell]) -> NDArray[np.float64]:
    """[N] 0..1: the rank of each cell's importance among all footage, and a part of the rank of its motion.

    Only the order of importance is learned, so ranks are used. Motion breaks the many near-ties in favour of what
    happens: an empty road is not a highlight because cars passed before and after.
    """
    keep = _ranks(np.array([footage[c.source].timing.keep.mean(c.range) for c in row]))
    motion = _ranks(np.array([_motion(footage[c.source], c.range) for c in row]))
    return (1 - MOTION_SHARE) * keep + MOTION_SHARE * motion


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] 0..1 mean rank of each value; equal values share theirs."""
    ordered = np.sort(values)
    ranks = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    halved: NDArray[np.float64] = ranks / (2 * len(values))
    return halved


def _motion(analysis: Analysis, part: TimeRange) -> float:
    """Median difference from frame to frame, which a cut does not move."""
    times = analysis.features.times
    differences = analysis.features.frame_stats[times.frame_at(part.start) + 1 : times.frame_at(part.end) + 1, 2]
    return float(np.median(differences)) if len(differences) else 0.0


def _standing_out(ranks: NDArray[np.float64], seconds: NDArray[np.float64]) -> Fraction:
    """Seconds of the stretches that reach the upper rank, counted for as long as they stay above the lower one."""
    length = sum(seconds[a:b].sum() for a, b in runs_above(ranks, STANDS_OUT, STILL_OUT))
    return max(Fraction(float(length)).limit_denominator(1000), Fraction(1))


def _is_black(analysis: Analysis, part: TimeRange) -> bool:
    times = analysis.features.times
    stats = analysis.features.frame_stats[times.frame_at(part.start) : times.frame_at(part.end) + 1]
    return bool(len(stats)) and bool(stats[:, 0].mean() < BLACK_LUMA and stats[:, 1].mean() < FLAT)


def _prices(footage: Footage, row: list[Cell], *, at_start: bool) -> NDArray[np.float64]:
    """[N] what a cut at each cell's start (or end) costs."""
    prices = np.full(len(row), PRICE_INSIDE)
    words = [[s.range for s in a.timing.speech] for a in footage]
    for j, cell in enumerate(row):
        shot, t = footage[cell.source].timing.shots[cell.shot].range, cell.range.start if at_start else cell.range.end
        if t in (shot.start, shot.end):
            prices[j] = PRICE_SHOT_EDGE
        elif _inside_one(words[cell.source], t):
            prices[j] = PRICE_IN_WORD
    return prices


def _inside_one(ranges: list[TimeRange], t: Fraction) -> bool:
    """True where `t` lies truly inside one of the ranges, which are in order and do not overlap."""
    before = bisect_left(ranges, t, key=lambda r: r.start) - 1
    return before >= 0 and t < ranges[before].end


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
