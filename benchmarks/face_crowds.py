"""Held-out faces for `roughcut evaluate faces`: pictures that the detector was never trained on.

    python benchmarks/face_crowds.py MANIFEST OUT [--crowds 60] [--seed 0]

`OUT/crowds`: faces of held-out portraits pasted on held-out pictures without faces, disturbed as in training; truth is
where they were put. `OUT/real`: held-out pictures as they are; truth is what the teacher says, so figures measure
agreement with it, and its own are 1.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from roughcut.features.faces import LONG_SIDE, FaceDetector
from roughcut.training.face_scenes import crowd, cut, disturbed
from roughcut.training.manifest import read

SURE, DOUBTFUL, NO_FACE = 0.6, 0.3, 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--crowds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    manifest = read(given.manifest)
    teacher = FaceDetector(next(c.file for c in manifest.clips if c.labels["material"] == "teacher"))
    empty, cuttings, real = [], [], {}
    for clip in (c for c in manifest.of("test") if c.labels["material"] not in ("teacher", "shot")):
        picture = Image.open(clip.file).convert("RGB")
        faces = teacher(np.asarray(picture), NO_FACE)
        if not len(faces):
            empty.append(picture)
        elif clip.labels["material"] == "portrait" and faces.scores[0] >= SURE:
            cuttings.append(cut(picture, faces.boxes[0]))
        if clip.labels["material"] != "portrait":
            parts = (faces.scores >= SURE, (faces.scores >= DOUBTFUL) & (faces.scores < SURE))
            boxes, doubtful = (faces.boxes[part].tolist() for part in parts)
            real[f"{clip.file.stem}.png"] = (picture, {"boxes": boxes, "ignore": doubtful})
    write(given.out / "real", real)
    crowds = {}
    for number in range(given.crowds):
        rng = np.random.default_rng((given.seed, number))
        picture, boxes = crowd(rng, empty, cuttings, LONG_SIDE)
        crowds[f"{number:03d}.png"] = (Image.fromarray(disturbed(picture, rng)), {"boxes": boxes})
    write(given.out / "crowds", crowds)


def write(folder: Path, pictures: dict[str, tuple[Image.Image, dict[str, list[list[float]]]]]) -> None:
    """Pictures and their `boxes.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (picture, _) in pictures.items():
        picture.save(folder / name)
    (folder / "boxes.json").write_text(json.dumps({name: truth for name, (_, truth) in pictures.items()}))
    print(f"{folder}: {len(pictures)} pictures, {sum(len(t['boxes']) for _, t in pictures.values())} faces")


if __name__ == "__main__":
    main()
