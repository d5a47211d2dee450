"""The camera's shake, and the counter-moves that take it out. Small pictures in, a path over time out.

pictures   two by two: the move of the whole by phase correlation, then that of nine fields, each where it then lies
fields     one similarity through all of them (shift, turn, enlargement), fields that move by themselves counting little
path       all of it summed up is the camera's; the counter-move leads from it to the same path smoothed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roughcut.records import U8

F64 = NDArray[np.float64]
Pairs = tuple[tuple[float, float], ...]

SMOOTH = 0.6  # seconds: shake is what is faster
TRUST = 0.1  # height of the correlation's peak: below it two pictures do not tell a move
FIELDS = 3  # along each side
OWN_WAY = 0.5  # pixels: a field so far off the common move counts half
FEWEST = 5  # fields that must agree within a pixel, or the shift is all that is known
NOTICED = 2e-4  # radians and share: turning and enlargement below this all the time are left alone


@dataclass(frozen=True, kw_only=True)
class ShakePath:
    """Counter-moves: see `records.effects.Stabilise`."""

    times: tuple[Fraction, ...]
    moves: Pairs
    twists: Pairs
    """() where nothing turns."""
    reach: float
    """Share of the picture that the largest of them uncovers at an edge."""


def shake_path(pictures: Sequence[U8], times: Sequence[Fraction]) -> ShakePath | None:
    """The counter-moves of consecutive small pictures [h, w, 3]; None where there are too few."""
    if len(pictures) < 3:
        return None
    grey = [p.mean(2) for p in pictures]
    height, width = grey[0].shape
    steps = np.array([[0.0] * 4, *(similarity(a, b) for a, b in pairwise(grey))])
    camera = np.cumsum(steps, 0)
    counter = _smoothed(camera, np.array([float(t - times[0]) for t in times])) - camera
    turned = np.abs(counter[:, 2:]).max() > NOTICED
    twist = np.abs(counter[:, 2:]) if turned else np.zeros_like(counter[:, 2:])
    corner = twist[:, :1] * np.array([[height / width, width / height]]) / 2 + twist[:, 1:] / 2
    return ShakePath(
        times=tuple(times),
        moves=_pairs(counter[:, :2]),
        twists=_pairs(counter[:, 2:]) if turned else (),
        reach=float((np.abs(counter[:, :2]) + corner).max()),
    )


def _pairs(rows: F64) -> Pairs:
    return tuple((round(float(a), 6), round(float(b), 6)) for a, b in rows)


def _smoothed(camera: F64, seconds: F64) -> F64:
    """The path [T, n] by a line fitted around each moment, nearer ones counting more: an even pan stays as it is, also
    at the clip's ends."""
    out = np.empty_like(camera)
    for k, t in enumerate(seconds):
        near = slice(np.searchsorted(seconds, t - 4 * SMOOTH), np.searchsorted(seconds, t + 4 * SMOOTH, "right"))
        away = seconds[near] - t
        w = np.exp(-0.5 * (away / SMOOTH) ** 2)
        first, second = float((w * away).sum()), float((w * away * away).sum())
        spread = max(float(w.sum()) * second - first * first, 1e-12)
        out[k] = (second * (w @ camera[near]) - first * ((w * away) @ camera[near])) / spread
    return out


def roughness(pictures: Sequence[U8]) -> float:
    """How much the move from picture to picture changes: root mean square over shift, turn and size, the latter two as
    they show half-way to the picture's edge, in shares of the width."""
    grey = [p.mean(2) for p in pictures]
    high = grey[0].shape[0] / grey[0].shape[1]
    steps = np.array([similarity(a, b) for a, b in pairwise(grey)]) * (1, high, 0.5, 0.5)
    return float(np.sqrt((np.diff(steps, axis=0) ** 2).sum(1).mean())) if len(steps) > 1 else 0.0


def similarity(before: F64, after: F64) -> tuple[float, float, float, float]:
    """How the content moved: right, down (shares), clockwise (radians), larger (share); 0 where nothing can be told."""
    h, w = before.shape
    x, y = _peak_of(before, after) or _peak_of_small(before, after) or (0.0, 0.0)
    places, found = _field_moves(before, after, round(x), round(y))
    fitted = _fitted(places, found) if len(places) >= FEWEST else None
    if fitted is None:
        return x / w, y / h, 0.0, 0.0
    x, y, larger, turn = fitted
    return x / w, y / h, turn, larger


