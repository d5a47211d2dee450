"""Effects that lie on the picture's surface: vignette, grain, letterbox."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from roughcut.effects.planes import Plane, scaled_to_black
from roughcut.records import F32, Picture
from roughcut.records.effects import Grain, Letterbox, Vignette

ROOM = 256  # pixels: each frame's grain is cut from one field at another place within these
UNIT, SHIFT = 16, 7  # of the field's integers, and of their product with the strength: 16 bits hold it at 8 bits
HALF = 1 << (SHIFT - 1)
REACH = 3.3  # deviations: the most that a grain stands out
ROWS = 32  # worked on at a time
Strength = NDArray[np.int16] | NDArray[np.int32]


@dataclass(frozen=True)
class _Fall:
    """The light of a vignette by place: 1 inside, falling as a cubic step to 1 - amount in the corners."""

    amount: float
    reach: float

    def __call__(self, height: int, width: int) -> F32:
        y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in (height, width))
        far = np.sqrt((y[:, None] ** 2 + x[None] ** 2) / 2)
        part = np.clip((far - self.reach) / (1 - self.reach), 0, 1)
        light: F32 = (1 - self.amount * part * part * (3 - 2 * part)).astype(np.float32)
        return light


def vignette(picture: Picture, effect: Vignette) -> Picture:
    """Darker towards the corners."""
    if effect.amount == 0:
        return picture
    return scaled_to_black(picture, _Fall(effect.amount, effect.reach))


def letterbox(picture: Picture, effect: Letterbox) -> Picture:
    """Bars of black; a picture of that shape already stays as it is."""
    high, wide = (
        min(1.0, picture.width / effect.aspect / picture.height),
        min(1.0, picture.height * effect.aspect / picture.width),
    )
    rows, columns = (round(n * (1 - share) / 4) * 2 for n, share in ((picture.height, high), (picture.width, wide)))
    if rows <= 0 and columns <= 0:
        return picture
    planes = [plane.copy() for plane in picture.planes()]
    for plane, black in zip(planes, picture.black(), strict=True):
        h, w = plane.shape
        r, c = rows * h // picture.height, columns * w // picture.width
        if r:
            plane[:r], plane[h - r :] = black, black
        if c:
            plane[:, :c], plane[:, w - c :] = black, black
    return picture.with_planes(planes)


@lru_cache(maxsize=4)
def _field(seed: int, height: int, width: int) -> NDArray[np.int16]:
    """[height, width] noise of deviation UNIT, a little soft, as grain is."""
    white = np.random.default_rng(seed).standard_normal((height, width), np.float32)
    soft = white + 0.5 * (np.roll(white, 1, 0) + np.roll(white, 1, 1))
    scaled: NDArray[np.int16] = np.rint(np.clip(soft / soft.std(), -REACH, REACH) * UNIT).astype(np.int16)
    return scaled


def grain(picture: Picture, effect: Grain, frame: int) -> Picture:
    """Noise on the luma, strongest in the middle tones; film frame `frame` has its own."""
    if effect.amount == 0:
        return picture
    luma, *chroma = picture.planes()
    h, w = luma.shape
    dy, dx = np.random.default_rng((effect.seed, frame)).integers(0, ROOM, 2).tolist()
    noise = _field(effect.seed, h + ROOM, w + ROOM)[dy : dy + h, dx : dx + w]
    strength = _middle(effect.amount, picture.bit_depth)
    grained = np.empty_like(luma)
    for first in range(0, h, ROWS):
        part = slice(first, first + ROWS)
        _grained(luma[part], noise[part], strength, picture, grained[part])
    return picture.with_planes([grained, *chroma])


def _grained(luma: Plane, noise: NDArray[np.int16], strength: Strength, picture: Picture, out: Plane) -> None:
    """A few rows at a time, so that all of it stays in the processor's cache."""
    added = np.multiply(noise, strength.take(luma), dtype=strength.dtype)
    added += HALF
    added >>= SHIFT
    added += luma
    np.clip(added, picture.black()[0], (1 << picture.bit_depth) - 1, out=out, casting="unsafe")


@lru_cache(maxsize=4)
def _middle(amount: float, depth: int) -> Strength:
    """Strength by level, times 2^SHIFT / UNIT: amount of the range in the middle, a third of it at both ends."""
    levels = 1 << depth
    level = np.arange(levels, dtype=np.float64) / (levels - 1)
    strength = amount * (levels - 1) * (1 / 3 + 8 / 3 * level * (1 - level))
    fine = np.rint(strength * (1 << SHIFT) / UNIT)
    return fine.astype(np.int16) if depth == 8 else fine.astype(np.int32)
