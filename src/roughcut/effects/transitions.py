"""Transitions on the pictures' own planes: blends are affine in colour, so YUV does as well as RGB.

`part` runs from 0 (the old picture) to 1 (the new one); at both ends the very picture comes back. Moves go by whole
chroma pixels, so that luma and chroma travel together.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from roughcut.effects.planes import Plane, box_at, eased, masked, mixed, resized, seen
from roughcut.records import Picture
from roughcut.timeline.plan import Join

ZOOM = 0.5  # how much closer a zoom comes
BLUR = 1 / 8  # of the height: the widest area that a cross-blur averages
SMEAR = 0.25  # of the width: how far a whip smears at most

Blend = Callable[[Picture, Picture, Join, float], Picture]


def transition(old: Picture, new: Picture, join: Join, part: float) -> Picture:
    """`part` (0..1) of the way from the old picture to the new one."""
    if part <= 0:
        return old
    if part >= 1:
        return new
    return BLENDS[join.kind](old, new, join, part)


def dissolve(old: Picture, new: Picture, part: float) -> Picture:
    """`part` (0..1) of the new picture over the old one."""
    if part <= 0:
        return old
    if part >= 1:
        return new
    share = round(part * 256)
    return old.with_planes([mixed(a, b, share) for a, b in zip(old.planes(), new.planes(), strict=True)])


def fade(picture: Picture, part: float, colour: str = "black") -> Picture:
    """`part` (0..1) of the picture, the rest black or white."""
    if part >= 1:
        return picture
    share = round(max(part, 0.0) * 256)
    planes = zip(picture.planes(), ground(picture, colour), strict=True)
    return picture.with_planes([mixed(np.full_like(p, level), p, share) for p, level in planes])


def ground(picture: Picture, colour: str) -> tuple[int, ...]:
    """Code values of black or white."""
    if colour == "black":
        return picture.black()
    return tuple(int(plane.flat[0]) for plane in picture.planes_of(np.full((16, 16, 3), 255, np.uint8)))


def _dissolve(old: Picture, new: Picture, join: Join, part: float) -> Picture:
    return dissolve(old, new, part)


def _wipe(old: Picture, new: Picture, join: Join, part: float) -> Picture:
    pairs = zip(old.planes(), new.planes(), strict=True)
    return old.with_planes([_wiped(a, b, join, part) for a, b in pairs])


def _wiped(a: Plane, b: Plane, join: Join, part: float) -> Plane:
    """An edge that runs over the plane, as wide as the join is soft; only what lies under it is mixed."""
    across = join.direction in ("left", "right")
    n = a.shape[1] if across else a.shape[0]
    width = max(join.softness, 1 / n)
    edge = (1 - part) * (1 + width) - width / 2
    shares = np.clip(((np.arange(n) + 0.5) / n - edge) / width + 0.5, 0, 1)
    if join.direction in ("right", "down"):
        shares = shares[::-1]
    levels = np.round(shares * 256).astype(np.uint16)
    out = np.where(levels[None] == 256, b, a) if across else np.where(levels[:, None] == 256, b, a)
    band = np.flatnonzero((levels > 0) & (levels < 256))
    if len(band):
        part_of = slice(band[0], band[-1] + 1)
        if across:
            out[:, part_of] = masked(a[:, part_of], b[:, part_of], levels[None, part_of])
        else:
            out[part_of] = masked(a[part_of], b[part_of], levels[part_of, None])
    return out


def _slide(old: Picture, new: Picture, join: Join, part: float) -> Picture:
    return _moved(old, new, join.direction, eased(part), both=False)


def _push(old: Picture, new: Picture, join: Join, part: float) -> Picture:
    return _moved(old, new, join.direction, eased(part), both=True)


def _moved(old: Picture, new: Picture, direction: str, part: float, *, both: bool) -> Picture:
    """The new picture comes in; with `both`, the old one goes before it."""
    smallest = old.planes()[1].shape
    steps = round(part * smallest[1 if direction in ("left", "right") else 0])
    pairs = zip(old.planes(), new.planes(), strict=True)
    return old.with_planes([_shifted(a, b, direction, steps, smallest, both) for a, b in pairs])


def _shifted(a: Plane, b: Plane, direction: str, steps: int, smallest: tuple[int, ...], both: bool) -> Plane:
    axis = 1 if direction in ("left", "right") else 0
    out = a.copy()
    n = a.shape[axis]
    k = steps * n // smallest[axis]
    line, old, new = (np.moveaxis(p, axis, 0) for p in (out, a, b))
    if direction in ("left", "up"):
        if both:
            line[: n - k] = old[k:]
        line[n - k :] = new[:k]
    else:
        if both:
            line[k:] = old[: n - k]
        line[:k] = new[n - k :]
    return out


def _zoom(old: Picture, new: Picture, join: Join, part: float) -> Picture:
    """Through the old picture into the new one: both come closer while one gives way to the other."""
    near = seen(old, box_at(0.5, 0.5, 1 / (1 + ZOOM * part)))
    return dissolve(near, seen(new, box_at(0.5, 0.5, 1 - ZOOM / 3 * (1 - part))), eased(part))


def _blur(old: Picture, new: Picture, join: Join, part: float) -> Picture:
    """Both out of focus in the middle: mixed where they are small, and made large once."""
    area = math.sin(math.pi * part) * BLUR * old.height
    return _through_small(old, new, area, area, lambda a, b: mixed(a, b, round(eased(part) * 256)))


def _whip(old: Picture, new: Picture, join: Join, part: float) -> Picture:
    """A push so fast that it smears along its way."""
    along = SMEAR * math.sin(math.pi * part) ** 2
    across = join.direction in ("left", "right")
    way = part**3 * (part * (6 * part - 15) + 10)
    wide, high = (along * old.width, 0.0) if across else (0.0, along * old.height)

    def move(a: Plane, b: Plane) -> Plane:
        return _shifted(a, b, join.direction, round(way * a.shape[1 if across else 0]), a.shape, both=True)

    return _through_small(old, new, wide, high, move)


def _through_small(
    old: Picture, new: Picture, wide: float, high: float, work: Callable[[Plane, Plane], Plane]
) -> Picture:
    """`work` on both pictures after areas of `wide` x `high` pixels were averaged."""
    top = (1 << old.bit_depth) - 1

    def through(a: Plane, b: Plane) -> Plane:
        h, w = a.shape
        factor = w / old.width
        small = (max(round(w / max(wide * factor / 2, 1)), 4), max(round(h / max(high * factor / 2, 1)), 4))
        if small == (w, h):
            return work(a, b)
        made = work(resized(a, small, top=top, smooth=False), resized(b, small, top=top, smooth=False))
        return resized(made, (w, h), top=top)

    return old.with_planes([through(a, b) for a, b in zip(old.planes(), new.planes(), strict=True)])


BLENDS: dict[str, Blend] = {
    "dissolve": _dissolve, "wipe": _wipe, "slide": _slide, "push": _push, "zoom": _zoom, "blur": _blur, "whip": _whip,
}  # fmt: skip
"""How each kind of join that shows both clips is drawn."""
