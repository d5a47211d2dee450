"""What looks like a change of shot and is none: hard negatives, drawn into one clip of [n, 27, 48, 3] in 0..1.

Light (flashes, strobes, dimming, exposure steps), camera (whip pans, shake), things in front (objects passing close,
titles popping in, screens within the screen, bursts), focus, time (frames held or dropped) and the signal (noise,
coarse blocks).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from roughcut.records import F32, I64
from roughcut.training.footage import F64, Rng

Disturbance = Callable[[Rng, F32], F32]
H, W = 27, 48


def flash(rng: Rng, clip: F32) -> F32:
    """One to three photographic flashes of one to four frames."""
    gain = np.ones(len(clip), np.float32)
    lift = np.zeros(len(clip), np.float32)
    for _ in range(rng.integers(1, 4)):
        at, length = rng.integers(len(clip)), rng.integers(1, 5)
        strength = rng.uniform(0.3, 1.0) * 0.7 ** np.arange(length)
        part = slice(at, at + length)
        room = len(gain[part])
        gain[part] += strength[:room] * rng.uniform(0, 2)
        lift[part] += strength[:room] * rng.uniform(0, 0.8)
    return _lit(clip, gain, lift)


def strobe(rng: Rng, clip: F32) -> F32:
    """A light that goes on and off."""
    period = rng.integers(2, 13)
    on = np.mod(np.arange(len(clip)) + rng.integers(period), period) < rng.integers(1, period)
    return _lit(clip, np.where(on, 1.0, rng.uniform(0.25, 0.8)), 0.0)


def dimming(rng: Rng, clip: F32) -> F32:
    """Light that swells and falls without reaching black."""
    wave = np.sin(2 * np.pi * np.arange(len(clip)) / rng.uniform(10, 90) + rng.uniform(0, 6.3))
    return _lit(clip, 1 + rng.uniform(0.15, 0.55) * wave, 0.0)


def exposure_step(rng: Rng, clip: F32) -> F32:
    """A light switched, or the camera's exposure catching up, at once or within ten frames; colour may shift too."""
    slow = 1 if rng.random() < 0.5 else rng.integers(2, 11)
    ramp = np.clip((np.arange(len(clip)) - rng.integers(len(clip))) / slow, 0, 1)
    target = np.exp(rng.normal(0, 0.5)) * np.exp(rng.normal(0, 0.08, 3))
    gain = 1 + ramp[:, None] * (target - 1)
    return np.asarray(np.clip(clip * gain[:, None, None, :], 0, 1), np.float32)


def whip_pan(rng: Rng, clip: F32) -> F32:
    """The camera swings quickly to another part of the same scene (the picture, mirrored on), blurred by its speed."""
    start, length = rng.integers(len(clip)), rng.integers(4, 24)
    way = rng.uniform(0.3, 2.0) * W * rng.choice([-1, 1])
    progress = np.clip((np.arange(len(clip)) - start) / length, 0, 1)
    path = way * progress * progress * (3 - 2 * progress)
    speed = np.abs(np.gradient(path)) if len(path) > 1 else np.zeros(1)
    total = np.zeros_like(clip)
    for tap in (-0.4, -0.2, 0.0, 0.2, 0.4):
        total += _shifted(clip, path + tap * speed, np.zeros(len(clip)))
    return np.asarray(total / 5, np.float32)


def shake(rng: Rng, clip: F32) -> F32:
    """A hand-held or knocked camera."""
    size = rng.uniform(0.5, 4.0)
    path = rng.normal(0, size, (len(clip), 2))
    if rng.random() < 0.5:  # one knock instead of a steady tremor
        path *= np.exp(-np.abs(np.arange(len(clip)) - rng.integers(len(clip))) / rng.uniform(1, 5))[:, None]
    return _shifted(clip, path[:, 0], path[:, 1])


