"""`roughcut evaluate restoration`: what denoising and sharpening make of pictures whose originals are known.

    DATA/degraded/NAME.png   a noisy or soft picture        DATA/target/NAME.png   the same as it should be

Measured by SSIM (Wang et al. 2004) of the light, against doing nothing, against fixed strengths, and beside the best
that any strengths of the network's table reach. `clean`: the targets themselves, on which all change is harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roughcut.effects.chain import filter_of
from roughcut.errors import DataError
from roughcut.evaluation.colour import Folder, find_pairs, read_picture
from roughcut.media.filters import Filters
from roughcut.media.picture import Film, FilmPicture
from roughcut.models import store
from roughcut.records import F32, U8, FilmSpec, Progress, no_progress
from roughcut.records.effects import Denoise, Sharpen
from roughcut.spatial.restoration import DENOISE, SHARPEN, RestorationMapper

HARM = 0.002  # SSIM by which a picture must fall to count as harmed
FIXED = (0.25, 0.35)  # strengths for all pictures alike
_KERNEL = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
_KERNEL = (_KERNEL / _KERNEL.sum()).astype(np.float32)
Strengths = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class RestorationScore:
    """One method on all pictures."""

    degraded: float
    """Mean SSIM of the degraded pictures to their targets."""
    clean: float
    """Mean SSIM of what became of the targets to themselves."""
    harmed: float
    """Share of degraded and clean pictures that fell by more than .002."""


@dataclass(frozen=True, kw_only=True)
class RestorationReport:
    """All methods on one folder."""

    pictures: int
    scores: Mapping[str, RestorationScore]

    def table(self) -> str:
        """One row per method."""
        rows = [f"{name:<16}{s.degraded:10.4f}{s.clean:10.4f}{s.harmed:9.3f}" for name, s in self.scores.items()]
        return "\n".join([f"{f'{self.pictures} pictures':<16}{'degraded':>10}{'clean':>10}{'harmed':>9}", *rows])

    def json(self) -> dict[str, Any]:
        """The same for machines."""
        return {"pictures": self.pictures, "scores": {name: vars(s) for name, s in self.scores.items()}}


def evaluate_restoration(
    data: Path, *, models: Path | None = None, progress: Progress = no_progress, **_: Any
) -> RestorationReport:
    """Measure the shipped network (or the one in `models`) on pairs of pictures.

    Raises:
        DataError: a folder is missing, a pair is not whole, or sizes differ. ModelError: no network.
    """
    pairs = find_pairs(data)
    mapper = RestorationMapper(Folder(models) if models else store)
    ways: dict[str, Callable[[U8, F32], Strengths]] = {
        "none": lambda _, __: (0.0, 0.0),
        "fixed": lambda _, __: FIXED,
        "ours": lambda picture, _: _chosen(mapper, picture),
        "best possible": lambda _, table: _at_best(table),
    }
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for i, (faulty, right) in enumerate(pairs):
        progress("measuring restoration", i, len(pairs))
        given, target = _even(read_picture(faulty)), _even(read_picture(right))
        if given.shape != target.shape:
            raise DataError("the two pictures differ in size", where=faulty, got=given.shape, allowed=target.shape)
        found = [_measured(ways, picture, target) for picture in (given, target)]
        for name in ways:
            one, clean = found[0][name], found[1][name]
            fell = (one - found[0]["none"] < -HARM, clean < 1 - HARM)
            rows[name].append((one, clean, float(np.mean(fell))))
    means = {name: np.mean(found, axis=0).tolist() for name, found in rows.items()}
    scores = {n: RestorationScore(degraded=m[0], clean=m[1], harmed=m[2]) for n, m in means.items()}
    return RestorationReport(pictures=len(pairs), scores=scores)


def _measured(ways: Mapping[str, Callable[[U8, F32], Strengths]], picture: U8, target: U8) -> dict[str, float]:
    """SSIM by the name of the way."""
    table = ssim_table(picture, target)
    return {name: _looked_up(table, picture, target, way(picture, table)) for name, way in ways.items()}


def _looked_up(table: F32, picture: U8, target: U8, wanted: Strengths) -> float:
    if wanted[0] in DENOISE and wanted[1] in SHARPEN:
        return float(table[DENOISE.index(wanted[0]), SHARPEN.index(wanted[1])])
    return ssim(light_of(treated_by(picture_of(picture), *wanted)), light_of(picture_of(target)))


def _chosen(mapper: RestorationMapper, picture: U8) -> Strengths:
    found = mapper.judge([picture])
    return found.denoise, found.sharpen


def _at_best(table: F32) -> Strengths:
    row, column = np.unravel_index(int(table.argmax()), table.shape)
    return DENOISE[row], SHARPEN[column]


def ssim_table(picture: U8, target: U8) -> F32:
    """[6, 4] SSIM of a picture [h, w, 3] to its target under every pair of strengths."""
    given, goal = picture_of(picture), light_of(picture_of(target))
    table = np.zeros((len(DENOISE), len(SHARPEN)), np.float32)
    for i, strength in enumerate(DENOISE):
        smooth = treated_by(given, strength, 0.0)
        table[i] = [ssim(light_of(treated_by(smooth, 0.0, amount)), goal) for amount in SHARPEN]
    return table


@lru_cache(maxsize=8)
def _film(width: int, height: int) -> tuple[Film, Filters]:
    film = Film(FilmSpec(width=width, height=height, rate=Fraction(25)))
    return film, Filters(film)


def picture_of(rgb: U8) -> FilmPicture:
    """RGB [h, w, 3] of even sides as the film has it."""
    film, _ = _film(rgb.shape[1], rgb.shape[0])
    return FilmPicture(film.from_rgb(rgb), film)


def treated_by(picture: FilmPicture, denoise: float, sharpen: float) -> FilmPicture:
    """A picture through the product's own filters."""
    filters = _film(picture.width, picture.height)[1]
    for effect in (Denoise(strength=denoise), Sharpen(amount=sharpen)):
        if denoise if isinstance(effect, Denoise) else sharpen:
            picture = filters(picture, filter_of(effect, picture.bit_depth))
    return picture


def light_of(picture: FilmPicture) -> F32:
    """[h, w] luma in 0..255."""
    return (np.asarray(picture.planes()[0], np.float32) - 16) * np.float32(255 / 219)


def ssim(one: F32, other: F32) -> float:
    """Mean structural similarity of two [h, w] in 0..255: Gaussian window of deviation 1.5 over 11 pixels, as in
    Wang, Bovik, Sheikh and Simoncelli (2004), whole windows only where the picture holds one."""
    a, b, aa, bb, ab = _smoothed(np.stack([one, other, one * one, other * other, one * other]))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * a * b + c1) * (2 * (ab - a * b) + c2)
    scale = (a * a + b * b + c1) * (aa - a * a + bb - b * b + c2)
    return float((alike / scale).mean())


def _smoothed(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n, h, w] under the window; edges repeat where a side is shorter than it, else they are left out."""
    for axis in (1, 2):
        if planes.shape[axis] < len(_KERNEL):
            room = [(0, 0)] * 3
            room[axis] = (5, 5)
            planes = np.pad(planes, room, mode="edge")
        n = planes.shape[axis] - len(_KERNEL) + 1
        parts = np.moveaxis(planes, axis, 0)
        made = parts[:n] * _KERNEL[0]
        for k, share in enumerate(_KERNEL[1:], 1):
            made += parts[k : k + n] * share
        planes = np.moveaxis(made, 0, axis)
    return planes


def _even(picture: U8) -> U8:
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    return np.ascontiguousarray(picture[:height, :width])
