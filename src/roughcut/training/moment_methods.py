"""What the network and simpler methods say of films they never saw, and the choices made inside the training films.

Each learned method is judged three ways: by what is `shown` alone, `fused` with rarity by the one rule that ships, and
with the weight of rarity that does best in the training films of the same set (`own`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from roughcut.evaluation.annotations import LabelledFilm
from roughcut.evaluation.correlation import spearman
from roughcut.records import F32
from roughcut.temporal.moments import PARTS, fused, smoothed
from roughcut.temporal.rarity import LEAST, MOST
from roughcut.training.importance import Ridge, Stream

STRENGTHS = (1.0, 3.0, 10.0)
WEIGHTS = (None, LEAST, MOST)
"""Of rarity; None is the rule that ships."""
PARTITION = 4
Predictor = Callable[[Stream], F32]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What does best on films held out of the training films, by turns."""

    strength: float
    """of the ridge regression"""
    weights: dict[str, float | None]
    """set -> weight of rarity"""


def with_rarity(shown: F32, stream: Stream, weight: float | None) -> F32:
    """[T] as `temporal.moments.fused`, or with another weight of rarity."""
    if weight is None:
        return fused(shown, stream.rare)
    return smoothed((1 - weight) * shown + weight * stream.rare.values)


def choose(streams: Mapping[str, Stream], films: Mapping[str, LabelledFilm], seed: int) -> Choice:
    """Four parts of the films by turns held out: the ridge regression's strength, then each set's weight."""
    rng = np.random.default_rng(seed)
    names = [str(n) for n in rng.permutation(sorted(streams))]
    parts = [names[i::PARTITION] for i in range(PARTITION)]
    said: dict[float, dict[str, F32]] = {strength: {} for strength in STRENGTHS}
    for part in parts:
        training = [streams[n] for n in names if n not in part and _is_learned(n)]
        for strength in STRENGTHS:
            ridge = spread_ridge(training, strength)
            said[strength] |= {n: ridge(streams[n]) for n in part}

    def score(strength: float, weight: float | None, part: str) -> float:
        these = [n for n in names if n.startswith(part)]
        each = [rho(with_rarity(said[strength][n], streams[n], weight), films[n]) for n in these]
        return float(np.mean(each)) if each else 0.0

    best = max(STRENGTHS, key=lambda s: score(s, LEAST, "tvsum"))
    weights = {part: max(WEIGHTS, key=lambda w: score(best, w, part)) for part in ("tvsum", "summe")}
    return Choice(strength=best, weights=weights)


def spread_ridge(training: Sequence[Stream], strength: float) -> Predictor:
    """A ridge regression scaled to a deviation of one within a film."""
    return spread(Ridge(training, strength), training)


def spread(predictor: Predictor, training: Sequence[Stream]) -> Predictor:
    """The same, scaled to a deviation of one within a film of those it learned from."""
    deviation = max(float(np.mean([predictor(stream).std() for stream in training])), 1e-6)
    return lambda stream: predictor(stream) / deviation


def three_ways(name: str, predictor: Predictor, choice: Choice) -> dict[str, Predictor]:
    """`name` as shipped, `name_own`, `name_shown`."""
    return {
        name: lambda stream: fused(predictor(stream), stream.rare),
        f"{name}_own": lambda stream: with_rarity(predictor(stream), stream, choice.weights[stream.name.split("/")[0]]),
        f"{name}_shown": lambda stream: smoothed(predictor(stream)),
    }


def unlearned() -> dict[str, Predictor]:
    """What can be said without labels."""
    return {"rarity": lambda stream: smoothed(stream.rare.values), "novelty": _novelty, "change": _change}


def rho(predicted: F32, film: LabelledFilm) -> float:
    """Spearman's rho with the people of TVSum, with the mean person of SumMe."""
    return spearman(predicted, film.scores if _is_learned(film.name) else film.mean[None])


def _is_learned(name: str) -> bool:
    """SumMe's labels are not learned from: they contradict TVSum's, and 25 films are too few to learn their own."""
    return name.startswith("tvsum")


def _novelty(stream: Stream) -> F32:
    """How unlike the half minute around it a row is."""
    row, *_, wide, _ = np.split(stream.rows, PARTS, axis=1)
    norms = np.linalg.norm(row, axis=1) * np.linalg.norm(wide, axis=1)
    return np.asarray(1 - (row * wide).sum(1) / np.maximum(norms, 1e-6))


def _change(stream: Stream) -> F32:
    """How far a row lies from the one before: the motion that captions have."""
    row = stream.rows[:, : stream.rows.shape[1] // PARTS]
    return np.asarray(np.linalg.norm(row - np.concatenate([row[:1], row[:-1]]), axis=1))
