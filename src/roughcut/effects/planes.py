"""Work on the planes of a picture: mixing, resampling to a fraction of a pixel, laying one picture on another.

A plane is [h, w] of uint8 (8 bits) or uint16 (10 bits in the lower ones); chroma planes may be smaller. Places are
shares of the picture, so every plane finds its own pixels and chroma stays where its luma is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut.records import F32, Picture

Plane = NDArray[np.uint8] | NDArray[np.uint16]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in shares of the picture."""
Affine = tuple[float, float, float, float, float, float]
WHOLE_PIXELS = 1 / 64  # of a pixel: what lies so near to whole ones is cut out, not resampled
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def mixed(a: Plane, b: Plane, share: int) -> Plane:
    """(a * (256 - share) + b * share) / 256, rounded, in integers of twice the width."""
    if a.dtype == np.uint8:
        narrow = a.astype(np.uint16) * np.uint16(256 - share)
        narrow += b.astype(np.uint16) * np.uint16(share)
        narrow += np.uint16(128)
        narrow >>= 8
        return narrow.astype(np.uint8)
    wide = a.astype(np.uint32) * np.uint32(256 - share)
    wide += b.astype(np.uint32) * np.uint32(share)
    wide += np.uint32(128)
    wide >>= 8
    return wide.astype(np.uint16)


def masked(a: Plane, b: Plane, shares: NDArray[np.uint16]) -> Plane:
    """The same with a share 0..256 for every pixel, or for every row or column."""
    kind: Any = np.uint16 if a.dtype == np.uint8 else np.uint32
    shares = shares.astype(kind)
    both = a.astype(kind) * (kind(256) - shares) + b.astype(kind) * shares + kind(128)
    both >>= 8
    return both.astype(a.dtype)  # type: ignore[no-any-return]


def each(picture: Picture, work: Callable[[Plane], Plane]) -> Picture:
    """The picture with `work` done on each of its planes."""
    return picture.with_planes([work(plane) for plane in picture.planes()])


def seen(picture: Picture, box: Box, *, size: tuple[int, int] | None = None) -> Picture:
    """The part of the picture in `box` as a whole picture (width, height: the same, or `size`), by cubic resampling to
    a fraction of a pixel: what moves slowly does not step."""
    width, height = size or (picture.width, picture.height)
    if box == WHOLE and (width, height) == (picture.width, picture.height):
        return picture
    top = (1 << picture.bit_depth) - 1

    def work(plane: Plane) -> Plane:
        h, w = plane.shape
        wanted = round(width * w / picture.width), round(height * h / picture.height)
        left, upper = box[0] * w, box[1] * h
        x, y = round(left), round(upper)
        still = max(abs(left - x), abs(upper - y), abs(box[2] * w - x - wanted[0]), abs(box[3] * h - y - wanted[1]))
        if still < WHOLE_PIXELS:
            return plane[y : y + wanted[1], x : x + wanted[0]]
        return resized(plane, wanted, box, top)

    return each(picture, work)


def resized(plane: Plane, size: tuple[int, int], box: Box = WHOLE, top: int = 255, *, smooth: bool = True) -> Plane:
    """A plane's part in `box` at another size (width, height); `smooth` is cubic, else areas are averaged."""
    h, w = plane.shape
    pixels = (
        max(box[0] * w, 0.0), max(box[1] * h, 0.0), min(box[2] * w, w), min(box[3] * h, h)
    )  # fmt: skip
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.BOX
    made: Plane = np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(size, how, pixels))
    return made if made.dtype == np.uint8 else np.minimum(made, np.uint16(top))


def turned(picture: Picture, matrix: Affine) -> Picture:
    """Every pixel x, y of the picture shows what was at a * x + b * y + c, d * x + e * y + f (luma pixels, cubic)."""
    a, b, c, d, e, f = matrix
    top = (1 << picture.bit_depth) - 1

    def work(plane: Plane) -> Plane:
        h, w = plane.shape
        across, down = picture.width / w, picture.height / h
        own = (a, b * down / across, c / across, d * across / down, e, f / down)
        deep = plane.dtype != np.uint8
        image = Image.fromarray(plane.astype(np.float32) if deep else np.ascontiguousarray(plane))
        made = np.asarray(image.transform((w, h), Image.Transform.AFFINE, own, Image.Resampling.BICUBIC))
        return np.clip(np.rint(made), 0, top).astype(np.uint16) if deep else made  # Pillow turns no 16 bits

    return each(picture, work)


def box_at(x: float, y: float, width: float) -> Box:
    """The view with its middle at x, y and this share of the width and height, moved inside the picture."""
    half = min(width, 1.0) / 2
    x, y = min(max(x, half), 1 - half), min(max(y, half), 1 - half)
    return (x - half, y - half, x + half, y + half)


def eased(part: float) -> float:
    """0..1 to 0..1, slow at both ends."""
    part = min(max(part, 0.0), 1.0)
    return part * part * (3 - 2 * part)


def scaled_to_black(picture: Picture, gain: Callable[[int, int], F32]) -> Picture:
    """Every pixel's distance from black times a gain [h, w] in 0..1, given for each plane's height and width."""
    made = []
    for plane, black in zip(picture.planes(), picture.black(), strict=True):
        shares = _shares(gain, *plane.shape)
        made.append(masked(np.full_like(plane, black), plane, shares))
    return picture.with_planes(made)


@lru_cache(maxsize=16)
def _shares(gain: Callable[[int, int], F32], height: int, width: int) -> NDArray[np.uint16]:
    shares: NDArray[np.uint16] = np.round(gain(height, width) * 256).astype(np.uint16)
    return shares


def stamped(picture: Picture, over: list[Plane], shares: list[NDArray[np.uint16]], x: int, y: int) -> Picture:
    """Planes made by `planes_of` laid on the picture; x, y and the sides are even, and all lies inside.

    Args:
        shares: 0..256 for every pixel of each plane, from `shares_of`.
    """
    made = picture.with_planes(picture.planes())
    for plane, top, share in zip(made.planes(), over, shares, strict=True):
        fx, fy = picture.width // plane.shape[1], picture.height // plane.shape[0]
        h, w = top.shape
        part = plane[y // fy : y // fy + h, x // fx : x // fx + w]
        part[:] = masked(part, top, share)
    return made


def shares_of(alpha: F32, over: list[Plane], opacity: float = 1.0) -> list[NDArray[np.uint16]]:
    """Alpha [h, w] in 0..1 for each of the planes, averaged where they are smaller."""
    found = []
    for plane in over:
        h, w = plane.shape
        own = alpha.reshape(h, alpha.shape[0] // h, w, alpha.shape[1] // w).mean((1, 3))
        found.append(np.round(own * (256 * opacity)).astype(np.uint16))
    return found
