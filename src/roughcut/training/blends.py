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
    if style < 0.24:  # by way of grey
        depth = 1 - np.abs(2 * a - 1)
        old, new = (mixed(clip, clip.mean(3, keepdims=True), depth) for clip in (old, new))
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


def crop(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """The old shot closes to a hole in a colour, the new one opens from it."""
    field = np.hypot(X * W / H, Y) if rng.random() < 0.6 else np.maximum(np.abs(X), np.abs(Y))
    open_to = np.abs(2 * progress - 1)[:, None, None] * (field.max() + 0.02)
    hole = np.clip((open_to - field) / 0.02, 0, 1)[..., None]
    picture = np.where((progress < 0.5)[:, None, None, None], old, new)
    return mixed(np.full(3, rng.choice([0.0, 0.0, 0.0, 1.0, rng.random()]), np.float32), picture, hole)


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


def smear(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """Blurred along lines, more and more, while they change over."""
    a = np.clip((progress - 0.3) / 0.4, 0, 1)[:, None, None, None].astype(np.float32)
    axis = int(rng.integers(1, 3))
    padded = np.cumsum(np.concatenate([mixed(old, new, a)] * 3, axis=axis), axis=axis, dtype=np.float32)
    size = old.shape[axis]
    reach = np.rint((1 - np.abs(2 * progress - 1)) * rng.uniform(0.2, 0.9) * size / 2).astype(np.int64)[:, None]
    at, frames = np.arange(size)[None] + size, np.arange(len(old))[:, None]
    lines = padded.swapaxes(1, axis)
    summed = lines[frames, at + reach] - lines[frames, at - reach - 1]
    return np.asarray(summed / (2 * reach + 1)[..., None, None], np.float32).swapaxes(1, axis)


def squeeze(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """The old shot is pressed into a line over the new one, or both turn like a card."""
    axis, turns = int(rng.integers(1, 3)), bool(rng.random() < 0.5)
    share = np.abs(1 - 2 * progress) if turns else 1 - progress
    size = old.shape[axis]
    place = ((np.arange(size) + 0.5) / size - 0.5) / np.maximum(share, 1e-3)[:, None]
    inside = np.abs(place) < 0.5
    index = np.clip(((place + 0.5) * size).astype(np.int64), 0, size - 1)
    source = np.where((progress < 0.5)[:, None, None, None], old, new) if turns else old
    pressed = source.swapaxes(1, axis)[np.arange(len(old))[:, None], index]
    ground = np.zeros_like(pressed) if turns else new.swapaxes(1, axis)
    return np.asarray(np.where(inside[..., None, None], pressed, ground), np.float32).swapaxes(1, axis)


def glitch(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """Torn lines and false colours over a cut in the middle."""
    out = np.where((progress < 0.5)[:, None, None, None], old, new).astype(np.float32)
    for frame in (out[k] for k in np.flatnonzero((progress > 0) & (progress < 1))):
        for _ in range(rng.integers(2, 7)):
            top, tall = rng.integers(H), rng.integers(1, 8)
            frame[top : top + tall] = np.roll(frame[top : top + tall], rng.integers(-W // 2, W // 2), axis=1)
            if rng.random() < 0.4:
                frame[top : top + tall] = frame[top : top + tall, :, rng.permutation(3)] * rng.uniform(0.5, 1.5)
    return np.clip(out, 0, 1)


def blocks(rng: Rng, old: F32, new: F32, progress: F32) -> F32:
    """Random tiles or grains switch to the new shot one by one."""
    cell = int(rng.integers(1, 9))
    order = rng.random((H // cell + 1, W // cell + 1)).repeat(cell, 0).repeat(cell, 1)[:H, :W]
    mask = (progress[:, None, None] > order)[..., None]
    return np.where(mask, new, old)


WIPES: tuple[Blend, ...] = (wipe, wipe, wipe, wipe, wipe, wipe, wipe, crop)
OTHERS: tuple[Blend, ...] = (push, push, push, push, zoom, zoom, whip, blur, blur, blocks, smear, squeeze, glitch)


def _order(rng: Rng) -> F32:
    """[27, 48] in 0..1: when a wipe reaches each pixel."""
    kind = rng.integers(11)
    if kind == 8:  # from a corner
        field = np.maximum(X * rng.choice([-1, 1]), Y * rng.choice([-1, 1]))
    elif kind == 9:  # torn by wind, or along clouds
        noise = rng.random((H, 1) if rng.random() < 0.5 else (H // 5 + 1, W // 5 + 1))
        noise = noise if noise.shape[1] == 1 else noise.repeat(5, 0).repeat(5, 1)[:H, :W]
        field = X * rng.choice([-1, 1]) + rng.uniform(0.1, 0.9) * noise
    elif kind == 10:  # slices, one after the other
        x, y = (X, Y) if rng.random() < 0.5 else (Y, X)
        field = x * rng.choice([-1, 1]) + rng.uniform(0.3, 1) * np.mod(x * rng.integers(3, 10), 1.0) + 0 * y
    elif kind <= 2:
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
