"""Keeping the best moments: whole shots or parts of them, in order, inside the time budget."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roughcut.planner.budget import Cells, best_runs
from roughcut.planner.mood import MoodWish
from roughcut.planner.pieces import Footage, Piece
from roughcut.planner.retakes import Retakes, ShotKey
from roughcut.planner.worth import Cell, Worth
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
FURTHER_TAKE = 0.3  # of its worth has a shot that shows what another kept one shows
ROUNDS = 6  # searches anew after further takes were found
DARK, FLAT, STILL = 0.04, 0.02, 0.001  # this dark and flat is black, dark and still a title card
NOTHING_SEEN = 0.005  # less light than this is black, whatever small words stand in it


def highlight_pieces(
    footage: Footage, target: Fraction | None, mood: MoodWish | None = None, *, by_faces: bool = False
) -> list[Piece]:
    """The selection of shot parts of greatest importance within the target, or within what stands out by itself.

    Args:
        mood: what is wished for, which half of the worth then is.
        by_faces: close-ups are worth more.
    """
    total = sum((a.features.times.range.duration for a in footage), Fraction(0))
    unit, step = BUDGET_UNIT, min(CELL, (target or total) / 2)
    while (total / step) * ((target or total) / unit) > STATES:
        step, unit = step * 2, unit * 2
    row = [c for i, analysis in enumerate(footage) for c in _cells_of(i, analysis, step)]
    worth = Worth(footage, row, mood, by_faces=by_faces)
    cells = _priced(footage, row, worth, unit)
    budget = target if target is not None else _standing_out(worth.total, _seconds(row))
    shortest = max(int(min(SHORTEST, budget * 3 / 4) / step), 1)
    runs, takes = _without_retakes(footage, row, cells, int(budget / unit), shortest)
    if not runs:  # too little room for the price of a cut, or nothing but black: take the best there is
        runs = best_runs(_free(cells), int(budget / unit), 1)
    return [_piece(footage, row[a:b], worth.reasons(a, b), takes.get(_key(row[a]), 1)) for a, b in runs]


def _without_retakes(
    footage: Footage, row: list[Cell], cells: Cells, budget: int, shortest: int
) -> tuple[list[tuple[int, int]], dict[ShotKey, int]]:
    """The best runs, further takes of a kept scene being worth less, and of how many takes a kept one is the best."""
    of_shot = [_key(cell) for cell in row]
    best_of: dict[ShotKey, ShotKey] = {}
    runs = best_runs(cells, budget, shortest)
    for _ in range(ROUNDS):
        worth: dict[ShotKey, float] = {}
        for a, b in runs:
            worth[of_shot[a]] = worth.get(of_shot[a], 0.0) + float(cells.value[a:b].sum())
        further = {k: v for k, v in Retakes(footage, set(worth)).lesser(worth).items() if k not in best_of}
        if not further:
            break
        best_of |= further
        less = np.array([key in further for key in of_shot])
        cells = replace(cells, value=np.where(less, FURTHER_TAKE * cells.value, cells.value))
        runs = best_runs(cells, budget, shortest)
    return runs, {kept: 1 + list(best_of.values()).count(kept) for kept in best_of.values()}


def _key(cell: Cell) -> ShotKey:
    return cell.source, cell.shot


def _priced(footage: Footage, row: list[Cell], worth: Worth, unit: Fraction) -> Cells:
    """The search's arrays; values in seconds of best footage, black counting as a loss."""
    black = np.array([_is_black(footage[c.source], c.range) for c in row])
    new_shot = [(a.source, a.shot) != (b.source, b.shot) for a, b in pairwise(row)]
    return Cells(
        value=np.where(black, -1.0, worth.total) * _seconds(row),
        cost=np.array([_cost(footage, c, unit) for c in row], dtype=np.int64),
        cut_in=_prices(footage, row, at_start=True),
        cut_out=_prices(footage, row, at_start=False),
        shot=np.cumsum([0, *new_shot]),
    )


def _seconds(row: list[Cell]) -> NDArray[np.float64]:
    return np.array([float(c.range.duration) for c in row])


def _free(cells: Cells) -> Cells:
    """The same cells where cuts cost next to nothing and black is worth little rather than a loss."""
    hardly = np.full(len(cells), 1e-8)
    return replace(cells, value=np.maximum(cells.value, 1e-6), cut_in=hardly, cut_out=hardly)


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


def _standing_out(ranks: NDArray[np.float64], seconds: NDArray[np.float64]) -> Fraction:
    """Seconds of the stretches that reach the upper rank, counted for as long as they stay above the lower one."""
    length = sum(seconds[a:b].sum() for a, b in runs_above(ranks, STANDS_OUT, STILL_OUT))
    return max(Fraction(float(length)).limit_denominator(1000), Fraction(1))


def _is_black(analysis: Analysis, part: TimeRange) -> bool:
    times = analysis.features.times
    stats = analysis.features.frame_stats[times.frame_at(part.start) : times.frame_at(part.end) + 1]
    if not len(stats):
        return False
    luma, contrast = stats[:, :2].mean(0)
    still = float(np.median(stats[:, 2])) < STILL
    return bool(luma < NOTHING_SEEN or (luma < DARK and (contrast < FLAT or still)))


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


def _piece(footage: Footage, run: list[Cell], reasons: list[str], takes: int) -> Piece:
    part = TimeRange(run[0].range.start, run[-1].range.end)
    analysis = footage[run[0].source]
    keep = min(max(analysis.timing.keep.mean(part), 0.0), 1.0)
    whole = part == analysis.timing.shots[run[0].shot].range
    what = "the whole shot" if whole else "the best part of the shot"
    best = [f"the best of {takes} takes"] if takes > 1 else []
    words = ", ".join([what, f"importance {keep:.2f}", *best, *reasons])
    return Piece(
        source=run[0].source,
        shot=run[0].shot,
        range=part,
        decision=Decision(code="highlight", words=words, probability=keep),
    )
