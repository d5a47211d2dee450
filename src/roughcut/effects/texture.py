"""Effects that lie on the picture's surface: vignette, grain, letterbox."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from roughcut.effects.planes import Plane, scaled_to_black
from roughcut.records import F32, Picture
from roughcut.records.effects import Grain, Letterbox, Vignette

TILE = 1024  # pixels: grain is cut from a field of this side at another place for each frame


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


@lru_cache(maxsize=2)
def _field(seed: int) -> F32:
    """[TILE, TILE] noise of deviation 1, a little soft, as grain is."""
    white = np.random.default_rng(seed).standard_normal((TILE, TILE)).astype(np.float32)
    soft = white + 0.5 * (np.roll(white, 1, 0) + np.roll(white, 1, 1))
    scaled: F32 = soft / soft.std()
    return scaled


def grain(picture: Picture, effect: Grain, frame: int) -> Picture:
    """Noise on the luma, strongest in the middle tones; film frame `frame` has its own."""
    if effect.amount == 0:
        return picture
    luma, *chroma = picture.planes()
    top = (1 << picture.bit_depth) - 1
    low = picture.black()[0]
    h, w = luma.shape
    dy, dx = np.random.default_rng((effect.seed, frame)).integers(0, TILE, 2).tolist()
    noise = np.take(_field(effect.seed), np.arange(dy, dy + h), 0, mode="wrap")
    noise = np.take(noise, np.arange(dx, dx + w), 1, mode="wrap")
    noise *= _middle(effect.amount, picture.bit_depth)[luma]
    noise += luma
    np.rint(noise, out=noise)
    np.clip(noise, low, top, out=noise)
    grained: Plane = noise.astype(np.uint8) if luma.dtype == np.uint8 else noise.astype(np.uint16)
    return picture.with_planes([grained, *chroma])


@lru_cache(maxsize=4)
def _middle(amount: float, depth: int) -> F32:
    """Strength by level: amount of the range in the middle, a third of it at both ends."""
    level = np.arange(1 << depth, dtype=np.float32) / ((1 << depth) - 1)
    strength: F32 = (amount * ((1 << depth) - 1) * (1 / 3 + 8 / 3 * level * (1 - level))).astype(np.float32)
    return strength
