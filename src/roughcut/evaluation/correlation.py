"""Rank correlation with people, as TVSum and SumMe are measured (Otani et al., CVPR 2019, "Rethinking ...").

TVSum: Kendall's tau-b and Spearman's rho with each person's raw scores, mean over people. SumMe: with the mean person,
because a binary summary gives .11 to any constant-free guess and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, rankdata

from roughcut.evaluation.annotations import LabelledFilm
from roughcut.records import F32


@dataclass(frozen=True)
class Agreement:
    """tau-b and rho in -1..1; 0 where either side is constant."""

    tau: float
    rho: float


def agreement(predicted: F32, film: LabelledFilm) -> Agreement:
    """How well a curve [T] agrees with the people who scored the film."""
    people = film.scores if film.name.startswith("tvsum") else film.mean[None]
    tau = [float(np.nan_to_num(kendalltau(predicted, person).statistic)) for person in people]
    return Agreement(float(np.mean(tau)), spearman(predicted, people))


def spearman(predicted: F32, people: F32) -> float:
    """Mean rho of [T] with each row of [people, T]."""
    return float((standard_ranks(predicted[None]) * standard_ranks(people)).mean())


def standard_ranks(rows: F32) -> np.ndarray:
    """[people, T] scores to each one's ranks, of mean 0 and deviation 1; 0 where a row is constant."""
    ranks = rankdata(rows, axis=1)
    centred = ranks - ranks.mean(1, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(1, keepdims=True), 1e-9))


def mean_agreement(each: list[Agreement]) -> Agreement:
    """The mean of films, or of folds."""
    return Agreement(float(np.mean([a.tau for a in each])), float(np.mean([a.rho for a in each])))
