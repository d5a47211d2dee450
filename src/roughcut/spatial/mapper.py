"""V = SpaceMapper(X, U): what each shot's pictures and the moments they lie in say of its colour. Changes no pixel.

pictures, rows of X    --colour network-->  sliders, confidence, regional stops of every picture
timing (U)             --picture_weights->  how much each picture counts in its shot
both                   --robust mean----->  one Look per shot: nothing flickers, nothing jumps inside a shot
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from roughcut.records import F32, U8, Features, Look, Shot, Timing
from roughcut.records.rows import blocks, part
from roughcut.spatial import drift
from roughcut.spatial.colour import robust_mean, shrunk

INPUT_SIZE = (64, 48)  # width, height the network looks at, whatever the aspect
EDGE_FRAMES = 2  # frames this near to a transition may still hold some of it
MIN_GRID = 0.12  # stops: a field below this everywhere is not worth having
NEAR_BLACK = 15  # luma of 255
SOME_BLACK, ALL_BLACK = 0.4, 0.6  # shares of near-black pixels
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # BT.709
MAX_GRID = 0.5  # stops: the most that one region is moved
MOST_PICTURES = 1200  # of one shot: evenly chosen beyond ten minutes
BAR_LEVEL = 24  # display code: a line without a brighter pixel at the picture's edge belongs to a bar
_PICTURES_PER_RUN = 64
_CLOSEST_COST = 10**9


class Network(Protocol):
    """What is asked of a loaded network."""

    def run(self, **inputs: NDArray[np.uint8] | F32) -> dict[str, NDArray[np.float32]]: ...


class Store(Protocol):
    """Where networks come from; `roughcut.models.store` is one."""

    def load(self, name: str) -> Network: ...


@dataclass(frozen=True, kw_only=True)
class PictureColour:
    """What the network says of N pictures, not yet shrunk by confidence."""

    sliders: F32
    """[N, 8] in the order of `LookControls.names()`"""
    confidence: F32
    """[N] in 0..1"""
    grid: F32
    """[N, rows, columns] stops, their mean 0, already shrunk by the grid's own confidence"""


class SpaceMapper:
    """The spatial mapping with the shipped network.

    Raises:
        ModelError: the network is missing or was altered.
    """

    def __init__(self, store: Store) -> None:
        self._network = store.load("colour")

    def look_at(self, pictures: U8, rows: F32) -> PictureColour:
        """Each of [N, h, w, 3] pictures (full-range display RGB, N >= 1) with its row of X [N, D] on its own."""
        inside = inside_bars(pictures)
        found, seen = [], []
        for run, known in zip(blocks(pictures, _PICTURES_PER_RUN), blocks(rows, _PICTURES_PER_RUN), strict=True):
            small = resized(run[:, *inside], *INPUT_SIZE)
            found.append(self._network.run(pictures=small, rows=known))
            seen.append(evidence(small))
        sliders, confidence, grid = (
            np.concatenate([f[key] for f in found]) for key in ("sliders", "confidence", "grid")
        )
        share = np.concatenate(seen)
        return PictureColour(sliders=sliders, confidence=confidence * share, grid=grid * share[:, None, None])

    def map(self, features: Features, timing: Timing) -> tuple[Look, ...]:
        """One look per shot, in order; a shot without a picture takes the nearest one, identity where there is none."""
        if not len(features.pictures):
            return tuple(Look(confidence=0.0) for _ in timing.shots)
        colour = self.look_at(features.pictures, features.embeddings)
        weights = picture_weights(features, timing)
        chosen = (_pictures_of(shot, features, weights) for shot in timing.shots)
        return tuple(_keyed(shot_look(colour, rows, weights), features, rows, weights) for rows in chosen)


def evidence(pictures: U8) -> F32:
    """[N] in 0..1: how much [N, h, w, 3] pictures can say of their light.

    Where most of a picture is black (a title card, a stage, the end of a fade) nothing tells a wrong exposure from a
    meant one, and lifting it does harm: from 40 % of near-black pixels on a picture counts less, from 60 % on nothing.
    """
    dark = (pictures.astype(np.float32) @ LUMA < NEAR_BLACK).mean((1, 2))
    share: F32 = np.clip((ALL_BLACK - dark) / (ALL_BLACK - SOME_BLACK), 0, 1).astype(np.float32)
    return share


