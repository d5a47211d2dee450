"""One kind of light shown as another: HDR as SDR, SDR inside HDR, PQ as HLG, a wide gamut as a narrow one.

    code -> light of the display in nits -> primaries of the film -> roll-off to the film's peak -> code

    PQ        SMPTE ST 2084 (BT.2100 table 4)
    HLG       ARIB STD-B67, BT.2100 table 5: the OOTF of a display of 1000 nits, system gamma 1.2
    SDR       BT.1886 with a black of 0: a power of 2.4. Its white stands for 203 nits, the diffuse white of HDR in
              BT.2408, both ways: SDR comes into an HDR film at its right level
    roll-off  the EETF of BT.2390-11, section 5.4.1: untouched up to a knee, then a Hermite spline in PQ up to the
              film's peak. It scales all three channels by what it does to the greatest, so hues stay
    gamut     BT.2020 to BT.709: chroma is reduced at equal luminance and hue. Up to 95 % of the way from grey to
              the edge of BT.709 nothing changes; the rest of BT.2020 is pressed into the last 5 %, so that different
              colours stay different

From 1000 nits to SDR, light up to 88 nits (PQ 43 %) is untouched; diffuse white becomes 90 % of the SDR signal and
1000 nits 100 %. Grey stays grey, black stays black. Pictures go through a 3D LUT of this map over the source's code
values, which are nearly even to the eye and so need no shaper; a test bounds its error against the formulas.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from roughcut.effects.looks import Pixels, lut_processor, through
from roughcut.records import F32, ColourTags

F64 = NDArray[np.float64]
Tone = Callable[[Pixels], Pixels]
"""Full-range RGB [h, w, 3], uint8 or uint16, in the source's code values -> the same in the film's."""
Transfer = Literal["sdr", "pq", "hlg"]

WHITE = 203.0
"""Nits of diffuse white in HDR, and of SDR's white."""
PEAK = 1000.0
"""Nits an HDR source reaches where it does not say, and of the display that HLG is made for."""
SIZE = 65
HLG_GAMMA = 1.2
KEPT_CHROMA = 0.95
_TRANSFERS: dict[str | None, Transfer] = {"smpte2084": "pq", "arib-std-b67": "hlg"}

_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_D65 = (0.3127, 0.3290)


def _to_xyz(*primaries: tuple[float, float]) -> F64:
    """Linear RGB to CIE XYZ, from the chromaticities of red, green and blue and a white D65 of Y = 1."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in (*primaries, _D65)]).T
    out: F64 = columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])
    return out


_XYZ_709 = _to_xyz((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_XYZ_2020 = _to_xyz((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
LUMA_709, LUMA_2020 = _XYZ_709[1], _XYZ_2020[1]
TO_709 = np.linalg.solve(_XYZ_709, _XYZ_2020)
TO_2020 = np.linalg.solve(_XYZ_2020, _XYZ_709)


@dataclass(frozen=True, kw_only=True)
class Light:
    """How code values are meant: their transfer, and whether their primaries are BT.2020's."""

    transfer: Transfer
    wide: bool

    @classmethod
    def of(cls, tags: ColourTags) -> Light:
        """What a file's tags say; without primaries, the matrix tells."""
        told = tags.primaries if tags.primaries is not None else (tags.matrix or "")
        return cls(transfer=_TRANSFERS.get(tags.transfer, "sdr"), wide=told.startswith("bt2020"))


def tone_between(source: ColourTags, film: ColourTags, peak: float | None = None) -> Tone | None:
    """The map from pictures tagged so to a film tagged so; None where nothing is to be done.

    Args:
        peak: nits that the source reaches, from its metadata; None takes 1000.
    """
    given, wanted = Light.of(source), Light.of(film)
    if given == wanted:
        return None
    nits = float(np.clip(peak or PEAK, WHITE, 10_000)) if given.transfer == "pq" else PEAK
    return functools.partial(_toned, given, wanted, nits)


def _toned(given: Light, wanted: Light, peak: float, picture: Pixels) -> Pixels:
    return through(_processor(given, wanted, peak, picture.dtype), picture)


@functools.lru_cache(maxsize=16)
def _processor(given: Light, wanted: Light, peak: float, dtype: np.dtype) -> object:
    return lut_processor(tone_lut(given, wanted, peak), dtype)


@functools.lru_cache(maxsize=8)
def tone_lut(given: Light, wanted: Light, peak: float = PEAK, size: int = SIZE) -> F32:
    """`convert` as a LUT [n, n, n, 3] indexed [red, green, blue]."""
    axis = np.linspace(0, 1, size)
    lattice = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    return convert(lattice, given, wanted, peak).astype(np.float32)


