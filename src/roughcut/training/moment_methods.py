"""What the network and simpler methods say of films they never saw.

Each learned method is judged by what is `shown` alone, and with the rarity that joins it as it ships. The strength of
the ridge regression is chosen by holding out parts of the training films in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from roughcut.evaluation.annotations import LabelledFilm
from roughcut.evaluation.correlation import spearman
from roughcut.records import F32
from roughcut.temporal.moments import PARTS, fused, smoothed
from roughcut.training.importance import Ridge, Stream

STRENGTHS = (1.0, 3.0, 10.0)
PARTITION = 4
Predictor = Callable[[Stream], F32]


def best_strength(streams: Mapping[str, Stream], films: Mapping[str, LabelledFilm], seed: int) -> float:
    """The ridge regression's strength that does best on films left out by turns."""
    names = [str(n) for n in np.random.default_rng(seed).permutation(sorted(streams))]
    found: dict[float, list[float]] = {strength: [] for strength in STRENGTHS}
    for part in (names[i::PARTITION] for i in range(PARTITION)):
        training = [streams[n] for n in names if n not in part]
        for strength in STRENGTHS:
            ridge = spread_ridge(training, strength)
            found[strength] += [rho(fused(ridge(streams[n]), streams[n].likeness), films[n]) for n in part]
    return max(STRENGTHS, key=lambda strength: float(np.mean(found[strength])))


def spread_ridge(training: Sequence[Stream], strength: float) -> Predictor:
    """A ridge regression scaled to a deviation of one within a film."""
    return spread(Ridge(training, strength), training)


def spread(predictor: Predictor, training: Sequence[Stream]) -> Predictor:
    """The same, scaled to a deviation of one within a film of those it learned from."""
    deviation = max(float(np.mean([predictor(stream).std() for stream in training])), 1e-6)
    return lambda stream: predictor(stream) / deviation


def both_ways(name: str, predictor: Predictor) -> dict[str, Predictor]:
    """`name` as it ships, and `name_shown` without rarity."""
    return {
        name: lambda stream: fused(predictor(stream), stream.likeness),
        f"{name}_shown": lambda stream: smoothed(predictor(stream)),
    }


def unlearned() -> dict[str, Predictor]:
    """What can be said without labels."""
    return {"rarity": lambda stream: smoothed(stream.likeness.rarity()), "novelty": _novelty, "change": _change}


def rho(predicted: F32, film: LabelledFilm) -> float:
    """Spearman's rho with the people of TVSum, with the mean person of SumMe."""
    return spearman(predicted, film.scores if film.name.startswith("tvsum") else film.mean[None])


def _novelty(stream: Stream) -> F32:
    """How unlike the half minute around it a row is."""
    row, *_, wide, _ = np.split(stream.rows, PARTS, axis=1)
    norms = np.linalg.norm(row, axis=1) * np.linalg.norm(wide, axis=1)
    return np.asarray(1 - (row * wide).sum(1) / np.maximum(norms, 1e-6))


def _change(stream: Stream) -> F32:
    """How far a row lies from the one before: the motion that captions have."""
    row = stream.rows[:, : stream.rows.shape[1] // PARTS]
    return np.asarray(np.linalg.norm(row - np.concatenate([row[:1], row[:-1]]), axis=1))
