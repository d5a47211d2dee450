"""Measures. Shots: transitions matched one to one within a tolerance, as TRECVID and ClipShots count them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from roughcut.records import Transition


@dataclass(frozen=True, kw_only=True)
class ShotScore:
    """Counts of one film or, added up, of many."""

    hits: int = 0
    predicted: int = 0
    """Without those that hit a don't-care entry only."""
    truths: int = 0
    right_kind: int = 0
    """Hits whose kind is the truth's."""

    def __add__(self, other: ShotScore) -> ShotScore:
        return ShotScore(
            hits=self.hits + other.hits,
            predicted=self.predicted + other.predicted,
            truths=self.truths + other.truths,
            right_kind=self.right_kind + other.right_kind,
        )

    @property
    def precision(self) -> float:
        """Hits per prediction; 1 without predictions."""
        return self.hits / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """Hits per truth; 1 without truths."""
        return self.hits / self.truths if self.truths else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where nothing was to be found and nothing was."""
        total = self.predicted + self.truths
        return 2 * self.hits / total if total else 1.0


def touches(a: Transition, b: Transition, tolerance: float = 2.0) -> bool:
    """The intervals [start + 0.5 - tol/2, end - 0.5 + tol/2] of both have a common point."""
    slack = tolerance / 2 - 0.5
    return a.start - slack <= b.end + slack and b.start - slack <= a.end + slack


def match(
    predicted: Sequence[Transition], truth: Sequence[Transition], tolerance: float = 2.0
) -> list[tuple[Transition, Transition]]:
    """(prediction, truth) pairs, greedy from left to right, one to one; truths do not overlap."""
    pairs = []
    ahead = iter(sorted(truth, key=lambda t: t.start))
    wanted = next(ahead, None)
    for guess in sorted(predicted, key=lambda t: (t.start, t.end)):
        while wanted is not None and wanted.end < guess.start and not touches(guess, wanted, tolerance):
            wanted = next(ahead, None)
        if wanted is not None and touches(guess, wanted, tolerance):
            pairs.append((guess, wanted))
            wanted = next(ahead, None)
    return pairs


def score_shots(
    predicted: Sequence[Transition],
    truth: Sequence[Transition],
    ignored: Sequence[Transition] = (),
    tolerance: float = 2.0,
) -> ShotScore:
    """Score one film.

    A prediction that hits nothing but an `ignored` (doubtful, edge) entry does not count, nor does a further one on a
    gradual transition that was found: both are one finding.
    """
    pairs = match(predicted, truth, tolerance)
    matched = {id(guess) for guess, _ in pairs}
    spared = [*ignored, *(t for _, t in pairs if t.kind != "cut")]
    excused = [p for p in predicted if id(p) not in matched and any(touches(p, t, tolerance) for t in spared)]
    return ShotScore(
        hits=len(pairs),
        predicted=len(predicted) - len(excused),
        truths=len(truth),
        right_kind=sum(guess.kind == t.kind for guess, t in pairs),
    )
