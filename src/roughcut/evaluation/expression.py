"""`roughcut evaluate expression`: seven classes, smiles, and the sign of valence, beside the majority class.

The data is a folder with one folder of pictures per class, or a CSV with the columns `file` and `label` (paths relative
to the CSV). Every picture is one face, cropped. Folders may lack classes: accuracy is over the faces that are there.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut.errors import DataError, OptionError
from roughcut.features.expression import CLASSES, HAPPY, NEGATIVE, SIZE, smile_and_sign
from roughcut.models import store
from roughcut.records import F32, U8, Progress, no_progress

OTHER_NAMES = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "neutrality": "neutral",
    "sadness": "sad",
    "surprised": "surprise",
}
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
BATCH = 256
Labels = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ExpressionReport:
    """What was measured; None where the data lacks one side of a comparison."""

    faces: int
    accuracy: float
    majority: float
    """Accuracy of always saying the most frequent class of this very data."""
    per_class: dict[str, float]
    """Recall of each class that is there."""
    counts: dict[str, int]
    smile_auc: float | None
    """Happy against all others."""
    valence_auc: float | None
    """Happy against angry, disgust, fear and sad."""

    def table(self) -> str:
        """A row per class, then the figures over all."""
        rows = [f"{name:10s} {self.counts[name]:6d} {recall:7.3f}" for name, recall in self.per_class.items()]
        return "\n".join(
            [
                f"{'class':10s} {'faces':>6s} {'found':>7s}",
                *rows,
                f"accuracy {self.accuracy:.3f} of {self.faces} faces (always the most frequent: {self.majority:.3f})",
                f"smile AUC {_figure(self.smile_auc)}, valence-sign AUC {_figure(self.valence_auc)} (chance .500)",
            ]
        )

    def json(self) -> dict[str, Any]:
        """The same for machines."""
        return asdict(self)


def evaluate_expression(
    data: Path, *, models: Path | None = None, progress: Progress = no_progress, **options: Any
) -> ExpressionReport:
    """Measure `expression.onnx` on labelled faces.

    Raises:
        OptionError: any option. DataError: no faces, an unknown class, an unreadable picture. ModelError: no network.
    """
    if options:
        raise OptionError("not an option of this evaluation", where="evaluate expression", got=options, allowed="none")
    entries = find_faces(data)
    model = store.load("expression") if models is None else store.load_path(models / "expression.onnx")
    logits = []
    for start in range(0, len(entries), BATCH):
        progress("expressions", start, len(entries))
        faces = np.stack([read_face(path) for path, _ in entries[start : start + BATCH]])
        logits.append(model.run(faces=faces)["logits"])
    return judge(np.concatenate(logits), np.array([label for _, label in entries]))


def judge(logits: F32, labels: Labels) -> ExpressionReport:
    """The report on logits [N, 7] and labels [N] in 0..6, N >= 1."""
    right = logits.argmax(1) == labels
    present = np.unique(labels)
    counts = np.bincount(labels, minlength=len(CLASSES))
    smiles, signs = smile_and_sign(logits.astype(np.float64))
    signed = (labels == HAPPY) | np.isin(labels, [CLASSES.index(name) for name in NEGATIVE])
    return ExpressionReport(
        faces=len(labels),
        accuracy=float(right.mean()),
        majority=float(counts.max() / len(labels)),
        per_class={CLASSES[i]: float(right[labels == i].mean()) for i in present},
        counts={CLASSES[i]: int(counts[i]) for i in present},
        smile_auc=auc(smiles, labels == HAPPY),
        valence_auc=auc(signs[signed], labels[signed] == HAPPY),
    )


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: how often a positive scores above a negative, ties half. None where a side is empty."""
    above, below = scores[positive], np.sort(scores[~positive])
    if not len(above) or not len(below):
        return None
    wins = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
    return float(wins.sum() / (2 * len(above) * len(below)))


def class_of(name: str, where: object) -> int:
    """The index of a class, by its name or another customary one.

    Raises:
        DataError: nobody calls an expression so.
    """
    known = OTHER_NAMES.get(name.strip().lower(), name.strip().lower())
    if known not in CLASSES:
        raise DataError("unknown expression", where=where, got=name or "nothing", allowed=", ".join(CLASSES))
    return CLASSES.index(known)


def expression_part(person: str) -> str:
    """The split of a person's portraits: a third train, a sixth choose (`val`), half are never looked at (`test`)."""
    return ("test", "train", "test", "train", "test", "val")[zlib.crc32(person.encode()) % 6]


def find_faces(data: Path) -> Sequence[tuple[Path, int]]:
    """(picture, class) pairs of a CSV, or of a folder with a folder per class, in a fixed order.

    Raises:
        DataError: no faces there, a class nobody knows, a missing file, or a CSV without the two columns.
    """
    found = _from_folders(data) if data.is_dir() else _from_csv(data)
    if not found:
        raise DataError(
            "no faces there", where=data, allowed=f"folders {', '.join(CLASSES)}, or a CSV with file and label"
        )
    return found


def read_face(path: Path) -> U8:
    """A cropped face as [48, 48] grey.

    Raises:
        DataError: not a picture.
    """
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L").resize((SIZE, SIZE), Image.Resampling.BOX))
    except OSError as error:
        raise DataError("the picture cannot be read", where=path, got=error) from error


def _from_folders(data: Path) -> list[tuple[Path, int]]:
    folders = sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))
    labelled = [(folder, class_of(folder.name, data)) for folder in folders]
    return [
        (path, label)
        for folder, label in labelled
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in PICTURES
    ]


def _from_csv(data: Path) -> list[tuple[Path, int]]:
    try:
        with data.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError("the table cannot be read", where=data, got=error, allowed="CSV in UTF-8") from error
    found = []
    for number, row in enumerate(rows, 2):
        where = f"{data}:{number}"
        if not row.get("file") or row.get("label") is None:
            raise DataError("a row needs a file and a label", where=where, allowed="columns file, label")
        if not (data.parent / row["file"]).is_file():
            raise DataError("the file is missing", where=where, got=row["file"])
        found.append((data.parent / row["file"], class_of(row["label"], where)))
    return found


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
