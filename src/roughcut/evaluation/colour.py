"""`roughcut evaluate colour`: what a correction makes of faulty pictures whose originals are known.

    DATA/degraded/NAME.png   a faulty picture        DATA/target/NAME.png   the same as it should be

Measured against doing nothing and against three classics that look at nothing but statistics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut.effects.looks import apply_look
from roughcut.errors import DataError
from roughcut.evaluation.delta_e import LUMINANCE, ciede2000, display, lab, linear
from roughcut.grading import Eye
from roughcut.models import store
from roughcut.records import U8, Progress, no_progress

Method = Callable[[U8], U8]
HARM = 0.5  # CIEDE2000 by which a picture must get worse to count as harmed
_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True, kw_only=True)
class ColourScore:
    """One method on all pictures."""

    delta_e: float
    """Mean CIEDE2000 to the target."""
    psnr: float
    """Mean over pictures in dB, at most 60 each."""
    angle: float
    """Mean angle in degrees between the mean linear RGB of result and target: the cast that is left."""
    changed: float
    """Mean CIEDE2000 to the picture given."""
    harmed: float
    """Share of pictures whose CIEDE2000 grew by more than 0.5."""


@dataclass(frozen=True, kw_only=True)
class ColourReport:
    """All methods on one folder."""

    pictures: int
    scores: Mapping[str, ColourScore]

    def table(self) -> str:
        """One row per method."""
        count = f"{self.pictures} pictures"
        rows = [
            f"{name:<16}{s.delta_e:8.2f}{s.psnr:8.2f}{s.angle:8.2f}{s.changed:9.2f}{s.harmed:8.3f}"
            for name, s in self.scores.items()
        ]
        return "\n".join([f"{count:<16}{'dE00':>8}{'PSNR':>8}{'angle':>8}{'changed':>9}{'harmed':>8}", *rows])

    def json(self) -> dict[str, Any]:
        """The same for machines."""
        return {"pictures": self.pictures, "scores": {name: vars(s) for name, s in self.scores.items()}}


def evaluate_colour(
    data: Path, *, models: Path | None = None, progress: Progress = no_progress, **_: Any
) -> ColourReport:
    """Measure the shipped correction (or the one in `models`) and the classics on pairs of pictures.

    Raises:
        DataError: a folder is missing, a pair is not whole, or sizes differ. ModelError: no network.
    """
    pairs = find_pairs(data)
    methods = {**CLASSICS, "ours": corrector(Eye(Folder(models) if models else store))}
    rows: dict[str, list[NDArray[np.float64]]] = {name: [] for name in methods}
    for i, (faulty_path, target_path) in enumerate(pairs):
        progress("measuring colour", i, len(pairs))
        faulty, target = read_picture(faulty_path), read_picture(target_path)
        if faulty.shape != target.shape:
            raise DataError(
                "the two pictures differ in size", where=faulty_path, got=faulty.shape, allowed=target.shape
            )
        for name, row in _measured(faulty, target, methods):
            rows[name].append(row)
    return ColourReport(pictures=len(pairs), scores={name: _score(np.stack(found)) for name, found in rows.items()})


def corrector(eye: Eye) -> Method:
    """The product's own way for one picture [h, w, 3]: look at it, take one look, apply it."""
    return lambda picture: np.asarray(apply_look(picture, eye.look(picture)), np.uint8)


def unchanged(picture: U8) -> U8:
    """The first thing to beat."""
    return picture


def gray_world(picture: U8) -> U8:
    """Mean of the scene is grey (Buchsbaum 1980): channel means made equal in linear light, luminance kept."""
    return _balanced(picture, order=1)


def shades_of_gray(picture: U8) -> U8:
    """The same with the Minkowski mean of order 6 (Finlayson and Trezzi 2004)."""
    return _balanced(picture, order=6)


def auto_levels(picture: U8) -> U8:
    """Every channel stretched so that 0.5 % of the pixels lie beyond either end."""
    low, high = np.asarray(np.percentile(picture.reshape(-1, 3), (0.5, 99.5), axis=0), np.float64)
    return _bytes((picture - low) / np.maximum(high - low, 1))


CLASSICS: dict[str, Method] = {
    "input": unchanged,
    "gray-world": gray_world,
    "shades-of-gray": shades_of_gray,
    "auto-levels": auto_levels,
}


def find_pairs(data: Path) -> list[tuple[Path, Path]]:
    """Faulty picture and target by equal stem, sorted.

    Raises:
        DataError: a folder is missing or empty, or a picture has no partner.
    """
    sides = []
    for part in ("degraded", "target"):
        if not (data / part).is_dir():
            raise DataError("the folder is missing", where=data / part, allowed="degraded/ and target/ of equal names")
        sides.append({p.stem: p for p in sorted((data / part).iterdir()) if p.suffix.lower() in _SUFFIXES})
    lonely = sorted(set(sides[0]) ^ set(sides[1]))
    if lonely or not sides[0]:
        got = ", ".join(lonely[:3]) or "no picture"
        raise DataError(
            "pictures without a partner", where=data, got=got, allowed="equal names in degraded/ and target/"
        )
    return [(sides[0][stem], sides[1][stem]) for stem in sides[0]]


def read_picture(path: Path) -> U8:
    """[h, w, 3] display RGB.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with Image.open(path) as file:
            return np.asarray(file.convert("RGB"))
    except (OSError, ValueError) as error:
        raise DataError("the picture cannot be read", where=path, got=error) from error


@dataclass(frozen=True)
class Folder:
    """A store over networks that were just trained."""

    folder: Path

    def load(self, name: str) -> store.Model:
        return store.load_path(self.folder / f"{name}.onnx")


def _measured(faulty: U8, target: U8, methods: Mapping[str, Method]) -> list[tuple[str, NDArray[np.float64]]]:
    """Per method: [dE00 to the target, PSNR, angle, dE00 to the faulty picture, 1 where harmed]."""
    goal, given = lab(target / 255), lab(faulty / 255)
    before = ciede2000(given, goal).mean()
    found = []
    for name, method in methods.items():
        result = method(faulty)
        shown = lab(result / 255)
        error, change = ciede2000(shown, goal).mean(), ciede2000(shown, given).mean()
        harmed = float(error > before + HARM)
        found.append((name, np.array([error, _psnr(result, target), _angle(result, target), change, harmed])))
    return found


def _score(rows: NDArray[np.float64]) -> ColourScore:
    error, psnr, angle, changed, harmed = (float(v) for v in rows.mean(0))
    return ColourScore(delta_e=error, psnr=psnr, angle=angle, changed=changed, harmed=harmed)


def _psnr(one: U8, other: U8) -> float:
    squared = float(np.mean((one.astype(np.float64) - other) ** 2))
    return min(60.0, 10 * math.log10(255**2 / max(squared, 1e-9)))


def _angle(one: U8, other: U8) -> float:
    a, b = (linear(x / 255).mean((0, 1)) + 1e-6 for x in (one, other))
    cosine = float(np.dot(a, b)) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def _balanced(picture: U8, order: int) -> U8:
    light = linear(picture / 255)
    gains = np.maximum((light**order).mean((0, 1)), 1e-12) ** (-1 / order)
    return _bytes(display(light * (gains / (gains @ LUMINANCE))))


def _bytes(rgb: NDArray[np.float64]) -> U8:
    out: U8 = (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)
    return out
