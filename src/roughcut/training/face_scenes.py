"""Pictures full of faces, and what cameras do to them: material for the face detector.

A scene is a crop of a picture, with or without faces cut from portraits pasted on it: up to two dozen, 8 pixels to
most of the picture in size, turned, mirrored, in other light. The teacher is asked about the clean scene; the network
sees it disturbed: dark, flat, grey, tinted, blurred, noisy, in coarse blocks, eyes or mouths covered.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from roughcut.records import F32, U8

REAL = 0.7
"""Share of scenes without pasted faces: those are frontal and whole, as faces in films often are not."""
MOST_PASTED = 24
SMALLEST = 8.0  # pixels: shorter faces are no longer faces
HEAD = (0.35, 0.55, 0.35, 0.25)
"""What is cut beside a face's box, as shares of its sides: left, above, right, below."""


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """A face with some of what is around it."""

    picture: Image.Image
    mask: Image.Image
    """Soft oval, same size."""
    box: F32
    """Of the face itself: left, top, right, bottom in the cutting."""

    @property
    def height(self) -> float:
        """Of the face, pixels."""
        return float(self.box[3] - self.box[1])


def cut(picture: Image.Image, box: F32) -> Cutting:
    """The head around a face's box (left, top, right, bottom)."""
    sides = np.array([box[2] - box[0], box[3] - box[1]] * 2) * np.array([-HEAD[0], -HEAD[1], HEAD[2], HEAD[3]])
    left, top, right, bottom = (round(v) for v in np.clip(box + sides, 0, [*picture.size, *picture.size]))
    head = picture.crop((left, top, right, bottom))
    mask = Image.new("L", head.size, 0)
    ImageDraw.Draw(mask).ellipse((0, 0, head.width - 1, head.height - 1), fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(max(min(head.size) / 25, 0.5)))
    return Cutting(picture=head, mask=soft, box=np.asarray(box - [left, top, left, top], np.float32))


def scene(
    rng: np.random.Generator, peopled: Sequence[Image.Image], empty: Sequence[Image.Image], cuttings: Sequence[Cutting],
    side: int,
) -> tuple[Image.Image, Image.Image]:  # fmt: skip
    """A scene of side x side pixels, clean, and with some of its pasted faces half covered.

    It is a crop of a peopled picture, or of an empty one with faces pasted on it.
    """
    if rng.random() < REAL:
        clean = crop(peopled[int(rng.integers(len(peopled)))], rng, side)
        return clean, clean
    clean = crop(empty[int(rng.integers(len(empty)))], rng, side)
    seen = clean.copy()
    number = round(np.exp(rng.uniform(0, np.log(MOST_PASTED))))
    for _ in range(number if rng.random() < 0.85 else 0):
        _paste(clean, seen, cuttings[int(rng.integers(len(cuttings)))], _height(rng, side, number), rng)
    return clean, seen


def crowd(
    rng: np.random.Generator, empty: Sequence[Image.Image], cuttings: Sequence[Cutting], side: int
) -> tuple[Image.Image, list[list[float]]]:
    """A scene of pasted faces alone, some half covered, and where those are that no other hides (left, top, right,
    bottom)."""
    seen = crop(empty[int(rng.integers(len(empty)))], rng, side)
    number = round(np.exp(rng.uniform(0, np.log(MOST_PASTED))))
    boxes: list[list[float]] = []  # of those that are whole
    for _ in range(number):
        cutting = cuttings[int(rng.integers(len(cuttings)))]
        box = _paste(seen.copy(), seen, cutting, _height(rng, side, number), rng)
        boxes = [b for b in boxes if not _meet(b, box)] + [box]
    return seen, [b for b in boxes if min(b[:2]) >= 0 and max(b[2:]) <= side]


def _height(rng: np.random.Generator, side: int, number: int) -> float:
    largest = max(0.7 * side / np.sqrt(number), 2 * SMALLEST)
    return float(np.exp(rng.uniform(np.log(SMALLEST), np.log(largest))))


