"""Good patches made noisy, soft or coded, each with what every pair of strengths of the product's own filters gains.

    good [192, 192, 3] --blur, noise, JPEG--> faulty --Denoise x Sharpen--> SSIM to good, less that of faulty: [6, 4]

Labels are found by search, not by a formula: they hold for the filters as they are. They are kept clip by clip in the
cache folder, since finding them takes longer than the training.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut.errors import DataError
from roughcut.evaluation.colour import read_picture
from roughcut.evaluation.restoration import light_of, picture_of, ssim_table
from roughcut.media.probe import probe
from roughcut.media.stills import stills_at
from roughcut.records import F32, U8, Progress
from roughcut.spatial.restoration import DENOISE, FLAT, PATCH, SHARPEN
from roughcut.training.manifest import Clip, Manifest, Split

FORMAT = 1  # rises when faults or filters change
Rng = np.random.Generator
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """N faulty patches and what restoring them gains."""

    patches: U8
    """[N, 192, 192] light"""
    gains: F32
    """[N, 6, 4] SSIM"""
    clean: NDArray[np.bool_]
    """[N] True where nothing was done to the patch"""


def load_pairs(
    manifest: Manifest, split: Split, rounds: int, clean: float, seed: int, cache: Path, progress: Progress
) -> Pairs:
    """`rounds` patches of each photograph of a split, twice as many of each shot, a share `clean` of them untouched.

    Raises:
        DataError: a clip cannot be read, or none is large enough.
    """
    clips, found = manifest.of(split), list[Pairs]()
    for i, clip in enumerate(clips):
        progress(f"searching strengths, {split}", i, len(clips))
        made = _cached(clip, rounds, clean, seed, cache)
        if len(made.patches):
            found.append(made)
    if not found:
        raise DataError("no picture of at least 192 x 192", where=manifest.path, got=f"split {split}")
    return Pairs(
        np.concatenate([p.patches for p in found]),
        np.concatenate([p.gains for p in found]),
        np.concatenate([p.clean for p in found]),
    )


def _cached(clip: Clip, rounds: int, clean: float, seed: int, cache: Path) -> Pairs:
    told = f"{clip.file.name}|{clip.file.stat().st_size}|{rounds}|{clean}|{seed}|{FORMAT}|{DENOISE}|{SHARPEN}"
    key = hashlib.sha256(told.encode()).hexdigest()[:24]
    path = cache / f"restoration-{key}.npz"
    if path.exists():
        held = np.load(path, allow_pickle=False)
        return Pairs(held["patches"], held["gains"], held["clean"])
    made = _made(clip, rounds, clean, np.random.default_rng([seed, int(key[:8], 16)]))
    cache.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, patches=made.patches, gains=made.gains, clean=made.clean)
    temporary.replace(path)
    return made


def _made(clip: Clip, rounds: int, clean: float, rng: Rng) -> Pairs:
    patches, gains, untouched = [], [], []
    for picture in _pictures(clip):
        if min(picture.shape[:2]) < PATCH:
            continue
        for _ in range(rounds):
            good = _crop(picture, rng)
            if light_of(picture_of(good)).std() < FLAT:
                continue
            untouched.append(bool(rng.random() < clean))
            faulty = good if untouched[-1] else degraded(good, rng)
            table = ssim_table(faulty, good)
            gains.append(table - table[0, 0])
            patches.append(np.rint(light_of(picture_of(faulty))).clip(0, 255).astype(np.uint8))
    return Pairs(
        np.stack(patches) if patches else np.zeros((0, PATCH, PATCH), np.uint8),
        np.asarray(gains, np.float32).reshape(-1, len(DENOISE), len(SHARPEN)),
        np.asarray(untouched, bool),
    )


def _pictures(clip: Clip) -> Iterator[U8]:
    """A photograph, or two frames of a shot in full size."""
    if clip.labels.get("material") == "still":
        yield read_picture(clip.file)
        return
    info = probe(clip.file)
    length = info.range.duration
    yield from stills_at(info, [info.range.start + length * Fraction(k, 3) for k in (1, 2)])


def _crop(picture: U8, rng: Rng) -> U8:
    y, x = (int(rng.integers((side - PATCH) // 2 + 1)) * 2 for side in picture.shape[:2])
    part = picture[y : y + PATCH, x : x + PATCH]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def degraded(good: U8, rng: Rng) -> U8:
    """At least one of: blur (defocus, motion, a soft lens), a camera's noise, a low JPEG quality."""
    kinds = rng.random(3) < (0.5, 0.6, 0.35)
    if not kinds[:2].any():
        kinds[int(rng.integers(2))] = True
    pixels = good.astype(np.float64)
    if kinds[0]:
        pixels = _convolved(pixels, _blur(rng))
    if kinds[1]:
        pixels = pixels + _noise(pixels, rng)
    made = (np.clip(pixels, 0, 255) + 0.5).astype(np.uint8)
    return _recorded(made, rng) if kinds[2] else made


def _blur(rng: Rng) -> F64:
    """[k, k] a Gaussian, a disc, or a stroke."""
    reach = np.arange(-7, 8)
    y, x = np.meshgrid(reach, reach, indexing="ij")
    kind = rng.random()
    if kind < 0.5:
        kernel = np.exp(-0.5 * (x * x + y * y) / np.exp(rng.uniform(np.log(0.4), np.log(2.2))) ** 2)
    elif kind < 0.75:
        kernel = np.clip(rng.uniform(0.8, 3.0) + 0.5 - np.hypot(x, y), 0, 1)
    else:
        angle, half = rng.uniform(0, np.pi), rng.uniform(0.7, 3.5)
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        kernel = np.clip(half + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return np.asarray(kernel / kernel.sum())


def _noise(pixels: F64, rng: Rng) -> F64:
    """Shot and read noise, partly the same in all channels, at times spread over neighbours as demosaicing does."""
    level = float(np.exp(rng.uniform(np.log(1.5), np.log(28))))
    shot = rng.uniform(0, 1)
    deviation = level * np.sqrt(1 - shot + 2 * shot * pixels / 255)
    alike = rng.uniform(0, 1)
    height, width = pixels.shape[:2]
    field = np.sqrt(alike) * rng.normal(size=(height, width, 1)) + np.sqrt(1 - alike) * rng.normal(size=pixels.shape)
    if rng.random() < 0.4:
        soft = _convolved(field, _gaussian(rng.uniform(0.35, 0.9)))
        field = soft / soft.std()
    return np.asarray(field * deviation)


def _gaussian(sigma: float) -> F64:
    reach = np.arange(-3, 4)
    line = np.exp(-0.5 * (reach / sigma) ** 2)
    kernel = np.outer(line, line)
    return np.asarray(kernel / kernel.sum())


def _convolved(pixels: F64, kernel: F64) -> F64:
    """[h, w, c] under an odd square kernel, edges repeated, by FFT."""
    room = len(kernel) // 2
    padded = np.pad(pixels, ((room, room), (room, room), (0, 0)), mode="edge")
    size = padded.shape[:2]
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * np.fft.rfft2(kernel, size)[..., None]
    made = np.fft.irfft2(spectrum, size, axes=(0, 1))
    return np.asarray(made[2 * room :, 2 * room :])


def _recorded(picture: U8, rng: Rng) -> U8:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=int(rng.integers(40, 93)), subsampling=2)
    return np.asarray(Image.open(file).convert("RGB"))
