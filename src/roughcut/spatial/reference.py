"""What brings pictures near to a reference: lightness, casts of shadows and highlights, and how colourful it is.

Each within limits, so that pictures very unlike the reference keep their own colours: they are not torn apart, and not
greyed. Chroma goes by the linear Monge-Kantorovich map between covariances (Pitie and Kokaram 2007, "The linear
Monge-Kantorovitch linear colour mapping"), about the neutral axis instead of the mean, in OKLab.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from roughcut.oklab import oklab, zones
from roughcut.records import U8, Match
from roughcut.records.match import KNOTS
from roughcut.splines import monotone

F64 = NDArray[np.float64]
QUANTILES = (2, 10, 25, 50, 75, 90, 98)  # of lightness that are brought together, per cent
MOST_LIGHTER = 0.15  # of lightness
MOST_LIFTED, MOST_DIMMED = 0.03, 0.05  # of black and of white
STEEPEST, FLATTEST = 1.6, 0.55  # slopes of lightness
MOST_SHIFT = 0.035  # of a and b together, in each zone
LEAST_CHROMA, MOST_CHROMA = 0.75, 1.4  # singular values
SPREAD = 0.012  # of a and b that every picture is taken to have: a grey one is not torn apart
WHOLE = 0.3  # share of the pixels: how far each zone goes by all of them, or one red boat would tint all highlights
VIVID = 0.06  # chroma from which a pixel counts less and less: it says more of things than of light


def match_of(pixels: U8, reference: U8, name: str) -> Match:
    """What brings pixels [n, 3] near to those [m, 3] of a reference called `name`."""
    own, wanted = (oklab(p / 255.0) for p in (pixels, reference))
    lightness = _lightness(own[:, 0], wanted[:, 0])
    own[:, 0] = monotone(KNOTS, lightness, own[:, 0])
    (means, spread), (aims, aim_spread) = _zone_means(own), _zone_means(wanted)
    shift = aims - means
    shift *= np.minimum(1, MOST_SHIFT / np.maximum(np.linalg.norm(shift, axis=1, keepdims=True), 1e-9))
    chroma = _monge_kantorovich(spread, aim_spread)
    shadows, mids, highlights = ((round(float(a), 5), round(float(b), 5)) for a, b in shift)
    rows = [(round(float(a), 5), round(float(b), 5)) for a, b in chroma]
    return Match(
        reference=name, lightness=tuple(round(float(v), 5) for v in lightness), shadows=shadows, mids=mids,
        highlights=highlights, chroma=(rows[0], rows[1]),
    )  # fmt: skip


def _lightness(own: F64, wanted: F64) -> F64:
    """What the lightnesses `KNOTS` become: quantiles brought together, as far as slopes allow."""
    at, aims = np.percentile(own, QUANTILES), np.percentile(wanted, QUANTILES)
    move = np.clip(aims - at, -MOST_LIGHTER, MOST_LIGHTER)
    lift, dim = np.clip(move[0], 0, MOST_LIFTED), np.clip(move[-1], -MOST_DIMMED, 0)
    at = at + np.arange(len(at)) * 1e-6  # of a flat picture all quantiles are one
    moved = np.interp(KNOTS, [0, *at, 1.001], [lift, *move, dim])
    slopes = np.diff(moved) / np.diff(KNOTS)
    share = min(1.0, (STEEPEST - 1) / max(slopes.max(), 1e-9), (1 - FLATTEST) / max(-slopes.min(), 1e-9))
    mapped: F64 = np.clip(KNOTS + share * moved, 0, 1)
    return mapped


def _zone_means(lab: F64) -> tuple[F64, F64]:
    """Mean chroma [3, 2] of shadows, mids and highlights, and the covariance [2, 2] about them."""
    parts, chroma = zones(lab[:, 0]), lab[:, 1:]
    pale = 1 / (1 + (chroma**2).sum(1, keepdims=True) / VIVID**2)
    weights, all_of = parts * pale, WHOLE * pale.sum()
    means = (weights.T @ chroma + WHOLE * (pale * chroma).sum(0)) / (weights.sum(0) + all_of)[:, None]
    rest = chroma - parts @ means
    return means, rest.T @ rest / len(rest) + SPREAD**2 * np.eye(2)


def _monge_kantorovich(own: F64, wanted: F64) -> F64:
    """The symmetric matrix that turns one covariance into the other, its stretch limited."""
    root = _root(own)
    back = np.linalg.inv(root)
    values, axes = np.linalg.eigh(back @ _root(root @ wanted @ root) @ back)
    limited: F64 = (axes * np.clip(values, LEAST_CHROMA, MOST_CHROMA)) @ axes.T
    return limited


def _root(matrix: F64) -> F64:
    values, axes = np.linalg.eigh(matrix)
    root: F64 = (axes * np.sqrt(np.clip(values, 0, None))) @ axes.T
    return root
