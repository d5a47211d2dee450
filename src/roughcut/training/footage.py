"""Material for synthesised films: real single shots, photographs with a moving crop, and drawn scenes.

Everything is small: shots are kept as uint8 [n, 54, 96, 3], twice the size of a thumb, and sampled to [n, 27, 48, 3]
float32 in 0..1 through a crop that may move, at any speed, mirrored, with its own colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from roughcut.records import F32, I64, THUMB_SIZE, U8

STORED_SIZE = (2 * THUMB_SIZE[0], 2 * THUMB_SIZE[1])  # width, height
Rng = np.random.Generator
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Footage:
    """Decoded material: `shots[i]` is [n, 54, 96, 3]; a photograph has n = 1 (and may be of any size)."""

    shots: Sequence[U8]
    stills: Sequence[U8]
    films: Sequence[Sequence[U8]] = ()
    """Stills taken from one film each: `films[i][j]` is [1, h, w, 3]"""


@dataclass(frozen=True, kw_only=True)
class View:
    """How a stretch of one shot is looked at; two views of one material make a jump cut."""

    material: U8
    frame: float
    """First source frame."""
    speed: float
    """Source frames per film frame; may be negative or 0 (frozen)."""
    box: tuple[float, float, float, float]
    """Centre y, centre x, size (all shares of the picture) at the start, and log2 of the zoom over 100 frames."""
    drift: tuple[float, float]
    """Movement of the centre (y, x) over 100 frames, in shares of the picture."""
    mirrored: bool
    gain: tuple[float, float, float]
    gamma: float
    film: Sequence[U8] = ()
    """Other pictures of the same film"""

    def render(self, first: int, stop: int) -> F32:
        """Frames [first, stop) of the film, counted from the view's own start: [n, 27, 48, 3] in 0..1."""
        t = np.arange(first, stop)
        source = self._bounce(self.frame + self.speed * t.astype(np.float64))
        rows, columns = self._samples(t)
        picture = _sample(self.material, source, rows, columns)
        if self.mirrored:
            picture = picture[:, :, ::-1]
        coloured = np.clip(picture / 255.0 * np.array(self.gain, np.float32), 0.0, 1.0)
        return np.asarray(coloured if self.gamma == 1.0 else coloured**self.gamma, np.float32)

    def _bounce(self, index: F64) -> I64:
        """Source indices, running back and forth where the film outlasts the shot."""
        last = len(self.material) - 1
        if last == 0:
            return np.zeros(len(index), np.int64)
        phase = np.mod(np.rint(index).astype(np.int64), 2 * last)
        return np.asarray(np.minimum(phase, 2 * last - phase), np.int64)

    def _samples(self, t: np.ndarray) -> tuple[F32, F32]:
        """Sample positions in source pixels: rows [n, 27] and columns [n, 48], inside the picture."""
        y, x, size, zoom = self.box
        share = np.clip(size * 2.0 ** (zoom * t / 100.0), 0.35, 1.0)
        height, width = self.material.shape[1:3]
        axes = []
        for centre, drift, count, extent in ((y, self.drift[0], 27, height), (x, self.drift[1], 48, width)):
            middle = np.clip(centre + drift * t / 100.0, share / 2, 1 - share / 2)
            grid = (np.arange(count) + 0.5) / count - 0.5
            axes.append(((middle[:, None] + share[:, None] * grid) * extent - 0.5).astype(np.float32))
        return axes[0], axes[1]


def draw_view(rng: Rng, footage: Footage) -> View:
    """A random look at random material: mostly real shots, some photographs, some drawn scenes."""
    source = rng.random()
    if source < 0.55 and footage.shots:
        material = footage.shots[int(rng.integers(len(footage.shots)))]
    elif source < 0.75 and footage.films:
        return _of_film(rng, footage.films[int(rng.integers(len(footage.films)))])
    elif source < 0.92 and footage.stills:
        material = footage.stills[int(rng.integers(len(footage.stills)))]
    else:
        material = traffic(rng) if rng.random() < 0.3 else drawn_scene(rng)
    return _look_at(rng, material)


def same_film(rng: Rng, view: View) -> View:
    """Another picture of the same film, in the same colours."""
    return replace(_of_film(rng, view.film), gain=view.gain, gamma=view.gamma, mirrored=view.mirrored)


def _of_film(rng: Rng, film: Sequence[U8]) -> View:
    return replace(_look_at(rng, film[int(rng.integers(len(film)))]), film=film)


def another_view(rng: Rng, view: View) -> View:
    """A jump cut: the same material and colours at another moment, and often from another distance."""
    other = _look_at(rng, view.material)
    kept = replace(other, gain=view.gain, gamma=view.gamma, mirrored=view.mirrored, speed=view.speed)
    kept = replace(kept, frame=view.frame + rng.uniform(0.2, 0.8) * len(view.material))
    y, x, size, zoom = view.box
    if len(view.material) > 40 and rng.random() < 0.6:
        nudge = rng.choice([0.0, 0.0, 0.03], 2) * rng.normal(0, 1, 2)  # a hand-held camera does not come back exactly
        return replace(kept, box=(y + nudge[0], x + nudge[1], size, zoom), drift=view.drift)
    closer = size * rng.uniform(0.5, 0.85) if size > 0.6 else min(size * rng.uniform(1.2, 2.0), 1.0)
    return replace(kept, box=(y, x, closer, zoom))


