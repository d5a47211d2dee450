"""Synthetic scenes: drawn pictures with motion, each a function of time. Twice the size, then averaged down."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

U8 = NDArray[np.uint8]
Scene = Callable[[float], U8]
Colour = tuple[int, int, int]

WIDTH, HEIGHT = 960, 540
W, H = 2 * WIDTH, 2 * HEIGHT  # drawn at twice the size: smooth edges after averaging


def gradient(top: Colour, bottom: Colour) -> Image.Image:
    """A sky from `top` to `bottom`."""
    return _gradient(top, bottom).copy()


@cache
def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    ramp = np.linspace(np.array(top), np.array(bottom), H)[:, None]
    return Image.fromarray(np.broadcast_to(ramp, (H, W, 3)).round().astype(np.uint8))


def finished(drawn: Image.Image) -> U8:
    """[540, 960, 3] with a little grain, as cameras give."""
    small = np.asarray(drawn.resize((WIDTH, HEIGHT), Image.Resampling.BOX), dtype=np.int16)
    grain = _grain()
    shift = int(np.random.default_rng(int(small[::60, ::60].sum())).integers(HEIGHT))
    grainy: U8 = np.clip(small + np.roll(grain, shift, 0)[..., None], 0, 255).astype(np.uint8)
    return grainy


@cache
def _grain() -> NDArray[np.int16]:
    return np.random.default_rng(1).normal(0, 2.2, (HEIGHT, WIDTH)).round().astype(np.int16)


def _ridge(draw: ImageDraw.ImageDraw, base: float, height: float, shift: float, seed: int, colour: Colour) -> None:
    """A row of hills, moved sideways by `shift` pixels."""
    x = np.arange(-20, W + 40, 20)
    rng = np.random.default_rng(seed)
    waves = [(rng.uniform(300, 1400), rng.uniform(0, 6.3), rng.uniform(0.3, 1)) for _ in range(4)]
    y = base - height * sum(a * np.sin((x + shift) / length + phase) for length, phase, a in waves) / 2
    draw.polygon([(-20, H), *zip(x.tolist(), y.tolist(), strict=True), (W + 40, H)], fill=colour)


def _cloud(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, colour: Colour) -> None:
    for dx, dy, r in ((-1.1, 0.1, 0.55), (-0.4, -0.25, 0.8), (0.4, -0.15, 0.7), (1.1, 0.12, 0.5), (0, 0.2, 0.7)):
        cx, cy, rr = x + dx * size, y + dy * size, r * size
        draw.ellipse((cx - rr, cy - rr * 0.6, cx + rr, cy + rr * 0.6), fill=colour)


def hills(t: float) -> U8:
    """A morning: the sun climbs, clouds drift, four rows of hills pass at their own speeds."""
    picture = gradient((92, 146, 205), (250, 214, 170))
    draw = ImageDraw.Draw(picture)
    sun_y = 560 - 34 * t
    draw.ellipse((1290, sun_y - 90, 1470, sun_y + 90), fill=(255, 238, 190))
    for k in range(4):
        _cloud(draw, (k * 610 + 40 * t) % (W + 600) - 300, 170 + 70 * (k % 3), 120 + 20 * k, (250, 244, 238))
    greens: list[Colour] = [(138, 164, 176), (98, 138, 126), (66, 112, 78), (42, 82, 48)]
    for k, colour in enumerate(greens):
        _ridge(draw, 620 + 110 * k, 90 + 15 * k, t * (12 + 28 * k), k, colour)
    return finished(picture)


def speaker(mouth: Callable[[float], float]) -> Scene:
    """A person at a desk who talks: the mouth opens with the sound, the head nods, the eyes blink."""

    def draw_at(t: float) -> U8:
        picture = gradient((196, 184, 168), (158, 142, 124))
        draw = ImageDraw.Draw(picture)
        _study(draw)
        nod, sway = 8 * math.sin(1.7 * t), 16 * math.sin(0.6 * t)
        cx, cy = 900 + sway, 470 + nod
        draw.ellipse((cx - 360, 790, cx + 360, 1500), fill=(46, 86, 120))
        draw.rectangle((cx - 62, cy + 160, cx + 62, cy + 330), fill=(206, 158, 128))
        draw.ellipse((cx - 200, cy - 270, cx + 200, cy + 150), fill=(70, 48, 34))
        draw.ellipse((cx - 172, cy - 210, cx + 172, cy + 220), fill=(226, 178, 146))
        draw.chord((cx - 186, cy - 260, cx + 186, cy + 40), 180, 360, fill=(70, 48, 34))
        _face(draw, cx, cy, mouth(t), blink=t % 2.7 < 0.12)
        draw.rectangle((0, 930, W, H), fill=(112, 80, 54))
        draw.rectangle((0, 930, W, 944), fill=(138, 102, 70))
        return finished(picture)

    return draw_at


def _study(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((120, 120, 520, 560), fill=(168, 204, 226))
    draw.rectangle((312, 120, 328, 560), fill=(236, 230, 220))
    draw.rectangle((120, 332, 520, 348), fill=(236, 230, 220))
    draw.rectangle((1380, 180, 1820, 200), fill=(116, 84, 58))
    draw.rectangle((1380, 420, 1820, 440), fill=(116, 84, 58))
    books: list[Colour] = [(150, 60, 52), (60, 96, 130), (206, 170, 84), (86, 122, 82), (120, 84, 130), (190, 110, 70)]
    for k in range(14):
        shelf = 180 if k < 7 else 420
        x, tall = 1390 + (k % 7) * 60, 120 + 13 * (k * 5 % 7)
        draw.rectangle((x, shelf - tall, x + 46, shelf), fill=books[k % 6])


def _face(draw: ImageDraw.ImageDraw, cx: float, cy: float, open_: float, *, blink: bool) -> None:
    for side in (-1, 1):
        x, tall = cx + side * 68, 4 if blink else 22
        draw.ellipse((x - 32, cy - 40 - tall, x + 32, cy - 40 + tall), fill=(250, 248, 244))
        if not blink:
            draw.ellipse((x - 14, cy - 54, x + 14, cy - 26), fill=(54, 40, 32))
        draw.line((x - 42, cy - 92, x + 42, cy - 98), fill=(70, 48, 34), width=12)
    draw.line((cx, cy - 10, cx - 16, cy + 56, cx + 8, cy + 60), fill=(196, 146, 118), width=8)
    gap = 8 + 46 * open_
    draw.ellipse((cx - 62, cy + 118 - gap / 2, cx + 62, cy + 118 + gap / 2), fill=(120, 44, 44))
    if open_ > 0.25:
        draw.chord((cx - 48, cy + 118 - gap / 2, cx + 48, cy + 118 + gap / 2), 180, 360, fill=(244, 240, 234))


def wall(t: float) -> U8:
    """Nothing: a bare wall on which a shadow creeps."""
    picture = gradient((176, 172, 166), (150, 146, 140))
    draw = ImageDraw.Draw(picture)
    x = 1200 + 6 * t
    draw.polygon([(x, 0), (x + 300, 0), (x + 120, H), (x - 180, H)], fill=(140, 136, 131))
    return finished(picture)


def beach(t: float) -> U8:
    """Waves come in under a low sun; a sail passes."""
    picture = gradient((110, 178, 226), (236, 226, 200))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 430, W, H), fill=(34, 118, 150))
    draw.ellipse((330, 90, 480, 240), fill=(255, 246, 206))
    x = 1500 - 46 * t
    draw.polygon([(x, 250), (x, 420), (x - 110, 420)], fill=(250, 250, 246))
    draw.polygon([(x + 8, 280), (x + 8, 420), (x + 80, 420)], fill=(214, 70, 56))
    draw.polygon([(x - 120, 426), (x + 96, 426), (x + 66, 462), (x - 90, 462)], fill=(110, 66, 42))
    for k in range(9):
        y = 470 + 38 * k + 9 * math.sin(1.3 * t + k)
        xs = np.arange(0, W + 40, 40)
        ys = y + 7 * np.sin(xs / 90 + 1.8 * t + 1.7 * k)
        draw.line(
            list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=(70 + 12 * k, 152 + 8 * k, 176 + 6 * k), width=7
        )
    shore = 830 + 26 * math.sin(1.1 * t)
    xs = np.arange(-20, W + 60, 40)
    ys = shore + 14 * np.sin(xs / 160 + 0.9 * t)
    edge = list(zip(xs.tolist(), ys.tolist(), strict=True))
    draw.polygon([*edge, (W + 60, H), (-20, H)], fill=(226, 200, 150))
    draw.line(edge, fill=(248, 250, 248), width=22)
    return finished(picture)


def turntable(t: float) -> U8:
    """A striped vase turns on a table in a bright studio."""
    picture = gradient((236, 234, 230), (206, 202, 196))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((460, 760, 1460, 1010), fill=(182, 176, 168))
    draw.ellipse((520, 760, 1400, 960), fill=(244, 242, 238))
    rows = np.arange(300, 880, 6)
    profile = 170 + 70 * np.sin((rows - 300) / 150) + 40 * np.sin((rows - 300) / 61)
    colours: list[Colour] = [(198, 72, 52), (240, 236, 226), (44, 96, 112), (232, 176, 74)]
    for y, r in zip(rows.tolist(), profile.tolist(), strict=True):
        for k in range(12):
            a, b = (k / 12 * 2 * math.pi + 1.1 * t) % (2 * math.pi), ((k + 1) / 12 * 2 * math.pi + 1.1 * t)
            _stripe(draw, y, r, a, a + (b - a) % (2 * math.pi), colours[k % 4])
    return finished(picture)


def _stripe(draw: ImageDraw.ImageDraw, y: float, r: float, a: float, b: float, colour: Colour) -> None:
    """The visible part of one stripe in one row: angles 0..pi face the camera."""
    a, b = max(a, 0.0), min(b, math.pi)
    if a >= b:
        return
    shade = 0.55 + 0.45 * math.sin((a + b) / 2) ** 0.7
    tinted = tuple(round(c * shade) for c in colour)
    draw.rectangle((960 - r * math.cos(a), y, 960 - r * math.cos(b), y + 6), fill=tinted)


def city(t: float) -> U8:
    """A skyline at night: windows go on and off, cars pass below."""
    picture = gradient((16, 20, 52), (84, 58, 96))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((1500, 110, 1610, 220), fill=(240, 236, 214))
    rng = np.random.default_rng(5)
    x = -40
    while x < W:
        width, top = int(rng.integers(120, 240)), int(rng.integers(230, 620))
        draw.rectangle((x, top, x + width, 900), fill=(26, 28, 44))
        for wy in range(top + 30, 860, 58):
            for wx in range(x + 22, x + width - 34, 48):
                lit = math.sin(wx * 12.9 + wy * 78.2) + 0.35 * math.sin(t * 0.8 + wx + wy)
                if lit > 0.25:
                    draw.rectangle((wx, wy, wx + 24, wy + 30), fill=(250, 214, 130))
        x += width + int(rng.integers(6, 26))
    draw.rectangle((0, 900, W, H), fill=(34, 34, 42))
    for k in range(6):
        cx = (k * 390 + 420 * t) % (W + 400) - 200
        draw.ellipse((cx, 950, cx + 46, 976), fill=(255, 250, 220))
        cx = (W + 200) - (k * 430 + 360 * t) % (W + 400)
        draw.ellipse((cx, 1014, cx + 46, 1040), fill=(232, 52, 44))
    return finished(picture)


def underexposed(scene: Scene, stops: float) -> Scene:
    """The scene as a camera that was set `stops` too dark records it."""
    curve = _through_light(np.full(3, 2.0**-stops))
    return lambda t: curve[np.arange(3), scene(t)]


def cast(scene: Scene, gains: tuple[float, float, float]) -> Scene:
    """The scene under a wrong white balance: linear gains of red, green and blue."""
    curve = _through_light(np.array(gains))
    return lambda t: curve[np.arange(3), scene(t)]


def _through_light(gains: NDArray[np.float64]) -> U8:
    """[3, 256] what each code value becomes when linear light is multiplied (sRGB transfer, IEC 61966-2-1)."""
    v = np.arange(256) / 255
    light = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)[None] * gains[:, None]
    light = np.clip(light, 0, 1)
    back = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (255 * back).round().astype(np.uint8)


def blend(a: U8, b: U8, part: float) -> U8:
    """`part` of b over a."""
    return ((1 - part) * a.astype(np.float32) + part * b + 0.5).astype(np.uint8)
