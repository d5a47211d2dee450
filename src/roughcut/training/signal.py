"""What a whole film goes through on its way to the viewer, drawn over [T, 27, 48, 3] in 0..1.

    look (one grade, bars, a logo) -> print (flicker, weave, dirt, grain) -> codec (held blocks, soft first frames,
    key pictures that pop) -> clock (frames repeated or blended)

The first three keep every frame where it is; the last one moves frames, so it says where each one went.
"""

from __future__ import annotations

import numpy as np

from roughcut.records import F32, I64
from roughcut.training.footage import Rng

H, W = 27, 48


def pass_on(rng: Rng, film: F32) -> F32:
    """A film after look, print and codec, each by chance."""
    film = _look(rng, film)
    if rng.random() < 0.08:
        film = worn(rng, film)
    elif rng.random() < 0.3:
        film = film + rng.normal(0, rng.uniform(0.005, 0.04), film.shape[:3]).astype(np.float32)[..., None]
    return coded(rng, film) if rng.random() < 0.45 else film


def _look(rng: Rng, film: F32) -> F32:
    """One grade for all shots, then what is laid over them."""
    if rng.random() < 0.35:
        film = graded(rng, film)
    if rng.random() < 0.18:
        film = film.copy()
        bar = rng.integers(1, 6)
        if rng.random() < 0.6:
            film[:, :bar] = film[:, H - bar :] = 0.0
        else:
            bar = rng.integers(3, 15)
            film[:, :, :bar] = film[:, :, W - bar :] = 0.0
    if rng.random() < 0.1:
        film = film.copy()
        top, left = rng.integers(0, H - 5), rng.integers(0, W - 8)
        film[:, top : top + 4, left : left + 7] = rng.random(3)
    return film


def graded(rng: Rng, film: F32) -> F32:
    """Black and white, a tint, little colour, light or contrast, the flat strong colours of drawings: in all shots."""
    grey = film @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    colour = rng.choice([0.0, 0.0, rng.uniform(0, 1), 1.0, 1.3])
    film = np.asarray(grey[..., None] * (1 - colour) + film * colour, np.float32)
    tint = np.exp(rng.normal(0, 0.15, 3)) if rng.random() < 0.5 else np.ones(3)
    light = rng.choice([1.0, rng.uniform(0.2, 0.7), rng.uniform(0.8, 1.3)])
    film = np.asarray(np.clip(film * (tint * light), 0, 1), np.float32)
    if rng.random() < 0.5:
        film = np.asarray(film ** np.exp(rng.normal(0, 0.35)), np.float32)
    if rng.random() < 0.25:
        low, high = rng.uniform(0, 0.25), rng.uniform(0.6, 1.0)
        film = np.asarray(low + film * (high - low), np.float32)
    if rng.random() < 0.12:
        mean, levels = film.mean(3, keepdims=True), rng.integers(5, 14)
        film = np.asarray(np.round(np.clip(mean + 1.6 * (film - mean), 0, 1) * levels) / levels, np.float32)
    return np.asarray(film, np.float32)


def worn(rng: Rng, film: F32) -> F32:
    """An old print: light that flickers and breathes, weave, dirt, scratches, grain."""
    n = len(film)
    t = np.arange(n)
    light = 1 + rng.normal(0, rng.uniform(0.0, 0.1), n) + rng.uniform(0, 0.15) * np.sin(t / rng.uniform(0.6, 12))
    rows, columns = (np.clip(np.arange(s) + rng.integers(-1, 2, n)[:, None], 0, s - 1) for s in (H, W))
    film = film[t[:, None, None], rows[:, :, None], columns[:, None]] if rng.random() < 0.5 else film
    grain = rng.normal(0, rng.uniform(0.01, 0.06), (n, H, W, 1))
    film = np.asarray(film * light[:, None, None, None] + grain, np.float32)
    for k in np.flatnonzero(rng.random(n) < rng.uniform(0, 0.5)).tolist():
        y, x = rng.integers(0, H - 3), rng.integers(0, W - 3)
        film[k, y : y + rng.integers(1, 7), x : x + rng.integers(1, 5)] = rng.choice([0.0, 1.0])
    if rng.random() < 0.3:
        film[:, :, rng.integers(W)] += rng.uniform(-0.3, 0.3)
    return np.asarray(np.clip(film, 0, 1), np.float32)


def coded(rng: Rng, film: F32) -> F32:
    """A low rate: blocks that hardly change are held, the first frames after a change are soft, key pictures pop."""
    cell, hold = int(rng.integers(2, 5)), rng.uniform(0.004, 0.03)
    every, levels = int(rng.integers(12, 250)), float(rng.integers(24, 120))
    tall, wide = -(-H // cell) * cell, -(-W // cell) * cell
    pad = ((0, 0), (0, tall - H), (0, wide - W), (0, 0))
    blocks = np.pad(film, pad, mode="edge").reshape(len(film), tall // cell, cell, wide // cell, cell, 3)
    soft = blocks.mean((2, 4), keepdims=True)
    detail = rng.uniform(0.3, 1.0)
    out = np.empty_like(blocks)
    out[0] = np.round(blocks[0] * levels) / levels
    for k in range(1, len(blocks)):
        change = np.abs(blocks[k] - out[k - 1]).mean((1, 3, 4), keepdims=True)
        sent = soft[k] + (blocks[k] - soft[k]) * np.where(change > 0.08, detail, 1.0)
        held = change < (0 if k % every == 0 else hold)
        out[k] = np.where(held, out[k - 1], np.round(sent * levels) / levels)
    return np.asarray(out.reshape(len(film), tall, wide, 3)[:, :H, :W], np.float32)


def clock(rng: Rng, frames: int) -> I64:
    """[n] how often each frame of a film is shown, until `frames` are filled; mostly once each."""
    counts = np.ones(frames, np.int64)
    kind = rng.random()
    if kind < 0.05:
        counts[:] = rng.choice([2, 2, 2, 3])  # animation on twos, a slow camera
    elif kind < 0.12:
        counts[:: rng.choice([3, 4, 5])] = 2  # pull-down
    elif kind < 0.15:
        counts = rng.choice([1, 2], frames, p=[0.8, 0.2])
    return counts[: int(np.searchsorted(np.cumsum(counts), frames)) + 1]


def blended(film: F32, counts: I64) -> F32:
    """[sum of counts] frames, where every repeat is the mean of its own frame and the one to come."""
    out = film.repeat(counts, axis=0)
    lasts = np.cumsum(counts)[:-1] - 1
    twice = lasts[counts[:-1] > 1]
    out[twice] = (out[twice] + out[twice + 1]) / 2
    return out