def _look_at(rng: Rng, material: U8) -> View:
    still = len(material) == 1
    moving = still or rng.random() < 0.3
    size = rng.uniform(0.45, 0.9) if still else rng.uniform(0.55, 1.0)
    speed = float(rng.choice([1.0, 1.0, 1.0, 0.5, 2.0, rng.uniform(0.3, 3.0), -1.0]))
    colours = rng.random() < 0.5
    y, x = rng.uniform(size / 2, 1 - size / 2, 2)
    dy, dx = rng.normal(0, 0.35, 2)
    return View(
        material=material,
        frame=float(rng.uniform(0, len(material))),
        speed=speed,
        box=(float(y), float(x), size, float(rng.normal(0, 0.4)) if moving else 0.0),
        drift=(float(dy), float(dx)) if moving else (0.0, 0.0),
        mirrored=bool(rng.random() < 0.5),
        gain=_draw_gain(rng) if colours else (1.0, 1.0, 1.0),
        gamma=float(np.exp(rng.normal(0, 0.25))) if colours else 1.0,
    )


def _draw_gain(rng: Rng) -> tuple[float, float, float]:
    """Gains of R, G, B: a cast, and a light that in one shot of six is a night."""
    light = rng.uniform(0.1, 0.6) if rng.random() < 0.17 else np.exp(rng.normal(0, 0.15))
    r, g, b = light * np.exp(rng.normal(0, 0.12, 3))
    return float(r), float(g), float(b)


def drawn_scene(rng: Rng) -> U8:
    """[n, 54, 96, 3]: a flat or shaded ground, sometimes with shapes that drift over it (titles, graphics, screens)."""
    width, height = STORED_SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ground = _ground(rng, y / height, x / width)
    if rng.random() < 0.3:
        return _to_bytes(ground[None])
    frames = np.repeat(ground[None], 20, axis=0)
    for _ in range(rng.integers(1, 6)):
        _draw_shape(rng, frames, y, x)
    return _to_bytes(frames)


def traffic(rng: Rng) -> U8:
    """[90, 54, 96, 3]: a flat but textured ground that large things enter, cross and leave: it may look like a fade."""
    width, height = STORED_SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    texture = rng.normal(0, rng.uniform(0.005, 0.04), (height, width, 1))
    slope = (y[..., None] / height - 0.5) * rng.uniform(-0.4, 0.4)
    frames = np.repeat((rng.uniform(0.05, 0.9) + slope + texture + rng.normal(0, 0.03, 3))[None], 90, axis=0)
    t = np.arange(90)[:, None, None]
    for _ in range(rng.integers(1, 5)):
        when, (vy, vx) = rng.uniform(0, 90), rng.normal(0, 1, 2) * rng.uniform(0.2, 3)
        dy = y - rng.uniform(0.2, 0.8) * height - vy * (t - when)
        dx = x - rng.uniform(0.2, 0.8) * width - vx * (t - when)
        inside = (np.abs(dy) < rng.uniform(4, 24)) & (np.abs(dx) < rng.uniform(6, 44))
        surface = rng.random(3) + rng.normal(0, 0.08, (height, width, 3))
        frames = np.where(inside[..., None], surface, frames)
    return _to_bytes(frames)


def _ground(rng: Rng, y: F32, x: F32) -> F32:
    flat = rng.choice([0.0, 0.02, 1.0, rng.random()]) * np.ones(3)
    colour = flat if rng.random() < 0.4 else rng.random(3)
    other = colour if rng.random() < 0.5 else rng.random(3)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.clip(0.5 + (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)), 0, 1)[..., None]
    texture = rng.normal(0, rng.choice([0.0, 0.05, 0.2]), (7, 12, 1)).repeat(8, 0).repeat(8, 1)[:54, :96]
    return np.asarray(colour * (1 - ramp) + other * ramp + texture, np.float32)


def _draw_shape(rng: Rng, frames: F32, y: F32, x: F32) -> None:
    """Paint one moving ellipse, box or row of bars (as text looks from afar) into all frames."""
    height, width = y.shape
    t = np.arange(len(frames), dtype=np.float32)[:, None, None]
    velocity = rng.normal(0, 0.6, 2) * (rng.random() < 0.6)
    dy = y - rng.uniform(0, height) - velocity[0] * t
    dx = x - rng.uniform(0, width) - velocity[1] * t
    h, w = rng.uniform(2, 20), rng.uniform(3, 36)
    kind = rng.integers(3)
    if kind == 0:
        inside = (dy / h) ** 2 + (dx / w) ** 2 < 1
    else:
        inside = (np.abs(dy) < h) & (np.abs(dx) < w)
        if kind == 2:
            inside &= (np.mod(dy, 5) < 2) & (np.mod(dx + 3 * np.floor(dy / 5), 7) < 5)
    frames[inside] = rng.random(3)


def _sample(material: U8, source: I64, rows: F32, columns: F32) -> F32:
    """Bilinear samples of frames `source` [n] at rows [n, 27] x columns [n, 48]; float 0..255."""
    frames = np.arange(len(source))[:, None]
    upper, fy = _cells(rows, material.shape[1])
    left, fx = _cells(columns, material.shape[2])
    lines = material[source[:, None], upper] * (1 - fy[:, :, None, None])
    lines += material[source[:, None], upper + 1] * fy[:, :, None, None]
    lines = np.ascontiguousarray(lines.swapaxes(1, 2))  # [n, width, 27, 3], so that columns are whole blocks
    picture = lines[frames, left] * (1 - fx[:, :, None, None]) + lines[frames, left + 1] * fx[:, :, None, None]
    return np.asarray(picture.swapaxes(1, 2), np.float32)


def _cells(positions: F32, size: int) -> tuple[I64, F32]:
    """The sample at or before each position, and how far beyond it the position lies (0..1)."""
    first = np.clip(np.floor(positions), 0, size - 2).astype(np.int64)
    return first, np.clip(positions - first, 0, 1).astype(np.float32)


def _to_bytes(frames: F32) -> U8:
    return np.asarray(np.clip(frames, 0, 1) * 255, np.uint8)
