"""Colour difference as people see it: CIEDE2000 between display RGB pictures.

Sharma, Wu, Dalal: The CIEDE2000 Color-Difference Formula (Color Research and Application 30, 2005); their test pairs
are in tests/test_delta_e.py. RGB is sRGB (IEC 61966-2-1) with white D65.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]
RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
LUMINANCE = RGB_TO_XYZ[1]
_WHITE = RGB_TO_XYZ.sum(1)
_25_TO_7 = 25.0**7


def linear(rgb: ArrayLike) -> F64:
    """sRGB [..., 3] in 0..1 to linear light."""
    x = np.asarray(rgb, np.float64)
    out: F64 = np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0.04045) + 0.055) / 1.055) ** 2.4)
    return out


def display(light: ArrayLike) -> F64:
    """Linear light [..., 3] to sRGB, limited to 0..1."""
    x = np.clip(np.asarray(light, np.float64), 0, 1)
    out: F64 = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 0.0031308) ** (1 / 2.4) - 0.055)
    return out


def lab(rgb: ArrayLike) -> F64:
    """sRGB [..., 3] in 0..1 to CIE L*a*b*."""
    xyz = linear(rgb) @ RGB_TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def ciede2000(one: ArrayLike, other: ArrayLike) -> F64:
    """CIEDE2000 [...] between L*a*b* colours [..., 3], with kL = kC = kH = 1."""
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(v, np.float64), -1, 0) for v in (one, other))
    stretch = 1.5 - 0.5 * np.sqrt(_seventh((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn, mean_hue = _hues(h1, h2, c1 * c2 == 0)
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    s_l = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * _hue_weight(mean_hue)
    bend = np.radians(60 * np.exp(-(((mean_hue - 275) / 25) ** 2)))
    rotation = -2 * np.sqrt(_seventh(chroma)) * np.sin(bend)
    dl, dc, dh = (l2 - l1) / s_l, (c2 - c1) / s_c, hue / s_h
    out: F64 = np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0))
    return out


def picture_delta_e(one: ArrayLike, other: ArrayLike) -> float:
    """Mean CIEDE2000 between two pictures [h, w, 3] in 0..1."""
    return float(ciede2000(lab(one), lab(other)).mean())


def _seventh(chroma: F64) -> F64:
    out: F64 = chroma**7 / (chroma**7 + _25_TO_7)
    return out


def _hues(h1: F64, h2: F64, grey: NDArray[np.bool_]) -> tuple[F64, F64]:
    """Signed hue difference and mean hue in degrees, the short way round; a grey has no hue of its own."""
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    far = np.abs(h1 - h2) > 180
    total = h1 + h2
    mean = np.where(far, np.where(total < 360, total + 360, total - 360) / 2, total / 2)
    return turn, np.where(grey, total, mean)


def _hue_weight(hue: F64) -> F64:
    cosine = [np.cos(np.radians(k * hue + shift)) for k, shift in ((1, -30), (2, 0), (3, 6), (4, -63))]
    out: F64 = 1 - 0.17 * cosine[0] + 0.24 * cosine[1] + 0.32 * cosine[2] - 0.20 * cosine[3]
    return out
