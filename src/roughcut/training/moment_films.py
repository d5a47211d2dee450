"""What the moments task reads: films as people scored them, the pictures there are of them, and who is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from roughcut.errors import DataError, OptionError
from roughcut.evaluation.annotations import LabelledFilm, read_annotations, read_folds
from roughcut.features.frames import ENCODER_SIZE
from roughcut.models import store
from roughcut.records import F32
from roughcut.training.encoder import load_picture, squashed
from roughcut.training.manifest import Manifest


@dataclass(frozen=True)
class Pictures:
    """The pictures of one film: row of each, embeddings as they are and mirrored [n, D]."""

    steps: list[int]
    embeddings: F32
    mirrored: F32


def read_films(manifest: Manifest, fold: int | None) -> tuple[dict[str, LabelledFilm], set[str]]:
    """All films by name, and the names of the test fold's.

    Raises:
        DataError: no annotations, or unusable ones. OptionError: no such fold.
    """
    films: dict[str, LabelledFilm] = {}
    test: set[str] = set()
    for clip in manifest.clips:
        if name := clip.labels.get("annotations"):
            films |= {film.name: film for film in read_annotations(clip.file, str(name))}
            if fold is not None:
                folds = read_folds(clip.file.parent, str(name))
                if not 0 <= fold < len(folds):
                    raise OptionError("no such fold", where="[task]", got=fold, allowed=f"0 to {len(folds) - 1}")
                test |= folds[fold]
    if not films:
        raise DataError("no annotations in the manifest", where=manifest.path, allowed='"labels": {"annotations": ...}')
    return films, test


def read_pictures(manifest: Manifest, films: dict[str, LabelledFilm]) -> dict[str, Pictures]:
    """The pictures of each film through the shipped encoder.

    Raises:
        DataError: a picture that cannot be read, or one that lies beyond its film.
    """
    clips: dict[str, list[tuple[int, Path]]] = {}
    for clip in manifest.clips:
        if (name := clip.labels.get("film")) in films:
            clips.setdefault(str(name), []).append((int(clip.labels["step"]), clip.file))
    return {name: _seen(sorted(entries), films[name]) for name, entries in clips.items()}


def _seen(entries: Sequence[tuple[int, Path]], film: LabelledFilm) -> Pictures:
    rows = len(film.captions)
    for step, path in entries:
        if not 0 <= step < rows:
            raise DataError("the label lies beyond its film", where=path, got=f"row {step}", allowed=f"0 to {rows - 1}")
    seen = [_embedded(path) for _, path in entries]
    plain, mirrored = (np.stack(rows) for rows in zip(*seen, strict=True))
    return Pictures([step for step, _ in entries], plain, mirrored)


@lru_cache(maxsize=4096)
def _embedded(path: Path) -> tuple[F32, F32]:
    """[D] of a picture and of its mirror image; remembered, for every fold asks for the same ones."""
    picture = squashed(load_picture(path), ENCODER_SIZE)
    both = np.stack([picture, picture[:, ::-1]])
    plain, mirrored = store.load("encoder").run(pictures=both)["embedding"]
    return plain, mirrored


def held_out(names: Sequence[str], share: float, fold: int | None) -> set[str]:
    """The validation films: the same share of each set, drawn once per fold."""
    rng = np.random.default_rng(1000 + (fold or 0))
    parts = [[n for n in names if n.startswith(part)] for part in ("tvsum", "summe")]
    return {part[i] for part in parts for i in rng.permutation(len(part))[: round(share * len(part))]}