def convert(code: ArrayLike, given: Light, wanted: Light, peak: float = PEAK) -> F64:
    """The exact map: RGB [..., 3] in 0..1 to the same; `peak` nits is the brightest the source reaches."""
    light = to_nits(code, given.transfer)
    before = light.max(-1, keepdims=True)
    if given.wide and not wanted.wide:
        light = gamut_pressed(light @ TO_709.T)
    elif wanted.wide and not given.wide:
        light = light @ TO_2020.T
    after = light.max(-1, keepdims=True)
    # a saturated colour of BT.2020 is brighter in its one channel of BT.709: its own peak is as much higher
    own = np.maximum(after / np.maximum(before, 1e-9), 1)
    top = {"sdr": WHITE, "hlg": PEAK, "pq": 10_000.0}[wanted.transfer]
    reach = WHITE if given.transfer == "sdr" else peak
    light = light * (rolled_off(after, reach * own, top) / np.maximum(after, 1e-9))
    return from_nits(light, wanted.transfer)


def rolled_off(nits: ArrayLike, peak: ArrayLike, top: float) -> F64:
    """BT.2390's EETF with a black of 0: light of a display of `peak` nits for one of `top` nits."""
    brightest = pq_code(np.maximum(peak, top))
    e1, limit = pq_code(np.minimum(nits, np.maximum(peak, top))) / brightest, pq_code(top) / brightest
    knee = 1.5 * limit - 0.5
    t = np.clip((e1 - knee) / np.maximum(1 - knee, 1e-9), 0, 1)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * limit
    out: F64 = pq_nits(np.where(e1 < knee, e1, bent) * brightest)
    return out


def gamut_pressed(light: F64) -> F64:
    """Linear BT.709 [..., 3] with negative channels -> without, at equal luminance and hue.

    Saturation s is how far the least channel lies below the luminance, as a share of it: 1 is the edge of BT.709. Above
    k = KEPT_CHROMA it becomes k + x / (1 + a x), x = s - k, with a such that BT.2020's most saturated colour meets 1.
    """
    luma = (light @ LUMA_709)[..., None]
    saturation = (luma - light.min(-1, keepdims=True)) / np.maximum(luma, 1e-9)
    x = np.maximum(saturation - KEPT_CHROMA, 0)
    a = 1 / (1 - KEPT_CHROMA) - 1 / (_widest() - KEPT_CHROMA)
    kept = np.minimum(saturation, KEPT_CHROMA) + x / (1 + a * x)
    pressed = luma + (light - luma) * (kept / np.maximum(saturation, 1e-9))
    return np.where(saturation > KEPT_CHROMA, np.maximum(pressed, 0), light)


@functools.cache
def _widest() -> float:
    """The greatest saturation in BT.2020: that of its blue."""
    corners = np.eye(3) @ TO_709.T
    return float(((corners @ LUMA_709 - corners.min(-1)) / (corners @ LUMA_709)).max())


def to_nits(code: ArrayLike, transfer: Transfer) -> F64:
    """Code values [..., 3] in 0..1 to the light a display gives, in nits."""
    x = np.clip(np.asarray(code, np.float64), 0, 1)
    if transfer == "pq":
        return pq_nits(x)
    if transfer == "sdr":
        return WHITE * x**2.4
    scene = np.where(x <= 0.5, x * x / 3, (np.exp((x - _C) / _A) + _B) / 12)
    out: F64 = PEAK * (scene @ LUMA_2020)[..., None] ** (HLG_GAMMA - 1) * scene
    return out


def from_nits(nits: ArrayLike, transfer: Transfer) -> F64:
    """The way back; what the transfer cannot hold is limited."""
    light = np.maximum(np.asarray(nits, np.float64), 0)
    if transfer == "pq":
        return pq_code(light)
    if transfer == "sdr":
        return np.minimum(light / WHITE, 1) ** (1 / 2.4)
    display = (light @ LUMA_2020)[..., None] / PEAK
    scene = np.minimum(light / PEAK * np.maximum(display, 1e-12) ** ((1 - HLG_GAMMA) / HLG_GAMMA), 1)
    out: F64 = np.where(scene <= 1 / 12, np.sqrt(3 * scene), _A * np.log(np.maximum(12 * scene - _B, 1e-9)) + _C)
    return out


def pq_nits(code: ArrayLike) -> F64:
    """ST 2084's EOTF."""
    root = np.asarray(code, np.float64) ** (1 / _M2)
    out: F64 = 10_000 * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1)
    return out


def pq_code(nits: ArrayLike) -> F64:
    """ST 2084's inverse EOTF."""
    y = np.clip(np.asarray(nits, np.float64) / 10_000, 0, 1) ** _M1
    out: F64 = ((_C1 + _C2 * y) / (1 + _C3 * y)) ** _M2
    return out
