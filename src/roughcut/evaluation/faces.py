"""`roughcut evaluate faces`: a detector on pictures with known boxes.

The data is a folder with pictures and `boxes.json`:

    {"crowd.jpg": [[left, top, right, bottom], ...],
     "street.jpg": {"boxes": [[...], ...], "ignore": [[...], ...]}}

in pixels. What lies in an `ignore` box is neither asked for nor held against the detector, and so are faces of other
sizes than those a row is about; sizes are of a frame whose longer side is 640 pixels.

Average precision is the area under precision over recall, precision made falling (Everingham et al. 2010, "all
points"), over all pictures together; a box hits if it shares half of the union with a face not hit before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut.errors import DataError, OptionError
from roughcut.evaluation.haar import HaarDetector
from roughcut.features.faces import LEAST, LONG_SIDE, FaceDetector
from roughcut.models import fetched
from roughcut.records import F32, U8, Progress, no_progress
from roughcut.records.faces import Faces, box_overlaps

Detector = Callable[[U8, float], Faces]
HIT = 0.5
LOWEST = 0.02
"""Scores from which detections count for average precision."""
SIZES = {"all": (0.0, np.inf), ">= 48 px": (48.0, np.inf), "24-48 px": (24.0, 48.0), "< 24 px": (0.0, 24.0)}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The faces of a picture."""

    boxes: F32
    """[N, 4]"""
    ignore: F32
    """[M, 4]"""


@dataclass(frozen=True, kw_only=True)
class SizeScore:
    """Faces of one range of sizes."""

    faces: int
    ap: float | None
    """Average precision at half an overlap; None without faces."""
    recall: float | None
    """Share found at the default score."""
    false_alarms: int
    """At the default score, of all pictures."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One detector."""

    name: str
    milliseconds: float
    """Per picture, processor time, resizing included: the median."""
    sizes: dict[str, SizeScore]

    def table(self) -> str:
        """A row per range of sizes."""
        rows = [
            f"{name:10s} {s.faces:6d} {_figure(s.ap):>6s} {_figure(s.recall):>7s} {s.false_alarms:6d}"
            for name, s in self.sizes.items()
        ]
        head = f"{'faces':10s} {'number':>6s} {'AP@.5':>6s} {'found':>7s} {'false':>6s}"
        return "\n".join([f"{self.name}, {self.milliseconds:.1f} ms a picture", head, *rows])


@dataclass(frozen=True, kw_only=True)
class FaceReport:
    """What was measured."""

    pictures: int
    network: Measured
    beside: tuple[Measured, ...]
    """Detectors of others, as far as they are here."""

    def table(self) -> str:
        """A table per detector."""
        end = f"{self.pictures} pictures; found and false at a score of {LEAST}"
        if not self.beside:
            end += "; to see other detectors beside it: `roughcut models fetch yunet`, or install OpenCV 4"
        return "\n\n".join([*(one.table() for one in (self.network, *self.beside)), end])

    def json(self) -> dict[str, Any]:
        """The same for machines."""
        return asdict(self)


def evaluate_faces(
    data: Path, *, models: Path | None = None, progress: Progress = no_progress, **options: Any
) -> FaceReport:
    """Measure the shipped detector, that of a folder (`faces.onnx`), or any detector file of ours or YuNet's.

    Beside it: YuNet if it was fetched, and OpenCV's Haar cascade if OpenCV is installed.

    Raises:
        OptionError: any option. DataError: the folder, its JSON or a picture is wrong. ModelError: no such network.
    """
    if options:
        raise OptionError("not an option of this evaluation", where="evaluate faces", got=options, allowed="none")
    truths = read_truths(data)
    detector = FaceDetector(models / "faces.onnx" if models is not None and models.is_dir() else models)
    name = "the shipped network" if models is None else str(models)
    detectors: list[tuple[str, Detector]] = [(name, detector), *_others(models)]
    network, *beside = _measured(detectors, data, truths, progress)
    return FaceReport(pictures=len(truths), network=network, beside=tuple(beside))


def _others(models: Path | None) -> list[tuple[str, Detector]]:
    others: list[tuple[str, Detector]] = []
    if fetched.is_here("yunet") and str(models) != "yunet":
        others.append(("YuNet", FaceDetector(Path("yunet"))))
    with suppress(ImportError):
        others.append(("Haar cascade", HaarDetector()))
    return others


def _measured(
    detectors: Sequence[tuple[str, Detector]], data: Path, truths: Mapping[str, Truth], progress: Progress
) -> list[Measured]:
    """All of them in turn on each picture, so that their times are of the same moments."""
    found: list[list[Faces]] = [[] for _ in detectors]
    spent: list[list[float]] = [[] for _ in detectors]
    scales = []
    for number, file in enumerate(truths):
        progress("faces", number, len(truths))
        picture = read_picture(data / file)
        scales.append(LONG_SIDE / max(picture.shape[:2]))
        for k, (_, finds) in enumerate(detectors):
            began = time.process_time()
            found[k].append(finds(picture, LOWEST))
            spent[k].append(time.process_time() - began)
    wanted = list(truths.values())
    return [
        Measured(
            name=name,
            milliseconds=1000 * float(np.median(spent[k])),
            sizes={size: judge(found[k], wanted, scales, low, high) for size, (low, high) in SIZES.items()},
        )
        for k, (name, _) in enumerate(detectors)
    ]


