"""Real pictures that a mood must agree with, though nobody has labelled their mood."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut import watching
from roughcut.errors import DataError
from roughcut.evaluation.expression import class_of, expression_part
from roughcut.features.expression import CLASSES, HAPPY, NEGATIVE, SIZE, ExpressionReader, smile_and_sign
from roughcut.features.faces import FaceDetector
from roughcut.media.faults import quiet_ffmpeg
from roughcut.media.probe import probe
from roughcut.models import store
from roughcut.records import F32, no_progress
from roughcut.temporal.mood import COLUMNS, LEAST_LIGHT, LEAST_MOTION, ROW_STEP, colourfulness, measured

LIVELY = ("v_Basketball", "v_BasketballDunk", "v_BandMarching", "v_BalanceBeam")
QUIET = ("v_ApplyEyeMakeup", "v_ApplyLipstick")
STRETCH = 16  # rows: eight seconds of one kind, then of the other
SHOWN = 4  # rows that one portrait is shown
FACES = 400  # of FER-2013's
PICTURE_WIDTH = 64


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Films of real pictures, of which some rows should be higher than the rest."""

    name: str
    head: str
    films: Sequence[F32]
    """[N, 11] each"""
    high: NDArray[np.bool_]
    """[sum of N]"""


def real_scenes(data: Path) -> list[Scene]:
    """All checks. Raises DataError where the folder lacks a table."""
    return [_portraits(data), _fer(data), *_shots(data)]


def in_turns(high: Sequence[F32], low: Sequence[F32], stretch: int = STRETCH) -> tuple[F32, NDArray[np.bool_]]:
    """Shots [n, 11] joined in stretches of one kind and the other; their pace is that of the film they make."""
    rows: list[F32] = []
    is_high: list[bool] = []
    left = {True: list(high), False: list(low)}
    kind = True
    while left[kind]:
        length = 0
        while left[kind] and length < stretch:
            shot = left[kind].pop().copy()
            shot[:, COLUMNS.index("pace")] = -np.log(max(len(shot) * float(ROW_STEP), 0.5))
            rows.append(shot)
            is_high += [kind] * len(shot)
            length += len(shot)
        kind = not kind
    return np.concatenate(rows), np.array(is_high)


def _portraits(data: Path) -> Scene:
    """Persons that the expression network has not learned from, each shown for two seconds."""
    reader, detector = ExpressionReader(), FaceDetector()
    shown: dict[bool, list[F32]] = {True: [], False: []}
    for row in _table(data / "faces" / "portraits.csv"):
        if row["label"] in ("", "contempt", "surprise") or expression_part(row["person"]) != "test":
            continue
        with Image.open(data / row["file"]) as picture:
            rgb = picture.convert("RGB")
        signs = reader(np.asarray(rgb), detector(np.asarray(rgb)))
        rgb.thumbnail((PICTURE_WIDTH, PICTURE_WIDTH))
        small = np.asarray(rgb)
        faces = (signs.valence, signs.smile, np.log2(1 + signs.count), signs.size)
        shown[class_of(row["label"], row["file"]) == HAPPY].append(_still(faces, small))
    measures, high = in_turns(shown[True], shown[False])
    return Scene(name="valence: smiling portraits against others", head="valence", films=[measures], high=high)


def _fer(data: Path) -> Scene:
    """Every second face of FER-2013's validation part: the half that chose nothing."""
    folder = data / "faces" / "fer2013"
    try:
        labels = np.array((folder / "validation_labels.txt").read_text(encoding="utf-8").split(), int)
        mosaics = [np.asarray(Image.open(path).convert("L")) for path in sorted(folder.glob("validation_*.jpg"))]
    except (OSError, ValueError) as error:
        raise DataError("the faces cannot be read", where=folder, got=error) from error
    faces = np.concatenate([_cut(mosaic) for mosaic in mosaics])[: len(labels)][1::2]
    labels = labels[1::2]
    sad = np.isin(labels, [CLASSES.index(name) for name in NEGATIVE])
    chosen = np.random.default_rng(0).permutation(np.flatnonzero((labels == HAPPY) | sad))[:FACES]
    smiles, signs = smile_and_sign(store.load("expression").run(faces=faces[chosen])["logits"])
    told = [
        (bool(labels[i] == HAPPY), (float(v), float(s), 1.0, 0.3))
        for i, v, s in zip(chosen, signs, smiles, strict=True)
    ]
    grey = np.full((1, PICTURE_WIDTH, 3), 110, np.uint8)
    shown = {kind: [_still(face, grey) for is_happy, face in told if is_happy == kind] for kind in (True, False)}
    measures, high = in_turns(shown[True], shown[False])
    return Scene(name="valence: happy faces against angry, afraid, sad", head="valence", films=[measures], high=high)


def _shots(data: Path) -> list[Scene]:
    """Sport and marching bands against make-up; as they are, and without their sound."""
    quiet_ffmpeg()
    kinds: dict[bool, list[F32]] = {True: [], False: []}
    for row in _table(data / "video.csv"):
        name = Path(row["file"]).name
        if name.startswith(LIVELY) or name.startswith(QUIET):
            seen = watching.watch(probe(data / row["file"]), use_cache=True, progress=no_progress)
            kinds[name.startswith(LIVELY)].append(measured(seen.features, seen.transitions, None))
    measures, high = in_turns(kinds[True], kinds[False])
    silent = measures.copy()
    silent[:, COLUMNS.index("loudness") :] = np.nan
    still = silent.copy()
    still[:, COLUMNS.index("pace")] = np.nan
    alone = np.repeat([True, False], [sum(map(len, kinds[kind])) for kind in (True, False)])
    tried = {"": measures, ", no sound": silent, ", no sound, no cuts": still}
    joined = [
        Scene(name=f"arousal: sport against make-up{how}", head="arousal", films=[rows], high=high)
        for how, rows in tried.items()
    ]
    clips = kinds[True] + kinds[False]
    return [*joined, Scene(name="the same, each clip a film of its own", head="arousal", films=clips, high=alone)]


def _still(faces: Sequence[float], picture: NDArray[np.uint8]) -> F32:
    luma = float((picture @ np.array([0.2126, 0.7152, 0.0722])).mean() / 255)
    row = [*faces, np.log(LEAST_MOTION), np.log(luma + LEAST_LIGHT), float(colourfulness(picture[None])[0])]
    return np.tile(np.array([*row, *[np.nan] * 4], np.float32), (SHOWN, 1))


def _cut(mosaic: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = mosaic.shape[0] // SIZE, mosaic.shape[1] // SIZE
    return (
        mosaic[: rows * SIZE, : columns * SIZE]
        .reshape(rows, SIZE, columns, SIZE)
        .swapaxes(1, 2)
        .reshape(-1, SIZE, SIZE)
    )


def _table(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise DataError("the data folder lacks a table", where=path, got=error) from error
