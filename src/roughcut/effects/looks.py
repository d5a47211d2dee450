"""Looks: a colour correction as sliders, baked into a 3D LUT and applied to full-size pictures through OpenColorIO.

The map from display RGB x in [0, 1] to display RGB, slider by slider (all of them 0 is the identity):

    1 white balance,   in linear light. Under a power transfer of exponent 2.2 a gain of s stops there is a gain of
      exposure         2^(s / 2.2) on the display signal, so both are one gain per channel. White balance keeps the
                       luminance of white:
                       stops = (temperature/2 - tint/3, 2 tint/3, -temperature/2 - tint/3); their log2 luminance is
                       taken off, exposure added
    2 black, white     x <- (x - black) / (1 + white - black), limited to 0..1
    3 contrast         x <- x + 0.9 contrast x (1 - x) (2x - 1), an S around the middle that rises for |contrast| <= 1
    4 gamma            x <- ((x + e)^p - e^p) / ((1 + e)^p - e^p), p = 2^-gamma, e = 0.02: a power whose slope at
                       black stays finite, so that a lattice can follow it and noise is not torn up
    5 saturation       x <- luma + 2^saturation (x - luma) with the luma of BT.709, limited to 0..1
    6 match            colours as in a reference, see `effects/match.py`

The same in PyTorch is `networks/spatial.py`; a test holds the two together.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import PyOpenColorIO as ocio
from numpy.typing import NDArray

from roughcut.effects.match import apply_match
from roughcut.errors import InputError, PlanError
from roughcut.records import F32, Look, LookControls
from roughcut.timeline.files import replace_text

LUT_SIZE = 33
MAX_LUT_SIZE = 129
TRANSFER = 2.2
LUMA = np.array([0.2126, 0.7152, 0.0722])  # BT.709
CURVE_FOOT = 0.02
GRID_THRESHOLD = 0.03  # stops: a regional field below this everywhere is not worth a pass over the picture
MAX_GRID_STOPS = 2.0
_ROWS_AT_ONCE = 32  # rows of a 1080p picture that stay in the processor's cache as float

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Values = TypeVar("Values", NDArray[np.uint8] | NDArray[np.uint16], F32)
_DEPTHS = {
    np.dtype(np.uint8): ocio.BIT_DEPTH_UINT8,
    np.dtype(np.uint16): ocio.BIT_DEPTH_UINT16,
    np.dtype(np.float32): ocio.BIT_DEPTH_F32,
}


def apply_controls(rgb: NDArray[np.floating], controls: LookControls) -> NDArray[np.float64]:
    """The exact map: display RGB [..., 3] in 0..1 to the same (see the formulas above)."""
    c = controls
    x = np.asarray(rgb, np.float64) * 2 ** (channel_stops(c) / TRANSFER)
    x = np.clip((x - c.black) / (1 + c.white - c.black), 0, 1)
    x = x + 0.9 * c.contrast * x * (1 - x) * (2 * x - 1)
    power, foot = 2.0**-c.gamma, CURVE_FOOT
    x = ((x + foot) ** power - foot**power) / ((1 + foot) ** power - foot**power)
    luma = (x @ LUMA)[..., None]
    out: NDArray[np.float64] = np.clip(luma + 2.0**c.saturation * (x - luma), 0, 1)
    return out


def channel_stops(controls: LookControls) -> NDArray[np.float64]:
    """[3] linear-light gain of red, green and blue in stops."""
    c = controls
    balance = np.array([c.temperature / 2 - c.tint / 3, 2 * c.tint / 3, -c.temperature / 2 - c.tint / 3])
    stops: NDArray[np.float64] = balance - np.log2(2**balance @ LUMA) + c.exposure
    return stops


def bake(controls: LookControls, size: int = LUT_SIZE) -> F32:
    """A LUT [n, n, n, 3] indexed [red, green, blue], values in 0..1.

    Raises:
        PlanError: a slider is not a number or lies outside what the formulas take.
    """
    check_controls(controls)
    return apply_controls(lattice(size), controls).astype(np.float32)


def lattice(size: int) -> NDArray[np.float64]:
    """The identity as a LUT [n, n, n, 3]."""
    axis = np.linspace(0, 1, size)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def look_lut(look: Look) -> F32:
    """All of a look that a LUT [n, n, n, 3] can hold: everything but its regional exposure and its keys.

    Raises:
        PlanError: a slider is out of range. InputError: the `.cube` it matches is missing or malformed.
    """
    corrected = bake(look.controls)
    if look.match is None:
        return corrected
    if look.match.cube is None:
        return apply_match(corrected, look.match).astype(np.float32)
    plane = corrected.reshape(LUT_SIZE, -1, 3)
    mapped = apply_lut(plane, read_cube(look.match.cube)).reshape(corrected.shape)
    return corrected + np.float32(look.match.strength) * (mapped - corrected)


_RANGES = {"black": (-0.5, 0.5), "white": (-0.5, 1.0), "contrast": (-1.0, 1.0)}


def check_controls(controls: LookControls) -> None:
    """Refuse sliders that no formula takes (a plan changed by hand may hold anything).

    Raises:
        PlanError: naming the slider.
    """
    for name, value in zip(controls.names(), controls.values(), strict=True):
        low, high = _RANGES.get(name, (-4.0, 4.0))
        if not low <= value <= high:  # also false for NaN
            raise PlanError("a slider is out of range", where=f"look, {name}", got=value, allowed=f"{low}..{high}")
    if 1 + controls.white - controls.black < 0.05:
        got = f"black {controls.black}, white {controls.white}"
        raise PlanError("black and white points meet", where="look", got=got, allowed="1 + white - black >= 0.05")


def apply_look(picture: Pixels, look: Look) -> Pixels:
    """One shot's look on a picture [h, w, 3], uint8 or uint16 over the full range; the input is not changed.

    Of a look with keys give `look.at(t)`; without it, this is its mean. An identity look gives the very array back.
    May be called from several threads.

    Raises:
        PlanError: a slider or grid cell is out of range. InputError: the `.cube` it matches cannot be read.
    """
    out = picture
    mapped = replace(look, grid=None, confidence=1.0, keys=())
    if not mapped.is_identity():
        out = through(_processor(mapped, picture.dtype), picture)
    if look.grid is not None and np.abs(look.grid).max() > GRID_THRESHOLD:
        out = apply_grid(out, look.grid)
    return out


def apply_lut(picture: Values, lut: F32) -> Values:
    """A LUT [n, n, n, 3], as `bake` and `read_cube` give it, on [h, w, 3] codes or float32; tetrahedral."""
    return through(lut_processor(lut, picture.dtype), picture)


@functools.lru_cache(maxsize=32)
def _processor(look: Look, dtype: np.dtype) -> ocio.CPUProcessor:
    return lut_processor(look_lut(look), dtype)


def lut_processor(lut: F32, dtype: np.dtype) -> ocio.CPUProcessor:
    """What lays a LUT [n, n, n, 3] on pictures of that dtype."""
    transform = ocio.Lut3DTransform(len(lut), interpolation=ocio.INTERP_TETRAHEDRAL)
    transform.setData(np.ascontiguousarray(lut, np.float32).ravel())
    processor = ocio.Config.CreateRaw().getProcessor(transform)
    depth = _DEPTHS[dtype]
    return processor.getOptimizedCPUProcessor(depth, depth, ocio.OPTIMIZATION_DEFAULT)


def through(processor: ocio.CPUProcessor, picture: Values) -> Values:
    """A new picture [h, w, 3]: the given one, mapped."""
    source, out = (picture if picture.flags.c_contiguous else picture.copy()), np.empty_like(picture, order="C")
    processor.apply(_described(source), _described(out))  # a third faster than applyRGB on a copy
    return out


def _described(picture: Values) -> ocio.PackedImageDesc:
    height, width = picture.shape[:2]
    depth, rgb = _DEPTHS[picture.dtype], ocio.CHANNEL_ORDERING_RGB
    step = picture.itemsize  # told by hand: an axis of one has any stride
    return ocio.PackedImageDesc(picture, width, height, rgb, depth, step, 3 * step, 3 * step * width)


def grid_field(grid: tuple[tuple[float, ...], ...], height: int, width: int) -> F32:
    """Stops [height, width]: bilinear between cell centres, smoothed at the cells' edges (cubic step), flat outside."""
    cells = np.asarray(grid, np.float32)
    if not np.all(np.abs(cells) <= MAX_GRID_STOPS):
        allowed = f"-{MAX_GRID_STOPS}..{MAX_GRID_STOPS} stops"
        raise PlanError("a look's grid is out of range", where="look, grid", got=cells.tolist(), allowed=allowed)
    columns = _resampled(cells.shape[1], width)
    return np.asarray(_resampled(cells.shape[0], height) @ cells @ columns.T, np.float32)