def judge(
    found: Sequence[Faces], truths: Sequence[Truth], scales: Sequence[float], low: float = 0.0, high: float = np.inf
) -> SizeScore:
    """One row: faces whose longer side lies in [low, high) pixels once the picture is scaled by its `scales` entry."""
    scores, hits, number = [np.zeros(0, np.float32)], [np.zeros(0, bool)], 0
    for faces, truth, scale in zip(found, truths, scales, strict=True):
        inside = within(truth.boxes, scale, low, high)
        counted, hit = matched(faces, truth, inside, within(faces.boxes, scale, low, high))
        scores.append(faces.scores[counted])
        hits.append(hit)
        number += int(inside.sum())
    score, hit = np.concatenate(scores), np.concatenate(hits)
    sure = score >= LEAST
    return SizeScore(
        faces=number,
        ap=average_precision(score, hit, number) if number else None,
        recall=float((hit & sure).sum() / number) if number else None,
        false_alarms=int((~hit & sure).sum()),
    )


def matched(
    faces: Faces, truth: Truth, wanted: NDArray[np.bool_], own: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Indices of the detections that count, and whether each hits a wanted face; the surest choose first."""
    overlaps, free = box_overlaps(faces.boxes, truth.boxes), np.ones(len(truth.boxes), bool)
    ignored = covered_share(faces.boxes, truth.ignore)
    counted, hits = [], []
    for i in range(len(faces)):
        near = np.where(free, overlaps[i], 0)
        # a wanted face before one that is not asked for
        best = max(range(len(near)), key=lambda j: (near[j] >= HIT, wanted[j], near[j]), default=None)
        if best is not None and near[best] >= HIT:
            free[best] = False
            if wanted[best]:
                counted.append(i)
                hits.append(True)
        elif own[i] and ignored[i] < HIT:
            counted.append(i)
            hits.append(False)
    return np.array(counted, np.int64), np.array(hits, bool)


def average_precision(scores: NDArray[Any], hits: NDArray[np.bool_], number: int) -> float:
    """Area under precision over recall of detections [D] for `number` >= 1 faces, in 0..1."""
    found = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision = found / np.arange(1, len(found) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(found, prepend=0) * falling).sum() / number)


def within(boxes: F32, scale: float, low: float, high: float) -> NDArray[np.bool_]:
    """Which boxes [N, 4] have a longer side in [low, high) pixels, scaled."""
    sides = (boxes[:, 2:] - boxes[:, :2]).max(1) * scale if len(boxes) else np.zeros(0)
    return np.asarray((sides >= low) & (sides < high))


def covered_share(boxes: F32, areas: F32) -> F32:
    """[N]: the largest share of each box [N, 4] that lies in one of the areas [M, 4]."""
    if not len(boxes) or not len(areas):
        return np.zeros(len(boxes), np.float32)
    sides = np.minimum(boxes[:, None, 2:], areas[None, :, 2:]) - np.maximum(boxes[:, None, :2], areas[None, :, :2])
    shared = np.prod(np.clip(sides, 0, None), axis=2)
    whole = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 1e-6, None), axis=1)
    share: F32 = (shared.max(1) / whole).astype(np.float32)
    return share


def read_truths(data: Path) -> dict[str, Truth]:
    """Picture name -> its faces, of a folder's `boxes.json`.

    Raises:
        DataError: it is missing, not JSON, names a picture that is not there, or holds something else than boxes.
    """
    path = data / "boxes.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("the boxes cannot be read", where=path, got=error, allowed="JSON: picture -> boxes") from error
    if not isinstance(table, dict) or not table:
        raise DataError("no pictures there", where=path, allowed='{"a.jpg": [[left, top, right, bottom], ...]}')
    truths = {}
    for name, entry in table.items():
        if not (data / name).is_file():
            raise DataError("the picture is missing", where=path, got=name)
        both = entry if isinstance(entry, dict) else {"boxes": entry}
        parts = {key: _boxes(both.get(key, []), f"{path}: {name}") for key in ("boxes", "ignore")}
        truths[name] = Truth(**parts)
    return truths


def read_picture(path: Path) -> U8:
    """RGB [h, w, 3]. Raises DataError."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise DataError("the picture cannot be read", where=path, got=error) from error


def _boxes(entry: object, where: str) -> F32:
    try:
        boxes = np.asarray(entry, np.float32).reshape(-1, 4)
    except (TypeError, ValueError) as error:
        raise DataError("not boxes", where=where, got=entry, allowed="[[left, top, right, bottom], ...]") from error
    if not np.isfinite(boxes).all() or (boxes[:, 2:] <= boxes[:, :2]).any():
        raise DataError("a box runs backwards", where=where, allowed="left < right and top < bottom, in pixels")
    return boxes


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