def _meet(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def crop(picture: Image.Image, rng: np.random.Generator, side: int) -> Image.Image:
    """A square of it, from a third of its shorter side to all of it and a border, mirrored or not."""
    shorter = min(picture.size)
    edge = shorter * float(np.exp(rng.uniform(np.log(0.35), np.log(1.3))))
    x, y = (rng.uniform(min(0, length - edge), max(0, length - edge)) for length in picture.size)
    box = (round(x), round(y), round(x + edge), round(y + edge))
    out = picture.crop(box).resize((side, side), Image.Resampling.BILINEAR)
    return out.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else out


def _paste(
    clean: Image.Image, seen: Image.Image, cutting: Cutting, height: float, rng: np.random.Generator
) -> list[float]:
    """Paste a head so that its face is `height` pixels high, anywhere, also beyond the border by a quarter; its box."""
    scale, (wide, high) = height / cutting.height, cutting.picture.size
    size = (max(round(wide * scale), 2), max(round(high * scale), 2))
    head, mask = (part.resize(size, Image.Resampling.BOX) for part in (cutting.picture, cutting.mask))
    angle = float(rng.normal(0, 15))
    head, mask = (part.rotate(angle, Image.Resampling.BILINEAR) for part in (head, mask))
    mirrored = rng.random() < 0.5
    if mirrored:
        head, mask = (part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for part in (head, mask))
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        head = change(head).enhance(float(np.exp(rng.normal(0, 0.25))))
    x, y = (round(rng.uniform(-0.25 * s, o - 0.75 * s)) for s, o in zip(size, clean.size, strict=True))
    clean.paste(head, (x, y), mask)
    if rng.random() < 0.2:
        _cover(head, rng)
    seen.paste(head, (x, y), mask)
    return _placed(cutting, scale, angle, mirrored, (x, y))


def _placed(cutting: Cutting, scale: float, angle: float, mirrored: bool, corner: tuple[int, int]) -> list[float]:
    """Where a pasted face lies: its box turned about the middle of the head, sides as they were."""
    box = cutting.box * scale
    middle = np.array(cutting.picture.size) * scale / 2
    x, y = (box[:2] + box[2:]) / 2 - middle
    turn = np.radians(angle)
    x, y = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    half = (box[2:] - box[:2]) / 2
    place = np.array([-x if mirrored else x, y]) + middle + corner
    return [float(v) for v in (*(place - half), *(place + half))]


def _cover(head: Image.Image, rng: np.random.Generator) -> None:
    """A bar over the eyes or over the mouth, as glasses and masks are."""
    top = head.height * (0.38 if rng.random() < 0.5 else 0.66)
    colour = tuple(int(v) for v in rng.integers(0, 256, 3))
    ImageDraw.Draw(head).rectangle((0, top, head.width, top + head.height * rng.uniform(0.08, 0.25)), fill=colour)


def disturbed(picture: Image.Image, rng: np.random.Generator) -> U8:
    """[h, w, 3]: the scene as a worse camera would give it; every second one stays as it is."""
    if rng.random() < 0.5:
        return np.asarray(picture)
    soft = float(rng.uniform(0.3, 1.4)) if rng.random() < 0.3 else 0.0
    x = np.asarray(picture.filter(ImageFilter.GaussianBlur(soft)), np.float32) / 255
    if rng.random() < 0.15:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.5:
        x = np.power(x, float(np.exp(rng.normal(0, 0.45))))
    if rng.random() < 0.5:  # dark, flat, tinted
        gains = np.exp(rng.normal(0, 0.12, 3)) * np.exp(rng.uniform(np.log(0.25), np.log(1.3)))
        x = x * gains + rng.uniform(0, 0.15)
    if rng.random() < 0.5:
        x = x + rng.normal(0, rng.uniform(0.005, 0.06), x.shape)
    out = Image.fromarray((x.clip(0, 1) * 255).astype(np.uint8))
    return np.asarray(_coded(out, int(rng.integers(12, 70))) if rng.random() < 0.4 else out)


def _coded(picture: Image.Image, quality: int) -> Image.Image:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=quality)
    return Image.open(held).convert("RGB")