def _field_moves(before: F64, after: F64, dx: int, dy: int) -> tuple[F64, F64]:
    """[n, 2] middles of the fields that tell a move, from the picture's middle, and their moves [n, 2], in pixels.

    Each field is compared with where the whole picture's move by dx, dy has brought it.
    """
    h, w = before.shape
    high, wide = h // FIELDS, w // FIELDS
    places, moves = [], []
    for i in range(FIELDS):
        for j in range(FIELDS):
            y = min(max(i * high, -dy), h - high - dy) if abs(dy) < h - high else i * high
            x = min(max(j * wide, -dx), w - wide - dx) if abs(dx) < w - wide else j * wide
            y, x = min(max(y, 0), h - high), min(max(x, 0), w - wide)
            there = after[y + dy : y + dy + high, x + dx : x + dx + wide]
            here = before[y : y + high, x : x + wide]
            if there.shape != here.shape or (near := _peak_of(here, there)) is None:
                continue
            places.append((x + wide / 2 - w / 2, y + high / 2 - h / 2))
            moves.append((near[0] + dx, near[1] + dy))
    return np.array(places).reshape(-1, 2), np.array(moves).reshape(-1, 2)


def _fitted(places: F64, moves: F64) -> tuple[float, float, float, float] | None:
    """Right, down, larger, clockwise of the similarity that most fields agree on (least squares, reweighted)."""
    x, y = places.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([one, zero, x, -y], 1), np.stack([zero, one, y, x], 1)])
    wanted = np.concatenate([moves[:, 0], moves[:, 1]])
    weight = np.ones(len(x))
    for _ in range(4):
        both = np.concatenate([weight, weight])[:, None]
        answer = np.linalg.lstsq(rows * both, wanted * both[:, 0], rcond=None)[0]
        apart = (wanted - rows @ answer).reshape(2, -1)
        weight = 1 / np.sqrt(1 + (apart**2).sum(0) / OWN_WAY**2)
    if (np.hypot(*apart) < 1).sum() < FEWEST:
        return None
    right, down, larger, turn = (float(v) for v in answer)
    return right, down, larger, turn


def offset(before: F64, after: F64) -> tuple[float, float]:
    """By how much the content moved (right, down; shares), to a fraction of a pixel; 0 where nothing can be told."""
    found = _peak_of(before, after)
    return (0.0, 0.0) if found is None else (found[0] / before.shape[1], found[1] / before.shape[0])


def _peak_of(before: F64, after: F64) -> tuple[float, float] | None:
    """The move in pixels by phase correlation."""
    h, w = before.shape
    window = np.hanning(h)[:, None] * np.hanning(w)[None]
    a, b = (np.fft.rfft2((p - p.mean()) * window) for p in (before, after))
    cross = b * np.conj(a)
    surface = np.fft.irfft2(cross / (np.abs(cross) + 1e-3 * np.abs(cross).max() + 1e-9), (h, w))
    y, x = np.unravel_index(int(surface.argmax()), surface.shape)
    if surface[y, x] < TRUST:
        return None
    dx = _peak(surface[y, (x - 1) % w], surface[y, x], surface[y, (x + 1) % w]) + (x if x <= w // 2 else x - w)
    dy = _peak(surface[(y - 1) % h, x], surface[y, x], surface[(y + 1) % h, x]) + (y if y <= h // 2 else y - h)
    return float(dx), float(dy)


def _peak_of_small(before: F64, after: F64) -> tuple[float, float] | None:
    """The same on pictures a quarter as wide: turning leaves large shapes alike where small ones are alike no more."""
    small = [p[: p.shape[0] // 4 * 4, : p.shape[1] // 4 * 4] for p in (before, after)]
    small = [p.reshape(p.shape[0] // 4, 4, -1, 4).mean((1, 3)) for p in small]
    found = _peak_of(*small)
    return None if found is None else (4 * found[0], 4 * found[1])


def _peak(left: float, middle: float, right: float) -> float:
    """Where between the samples a parabola through three of them is highest."""
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))
