"""A file's rate from the steps between its pictures: that of the bulk of them, exact where it is a standard one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from roughcut.records import I64
from roughcut.timebase import STANDARD_RATES, standard_rate

RUN = 6  # steps averaged, so that timestamps that tremble come to rest
WIDTH = 1.06  # steps within this ratio count as one rate
FASTEST = 1000
NEAR = Fraction(1, 100)  # a trembling clock's rate this near to a standard one is meant to be it


def dominant_rate(steps: I64, time_base: Fraction, told: Fraction | None) -> tuple[Fraction, bool]:
    """The rate at which most pictures come, and whether their durations differ by more than rounding.

    Args:
        steps: ticks from picture to picture, in order.
        told: the container's own figure.
    """
    if told is not None and not 0 < told <= FASTEST:
        told = None
    if not len(steps):
        return (standard_rate(told) if told else Fraction(25)), False
    usual = _bulk(steps)
    found = 1 / (usual * time_base)
    variable = _varies(steps, usual, time_base)
    if found > FASTEST:
        return (standard_rate(told) if told else Fraction(25)), True
    if not variable:
        agreed = told is not None and abs(told - found) / found < Fraction(1, 20)
        return standard_rate(told if told is not None and agreed else found), False
    return _meant(found), True


def _bulk(steps: I64) -> Fraction:
    """The mean step of the densest group, of single steps or of short averages, whichever gathers more of them."""
    groups = [_densest(steps.astype(np.float64))]
    if len(steps) >= 2 * RUN:
        sums = np.cumsum(np.concatenate([[0], steps]))
        groups.append(_densest((sums[RUN:] - sums[:-RUN]) / RUN))
    _, usual = max(groups, key=lambda group: group[0])
    return Fraction(usual)


def _densest(values: np.ndarray) -> tuple[float, float]:
    """Share and mean of the values within the fullest window [v, v * WIDTH]; of equal ones, the shorter steps."""
    ordered = np.sort(values)
    ends = np.searchsorted(ordered, np.maximum(ordered * WIDTH, ordered + 1), side="right")
    counts = ends - np.arange(len(ordered))
    best = int(np.argmax(counts))
    return float(counts[best]) / len(ordered), float(ordered[best : ends[best]].mean())


def _varies(steps: I64, usual: Fraction, time_base: Fraction) -> bool:
    slack = max(2.0 if time_base > Fraction(1, 10_000) else 0.0, 0.02 * float(usual))
    return bool(np.any(np.abs(steps - float(usual)) > slack))


def _meant(found: Fraction) -> Fraction:
    """The standard rate that is meant by an uneven one; else a whole number: a film's rate is no odd decimal."""
    nearest = min(STANDARD_RATES, key=lambda rate: abs(rate - found))
    if abs(nearest - found) / found < NEAR:
        return nearest
    return Fraction(round(found)) if found >= 1 else standard_rate(found)
