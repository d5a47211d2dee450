"""Films whose mood is known because it was drawn first: what mood is learned from and measured on.

    valence, arousal   scenes, drift, the film's own level          [N] each in -1..1
          |  shots are cut faster, pictures move more, sound is louder ... by shares drawn for each film
          v
    measures [N, 11]   as `temporal.mood.measured` gives them, with the spread and flow of real footage

Nobody has labelled films here, so a cue's part is drawn anew for every film, around what is published (see
`temporal.mood`): a film may well be cut without regard to its mood, or lit against it. Beside that stand stretches of
what speaks for no mood (a loud hum, a dark room, a shaking camera), faces that smile for the camera, faces and sound
that are missing. All that is not mood has the quantiles, the correlations and the flow of real clips (`Statistics`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from roughcut.records import F32
from roughcut.temporal.moments import smoothed
from roughcut.temporal.mood import COLUMNS, LONGEST_SHOT, ROW_STEP, SHORTEST_SHOT

F64 = NDArray[np.float64]
STEP = float(ROW_STEP)
DRAWN = ("motion", "brightness", "colour", "loudness", "centroid")
"""Columns that are drawn from real quantiles."""
SCORES = np.array([-2.0, -1.25, -0.65, 0.0, 0.65, 1.25, 2.0])
"""Normal scores at which quantiles are kept."""
EXPRESSIONS = ("happy", "neutral", "negative")
# How much of a cue's deviation is the mood's, on average, and of which mood: (share, valence, arousal)
CUES = {
    "motion": (0.6, 0.0, 1.0),
    "brightness": (0.35, 0.9, -0.4),
    "colour": (0.35, 0.4, 0.9),
    "loudness": (0.6, 0.0, 1.0),
    "centroid": (0.35, 0.5, 0.85),
}
LIT = ("brightness", "colour")
SHARE_SPREAD = 0.2  # between films
SPOKEN = {"loudness": 0.6, "centroid": -0.4}  # what a voice adds, in deviations
DISTURBANCES = 1.5  # per minute
NO_FACES_READ, NO_SOUND, NO_CUTS = 0.35, 0.2, 0.15  # shares of films


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """What real footage is like, for what in a drawn film is not mood."""

    quantiles: Mapping[str, list[float]]
    """Column -> its values at `SCORES`"""
    within: Mapping[str, float]
    """Column -> share of its variance that lies within clips"""
    flow: Mapping[str, float]
    """Column -> correlation of a row with the next one, within clips"""
    together: list[list[float]]
    """[5, 5] correlation of the columns, in normal scores"""
    faces: Mapping[str, list[list[float]]]
    """Expression -> what the network said of real faces that have it: [valence, smile] each"""

    def as_json(self) -> dict[str, Any]:
        """For the card."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Statistics:
        """As `as_json` wrote it."""
        return cls(**{name: given[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class DrawnFilm:
    """A film of N rows."""

    measures: F32
    """[N, 11]"""
    mood: F32
    """[N, 2] valence, arousal"""


def drawn_films(
    statistics: Statistics, seed: int, count: int, rows: tuple[int, int] = (20, 480)
) -> Iterator[DrawnFilm]:
    """So many films of different lengths, the same for the same seed."""
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        yield drawn_film(statistics, rng, int(np.exp(rng.uniform(*np.log(rows)))))


def drawn_film(statistics: Statistics, rng: np.random.Generator, rows: int) -> DrawnFilm:
    """One film."""
    mood = np.stack([_latent(rng, rows), _latent(rng, rows)], 1)
    measures = np.full((rows, len(COLUMNS)), np.nan)
    shots = _shots(rng, mood[:, 1], rows)
    spoken = _spoken(rng, rows)
    noise = _noise(statistics, rng, shots)
    for k, name in enumerate(DRAWN):
        felt = _by_shot(mood, shots) if name in LIT else mood
        z = _with_mood(noise[:, k], felt, name, rng) + SPOKEN.get(name, 0.0) * spoken
        measures[:, COLUMNS.index(name)] = from_scores(z + _disturbed(rng, rows), statistics.quantiles[name])
    if shots[-1]:
        lengths = np.bincount(shots)[shots] * STEP * np.exp(rng.normal(0, 0.2, shots[-1] + 1))[shots]
        measures[:, COLUMNS.index("pace")] = -np.log(np.clip(lengths, SHORTEST_SHOT, LONGEST_SHOT))
    measures[:, COLUMNS.index("speech")] = np.clip(0.9 * spoken + np.abs(rng.normal(0, 0.08, rows)), 0, 1)
    if rng.random() < NO_SOUND:
        measures[:, 8:11] = np.nan
    if rng.random() >= NO_FACES_READ:
        measures[:, 0:4] = _faces(statistics, rng, shots, mood)
    return DrawnFilm(measures=measures.astype(np.float32), mood=mood.astype(np.float32))


def to_scores(values: F64, quantiles: list[float]) -> F64:
    """Values to normal scores."""
    return _bent(values, np.maximum.accumulate(np.array(quantiles) + 1e-9 * np.arange(len(quantiles))), SCORES)


def from_scores(z: F64, quantiles: list[float]) -> F64:
    """Normal scores to values: straight between quantiles, and on beyond them."""
    return _bent(z, SCORES, np.array(quantiles))


def _bent(x: F64, given: F64, wanted: F64) -> F64:
    slopes = np.diff(wanted) / np.diff(given)
    part = np.clip(np.searchsorted(given, x) - 1, 0, len(slopes) - 1)
    found: F64 = wanted[part] + slopes[part] * (x - given[part])
    return found


def _latent(rng: np.random.Generator, rows: int) -> F64:
    """[rows] in -1..1: the film's level, scenes that begin at once, and an Ornstein-Uhlenbeck drift."""
    scene = np.exp(rng.uniform(math.log(4), math.log(40))) / STEP
    level = rng.normal(0, 0.5, rows)[np.cumsum(rng.random(rows) < 1 / scene)]
    calm = math.exp(-STEP / math.exp(rng.uniform(math.log(5), math.log(40))))
    value = rng.normal(0, 0.15) + level * rng.uniform(0.4, 1) + rng.uniform(0.1, 0.4) * flowing(rng, rows, calm)
    return np.tanh(smoothed(np.asarray(value, np.float32), 2.0)).astype(np.float64)


def flowing(rng: np.random.Generator, rows: int, calm: float) -> F64:
    """[rows] of deviation 1, each row correlated with the next by `calm`."""
    shocks = rng.normal(0, 1, rows) * math.sqrt(max(1 - calm * calm, 0))
    shocks[0] = rng.normal()
    found: F64 = lfilter([1.0], [1.0, -calm], shocks)
    return found


def _shots(rng: np.random.Generator, arousal: F64, rows: int) -> NDArray[np.int64]:
    """[rows] number of the shot, shorter where it is exciting, as far as this film's editor cares."""
    if rng.random() < NO_CUTS:
        return np.zeros(rows, np.int64)
    usual, cares = math.exp(rng.uniform(math.log(2), math.log(9))), max(rng.normal(1.0, 0.7), -0.3)
    shots, at, number = np.zeros(rows, np.int64), 0, 0
    while at < rows:
        length = usual * math.exp(rng.normal(0, 0.5) - cares * arousal[at])
        until = at + max(round(length / STEP), 1)
        shots[at:until] = number
        at, number = until, number + 1
    return shots


def _noise(statistics: Statistics, rng: np.random.Generator, shots: NDArray[np.int64]) -> F64:
    """[N, 5] normal scores: a level of the film, of each shot, and what flows within; correlated as in real clips."""
    root = np.linalg.cholesky(np.array(statistics.together) + 1e-6 * np.eye(len(DRAWN)))
    film, many = rng.uniform(0.2, 0.8), int(shots[-1]) + 1
    level = math.sqrt(film) * rng.normal(size=len(DRAWN)) + math.sqrt(1 - film) * rng.normal(size=(many, len(DRAWN)))
    flow = np.stack([flowing(rng, len(shots), statistics.flow[name]) for name in DRAWN], 1)
    within = np.array([statistics.within[name] for name in DRAWN])
    found: F64 = np.sqrt(1 - within) * (level @ root.T)[shots] + np.sqrt(within) * (flow @ root.T)
    return found


def _with_mood(noise: F64, mood: F64, name: str, rng: np.random.Generator) -> F64:
    share, valence, arousal = CUES[name]
    part = float(np.clip(rng.normal(share, SHARE_SPREAD), -0.2, 0.9))
    told: F64 = mood @ np.array([valence, arousal]) / 0.45  # moods' usual deviation
    found: F64 = math.sqrt(1 - part * part) * noise + part * told
    return found


def _by_shot(mood: F64, shots: NDArray[np.int64]) -> F64:
    """[N, 2] the mean of each shot: nobody changes the light while the camera runs."""
    count = np.bincount(shots)
    return np.stack([(np.bincount(shots, column) / count)[shots] for column in mood.T], 1)


def _disturbed(rng: np.random.Generator, rows: int) -> F64:
    """[rows] stretches that speak for no mood, in deviations."""
    found = np.zeros(rows)
    for _ in range(rng.poisson(DISTURBANCES * rows * STEP / 60 / len(DRAWN))):
        length = int(rng.uniform(8, 40) / STEP)
        at = int(rng.integers(-length // 2, rows))
        found[max(at, 0) : max(at + length, 0)] += rng.choice([-1, 1]) * rng.uniform(1, 2.5)
    return found


def _spoken(rng: np.random.Generator, rows: int) -> F64:
    """[rows] 1 where somebody speaks: sentences and pauses."""
    often, length = rng.beta(0.7, 0.9), rng.uniform(2, 8) / STEP
    state, found = rng.random() < often, np.zeros(rows)
    for i in range(rows):
        if rng.random() < 1 / length:
            state = rng.random() < often
        found[i] = state
    return found


def _faces(statistics: Statistics, rng: np.random.Generator, shots: NDArray[np.int64], mood: F64) -> F64:
    """[N, 4] valence, smile, number, size; a film, and a shot, may have none."""
    rows, many = len(shots), int(shots[-1]) + 1
    often = 0.0 if rng.random() < 0.25 else rng.uniform(0.1, 1.0)
    seen = (rng.random(many) < often)[shots] & (rng.random(rows) > 0.1)
    number = 1 + rng.geometric(rng.uniform(0.4, 0.95), many) - 1
    size = np.exp(rng.uniform(math.log(0.03), math.log(0.5), many))[shots] * np.exp(rng.normal(0, 0.08, rows))
    told, posed = rng.uniform(1.5, 6.0), rng.normal(0, 0.6)
    strength = np.stack([told * mood[:, 0] + posed, np.full(rows, 0.7), -told * mood[:, 0] - 0.3], 1)
    chances = np.exp(strength) / np.exp(strength).sum(1, keepdims=True)
    held = np.repeat(rng.random(rows // 4 + 1), 4)[:rows]  # an expression lasts two seconds
    kinds = (held[:, None] > np.cumsum(chances, 1)).sum(1).clip(0, 2)
    signs = np.zeros((rows, 2))
    for kind, name in enumerate(EXPRESSIONS):
        pool = np.array(statistics.faces[name])
        here = kinds == kind
        signs[here] = pool[rng.integers(len(pool), size=int(here.sum()))]
    found = np.column_stack([signs, np.log2(1 + number[shots]), np.minimum(size, 1.0)])
    return np.where(seen[:, None], found, 0.0)
