"""`roughcut evaluate mood`: the network beside weighted sums of the cues, on films never trained on.

No film with people's moods is to be had here. So it is measured on films that were drawn with a mood, held out by seed;
with a data folder also on what the network has not been told of but must agree with: portraits that smile against those
that do not, faces labelled happy against sad, sport against make-up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roughcut.errors import OptionError
from roughcut.evaluation.expression import auc
from roughcut.evaluation.mood_films import DrawnFilm, Statistics, drawn_films
from roughcut.evaluation.mood_scenes import Scene, real_scenes
from roughcut.models import store
from roughcut.records import F32, Progress, no_progress
from roughcut.temporal.mood import ABSOLUTE, COLUMNS, HEADS, MASKS, RELATIVE, MoodMapper, network_rows

F64 = NDArray[np.float64]
Judge = Callable[[F32], F64]
"""Measures [N, 11] to [N, 2] valence and arousal."""
FITTED, HELD_OUT = 5_000_011, 7_000_003
"""Seeds of the films that the sums are fitted on, and of those that all are measured on."""
FILMS = 200
WINDOWS = (1, 5, 9, 15, 25, 41, 61, 101)  # rows of the Kaiser window
SHAPE = 5.0  # its beta: Hanjalic and Xu's
SCALES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
SUMS = {
    "valence": ("valence", "brightness", "colour", "centroid"),
    "arousal": ("motion", "pace", "loudness", "centroid"),
}


@dataclass(frozen=True, kw_only=True)
class MoodReport:
    """What was measured."""

    films: int
    ccc: dict[str, dict[str, float]]
    """Method -> head -> concordance over all rows"""
    within: dict[str, dict[str, float]]
    """Method -> head -> mean correlation within a film"""
    parts: dict[str, dict[str, float]]
    """Kind of film -> head -> concordance of the network: with and without faces and sound"""
    scenes: dict[str, dict[str, float]]
    """Check on real pictures -> method -> area under the curve"""

    def table(self) -> str:
        """A row per method, then the checks."""
        lines = [f"{self.films} drawn films, held out: concordance / correlation within a film", ""]
        lines.append(f"{'method':34s} {'valence':>15s} {'arousal':>15s}")
        for name, found in self.ccc.items():
            cells = [f"{found[h]:.3f} / {self.within[name][h]:.3f}" for h in HEADS]
            lines.append(f"{name:34s} {cells[0]:>15s} {cells[1]:>15s}")
        for name, found in self.parts.items():
            lines.append(f"{'network, ' + name:34s} {found['valence']:>15.3f} {found['arousal']:>15.3f}")
        if self.scenes:
            methods = list(next(iter(self.scenes.values())))
            lines += [
                "",
                "real pictures, area under the curve (chance .5)",
                f"{'':44s}" + "".join(f"{m:>28s}" for m in methods),
            ]
            lines += [
                f"{name:44s}" + "".join(f"{v:28.3f}" for v in found.values()) for name, found in self.scenes.items()
            ]
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """The same for machines."""
        return asdict(self)


def evaluate_mood(
    data: Path | None = None, *, models: Path | None = None, progress: Progress = no_progress, **options: Any
) -> MoodReport:
    """Measure `mood.onnx` on drawn films, and on the real pictures of a data folder.

    Raises:
        OptionError: any option. DataError: the folder lacks a table. ModelError: no network.
    """
    if options:
        raise OptionError("not an option of this evaluation", where="evaluate mood", got=options, allowed="none")
    model = store.load("mood") if models is None else store.load_path(models / "mood.onnx")
    statistics, mapper = Statistics.from_json(model.card["statistics"]), MoodMapper(model)

    def network(measures: F32) -> F64:
        told = mapper.answers(measures)
        return np.stack([told[head][:, 0] for head in HEADS], 1).astype(np.float64)

    progress("moods", 0, 4)
    learned = list(drawn_films(statistics, FITTED, FILMS))
    methods: dict[str, Judge] = {
        "network": network,
        "weighted sum, Kaiser window": WeightedSum(learned),
        "the same, weights fitted": FittedSum(learned),
    }
    progress("moods", 1, 4)
    films = list(drawn_films(statistics, HELD_OUT, FILMS))
    given = {name: [judge(film.measures) for film in films] for name, judge in methods.items()}
    progress("moods", 2, 4)
    scenes = [] if data is None else real_scenes(data)
    report = MoodReport(
        films=len(films),
        ccc={name: _ccc(answers, films) for name, answers in given.items()},
        within={name: _within(answers, films) for name, answers in given.items()},
        parts=_parts(given["network"], films),
        scenes={scene.name: {name: told_apart(judge, scene) for name, judge in methods.items()} for scene in scenes},
    )
    progress("moods", 4, 4)
    return report


def told_apart(judge: Judge, scene: Scene) -> float:
    """How often a row of what should be higher comes out higher than one of the rest."""
    values = np.concatenate([judge(film)[:, HEADS.index(scene.head)] for film in scene.films])
    return auc(values, scene.high) or 0.0


def concordance(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Lin's concordance correlation coefficient (1989): 1 only where values agree, not where they go together."""
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    return float(2 * ((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def kaiser_smoothed(values: F64, rows: int) -> F64:
    """[N, ...] each row the mean under a Kaiser window around it, at the ends of what there is."""
    window = np.kaiser(rows, SHAPE)
    total = np.convolve(np.ones(len(values)), window)[rows // 2 :][: len(values)]
    flat = values.reshape(len(values), -1)
    found = np.stack([np.convolve(column, window)[rows // 2 :][: len(values)] / total for column in flat.T], 1)
    return found.reshape(values.shape)


class WeightedSum:
    """Hanjalic and Xu's curve: the mean of normalised cues under a Kaiser window. Its length and scale are chosen."""

    def __init__(self, films: Sequence[DrawnFilm]) -> None:
        raw = [_sums(film.measures) for film in films]
        self._chosen = [_best(raw, films, k) for k in range(len(HEADS))]

    def __call__(self, measures: F32) -> F64:
        raw = _sums(measures)
        return np.stack([kaiser_smoothed(raw[:, k], w) * s for k, (w, s) in enumerate(self._chosen)], 1)


class FittedSum:
    """The same with every cue's weight by least squares over many films: the best that a fixed sum can do."""

    def __init__(self, films: Sequence[DrawnFilm]) -> None:
        self._fits = []
        for k in range(len(HEADS)):
            wanted = np.concatenate([film.mood[:, k] for film in films]).astype(np.float64)
            tried = [(window, *_fitted(films, wanted, window)) for window in WINDOWS]
            self._fits.append(max(tried, key=lambda t: t[2])[:2])

    def __call__(self, measures: F32) -> F64:
        return np.stack([_design(measures, window) @ weights for window, weights in self._fits], 1)


def _fitted(films: Sequence[DrawnFilm], wanted: F64, window: int) -> tuple[F64, float]:
    rows = np.concatenate([_design(film.measures, window) for film in films])
    gram = rows.T @ rows
    weights = np.linalg.solve(gram + 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram)), rows.T @ wanted)
    stretched = weights * wanted.std() / max((rows @ weights).std(), 1e-6)  # concordance wants the full spread
    both = [(w, concordance(rows @ w, wanted)) for w in (weights, stretched)]
    return max(both, key=lambda pair: pair[1])


def _design(measures: F32, window: int) -> F64:
    """[N, 20] what the network is given under a Kaiser window, brought to about one in size, and a constant."""
    rows = network_rows(measures).astype(np.float64)
    rows[:, ABSOLUTE.index(COLUMNS.index("motion"))] += 3
    rows[:, ABSOLUTE.index(COLUMNS.index("centroid"))] *= rows[:, MASKS.index("sound") - len(MASKS)] / 10
    return np.column_stack([kaiser_smoothed(rows, window), np.ones(len(rows))])


def _sums(measures: F32) -> F64:
    """[N, 2] the mean of each head's cues, of those that are known; faces count only where there is one."""
    rows = network_rows(measures).astype(np.float64)
    relative = {COLUMNS[c]: rows[:, len(ABSOLUTE) + i] for i, c in enumerate(RELATIVE)}
    known = dict(zip(MASKS, rows[:, -len(MASKS) :].T, strict=True))
    cues = relative | {"valence": rows[:, 0] / 0.6}
    masks = {"valence": known["a face"], "loudness": known["sound"], "centroid": known["sound"], "pace": known["cuts"]}
    found = []
    for head in HEADS:
        total = sum((cues[c] * masks.get(c, 1.0) for c in SUMS[head]), np.zeros(len(rows)))
        count = sum((masks.get(c, 1.0) * np.ones(len(rows)) for c in SUMS[head]), np.zeros(len(rows)))
        found.append(total / np.maximum(count, 1))
    return np.stack(found, 1)


def _best(raw: Sequence[F64], films: Sequence[DrawnFilm], head: int) -> tuple[int, float]:
    wanted = np.concatenate([film.mood[:, head] for film in films])
    tried: dict[tuple[int, float], float] = {}
    for window in WINDOWS:
        smooth = np.concatenate([kaiser_smoothed(each[:, head], window) for each in raw])
        tried |= {(window, scale): concordance(smooth * scale, wanted) for scale in SCALES}
    return max(tried, key=tried.__getitem__)


def _ccc(answers: Sequence[F64], films: Sequence[DrawnFilm]) -> dict[str, float]:
    given, wanted = np.concatenate(answers), np.concatenate([film.mood for film in films])
    return {head: concordance(given[:, k], wanted[:, k]) for k, head in enumerate(HEADS)}


def _within(answers: Sequence[F64], films: Sequence[DrawnFilm]) -> dict[str, float]:
    def mean(k: int) -> float:
        pairs = [(a[:, k], film.mood[:, k]) for a, film in zip(answers, films, strict=True)]
        return float(np.mean([np.corrcoef(a, b)[0, 1] if a.std() > 1e-9 else 0.0 for a, b in pairs]))

    return {head: mean(k) for k, head in enumerate(HEADS)}


def _parts(answers: Sequence[F64], films: Sequence[DrawnFilm]) -> dict[str, dict[str, float]]:
    def kind(film: DrawnFilm) -> str:
        faces = "faces" if np.nan_to_num(film.measures[:, 2]).any() else "no faces"
        return f"{faces}, {'sound' if np.isfinite(film.measures[:, 8]).any() else 'silent'}"

    kinds = [kind(film) for film in films]
    return {
        name: _ccc([a for a, k in zip(answers, kinds, strict=True) if k == name],
                   [f for f, k in zip(films, kinds, strict=True) if k == name])
        for name in sorted(set(kinds))
    }  # fmt: skip
