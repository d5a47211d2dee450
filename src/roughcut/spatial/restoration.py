"""How noisy and how soft a shot is, looked at in full resolution: both are gone from smaller pictures.

patches [n, h, w] of the light  --restoration network-->  what each pair of strengths would surely gain, and how likely
all patches of a shot           --mean------------------>  the pair of most gain, or none: a clean picture is left alone
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut.records import F32, U8

DENOISE = (0.0, 0.1, 0.25, 0.45, 0.7, 1.0)
SHARPEN = (0.0, 0.35, 0.65, 0.95)
"""The strengths that the network's table is over: rows `records.effects.Denoise`, columns `Sharpen`."""
PATCH = 192  # pixels: longest side of a patch
WORTH = 0.004  # SSIM: what promises less is left alone
FLAT = 2.0  # deviation of a patch in which nothing can be seen: bars, a fade's end, a drawn background
PLACES = ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75))  # of patches' middles, from the top and the left
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # BT.709


class Network(Protocol):
    """What is asked of a loaded network."""

    def run(self, **inputs: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]: ...


class Store(Protocol):
    """Where networks come from; `roughcut.models.store` is one."""

    def load(self, name: str) -> Network: ...


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """What would do a shot good; both strengths are 0 where nothing surely does."""

    denoise: float = 0.0
    sharpen: float = 0.0
    gain: float = 0.0
    """SSIM that is won at least, as the network has it, in three cases of four."""
    probability: float = 0.0
    """That anything is won."""


class RestorationMapper:
    """The spatial mapping of noise and softness with the shipped network.

    Raises:
        ModelError: the network is missing or was altered.
    """

    def __init__(self, store: Store) -> None:
        self._network = store.load("restoration")

    def judge(self, pictures: Iterable[U8]) -> Restoration:
        """One answer for the pictures [h, w, 3] of a shot (full-range display RGB, full size)."""
        tables, chances = [], []
        for picture in pictures:
            patches = patches_of(picture)
            if len(patches):
                found = self._network.run(patches=patches)
                tables.append(found["gain"])
                chances.append(found["probability"])
        if not tables:
            return Restoration()
        return best(np.concatenate(tables), np.concatenate(chances))


def best(gains: F32, chances: F32) -> Restoration:
    """The strengths of most gain in the median of patches [n, 6, 4], none where that is below `WORTH`."""
    table = np.median(gains, axis=0)
    row, column = divmod(int(table.argmax()), len(SHARPEN))
    if row + column == 0 or table[row, column] < WORTH:
        return Restoration()
    return Restoration(
        denoise=DENOISE[row],
        sharpen=SHARPEN[column],
        gain=round(float(table[row, column]), 4),
        probability=round(float(chances[:, row, column].mean()), 3),
    )


def reduced(picture: U8, scale: Fraction) -> U8:
    """[h, w, 3] as small as `scale` (at most 1) makes it: what is noise at full size may be none in the film."""
    if scale == 1:
        return picture
    size = [max(round(side * scale), 1) for side in (picture.shape[1], picture.shape[0])]
    return np.asarray(Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.BICUBIC))


def patches_of(picture: U8) -> U8:
    """[n, h, w] light of up to four patches of a picture [h, w, 3], without those that show nothing."""
    height, width = (min(side, PATCH) // 2 * 2 for side in picture.shape[:2])
    found = []
    for down, right in PLACES:
        y, x = (
            min(max(round(side * share) - part // 2, 0), side - part)
            for side, share, part in zip(picture.shape, (down, right), (height, width), strict=False)
        )
        light = picture[y : y + height, x : x + width].astype(np.float32) @ LUMA
        if light.size and light.std() >= FLAT:
            found.append(np.asarray(light + 0.5, np.uint8))
    return np.stack(found) if found else np.zeros((0, height, width), np.uint8)