def passing(rng: Rng, clip: F32) -> F32:
    """Something large and near crosses the picture, plain or with a texture of the scene's own."""
    length = int(np.exp(rng.uniform(np.log(4), np.log(90))))
    start, wide = rng.integers(-length, len(clip)), rng.uniform(0.2, 0.9) * W
    progress = (np.arange(len(clip)) - start) / length
    centre = progress * (W + 2 * wide) - wide
    x, y = np.arange(W), np.linspace(-1, 1, H)
    lean = rng.normal(0, 6) * y
    inside = np.abs(x[None, None] - centre[:, None, None] - lean[None, :, None]) < wide / 2
    if rng.random() < 0.5:
        inside &= (y > rng.uniform(-1, 0.3))[None, :, None]
    if rng.random() < 0.5:
        inside = inside[:, :, ::-1]
    if rng.random() < 0.5:
        plain = rng.random(3) * rng.uniform(0.1, 1.0) + rng.normal(0, 0.04, (1, H, W, 3))
        surface = np.asarray(np.clip(plain, 0, 1), np.float32)
    else:  # a part of the scene, in another light, that moves along
        lit = np.asarray(np.clip(clip[:, ::-1, ::-1] * rng.uniform(0.3, 1.5, 3), 0, 1), np.float32)
        surface = _shifted(lit, -centre, np.zeros(len(clip)))
    return np.asarray(np.where(inside[..., None], surface, clip), np.float32)


def title(rng: Rng, clip: F32) -> F32:
    """Lines of text or a box pop in and out, or fade within a few frames."""
    mask = np.zeros((H, W), np.float32)
    top, left = rng.integers(0, H - 5), rng.integers(0, W - 10)
    height, width = rng.integers(3, 14), rng.integers(8, W)
    block = mask[top : top + height, left : left + width]
    block[...] = 1.0
    if rng.random() < 0.7:
        block[1::3] = 0.0
        block[:, rng.random(block.shape[1]) < 0.3] = 0.0
    on, length, soft = rng.integers(len(clip)), rng.integers(5, 80), rng.integers(1, 10)
    t = np.arange(len(clip))
    level = np.clip(np.minimum(t - on, on + length - t) / soft, 0, 1)
    a = (level[:, None, None] * mask * rng.uniform(0.6, 1))[..., None].astype(np.float32)
    return np.asarray(clip * (1 - a) + a * rng.choice([0.0, 1.0, rng.random()]), np.float32)


def screen(rng: Rng, clip: F32) -> F32:
    """A screen within the picture, on which another film runs and is cut."""
    tall, wide = rng.integers(6, 19), rng.integers(8, 33)
    top, left = rng.integers(0, H - tall + 1), rng.integers(0, W - wide + 1)
    inner = clip[::-1, ::-1, ::-1, rng.permutation(3)][:, top : top + tall, left : left + wide]
    changes = np.cumsum(rng.random(len(clip)) < rng.choice([0.0, 0.02, 0.08]))
    grades = rng.uniform(0.1, 1.2, (changes[-1] + 1, 3)), rng.uniform(-0.2, 0.4, (changes[-1] + 1, 3))
    turned = np.where((changes % 2 == 1)[:, None, None, None], inner[:, ::-1, ::-1], inner)
    shown = np.clip(turned * grades[0][changes][:, None, None] + grades[1][changes][:, None, None], 0, 1)
    t = np.arange(len(clip))
    on = t >= 0 if rng.random() < 0.6 else (t >= rng.integers(len(clip))) & (t < rng.integers(len(clip)) + 20)
    clip = clip.copy()
    part = clip[:, top : top + tall, left : left + wide]
    part[on] = shown[on]
    return clip


def burst(rng: Rng, clip: F32) -> F32:
    """An explosion, a headlight, the sun between trees: a glow that swells from a point and sinks back."""
    y, x = np.mgrid[0:H, 0:W]
    distance = np.hypot(y - rng.uniform(0, H), x - rng.uniform(0, W))
    age = np.arange(len(clip)) - rng.integers(len(clip))
    rise, fall = rng.uniform(1, 8), rng.uniform(4, 40)
    level = np.where(age < 0, np.exp(age / rise), np.exp(-age / fall)) * rng.uniform(0.4, 1.2)
    reach = rng.uniform(6, 40) * (0.3 + level)
    glow = level[:, None, None] * np.exp(-((distance / reach[:, None, None]) ** 2))
    colour = np.array([1.0, rng.uniform(0.5, 1), rng.uniform(0.1, 1)])
    return np.asarray(np.clip(clip + glow[..., None] * colour, 0, 1), np.float32)


