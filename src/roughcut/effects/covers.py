"""Covers over faces: solid, mosaic or blur, inside a rounded box that follows the face."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from roughcut.effects.planes import Box, Plane, resized
from roughcut.records import Picture
from roughcut.records.effects import Cover

TILES = 6
"""Across a face under a mosaic; a blurred face keeps as many points."""


def covered(picture: Picture, effect: Cover, t: Fraction) -> Picture:
    """The picture with the face that `effect` follows covered at source time `t`; untouched before and after."""
    box = box_then(effect, t)
    if box is None:
        return picture
    top = (1 << picture.bit_depth) - 1
    made = picture.with_planes(picture.planes())
    for plane, black in zip(made.planes(), picture.black(), strict=True):
        _cover(plane, box, effect.how, black, top)
    return made


def box_then(effect: Cover, t: Fraction) -> Box | None:
    """What is covered at `t`: all that the box before and the box after span, so that nothing between is left bare."""
    if not effect.times or not effect.times[0] <= t <= effect.times[-1]:
        return None
    k = bisect_right(effect.times, t)
    a, b = effect.boxes[k - 1], effect.boxes[min(k, len(effect.boxes) - 1)]
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def _cover(plane: Plane, box: Box, how: str, black: int, top: int) -> None:
    """Cover a box on one plane, in place; whole pixels, outwards."""
    h, w = plane.shape
    left, upper = (int(np.floor(share * n)) for share, n in ((box[0], w), (box[1], h)))
    right, lower = (int(np.ceil(share * n)) for share, n in ((box[2], w), (box[3], h)))
    x0, y0, x1, y1 = max(left, 0), max(upper, 0), min(right, w), min(lower, h)
    if x0 >= x1 or y0 >= y1:
        return
    part = plane[y0:y1, x0:x1]
    inside = rounded(right - left, lower - upper)[y0 - upper : y1 - upper, x0 - left : x1 - left]
    part[inside] = black if how == "solid" else _coarse(part, how, top)[inside]


def rounded(width: int, height: int) -> NDArray[np.bool_]:
    """[height, width]: a box with round corners (superellipse of the fourth degree)."""
    x, y = (np.abs((np.arange(n) + 0.5) / n * 2 - 1) ** 4 for n in (width, height))
    return np.asarray(y[:, None] + x[None, :] <= 1)


def _coarse(part: Plane, how: str, top: int) -> Plane:
    """The same with a few tiles across, or with as few soft points."""
    rows, columns = (np.unique(np.arange(TILES) * n // TILES) for n in part.shape)
    counts = np.outer(*(np.diff(edges, append=n) for edges, n in zip((rows, columns), part.shape, strict=True)))
    sums = np.add.reduceat(np.add.reduceat(part.astype(np.uint32), rows, 0), columns, 1)
    few: Plane = ((sums + counts // 2) // counts).astype(part.dtype)
    if how == "blur":
        return resized(few, (part.shape[1], part.shape[0]), top=top)
    tiled: Plane = np.repeat(np.repeat(few, np.diff(rows, append=part.shape[0]), 0),
                             np.diff(columns, append=part.shape[1]), 1)  # fmt: skip
    return tiled
