"""How often a person can be known again under a cover, among many.

    python benchmarks/reidentify.py DATA_DIR [--seed 0]

Of each person with two portraits or more one is looked for (the probe), another waits among one portrait of everybody
else (the gallery). The attacker knows the cover: the gallery is covered as the probe is ("parrot attack": Newton,
Sweeney, Malin 2005), and what lies under it is compared by three matchers, none of which is a face recogniser: grey
pixels, directions of gradients, and roughcut's encoder. Rank 1: the nearest is the right one. Ties are lots drawn.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from roughcut.effects.covers import covered
from roughcut.features.faces import FaceDetector
from roughcut.features.frames import embedded
from roughcut.media.picture import Film, FilmPicture
from roughcut.models import store
from roughcut.planner.covers import MARGIN, widened
from roughcut.records import FilmSpec
from roughcut.records.effects import Cover

SIDE, CELLS, DIRECTIONS = 48, 6, 8
HOWS = ("none", "blur", "mosaic", "solid")
Rows = np.ndarray


def faces_of(data: Path) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Person -> (portrait [h, w, 3], box in shares) where the shipped detector finds a face, even sides."""
    detector, found = FaceDetector(), defaultdict(list)
    with (data / "faces" / "portraits.csv").open(encoding="utf-8", newline="") as lines:
        named = [row for row in csv.DictReader(lines) if row["person"]]
    for row in named:
        rgb = np.asarray(Image.open(data / row["file"]).convert("RGB"))
        rgb = np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
        faces = detector(rgb, 0.6)
        if len(faces):
            found[row["person"]].append((rgb, faces.boxes[0] / np.array([rgb.shape[1], rgb.shape[0]] * 2)))
    return found


def under(rgb: np.ndarray, box: np.ndarray, how: str) -> np.ndarray:
    """[48, 48, 3]: a face as the film shows it, without what lies around it."""
    height, width = rgb.shape[:2]
    if how != "none":
        film = Film(FilmSpec(width=width, height=height, rate=Fraction(25)))
        wide = tuple(float(v) for v in np.clip(widened(box[None].astype(np.float32), MARGIN)[0], -1, 2))
        effect = Cover(how=how, person="1", times=(Fraction(0), Fraction(1)), boxes=(wide, wide))
        rgb = np.asarray(covered(FilmPicture(film.from_rgb(rgb), film), effect, Fraction(0)).rgb(), np.uint8)
    area = tuple((box * np.array([width, height] * 2)).round().astype(int))
    return np.asarray(Image.fromarray(rgb).crop(area).resize((SIDE, SIDE), Image.Resampling.BOX))


def grey(faces: np.ndarray) -> Rows:
    """[N, 2304] luma without mean, of unit length."""
    return _unit(faces.astype(np.float32).mean(3).reshape(len(faces), -1))


def gradients(faces: np.ndarray) -> Rows:
    """[N, 6 * 6 * 8] histograms of gradient directions by cell (Dalal and Triggs 2005)."""
    light = faces.astype(np.float32).mean(3)
    dy, dx = np.gradient(light, axis=(1, 2))
    strength, bins = np.hypot(dx, dy), ((np.arctan2(dy, dx) / np.pi + 1) / 2 * DIRECTIONS).astype(int) % DIRECTIONS
    planes = np.stack([strength * (bins == k) for k in range(DIRECTIONS)], -1)
    cells = planes.reshape(len(faces), CELLS, SIDE // CELLS, CELLS, SIDE // CELLS, DIRECTIONS).sum((2, 4))
    return _unit(np.sqrt(cells).reshape(len(faces), -1))


def encoder(faces: np.ndarray) -> Rows:
    """[N, 128]"""
    return _unit(np.concatenate(list(embedded(store.load("encoder"), faces))))


def _unit(rows: Rows) -> Rows:
    rows = rows - rows.mean(1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def rank_one(probes: Rows, gallery: Rows, rng: np.random.Generator) -> float:
    """Share of probes, whose own portrait has the same place in the gallery, that are nearest to it."""
    likeness = np.round(probes @ gallery.T, 5)
    lots = likeness + rng.uniform(0, 1e-6, likeness.shape)
    return float((lots.argmax(1) == np.arange(len(probes))).mean())


def measure(people: Sequence[list[tuple[np.ndarray, np.ndarray]]], how: str, rng: np.random.Generator) -> list[float]:
    """Rank 1 by each matcher; those with two portraits come first."""
    again = [shots for shots in people if len(shots) > 1]
    others = [shots for shots in people if len(shots) == 1]
    gallery = np.stack([under(*shots[0], how) for shots in (*again, *others)])
    probes = np.stack([under(*shots[1], how) for shots in again])
    matchers: tuple[Callable[[np.ndarray], Rows], ...] = (grey, gradients, encoder)
    return [rank_one(matcher(probes), matcher(gallery), rng) for matcher in matchers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    people = list(faces_of(given.data).values())
    again = sum(len(shots) > 1 for shots in people)
    print(f"{again} persons looked for among {len(people)}; by chance {1 / len(people):.4f}")
    print(f"{'cover':<8}{'grey':>8}{'gradients':>11}{'encoder':>9}")
    for how in HOWS:
        grey_, gradients_, encoder_ = measure(people, how, np.random.default_rng(given.seed))
        print(f"{how:<8}{grey_:8.4f}{gradients_:11.4f}{encoder_:9.4f}")


if __name__ == "__main__":
    main()
