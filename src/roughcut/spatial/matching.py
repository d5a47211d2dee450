"""Shots of one scene brought together: after each shot's own correction, what is left between them is drawn in.

Shots are of one scene where they are neighbours in the film (up to two shots between them, as when two cameras take
turns) and their mean embeddings are alike. What must agree is light (mean lightness), contrast (its deviation) and the
white (mean chroma of pale colours), in OKLab.

A shot whose correction is small counts more than one whose correction is large: good ones are not drawn to bad ones. A
shot that was left alone stays as it is, and no shot goes further than its own correction went; where its scene lies in
the direction of its correction, as far as that would have gone without doubt: the scene has resolved it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from roughcut.oklab import oklab
from roughcut.records import F32, U8, Look, LookControls
from roughcut.spatial.colour import CAPS

F64 = NDArray[np.float64]
ApplyLook = Callable[[U8, Look], U8]
UNLIKE, ALIKE = 0.8, 0.9  # cosines of embeddings: from the first on shots pull at each other, from the second fully
BETWEEN = 2  # shots that may lie between two of one scene
SLIDERS = ("temperature", "tint", "exposure", "contrast")
STEP = 0.05  # of each slider, to see what it does
DAMPING = 1e-4
MOST_MOVED = (0.6, 0.3, 0.8, 0.3)
LITTLE = 0.02  # mean OKLab difference by which a correction is a small one
PALE = 0.06  # chroma from which a pixel says less and less of the white
SAME_WAY = 0.7  # cosine
LEAST_SHARE = 0.1
ROUNDS = 3
CLOSE = 0.004  # of lightness and chroma: nobody sees what is left


@dataclass(frozen=True, kw_only=True)
class Take:
    """What is known of a shot: pixels [n, 3] of it, a unit embedding [D] (zeros: unknown), and its own look."""

    pixels: U8
    embedding: F32
    look: Look


def agreed(takes: Sequence[Take], apply: ApplyLook) -> list[Look]:
    """The looks of shots in film order, drawn together within each scene.

    Args:
        apply: lays a look on a picture.
    """
    scenes = [[j for j in _near(i, len(takes)) if _pull(takes, i, j) > 0] for i in range(len(takes))]
    seen = {j: takes[j].pixels.reshape(1, -1, 3) for scene in scenes if len(scene) > 1 for j in scene}
    filmed = {j: _measure(pixels) for j, pixels in seen.items()}
    now = {j: _measure(apply(pixels, takes[j].look)) for j, pixels in seen.items()}
    moved = {j: _size(pixels, takes[j].look, apply) for j, pixels in seen.items()}
    meant = {j: size / _share(takes[j].look) for j, size in moved.items()}
    looks = [take.look for take in takes]
    for i in (j for j in seen if moved[j]):
        aim = _aim(takes, i, scenes[i], meant, now)
        if np.abs(aim - now[i]).max() >= CLOSE:
            most = meant[i] if _same_way(now[i] - filmed[i], aim - now[i]) else moved[i]
            looks[i] = _drawn(seen[i], takes[i].look, aim, most, apply)
    return looks


def _share(look: Look) -> float:
    """How much of what was predicted doubt has let through (`colour.shrunk`)."""
    return max(look.confidence, LEAST_SHARE)


def _same_way(own: F64, pull: F64) -> bool:
    return float(own @ pull) >= SAME_WAY * float(np.linalg.norm(own) * np.linalg.norm(pull))


def _near(i: int, count: int) -> range:
    return range(max(i - BETWEEN - 1, 0), min(i + BETWEEN + 2, count))


def _aim(
    takes: Sequence[Take], i: int, scene: Sequence[int], meant: Mapping[int, float], now: Mapping[int, F64]
) -> F64:
    """What shot i should measure: the mean of its scene, those meant to be corrected little counting most."""
    weights = np.array([_pull(takes, i, j) / (1 + (meant[j] / LITTLE) ** 2) for j in scene])
    mean: F64 = weights @ np.stack([now[j] for j in scene]) / weights.sum()
    return mean


def _pull(takes: Sequence[Take], i: int, j: int) -> float:
    """0..1: how much shot j has a say in shot i, by how alike they are."""
    if i == j:
        return 1.0
    alike = float(takes[i].embedding @ takes[j].embedding)
    return float(np.clip((alike - UNLIKE) / (ALIKE - UNLIKE), 0, 1))


def _size(pixels: U8, look: Look, apply: ApplyLook) -> float:
    """How far a look goes: mean OKLab difference."""
    return 0.0 if look.is_identity() else _apart(apply(pixels, look), pixels)


def _apart(a: U8, b: U8) -> float:
    """Mean OKLab difference of two pictures of the same."""
    return float(np.linalg.norm(oklab(a / 255.0) - oklab(b / 255.0), axis=-1).mean())


def _measure(pixels: U8) -> F64:
    """[4] mean and deviation of lightness, and the white's a and b, of pixels [1, n, 3]."""
    lab = oklab(pixels[0] / 255.0)
    pale = 1 / (1 + (lab[:, 1:] ** 2).sum(1, keepdims=True) / PALE**2)
    a, b = (pale * lab[:, 1:]).sum(0) / pale.sum()
    return np.array([lab[:, 0].mean(), lab[:, 0].std(), a, b])


def _drawn(pixels: U8, look: Look, aim: F64, most: float, apply: ApplyLook) -> Look:
    """The look moved so that its pixels measure `aim`, by damped Gauss-Newton steps, no further than `most`."""
    move = np.zeros(len(SLIDERS))
    here = _measure(apply(pixels, look))
    for _ in range(ROUNDS):
        slopes = [(_measure(apply(pixels, moved_by(look, move + s))) - here) / STEP for s in STEP * np.eye(len(move))]
        matrix = np.stack(slopes, 1)
        step = np.linalg.solve(matrix.T @ matrix + DAMPING * np.eye(len(move)), matrix.T @ (aim - here))
        for share in (1.0, 0.5, 0.25):
            tried = np.clip(move + share * step, -np.array(MOST_MOVED), MOST_MOVED)
            found = _measure(apply(pixels, moved_by(look, tried)))
            if np.linalg.norm(found - aim) < np.linalg.norm(here - aim):
                move, here = tried, found
                break
        else:
            break
    gone = _apart(apply(pixels, moved_by(look, move)), apply(pixels, look))
    return moved_by(look, move * min(1.0, most / max(gone, 1e-9)))


def moved_by(look: Look, move: F64) -> Look:
    """The look with its sliders (and those of its keys) moved, within their caps."""
    keys = tuple(replace(key, controls=_moved(key.controls, move)) for key in look.keys)
    return replace(look, controls=_moved(look.controls, move), keys=keys)


def _moved(controls: LookControls, move: F64) -> LookControls:
    values = {n: getattr(controls, n) + float(v) for n, v in zip(SLIDERS, move, strict=True)}
    return replace(controls, **{n: round(float(np.clip(v, -CAPS[n], CAPS[n])), 4) for n, v in values.items()})
