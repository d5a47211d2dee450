"""Changes of light: the same picture, brighter or darker. A lamp is switched, lightning strikes; the shot goes on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from roughcut.records import U8

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_ALIKE = 0.9
"""Correlation of both pictures"""
_CONTRAST = 8.0
"""Standard deviation of luma, of 255, that both have: flat pictures are all alike"""
_UNEXPLAINED = 0.35
"""Share of the change that the best gain and offset may leave; what moves leaves all of it"""


def changes_of_light(thumbs: U8, before: U8) -> NDArray[np.bool_]:
    """Whether each frame is the one before it in another light.

    Args:
        thumbs: [n, 27, 48, 3]. before: the frame before them, [1, 27, 48, 3]; [0, 27, 48, 3] at a film's start.

    Returns:
        [n]; False for a film's first frame.
    """
    luma = np.concatenate([before, thumbs]).astype(np.float32) @ _LUMA
    luma = luma.reshape(len(luma), 27 * 48)
    mean, variance = luma.mean(1), luma.var(1)
    old, new = luma[:-1], luma[1:]
    contrast = np.sqrt(np.minimum(variance[:-1], variance[1:]))
    spread = np.sqrt(variance[:-1] * variance[1:])
    alike = ((old * new).mean(1) - mean[:-1] * mean[1:]) / np.maximum(spread, 1e-6)
    change = np.sqrt(((new - old) ** 2).mean(1))
    left = contrast * np.sqrt(np.clip(1 - alike**2, 0, 1))
    found = (alike > _ALIKE) & (contrast > _CONTRAST) & (left < _UNEXPLAINED * change)
    return np.concatenate([np.zeros(1 - len(before), np.bool_), found])[: len(thumbs)]
