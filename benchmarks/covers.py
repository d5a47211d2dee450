"""How many faces `--faces hide` covers, on films whose faces are where they were put.

    python benchmarks/covers.py MANIFEST [--films 16] [--seed 0] [--detector ONNX]

A film: 75 frames of 640x360; a background without faces that drifts, and three faces of held-out portraits on it that
enter at a border, wander, hurry, grow, shrink, and pass behind a post; half of the films cut to another scene in the
middle, a third are dark and noisy. A face counts where half of it or more is in the picture and not behind the post; it
is covered where nine tenths of what is seen of it lie under a cover. Every frame counts, those between the looks too.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

from roughcut.effects.covers import box_then
from roughcut.features.faces import FaceDetector
from roughcut.media.probe import probe
from roughcut.people import list_faces
from roughcut.planner.covers import keyed
from roughcut.records.effects import Cover
from roughcut.training.face_scenes import Cutting, cut
from roughcut.training.faces import teacher_of
from roughcut.training.manifest import read

WIDTH, HEIGHT, FRAMES, RATE = 640, 360, 75, 25
FACES = 3
POST = (300, 340)  # left and right of what faces pass behind
SEEN, COVERED = 0.5, 0.9


@dataclass(frozen=True)
class Walk:
    """The way of a face: its height and the middle of its box at each frame."""

    cutting: Cutting
    heights: np.ndarray
    places: np.ndarray

    def box(self, k: int) -> np.ndarray:
        sides = self.cutting.box[2:] - self.cutting.box[:2]
        half = sides / sides[1] * self.heights[k] / 2
        return np.concatenate([self.places[k] - half, self.places[k] + half])


def walk(cutting: Cutting, rng: np.random.Generator) -> Walk:
    """In from a border or from inside; a way through three points, at 2 to 20 pixels a frame; size changes by half."""
    t = np.linspace(0, 1, FRAMES)
    hurry = float(np.exp(rng.uniform(np.log(0.2), np.log(2.5))))
    points = np.stack([rng.uniform(-0.1, 1.1, 3) * WIDTH, rng.uniform(0.15, 0.85, 3) * HEIGHT], 1)
    way = np.interp((t * hurry) % 2, [0, 0.5, 1, 1.5, 2], np.arange(5))
    path = np.stack([np.interp(way, np.arange(5), column[[0, 1, 2, 1, 0]]) for column in points.T], 1)
    size = float(np.exp(rng.uniform(np.log(28), np.log(120))))
    heights = size * np.exp(rng.uniform(-0.5, 0.5) * np.sin(np.pi * t))
    return Walk(cutting, heights, path)


def drawn(background: Image.Image, walks: Sequence[Walk], k: int, dark: float, rng: np.random.Generator) -> np.ndarray:
    left = int(20 * np.sin(k / 40) + 20)
    frame = background.crop((left, 10, left + WIDTH, 10 + HEIGHT))
    for one in walks:
        scale = one.heights[k] / one.cutting.height
        size = tuple(max(round(s * scale), 2) for s in one.cutting.picture.size)
        head, mask = (part.resize(size, Image.Resampling.BILINEAR) for part in (one.cutting.picture, one.cutting.mask))
        corner = one.box(k)[:2] - one.cutting.box[:2] * scale
        frame.paste(head, tuple(round(float(v)) for v in corner), mask)
    ImageDraw.Draw(frame).rectangle((POST[0], 0, POST[1], HEIGHT), fill=(90, 80, 70))
    levels = np.asarray(frame, np.float32) * dark
    return (levels + rng.normal(0, 3 + 8 * (dark < 1), levels.shape)).clip(0, 255).astype(np.uint8)


def write(path: Path, frames: Sequence[np.ndarray]) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        out.mux(stream.encode(None))


def seen_pixels(box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A 20 x 20 grid of points of a box, and which of them are seen."""
    x, y = (np.linspace(a, b, 20) for a, b in (box[::2], box[1::2]))
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    inside = ((points >= 0) & (points < [WIDTH, HEIGHT])).all(1)
    return points, inside & ~((points[:, 0] >= POST[0]) & (points[:, 0] <= POST[1]))


