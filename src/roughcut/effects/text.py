"""Words as pictures: fonts found on the machine, lines broken as people read them, drawn white on a dark rim.

No font ships with roughcut. Latin text always works: Pillow brings a face of its own. For other scripts a font of the
machine is taken that holds all characters; where there is none, that is said, and `font` names one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from roughcut.errors import InputError, OptionError
from roughcut.records import F32, U8

Font = ImageFont.FreeTypeFont
FONTS = (
    "DejaVuSans.ttf", "Arial.ttf", "arial.ttf", "Helvetica.ttc", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "SourceHanSans-Regular.otf", "PingFang.ttc",
    "Hiragino Sans GB.ttc", "msyh.ttc", "YuGothM.ttc", "meiryo.ttc", "malgun.ttf", "AppleSDGothicNeo.ttc",
    "wqy-zenhei.ttc", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf", "unifont.otf", "Arial Unicode.ttf",
)  # fmt: skip
"""Looked for by these names, in this order, where the system keeps its fonts."""
NOT_FIRST = "、。，．・：；？！）］｝」』】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.!?;:)]}%"
"""Never at the beginning of a line."""
NOT_LAST = "（［｛「『【〈《〔([{"
RIM = 0.09  # of the size


@lru_cache(maxsize=32)
def font_for(text: str, size: int, wanted: str | None) -> Font:
    """A font of that pixel size that has all characters of the text.

    Raises:
        OptionError: the wanted font is not there. InputError: no font at hand has all characters.
    """
    if wanted is not None:
        try:
            return ImageFont.truetype(wanted, size)
        except OSError as error:
            raise OptionError("no such font", where="font", got=wanted, allowed="a font's file or name") from error
    missing = ""
    for font in _at_hand(size):
        lacks = missing_in(font, text)
        if not lacks:
            return font
        missing = lacks if not missing or len(lacks) < len(missing) else missing
    raise InputError(
        "no font on this machine has all characters", where="captions", got="".join(list(missing)[:8]),
        next_step="name a font that has them, or install one (Noto Sans CJK for Chinese, Japanese and Korean)",
    )  # fmt: skip


def _at_hand(size: int) -> list[Font]:
    found = []
    for name in FONTS:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    own = ImageFont.load_default(size)
    return [*found, own] if isinstance(own, ImageFont.FreeTypeFont) else found


def missing_in(font: Font, text: str) -> str:
    """The characters of the text for which the font has but its empty box."""
    box = _drawn(font, "\U0010fffe")
    return "".join(c for c in dict.fromkeys(text) if _seen(c) and _drawn(font, c) == box)


def _seen(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character)[0] not in "CZM"


def _drawn(font: Font, character: str) -> bytes:
    mask = font.getmask(character)
    return bytes(mask) + bytes(str(mask.size), "ascii")


def broken(text: str, font: Font, width: float) -> list[str]:
    """The text in lines that fit `width` pixels, as even as possible; line ends of the text itself stay.

    Between words; in scripts without spaces between any two characters that may part.
    """
    lines = []
    for paragraph in text.split("\n"):
        parts = _parts(paragraph)
        fewest = len(_filled(parts, font, width))
        narrow, wide = width / max(fewest, 1) / 2, width
        while wide - narrow > font.size / 2:  # the narrowest column that needs no further line
            middle = (narrow + wide) / 2
            narrow, wide = (narrow, middle) if len(_filled(parts, font, middle)) <= fewest else (middle, wide)
        lines += _filled(parts, font, wide)
    return lines


def _parts(text: str) -> list[str]:
    """Pieces that are never broken, with the space that follows them."""
    parts: list[str] = []
    for character in text:
        joined = bool(parts) and not (parts[-1][-1].isspace() and not character.isspace())
        if joined and (_wide(character) or _wide(parts[-1][-1])):
            joined = character in NOT_FIRST or parts[-1][-1] in NOT_LAST or character.isspace()
        if joined:
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _filled(parts: Sequence[str], font: Font, width: float) -> list[str]:
    lines = [""]
    for part in parts:
        if lines[-1] and font.getlength((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [line.strip() for line in lines]


def drawn(lines: Sequence[str], font: Font, *, spacing: float = 1.25) -> tuple[U8, F32]:
    """White words with a dark rim, lines centred: RGB [h, w, 3] and alpha [h, w] in 0..1, both sides even."""
    rim = max(round(font.size * RIM), 1)
    step = round(font.size * spacing)
    width = max(round(max(font.getlength(line) for line in lines)), 1) + 4 * rim
    height = step * len(lines) + 4 * rim
    size = (width + width % 2, height + height % 2)
    words, rims = Image.new("L", size), Image.new("L", size)
    for k, line in enumerate(lines):
        at = ((size[0] - font.getlength(line)) / 2, 2 * rim + k * step + step / 2)
        ImageDraw.Draw(words).text(at, line, font=font, fill=255, anchor="lm")
        ImageDraw.Draw(rims).text(at, line, font=font, fill=255, anchor="lm", stroke_width=rim, stroke_fill=255)
    white = np.asarray(words)
    rgb: U8 = np.repeat(np.maximum(white, 12)[..., None], 3, -1)
    alpha: F32 = np.maximum(np.asarray(rims) * np.float32(0.85), white) / np.float32(255)
    return rgb, alpha
