"""OKLab, a space in which equal steps look about equal and a hue stays itself when its chroma changes.

Bjorn Ottosson, "A perceptual color space for image processing" (2020). Lightness runs from 0 (black) to 1 (white); a
and b are 0 for greys and reach about .3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LMS, _FROM_LAB = np.linalg.inv(_TO_LMS), np.linalg.inv(_TO_LAB)


def oklab(rgb: ArrayLike) -> F64:
    """sRGB [..., 3] in 0..1 to OKLab [..., 3]."""
    x = np.asarray(rgb, np.float64)
    light = np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0.04045) + 0.055) / 1.055) ** 2.4)
    lab: F64 = np.cbrt(light @ _TO_LMS.T) @ _TO_LAB.T
    return lab


def srgb(lab: ArrayLike) -> F64:
    """OKLab [..., 3] to sRGB, limited to 0..1."""
    light = np.clip((np.asarray(lab, np.float64) @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, 0, 1)
    rgb: F64 = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
    return rgb


def zones(lightness: ArrayLike) -> F64:
    """[..., 3] how much of each lightness [...] is shadow, middle and highlight; the three sum to 1."""
    at = np.asarray(lightness, np.float64)
    dark, light = (np.clip(v, 0, 1) for v in ((0.55 - at) / 0.3, (at - 0.6) / 0.3))
    dark, light = (v * v * (3 - 2 * v) for v in (dark, light))
    parts: F64 = np.stack([dark, 1 - dark - light, light], -1)
    return parts


SKIN_HUES = (40.0, 85.0)
"""Degrees in OKLab between which skin of all shades lies (120 to 150 on a vectorscope, whose skin line is 123)."""
SKIN_CHROMA = (0.02, 0.13)
_HUE_EDGE, _CHROMA_EDGE = 15.0, 0.015


def skin_likeness(lab: ArrayLike) -> F64:
    """[...] 0..1: how much OKLab colours [..., 3] are such as skin has; falls smoothly at the range's edges."""
    x = np.asarray(lab, np.float64)
    hue, chroma = np.degrees(np.arctan2(x[..., 2], x[..., 1])), np.hypot(x[..., 1], x[..., 2])
    beside = np.maximum(SKIN_HUES[0] - hue, hue - SKIN_HUES[1]) / _HUE_EDGE
    apart = np.maximum(SKIN_CHROMA[0] - chroma, chroma - SKIN_CHROMA[1]) / _CHROMA_EDGE
    inside = np.clip(1 - np.maximum(beside, 0), 0, 1) * np.clip(1 - np.maximum(apart, 0), 0, 1)
    likeness: F64 = inside * inside * (3 - 2 * inside)
    return likeness