def under(points: np.ndarray, boxes: Sequence[tuple[float, ...]]) -> np.ndarray:
    """Which points lie under one of the rounded boxes (shares of the picture)."""
    hidden = np.zeros(len(points), bool)
    for left, top, right, bottom in boxes:
        x = (points[:, 0] / WIDTH - left) / (right - left) * 2 - 1
        y = (points[:, 1] / HEIGHT - top) / (bottom - top) * 2 - 1
        hidden |= x**4 + y**4 <= 1
    return hidden


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--films", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--detector", type=Path)
    given = parser.parse_args()
    manifest = read(given.manifest)
    teacher = FaceDetector(teacher_of(manifest))
    cuttings, empty = [], []
    for clip in manifest.of("test"):
        if clip.labels["material"] in ("portrait", "still"):
            picture = Image.open(clip.file).convert("RGB")
            faces = teacher(np.asarray(picture), 0.2)
            if clip.labels["material"] == "portrait" and len(faces) and faces.scores[0] >= 0.8:
                cuttings.append(cut(picture, faces.boxes[0]))
            elif not len(faces):
                empty.append(picture.resize((WIDTH + 60, HEIGHT + 40)))
    counts = np.zeros(2, int)
    shares, extra = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.films):
            found, total, share, spare = film(Path(folder) / f"{number}.mp4", number, given, cuttings, empty)
            counts += (found, total)
            shares += share
            extra += spare
    print(f"{given.films} films, {counts[1]} faces in frames: {counts[0] / counts[1]:.2%} covered")
    print(f"pixels of faces covered: {np.mean(shares):.2%}; covers take {extra / given.films:.1%} of the picture")


def film(path: Path, number: int, given: argparse.Namespace, cuttings: list[Cutting], empty: list[Image.Image]):  # type: ignore[no-untyped-def]
    """(covered, faces, shares of each face covered, mean share of the picture under covers)."""
    rng = np.random.default_rng((given.seed, number))
    cut_at = FRAMES // 2 if number % 2 else FRAMES
    dark = 0.35 if number % 3 == 0 else 1.0
    scenes = []
    for _ in range(2):
        walks = [walk(cuttings[int(rng.integers(len(cuttings)))], rng) for _ in range(FACES)]
        scenes.append((empty[int(rng.integers(len(empty)))], walks))
    frames = [drawn(*scenes[k >= cut_at], k, dark, rng) for k in range(FRAMES)]
    write(path, frames)
    tracks = list_faces(probe(path), network=given.detector, cache=False).tracks
    covers = [Cover(times=t, boxes=tuple(map(tuple, b.tolist()))) for t, b in map(keyed, tracks)]
    covered = total = 0
    shares, spare = [], 0.0
    for k in range(FRAMES):
        boxes = [b for c in covers if (b := box_then(c, Fraction(2 * k + 1, 2 * RATE))) is not None]
        grid = np.stack(np.meshgrid(np.arange(0, WIDTH, 10), np.arange(0, HEIGHT, 10)), -1).reshape(-1, 2)
        spare += under(grid, boxes).mean() / FRAMES
        walks = scenes[k >= cut_at][1]
        for i, one in enumerate(walks):
            points, seen = seen_pixels(one.box(k))
            for other in walks[i + 1 :]:  # pasted later, so in front
                b = other.box(k)
                seen &= ~((points >= b[:2]) & (points <= b[2:])).all(1)
            if seen.mean() < SEEN:
                continue
            hidden = float(under(points[seen], boxes).mean())
            total += 1
            covered += hidden >= COVERED
            shares.append(hidden)
    return covered, total, shares, spare


if __name__ == "__main__":
    main()
