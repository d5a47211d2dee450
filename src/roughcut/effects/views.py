"""Effects that choose what part of the picture is seen: push-in, Ken Burns, punch-in, stabilise, reframe."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from roughcut.effects.planes import Affine, Box, box_at, eased, seen, turned
from roughcut.records import Picture
from roughcut.records.effects import KenBurns, PunchIn, PushIn, Reframe, Stabilise

STRAIGHT = 1e-5  # radians, share: a picture that turns and grows by less is moved alone


def push_in(picture: Picture, effect: PushIn, part: float) -> Picture:
    """Closer by `amount` at the end; a negative one moves away and starts close."""
    closest = abs(effect.amount)
    way = eased(part) if effect.amount >= 0 else 1 - eased(part)
    return seen(picture, _towards(effect.x, effect.y, 1 / (1 + closest * way)))


def ken_burns(picture: Picture, effect: KenBurns, part: float) -> Picture:
    """From one view to the other."""
    way = eased(part)
    ends = ((effect.from_x, effect.to_x), (effect.from_y, effect.to_y), (effect.from_width, effect.to_width))
    return seen(picture, box_at(*(a + (b - a) * way for a, b in ends)))


def punch_in(picture: Picture, effect: PunchIn) -> Picture:
    """Closer by `amount`, all the time."""
    return seen(picture, _towards(effect.x, effect.y, 1 / (1 + effect.amount)))


def punch_filter(picture: Picture, effect: PunchIn) -> str:
    """The same by FFmpeg's scaler: what stands still may begin at a whole pixel, and that is six times faster."""
    left, top, right, bottom = _towards(effect.x, effect.y, 1 / (1 + effect.amount))
    x, y = (round(share * n / 2) * 2 for share, n in ((left, picture.width), (top, picture.height)))
    w, h = (round(share * n / 2) * 2 for share, n in ((right - left, picture.width), (bottom - top, picture.height)))
    return f"crop={w}:{h}:{x}:{y};scale={picture.width}:{picture.height}:flags=bicubic"


def _towards(x: float, y: float, width: float) -> Box:
    """The view of this width in which the point x, y stays where it is: a zoom about it."""
    return (x * (1 - width), y * (1 - width), x + (1 - x) * width, y + (1 - y) * width)


def stabilised(picture: Picture, effect: Stabilise, t: Fraction) -> Picture:
    """Moved and turned against the shake at source time `t`, as far as the margin goes."""
    if not effect.moves or effect.margin == 0:
        return picture
    shown = max(bisect_right(effect.times, t) - 1, 0)  # each counter-move is of one picture: nothing between them
    move, twist = effect.moves[shown], effect.twists[shown] if effect.twists else (0.0, 0.0)
    width = 1 - 2 * effect.margin
    if max(abs(v) for v in twist) < STRAIGHT:
        dx, dy = (max(-effect.margin, min(effect.margin, v)) for v in move)
        return seen(picture, box_at(0.5 - dx, 0.5 - dy, width))
    size = picture.width, picture.height
    return turned(picture, _inside(size, (move[0] * size[0], move[1] * size[1]), twist, width))


def _inside(size: tuple[int, int], move: tuple[float, float], twist: tuple[float, float], width: float) -> Affine:
    """Where each pixel of the view comes from; as much of the counter-move as keeps its corners in the picture."""
    low, high = 0.0, 1.0
    whole = _counter(size, move, twist, width, 1.0)
    if _fits(whole, size):
        return whole
    for _ in range(10):
        middle = (low + high) / 2
        fits = _fits(_counter(size, move, twist, width, middle), size)
        low, high = (middle, high) if fits else (low, middle)
    return _counter(size, move, twist, width, low)


def _counter(
    size: tuple[int, int], move: tuple[float, float], twist: tuple[float, float], width: float, share: float
) -> Affine:
    angle, scale = twist[0] * share, width / (1 + twist[1] * share)
    c, s = math.cos(angle) * scale, math.sin(angle) * scale
    dx, dy = (v * share / width for v in move)  # in pixels of the view
    x, y = -size[0] / 2 - dx, -size[1] / 2 - dy
    return (c, s, c * x + s * y + size[0] / 2, -s, c, c * y - s * x + size[1] / 2)


def _fits(matrix: Affine, size: tuple[int, int]) -> bool:
    a, b, c, d, e, f = matrix
    corners = [(a * x + b * y + c, d * x + e * y + f) for x in (0, size[0]) for y in (0, size[1])]
    return all(-1e-6 <= v <= n + 1e-6 for corner in corners for v, n in zip(corner, size, strict=True))


def reframed(picture: Picture, effect: Reframe, t: Fraction, size: tuple[int, int]) -> Picture:
    """The part of `size` (width, height) pixels around the path's point; the picture covers at least that."""
    x, y = along(effect.times, effect.points, t)
    width, height = size[0] / picture.width, size[1] / picture.height
    scale = 1 / max(width, height)  # as large a part as there is
    width, height = width * scale, height * scale
    if _holds(effect, t):  # on whole chroma pixels nothing need be resampled
        x = round((x - width / 2) * picture.width / 2) * 2 / picture.width + width / 2
        y = round((y - height / 2) * picture.height / 2) * 2 / picture.height + height / 2
    left = min(max(x - width / 2, 0.0), 1 - width)
    top = min(max(y - height / 2, 0.0), 1 - height)
    return seen(picture, (left, top, left + width, top + height), size=size)


def _holds(effect: Reframe, t: Fraction) -> bool:
    """True where the path stands still."""
    k = bisect_right(effect.times, t)
    return k == 0 or k >= len(effect.times) or effect.points[k - 1] == effect.points[k]


def along(times: Sequence[Fraction], points: Sequence[tuple[float, float]], t: Fraction) -> tuple[float, float]:
    """Where a path is at `t`: even between its points, still before and after."""
    if not times or t <= times[0]:
        return points[0]
    k = bisect_right(times, t)
    if k >= len(times):
        return points[min(len(times), len(points)) - 1]
    share = float((t - times[k - 1]) / (times[k] - times[k - 1]))
    x, y = np.asarray(points[k - 1]) * (1 - share) + np.asarray(points[k]) * share
    return float(x), float(y)