def _resampled(cells: int, size: int) -> F32:
    """[size, cells] weights of each cell at each pixel centre."""
    at = np.clip((np.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
    low = np.minimum(at.astype(np.int64), max(cells - 2, 0))
    share = at - low
    share = share * share * (3 - 2 * share)
    weights = np.zeros((size, cells), np.float32)
    weights[np.arange(size), low] = 1 - share
    weights[np.arange(size), np.minimum(low + 1, cells - 1)] += share.astype(np.float32)
    return weights


def apply_grid(picture: Pixels, grid: tuple[tuple[float, ...], ...]) -> Pixels:
    """Regional exposure: every pixel of [h, w, 3] times its display gain 2^(stops / 2.2), limited to the range."""
    height, width = picture.shape[:2]
    gain = _grid_gain(grid, height, width)
    top = np.iinfo(picture.dtype).max
    out = np.empty_like(picture)
    for row in range(0, height, _ROWS_AT_ONCE):
        part = slice(row, row + _ROWS_AT_ONCE)
        scaled = picture[part] * gain[part]
        scaled += 0.5
        np.minimum(scaled, top, out=scaled)
        out[part] = scaled
    return out


@functools.lru_cache(maxsize=4)
def _grid_gain(grid: tuple[tuple[float, ...], ...], height: int, width: int) -> F32:
    gain = np.exp2(grid_field(grid, height, width) / np.float32(TRANSFER))
    return np.repeat(gain[..., None], 3, axis=-1).astype(np.float32, copy=False)


def write_cube(lut: F32, path: Path, *, title: str = "roughcut", remarks: Sequence[str] = ()) -> None:
    """Write a LUT [n, n, n, 3] as an Adobe/Iridas `.cube` (red fastest), whole or not at all; remarks as comments.

    Raises:
        OutputError: the file cannot be written.
    """
    head = [f'TITLE "{title}"', *(f"# {words}" for words in remarks), f"LUT_3D_SIZE {len(lut)}"]
    plain = [line.encode("ascii", "replace").decode().replace("\n", " ") for line in head]
    rows = lut.transpose(2, 1, 0, 3).reshape(-1, 3).tolist()
    replace_text(path, "\n".join([*plain, *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows), ""]))


def read_cube(path: Path) -> F32:
    """A 3D LUT [n, n, n, 3] indexed [red, green, blue] from a `.cube` file over the domain 0..1.

    Raises:
        InputError: missing, not a 3D `.cube`, of another domain, malformed, or larger than 129^3.
    """
    try:
        if path.stat().st_size > 40 * MAX_LUT_SIZE**3:
            raise InputError("the .cube file is too large", where=path, allowed=f"up to {MAX_LUT_SIZE}^3 entries")
        lines = [line.split("#")[0].split() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("the .cube file cannot be read", where=path, got=error) from error
    header = {words[0]: words[1:] for words in lines if words and words[0][0].isalpha()}
    rows = [words for words in lines if words and not words[0][0].isalpha()]
    size = _cube_size(path, header)
    if len(rows) != size**3:
        raise InputError("the .cube file is not whole", where=path, got=f"{len(rows)} rows", allowed=f"{size**3}")
    try:
        values = np.array(rows, np.float32)
    except ValueError as error:
        raise InputError("the .cube file holds something else than numbers", where=path, got=error) from error
    if values.shape != (size**3, 3) or not np.isfinite(values).all():
        raise InputError("the .cube file has rows of three finite numbers", where=path, got=values.shape)
    return np.ascontiguousarray(values.reshape(size, size, size, 3).transpose(2, 1, 0, 3))


def _cube_size(path: Path, header: dict[str, list[str]]) -> int:
    domain = [*header.get("DOMAIN_MIN", ["0"] * 3), *header.get("DOMAIN_MAX", ["1"] * 3)]
    try:
        size = int(header["LUT_3D_SIZE"][0])
        standard = [float(v) for v in domain] == [0, 0, 0, 1, 1, 1]
    except (KeyError, IndexError, ValueError) as error:
        raise InputError("not a 3D .cube file", where=path, got=error, allowed="a LUT_3D_SIZE line") from error
    if not standard:
        raise InputError("a .cube file of another domain", where=path, got=" ".join(domain), allowed="0..1")
    if not 2 <= size <= MAX_LUT_SIZE:
        raise InputError("a .cube file of another size", where=path, got=size, allowed=f"2..{MAX_LUT_SIZE}")
    return size
