"""How one shot becomes the next: blends of two clips of [n, 27, 48, 3] float32 in 0..1 under a progress [n] in (0, 1).

A blend gets the old clip, the new clip and the progress (0 = all old, 1 = all new), and draws its own shape.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from roughcut.records import F32
from roughcut.training.footage import Rng

Blend = Callable[[Rng, F32, F32, F32], F32]
H, W = 27, 48
Y, X = np.meshgrid((np.arange(H) + 0.5) / H - 0.5, (np.arange(W) + 0.5) / W - 0.5, indexing="ij")


def eased(rng: Rng, n: int) -> F32:
    """Progress of n frames strictly between 0 and 1: linear, smooth, accelerating or slowing."""
    a = np.arange(1, n + 1) / (n + 1)
    curve = rng.integers(5)
    if curve == 1:
        a = a * a * (3 - 2 * a)
    elif curve == 2:
        a = a ** rng.uniform(0.6, 1.7)
    elif curve == 3:
        a = 1 - (1 - a) ** rng.uniform(0.6, 1.7)
    return np.asarray(a, np.float32)


def mixed(old: F32, new: F32, share: F32) -> F32:
    """old where `share` is 0, new where it is 1."""
    return np.asarray(old * (1 - share) + new * share, np.float32)


def dissolve(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """A cross-fade; now and then in linear light or additive, as some editors do it."""
    a = progress[:, None, None, None]
    style = rng.random()
    if style < 0.12:
        return np.asarray(np.sqrt(old**2 * (1 - a) + new**2 * a), np.float32)
    if style < 0.2:
        return np.asarray(np.clip(old * np.minimum(2 - 2 * a, 1) + new * np.minimum(2 * a, 1), 0, 1), np.float32)
    return mixed(old, new, a)


def wipe(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """The new shot appears where a threshold map lies below the progress: straight, iris, clock, barn doors, bars."""
    order = _order(rng)
    if rng.random() < 0.5:
        order = 1 - order
    soft = float(rng.choice([0.01, 0.02, 0.1, 0.3]))
    level = progress[:, None, None] * (1 + soft)
    mask = np.asarray(np.clip((level - order) / soft, 0, 1), np.float32)[..., None]
    if rng.random() < 0.15:  # a coloured edge
        edge = ((mask > 0.05) & (mask < 0.95)).astype(np.float32)
        return mixed(mixed(old, new, mask), rng.random(3).astype(np.float32), edge)
    return mixed(old, new, mask)


def push(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """Both shots move together (push), or one slides over the other."""
    axis, forward = int(rng.integers(1, 3)), bool(rng.random() < 0.5)
    moves_old, moves_new = ((True, True), (False, True), (True, False))[rng.integers(3)]
    size = old.shape[axis]
    shift = np.rint(progress * size).astype(np.int64)[:, None]
    at = np.arange(size) if forward else np.arange(size)[::-1]
    is_new = at >= size - shift
    from_old = np.clip(at + (shift if moves_old else 0), 0, size - 1)
    from_new = np.clip(at - (size - shift if moves_new else 0), 0, size - 1)
    if not forward:
        from_old, from_new = size - 1 - from_old, size - 1 - from_new
    frames = np.arange(len(old))[:, None]
    if axis == 1:
        return np.asarray(np.where(is_new[:, :, None, None], new[frames, from_new], old[frames, from_old]), np.float32)
    picked_new, picked_old = new[frames, :, from_new], old[frames, :, from_old]  # [n, 48, 27, 3]
    return np.asarray(np.where(is_new[:, :, None, None], picked_new, picked_old), np.float32).swapaxes(1, 2)


def zoom(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """Fly into the old shot while the new one fades in."""
    share = 1 - 0.75 * progress
    a = np.clip((progress - 0.4) / 0.4, 0, 1)[:, None, None, None]
    return mixed(_scaled(old, share), new, a)


def whip(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """A fast pan out of one shot and into the next, blurred along the way."""
    n = len(old)
    joined = np.concatenate([old, new], axis=2)
    speed = np.sin(np.pi * progress)
    blurred = np.zeros_like(old)
    for tap in np.linspace(-0.5, 0.5, 7):
        shift = np.clip(np.rint((progress + tap * 0.3 * speed) * W), 0, W).astype(np.int64)
        columns = np.arange(W)[None] + shift[:, None]
        blurred += joined[np.arange(n)[:, None], :, columns].swapaxes(1, 2) / 7
    return blurred


def blur(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """Each shot goes through heavy blur or mosaic while they change over."""
    a = np.clip((progress - 0.3) / 0.4, 0, 1)[:, None, None, None].astype(np.float32)
    through = mixed(old, new, a)
    depth = (1 - np.abs(2 * progress - 1))[:, None, None, None].astype(np.float32)
    cell = int(rng.integers(3, 10))
    rows, columns = (np.arange(H) // cell * cell, np.arange(W) // cell * cell)
    return mixed(through, through[:, rows][:, :, columns], depth)


def blocks(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """Random tiles or grains switch to the new shot one by one."""
    cell = int(rng.integers(1, 9))
    order = rng.random((H // cell + 1, W // cell + 1)).repeat(cell, 0).repeat(cell, 1)[:H, :W]
    mask = (progress[:, None, None] > order)[..., None]
    return np.where(mask, new, old)


WIPES: tuple[Blend, ...] = (wipe,)
OTHERS: tuple[Blend, ...] = (push, push, zoom, whip, blur, blocks)


def _order(rng: Rng) -> F32:
    """[27, 48] in 0..1: when a wipe reaches each pixel."""
    kind = rng.integers(8)
    if kind <= 2:
        angle = rng.choice(np.arange(4) * np.pi / 2) if kind < 2 else rng.uniform(0, 2 * np.pi)
        field = np.cos(angle) * X + np.sin(angle) * Y
    elif kind == 3:
        field = np.hypot(X * W / H * rng.choice([H / W, 1]), Y)
    elif kind == 4:
        field = np.maximum(np.abs(X), np.abs(Y)) if rng.random() < 0.5 else np.abs(X) + np.abs(Y)
    elif kind == 5:
        field = np.mod(np.arctan2(Y, X) + rng.uniform(0, 2 * np.pi), 2 * np.pi)
    elif kind == 6:
        field = np.abs(X if rng.random() < 0.5 else Y)
    else:
        field = np.mod((X if rng.random() < 0.5 else Y) * rng.integers(3, 10), 1.0)
    low, high = field.min(), field.max()
    return np.asarray((field - low) / (high - low), np.float32)


def _scaled(clip: F32, share: F32) -> F32:
    """The middle `share` of every picture, filling the frame."""
    rows = np.rint((Y[:, 0] * share[:, None] + 0.5) * H - 0.5).astype(np.int64).clip(0, H - 1)
    columns = np.rint((X[0] * share[:, None] + 0.5) * W - 0.5).astype(np.int64).clip(0, W - 1)
    frames = np.arange(len(clip))[:, None, None]
    return np.asarray(clip[frames, rows[:, :, None], columns[:, None, :]], np.float32)
