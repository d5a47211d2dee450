"""Good pictures for the colour task: crops of photographs, film frames, portraits and shots, and what the encoder
says of each under a few lights.

    crop [96, 160, 3] --area mean--> good picture [48, 64, 3]
                      --faults-----> encoder --> rows of X [LIGHTS, 128]

Faults are drawn anew at every step on the small picture; the row beside it was seen under others, so it can tell what
is seen, and nothing about the light.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from roughcut.errors import DataError
from roughcut.evaluation.colour import read_picture
from roughcut.features.frames import ENCODER_SIZE, resize
from roughcut.media.probe import probe
from roughcut.media.stills import stills_at
from roughcut.models import store
from roughcut.records import F32, U8, Progress
from roughcut.spatial.mapper import INPUT_SIZE
from roughcut.training.faults import FaultSettings, degrade
from roughcut.training.manifest import Clip, Manifest, Split

LIGHTS = 3  # the crop as it is, and twice under faults
FRAMES = 4  # of a shot
SHARES = {"still": 1.0, "frame": 0.4, "portrait": 0.4, "shot": 0.25}  # of the crops, by material
FORMAT = 1  # rises when what is kept changes
Rng = np.random.Generator


@dataclass(frozen=True)
class Pool:
    """N good pictures."""

    good: U8
    """[N, 48, 64, 3]"""
    rows: F32
    """[N, LIGHTS, 128] embeddings"""


def load_pool(manifest: Manifest, split: Split, crops: int, seed: int, cache: Path, progress: Progress) -> Pool:
    """`crops` parts of every picture of a split; where it is 1, the whole pictures. Kept in `cache`.

    Raises:
        DataError: a clip cannot be read, or there is none. ModelError: no encoder.
    """
    clips, found = manifest.of(split), list[Pool]()
    for i, clip in enumerate(clips):
        progress(f"looking at {split} pictures", i, len(clips))
        found.append(_cached(clip, crops, seed, cache))
    if not found:
        raise DataError("no picture to learn from", where=manifest.path, got=f"split {split}")
    return Pool(np.concatenate([p.good for p in found]), np.concatenate([p.rows for p in found]))


def _cached(clip: Clip, crops: int, seed: int, cache: Path) -> Pool:
    crops = max(round(crops * SHARES[clip.labels.get("material", "")]), 1)
    told = f"{clip.file.name}|{clip.file.stat().st_size}|{clip.range}|{crops}|{seed}|{FORMAT}"
    key = hashlib.sha256(told.encode()).hexdigest()[:24]
    path = cache / f"colour-{key}.npz"
    if path.exists():
        held = np.load(path, allow_pickle=False)
        return Pool(held["good"], held["rows"])
    made = _made(clip, crops, np.random.default_rng([seed, int(key[:8], 16)]))
    cache.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, good=made.good, rows=made.rows)
    temporary.replace(path)
    return made


def _made(clip: Clip, crops: int, rng: Rng) -> Pool:
    parts = np.stack([_part(picture, rng, crops > 1) for picture in _pictures(clip) for _ in range(crops)])
    whole = torch.from_numpy(parts).float() / 255
    draw = torch.Generator().manual_seed(int(rng.integers(2**31)))
    lights = [whole, *(degrade(whole, FaultSettings(clean=0.0), draw)[0] for _ in range(LIGHTS - 1))]
    encoder = store.load("encoder")
    rows = [np.concatenate([encoder.run(pictures=p[None])["embedding"] for p in _bytes(light)]) for light in lights]
    return Pool(_bytes(small(whole)), np.stack(rows, axis=1))


def small(pictures: Tensor) -> Tensor:
    """[N, h, w, 3] to [N, 48, 64, 3], averaged over areas."""
    width, height = INPUT_SIZE
    return F.adaptive_avg_pool2d(pictures.permute(0, 3, 1, 2), (height, width)).permute(0, 2, 3, 1)


def _bytes(pictures: Tensor) -> U8:
    codes: U8 = (pictures * 255).round().to(torch.uint8).numpy()
    return codes


def _pictures(clip: Clip) -> Iterator[U8]:
    """A picture, or a few frames of a shot."""
    if clip.labels.get("material") != "shot":
        yield read_picture(clip.file)
        return
    info = probe(clip.file)
    times = [info.range.start + info.range.duration * Fraction(2 * k + 1, 2 * FRAMES) for k in range(FRAMES)]
    yield from stills_at(info, times)


def _part(picture: U8, rng: Rng, cropped: bool) -> U8:
    """[96, 160, 3]: a crop of a quarter of the area or more, or all of it."""
    height, width = picture.shape[:2]
    h, w = (round(side * rng.uniform(0.5, 1.0)) if cropped else side for side in (height, width))
    y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    part: U8 = resize(np.ascontiguousarray(picture[None, y : y + h, x : x + w]), *ENCODER_SIZE)[0]
    return part
