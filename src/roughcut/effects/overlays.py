"""What is laid over the film: captions, a title, a logo. Drawn once per change, stamped on each picture's planes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from roughcut.effects.planes import Plane, mixed, shares_of, stamped
from roughcut.effects.text import broken, drawn, font_for
from roughcut.errors import InputError
from roughcut.records import F32, U8, Picture
from roughcut.records.effect import Effect
from roughcut.records.effects import Captions, Logo, Title
from roughcut.timebase import TimeRange

WIDEST = 0.86  # of the picture's width, for words
NARROW = 1.25  # in a picture higher than this times its width, words go by the width
TITLE_FADE = Fraction(2, 5)  # seconds
MOST_PIXELS = 64_000_000


@dataclass(frozen=True)
class _Stamp:
    """RGB and alpha with the place of its upper left corner."""

    rgb: U8
    alpha: F32
    x: int
    y: int


class Overlays:
    """The overlays of one film at one size. `laid(picture, t)` gives the picture with all that is seen at film time t.

    Raises:
        InputError: a logo is missing or no picture, or no font has a caption's characters. OptionError: no such font.
    """

    def __init__(self, effects: tuple[Effect, ...], width: int, height: int) -> None:
        self._effects = [e for e in effects if isinstance(e, Captions | Title | Logo)]
        self._width, self._height = width, height
        self._starts = {id(e): [c.start for c in e.cues] for e in self._effects if isinstance(e, Captions)}
        self._stamps: dict[object, _Stamp] = {}
        self._planes: dict[object, tuple[list[Plane], list[NDArray[np.uint16]]]] = {}
        for effect in self._effects:  # what cannot be drawn is found before the film is made
            if isinstance(effect, Logo):
                self._logo(effect)
            elif isinstance(effect, Captions):
                font_for("".join(sorted({c for cue in effect.cues for c in cue.text})), 16, effect.font)
            else:
                font_for(effect.text + effect.below, 16, effect.font)

    def spans(self) -> Iterator[TimeRange | None]:
        """When something is seen, film time; None: always."""
        for effect in self._effects:
            if isinstance(effect, Captions):
                yield from (TimeRange(cue.start, cue.end) for cue in effect.cues)
            elif isinstance(effect, Title):
                yield TimeRange(effect.start, effect.start + effect.duration)
            else:
                yield None

    def laid(self, picture: Picture, t: Fraction) -> Picture:
        """The picture with what is over it at film time `t`; untouched where there is nothing."""
        for effect in self._effects:
            if isinstance(effect, Logo):
                picture = self._stamped(picture, effect, self._logo(effect), effect.opacity)
            elif isinstance(effect, Title):
                picture = self._titled(picture, effect, t)
            elif isinstance(effect, Captions):
                picture = self._captioned(picture, effect, t)
        return picture

    def _stamped(self, picture: Picture, key: object, stamp: _Stamp, opacity: float) -> Picture:
        named = (key, opacity)
        if named not in self._planes:
            if len(self._planes) > 8:
                self._planes.clear()
            planes = picture.planes_of(stamp.rgb)
            self._planes[named] = planes, shares_of(stamp.alpha, planes, opacity)
        return stamped(picture, *self._planes[named], stamp.x, stamp.y)

    def _captioned(self, picture: Picture, effect: Captions, t: Fraction) -> Picture:
        k = bisect_right(self._starts[id(effect)], t) - 1
        while k >= 0 and not effect.cues[k].start <= t < effect.cues[k].end:
            k -= 1
            if k >= 0 and t - effect.cues[k].start > 60:
                return picture
        if k < 0:
            return picture
        text = effect.cues[k].text
        if text not in self._stamps:
            self._stamps = {} if len(self._stamps) > 8 else self._stamps
            self._stamps[text] = self._words(text, effect.size, effect.font, effect.y, lower=True)
        return self._stamped(picture, ("caption", text), self._stamps[text], 1.0)

    def _words(self, text: str, size: float, name: str | None, y: float, *, lower: bool) -> _Stamp:
        """Words in the middle, their lower edge (else their middle) at `y`; smaller where they would not fit, or fill
        more than three lines."""
        largest = pixels = max(round(size * min(self._height, self._width * NARROW)), 6)
        while True:
            font = font_for(text, pixels, name)
            lines = broken(text, font, WIDEST * self._width)
            rgb, alpha = drawn(lines, font)
            fits = rgb.shape[0] <= self._height and rgb.shape[1] <= self._width
            if pixels <= 6 or (fits and (len(lines) <= 3 or pixels < 0.65 * largest)):
                break
            pixels = max(pixels * 9 // 10, 6)
        rgb, alpha = (
            rgb[: self._height // 2 * 2, : self._width // 2 * 2],
            alpha[: self._height // 2 * 2, : self._width // 2 * 2],
        )
        h, w = alpha.shape
        top = y * self._height - (h if lower else h / 2)
        return _placed(rgb, alpha, (self._width - w) / 2, top, self._width, self._height)

    def _titled(self, picture: Picture, effect: Title, t: Fraction) -> Picture:
        since, left = t - effect.start, effect.start + effect.duration - t
        if since < 0 or left <= 0:
            return picture
        fade = min(TITLE_FADE, effect.duration / 3)
        light = float(min(since / fade, left / fade, Fraction(1)))
        if effect.card:
            share = round((1 - effect.card * light) * 256)
            both = zip(picture.planes(), picture.black(), strict=True)
            picture = picture.with_planes([mixed(np.full_like(p, black), p, share) for p, black in both])
        for text, size, y in ((effect.text, effect.size, 0.46), (effect.below, effect.size * 0.5, 0.6)):
            key = (effect.text, text, y)
            if text and key not in self._stamps:
                self._stamps[key] = self._words(text, size, effect.font, y, lower=False)
            if text:
                picture = self._stamped(picture, key, self._stamps[key], light)
        return picture

    def _logo(self, effect: Logo) -> _Stamp:
        if effect not in self._stamps:
            image = logo_picture(effect.path)
            height = max(round(effect.size * self._height / 2) * 2, 2)
            width = max(round(image.width * height / image.height / 2) * 2, 2)
            fits = min(1.0, self._width / width, self._height / height)
            size = (max(int(width * fits / 2) * 2, 2), max(int(height * fits / 2) * 2, 2))
            scaled = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
            margin = effect.margin * self._height
            x, y = corner(effect.corner, size, (self._width, self._height), margin)
            alpha: F32 = scaled[..., 3].astype(np.float32) / np.float32(255)
            self._stamps[effect] = _placed(scaled[..., :3], alpha, x, y, self._width, self._height)
        return self._stamps[effect]


def corner(name: str, size: tuple[int, int], picture: tuple[int, int], margin: float) -> tuple[float, float]:
    """Upper left corner of something of this size in a corner of the picture."""
    x = margin if name.endswith("left") else picture[0] - size[0] - margin
    y = margin if name.startswith("top") else picture[1] - size[1] - margin
    return x, y


def _placed(rgb: U8, alpha: F32, x: float, y: float, width: int, height: int) -> _Stamp:
    """At the nearest even place inside the picture."""
    h, w = alpha.shape
    left, top = (min(max(round(v / 2) * 2, 0), (room - n) // 2 * 2) for v, n, room in ((x, w, width), (y, h, height)))
    return _Stamp(np.ascontiguousarray(rgb), alpha, left, top)


@lru_cache(maxsize=4)
def logo_picture(path: Path) -> Image.Image:
    """A logo with its transparency. Raises InputError where it is missing, too large or no picture."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise InputError("the logo is too large", where=path, got=f"{image.width}x{image.height}")
            deep = image.mode.startswith("I")  # 16 bits, which Pillow would clip to white
            shown = Image.fromarray((np.asarray(image) // 257).astype(np.uint8)) if deep else image
            converted: Image.Image = shown.convert("RGBA")
            return converted
    except FileNotFoundError:
        raise InputError("no such logo", where=path) from None
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        allowed = "PNG, JPEG or another picture that Pillow reads"
        raise InputError("the logo is no picture", where=path, got=error, allowed=allowed) from error