def focus(rng: Rng, clip: F32) -> F32:
    """The lens loses and finds its focus."""
    cell = int(rng.integers(3, 9))
    tall, wide = H // cell * cell, W // cell * cell
    coarse_mean = clip[:, :tall, :wide].reshape(len(clip), H // cell, cell, W // cell, cell, 3).mean((2, 4))
    rows, columns = (np.minimum(np.arange(n) // cell, n // cell - 1) for n in (H, W))
    age = np.abs(np.arange(len(clip)) - rng.integers(len(clip)))
    depth = np.clip(1.3 - age / rng.uniform(4, 40), 0, 1)[:, None, None, None]
    return np.asarray(clip * (1 - depth) + coarse_mean[:, rows][:, :, columns] * depth, np.float32)


def zoomed(rng: Rng, clip: F32) -> F32:
    """The lens zooms, slowly or at once, and stays."""
    progress = np.clip((np.arange(len(clip)) - rng.integers(len(clip))) / rng.uniform(5, 90), 0, 1)
    share = 1 - rng.uniform(0.15, 0.6) * (progress if rng.random() < 0.5 else progress[::-1])
    rows, columns = (((np.arange(n) + 0.5) / n - 0.5) * share[:, None] * n + (n - 1) / 2 for n in (H, W))
    at = np.arange(len(clip))[:, None, None]
    return np.asarray(
        clip[at, np.rint(rows).astype(np.int64)[:, :, None], np.rint(columns).astype(np.int64)[:, None]], np.float32
    )


def held_frames(rng: Rng, clip: F32) -> F32:
    """Frames held (a stutter, a frame-rate conversion, a freeze) and the dropped ones after."""
    index = np.arange(len(clip))
    if rng.random() < 0.5:
        step = rng.integers(2, 5)
        return np.asarray(clip[index // step * step], np.float32)
    start, length = rng.integers(len(clip)), rng.integers(2, 15)
    held = (index >= start) & (index < start + length)
    return np.asarray(clip[np.where(held, start, index)], np.float32)


def noise(rng: Rng, clip: F32) -> F32:
    """Grain, or a burst of it."""
    grain = rng.normal(0, rng.uniform(0.01, 0.07), clip.shape[:3]).astype(np.float32)[..., None]
    if rng.random() < 0.2:
        grain[rng.random(len(clip)) < 0.9] = 0
        grain *= 4
    return np.asarray(np.clip(clip + grain, 0, 1), np.float32)


def coarse(rng: Rng, clip: F32) -> F32:
    """A starved encoder: blocks and few levels, worse in some stretch."""
    cell, levels = rng.integers(2, 5), rng.integers(8, 40)
    blocky = clip[:, np.arange(H) // cell * cell][:, :, np.arange(W) // cell * cell]
    start = rng.integers(len(clip))
    part = slice(start, start + rng.integers(3, 30))
    clip = clip.copy()
    clip[part] = np.round((0.4 * clip[part] + 0.6 * blocky[part]) * levels) / levels
    return clip


DISTURBANCES: tuple[Disturbance, ...] = (
    flash,
    flash,
    strobe,
    dimming,
    exposure_step,
    exposure_step,
    whip_pan,
    shake,
    passing,
    passing,
    title,
    title,
    screen,
    screen,
    burst,
    focus,
    zoomed,
    held_frames,
    noise,
    coarse,
)


def disturb(rng: Rng, clip: F32, share: float = 0.5) -> F32:
    """One disturbance in a `share` of clips, a second one in a quarter of those."""
    if rng.random() >= share or not len(clip):
        return clip
    clip = DISTURBANCES[rng.integers(len(DISTURBANCES))](rng, clip)
    return disturb(rng, clip, 0.25)


def _lit(clip: F32, gain: object, lift: object) -> F32:
    """clip * gain[t] + lift[t], clipped."""
    gains, lifts = (np.broadcast_to(np.asarray(v, np.float32), (len(clip),))[:, None, None, None] for v in (gain, lift))
    return np.asarray(np.clip(clip * gains + lifts, 0, 1), np.float32)


def _shifted(clip: F32, dx: F64, dy: F64) -> F32:
    """Every frame moved by whole pixels over its own mirror image."""
    columns = _mirror(np.arange(W)[None] + np.rint(dx).astype(np.int64)[:, None], W)
    rows = _mirror(np.arange(H)[None] + np.rint(dy).astype(np.int64)[:, None], H)
    picked = clip[np.arange(len(clip))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return np.asarray(picked, np.float32)


def _mirror(index: I64, size: int) -> I64:
    phase = np.mod(index, 2 * size)
    return np.asarray(np.minimum(phase, 2 * size - 1 - phase), np.int64)