def shot_look(colour: PictureColour, chosen: NDArray[np.int64], weights: F32) -> Look:
    """The look of a shot from the pictures `chosen` (indices, at least one), by weight and confidence."""
    chosen = _evenly(chosen, MOST_PICTURES)
    share = weights[chosen] + 1e-6
    confidence = float(np.average(colour.confidence[chosen], weights=share))
    trusted = share * (colour.confidence[chosen] + 0.05)
    controls = shrunk(robust_mean(colour.sliders[chosen], trusted), confidence)
    return Look(controls=controls, confidence=round(confidence, 4), grid=_grid(colour.grid[chosen], share))


def _keyed(look: Look, features: Features, chosen: NDArray[np.int64], weights: F32) -> Look:
    """The look with keys where the camera drifts within its shot."""
    chosen = _evenly(chosen, drift.MOST_PICTURES)
    if len(chosen) < drift.LEAST_PICTURES:
        return look
    pictures = np.concatenate([part(features.pictures, int(row), int(row) + 1) for row in chosen])
    times = [features.times.time(int(frame)) for frame in features.picture_frames[chosen]]
    return replace(look, keys=drift.drift_keys(pictures, weights[chosen], times, look.controls))


def _evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of the rows, evenly chosen."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def picture_weights(features: Features, timing: Timing) -> F32:
    """[P] how much each picture says of its shot: 0 in and next to transitions, else 0.5..1.5 with its importance."""
    frames = features.picture_frames
    weights = np.array([0.5 + timing.keep.at(features.times.time(int(f))) for f in frames], np.float32)
    for change in timing.transitions:
        first = np.searchsorted(frames, change.start - EDGE_FRAMES, side="right")
        weights[first : np.searchsorted(frames, change.end + EDGE_FRAMES)] = 0
    return weights


def inside_bars(pictures: U8) -> tuple[slice, slice]:
    """Rows and columns of [N, h, w, 3] without the black bars all share; all where that leaves less than half a side.

    Bars are no part of the scene: a network that sees them takes them for crushed shadows. One more line goes with
    each bar, because its edge is rarely on a pixel of the small picture.
    """
    peak = np.max([block.max(axis=(0, 3)) for block in blocks(pictures, _PICTURES_PER_RUN)], axis=0)
    return _lit(peak.max(axis=1)), _lit(peak.max(axis=0))


def _lit(peaks: NDArray[np.uint8]) -> slice:
    """The stretch of lines between dark ones at either end."""
    lit = np.flatnonzero(peaks > BAR_LEVEL)
    if not len(lit):
        return slice(None)
    first, stop = int(lit[0]), int(lit[-1]) + 1
    first, stop = first + (first > 0), stop - (stop < len(peaks))
    return slice(first, stop) if stop - first >= len(peaks) / 2 else slice(None)


def resized(pictures: U8, width: int, height: int) -> U8:
    """Area mean (box filter, exact at fractional borders) of [N, h, w, 3] to [N, height, width, 3]."""
    rows, columns = _box(pictures.shape[1], height), _box(pictures.shape[2], width)
    wide = np.einsum("Hh,nhwc->nHwc", rows, pictures.astype(np.float32), optimize=True)
    small = np.einsum("Ww,nHwc->nHWc", columns, wide, optimize=True)
    out: U8 = (small + 0.5).astype(np.uint8)
    return out


def _box(size: int, wanted: int) -> F32:
    """[wanted, size] share of each source pixel in each target pixel."""
    edges = np.linspace(0, size, wanted + 1)
    at = np.arange(size)
    cover = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    shares: F32 = (np.clip(cover, 0, None) * wanted / size).astype(np.float32)
    return shares


def _pictures_of(shot: Shot, features: Features, weights: F32) -> NDArray[np.int64]:
    """Indices of the pictures inside a shot that count; where none does, the nearest picture, clean ones first."""
    frames = features.picture_frames
    inside = np.arange(*np.searchsorted(frames, [shot.first, shot.stop]))
    if len(inside):
        clean = inside[weights[inside] > 0]
        return clean if len(clean) else inside
    distance = np.maximum(shot.first - frames, frames - shot.stop + 1)
    return np.array([np.argmin(distance + np.where(weights > 0, 0, _CLOSEST_COST))])


def _grid(grids: F32, weights: F32) -> tuple[tuple[float, ...], ...] | None:
    mean = robust_mean(grids.reshape(len(grids), -1), weights).reshape(grids.shape[1:])
    if np.abs(mean).max() < MIN_GRID:
        return None
    return tuple(tuple(round(float(v), 3) for v in row) for row in np.clip(mean, -MAX_GRID, MAX_GRID))
