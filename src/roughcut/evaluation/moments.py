"""`roughcut evaluate moments`: rank correlation with people, fold by fold, beside simple baselines.

Reads the predictions that `python -m roughcut.training.folds` left for films each fold never saw. The shipped network
has learned from all of these films, so it cannot be measured on them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roughcut.errors import DataError, OptionError
from roughcut.evaluation.annotations import LabelledFilm, read_annotations, read_folds
from roughcut.evaluation.correlation import Agreement, agreement, mean_agreement, spearman
from roughcut.records import Progress, no_progress

SETS = ("tvsum", "summe")
METHODS = ("network", "network_shown", "ridge", "ridge_shown", "rarity", "novelty", "change", "random")
TIMING = ("accent", "lull")
_TRAIN = "train the folds first: python -m roughcut.training.folds MANIFEST -o FOLDER"


@dataclass(frozen=True, kw_only=True)
class MomentReport:
    """Agreement by (method, set): each fold's and the mean of folds; and on key frames through pictures."""

    captions: dict[str, dict[str, list[Agreement]]]
    """method -> set -> one per fold"""
    pictures: dict[str, float]
    """method -> mean within-film Spearman with the mean person on the key frames of TVSum films"""
    films: int
    """TVSum films with key frames"""
    timing: dict[str, float]
    """mean over folds of the timing heads' average precision (`_ap`), and the share of rows they are true for"""

    def table(self) -> str:
        """One row per method; tau/rho on both sets."""
        heads = (f"{head:>15s}" for head in ("TVSum tau/rho", "SumMe tau/rho", "key frames rho"))
        lines = [f"{'method':13s} {' '.join(heads)}   folds, tau/rho: TVSum | SumMe"]
        for method in METHODS:
            mean = {name: mean_agreement(self.captions[method][name]) for name in SETS}
            cells = [f"{mean[name].tau:.3f}/{mean[name].rho:.3f}".rjust(15) for name in SETS]
            folds = " | ".join(" ".join(f"{a.tau:.3f}/{a.rho:.3f}" for a in self.captions[method][s]) for s in SETS)
            lines.append(f"{method:13s} {' '.join(cells)} {self.pictures[method]:15.3f}   {folds}")
        timing = [
            f"{head} AP {self.timing[f'{head}_ap']:.3f} (chance {self.timing[f'{head}_share']:.3f})" for head in TIMING
        ]
        lines.append("effect timing: " + ", ".join(timing))
        lines.append("network, ridge: with rarity, as it ships; shown: without")
        lines.append(f"captions as features, csta folds; key frames: pictures alone, {self.films} TVSum films, unseen")
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """The same for machines."""
        return asdict(self)


def evaluate_moments(
    data: Path,
    *,
    models: Path | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> MomentReport:
    """Measure the predictions in `models` (a folder of `fold-N`) on the annotations in `data`.

    Options: `split`, "csta" (the only one that is a clean partition, and the default).

    Raises:
        OptionError: another option or split. DataError: annotations or predictions are missing or do not fit.
    """
    if options not in ({}, {"split": "csta"}):
        raise OptionError(
            "not an option of this evaluation", where="evaluate moments", got=options, allowed="split=csta"
        )
    data = data / "moments" if (data / "moments").is_dir() else data
    films = {film.name: film for name in SETS for film in read_annotations(data / f"{name}_anno.h5", name)}
    folds = list(zip(*(read_folds(data, name) for name in SETS), strict=True))
    predictions = []
    for number, tests in enumerate(folds):
        progress("reading predictions", number, len(folds))
        predictions.append(_read(models, number, set().union(*tests), films))
    return _measure(predictions, films)


def _measure(folds: list[dict[str, Any]], films: dict[str, LabelledFilm]) -> MomentReport:
    captions = {
        method: {name: [_fold(fold["captions"][method], films, name) for fold in folds] for name in SETS}
        for method in METHODS
    }
    steps = {film: at for fold in folds for film, at in fold["steps"].items() if film.startswith("tvsum")}
    pictures = {
        method: float(
            np.mean([_key_frames(fold["pictures"][method], films, f) for fold in folds for f in _known(fold)])
        )
        for method in METHODS
    }
    timing = {key: float(np.mean([fold["timing"][key] for fold in folds])) for key in folds[0]["timing"]}
    return MomentReport(captions=captions, pictures=pictures, films=len(steps), timing=timing)


def _known(fold: dict[str, Any]) -> list[tuple[str, list[int]]]:
    return [(film, steps) for film, steps in fold["steps"].items() if film.startswith("tvsum")]


def _fold(predicted: dict[str, list[float]], films: dict[str, LabelledFilm], name: str) -> Agreement:
    tests = [film for film in predicted if film.startswith(name)]
    return mean_agreement([agreement(np.array(predicted[film], np.float32), films[film]) for film in tests])


def _key_frames(
    predicted: dict[str, list[float]], films: dict[str, LabelledFilm], known: tuple[str, list[int]]
) -> float:
    film, steps = known
    return spearman(np.array(predicted[film], np.float32), films[film].mean[steps][None])


def _read(models: Path | None, fold: int, tests: set[str], films: dict[str, LabelledFilm]) -> dict[str, Any]:
    """A fold's predictions, checked against its test films, with random ones added."""
    if models is None:
        raise DataError("the shipped network has seen these films", where="evaluate moments", next_step=_TRAIN)
    path = models / f"fold-{fold}" / "predictions.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("the predictions cannot be read", where=path, got=error, next_step=_TRAIN) from error
    lengths = {film: len(values) for film, values in found["captions"]["network"].items()}
    if lengths != {film: len(films[film].captions) for film in tests}:
        raise DataError("the predictions are not of this fold's test films", where=path, next_step=_TRAIN)
    rng = np.random.default_rng(fold)
    found["captions"]["random"] = {film: rng.random(n).tolist() for film, n in lengths.items()}
    found["pictures"]["random"] = {film: rng.random(len(steps)).tolist() for film, steps in found["steps"].items()}
    return found
