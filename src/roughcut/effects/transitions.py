"""Transitions on the pictures' own planes: a blend is affine in colour, so YUV does as well as RGB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from roughcut.records import Picture

Plane = NDArray[np.uint8] | NDArray[np.uint16]


def dissolve(old: Picture, new: Picture, part: float) -> Picture:
    """`part` (0..1) of the new picture over the old one."""
    if part <= 0:
        return old
    if part >= 1:
        return new
    share = round(part * 256)
    return old.with_planes([_mixed(a, b, share) for a, b in zip(old.planes(), new.planes(), strict=True)])


def _mixed(a: Plane, b: Plane, share: int) -> Plane:
    """(a * (256 - share) + b * share) / 256, rounded, in integers of twice the width."""
    if a.dtype == np.uint8:
        narrow = a.astype(np.uint16) * np.uint16(256 - share) + b.astype(np.uint16) * np.uint16(share) + np.uint16(128)
        return (narrow >> 8).astype(np.uint8)
    wide = a.astype(np.uint32) * np.uint32(256 - share) + b.astype(np.uint32) * np.uint32(share) + np.uint32(128)
    return (wide >> 8).astype(np.uint16)


def fade(picture: Picture, part: float) -> Picture:
    """`part` (0..1) of the picture, the rest black."""
    if part >= 1:
        return picture
    share = round(max(part, 0.0) * 256)
    planes = [
        _mixed(np.full_like(p, black), p, share) for p, black in zip(picture.planes(), picture.black(), strict=True)
    ]
    return picture.with_planes(planes)
