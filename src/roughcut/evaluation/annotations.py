"""People's scores of films: reading TVSum (Song et al. 2015) and SumMe (Gygli et al. 2014) as HDF5, and their splits.

One row per pick (every 15th frame): a caption, and what every person gave. The published csta splits (Son et al.
2024) divide each set into five clean folds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from roughcut.errors import DataError
from roughcut.records import F32

_SCORES = {"tvsum": "user_scores", "summe": "user_summary"}
_SPLIT_NAMES = {"tvsum": "TVSum", "summe": "SumMe"}


@dataclass(frozen=True, kw_only=True)
class LabelledFilm:
    """A film as people scored it."""

    name: str
    """`tvsum/video_1`"""
    captions: tuple[str, ...]
    """[T], one per row"""
    scores: F32
    """[people, T]: 1..5 (TVSum) or 0 and 1 (SumMe)"""

    @property
    def mean(self) -> F32:
        """[T] the mean person."""
        return np.asarray(self.scores.mean(0), np.float32)


def read_annotations(path: Path, name: str) -> list[LabelledFilm]:
    """All films of one set, in the file's order.

    Raises:
        DataError: unknown set, or the file is not one of it.
    """
    if name not in _SCORES:
        raise DataError("unknown set of annotations", where=path, got=name, allowed=", ".join(_SCORES))
    try:
        with h5py.File(path) as file:
            films = [_film(path, f"{name}/{key}", group, _SCORES[name]) for key, group in file.items()]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError("the annotations cannot be read", where=path, got=error) from error
    if not films:
        raise DataError("no film in the annotations", where=path)
    return films


def read_folds(data: Path, name: str) -> list[set[str]]:
    """The test films of each fold of the csta split.

    Raises:
        DataError: the split file is missing or says something else.
    """
    path = data / "splits" / f"csta_{_SPLIT_NAMES[name]}_splits.txt"
    try:
        lines = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise DataError("the split cannot be read", where=path, got=error) from error
    folds = [{f"{name}/{film}" for film in line.rsplit("/", 1)[-1].split(",")} for line in lines]
    if not folds or any(a & b for i, a in enumerate(folds) for b in folds[:i]):
        raise DataError("not a clean partition", where=path, got=f"{len(folds)} folds")
    return folds


def _film(path: Path, name: str, group: h5py.Group, scores: str) -> LabelledFilm:
    captions, picks = json.loads(group["captions"][()]), group["picks"][...]
    rows, given, where = min(len(captions), len(picks)), group[scores][...], f"{path}, {name}"
    if not rows or not len(given):
        raise DataError("empty labels", where=where, allowed="a caption, a pick and a score for each row")
    at = picks[:rows]
    if at.min() < 0 or at.max() >= given.shape[1]:
        last = given.shape[1] - 1
        raise DataError("a label lies beyond the film", where=where, got=f"frame {at.max()}", allowed=f"0 to {last}")
    found = given[:, at].astype(np.float32)
    if not np.isfinite(found).all():
        raise DataError("a score is not a number", where=where, got="NaN or infinity")
    return LabelledFilm(name=name, captions=tuple(captions[:rows]), scores=found)
