"""Stills as small JPEG data URIs, within a budget, so that the page stays one file of bounded size."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from PIL import Image

from roughcut.errors import RoughcutError
from roughcut.records import U8, Look

Still = Callable[[Path, Fraction], U8]
"""A file's picture at a time: [h, w, 3] full-range RGB."""
ApplyLook = Callable[[U8, Look], U8]
"""The same picture under a look."""


def jpeg_uri(rgb: U8, width: int, quality: int) -> str:
    """`data:image/jpeg;base64,...` of the picture made at most `width` pixels wide and as high."""
    picture = Image.fromarray(rgb)
    picture.thumbnail((width, width), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


class Album:
    """Gives pictures until its budget of bytes is spent; then, and where a file gives no picture, None."""

    def __init__(self, still: Still, *, budget: int, width: int, quality: int = 72) -> None:
        self._still, self._left, self._width, self._quality = still, budget, width, quality

    def picture(self, path: Path, t: Fraction) -> str | None:
        """The still at `t` as a data URI."""
        rgb = self.raw(path, t)
        return None if rgb is None else self.uri(rgb)

    def raw(self, path: Path, t: Fraction) -> U8 | None:
        """The still itself, while there is budget left."""
        if self._left <= 0:
            return None
        try:
            return self._still(path, t)
        except RoughcutError:
            return None

    def uri(self, rgb: U8) -> str:
        """Any picture as a data URI, on this budget."""
        uri = jpeg_uri(rgb, self._width, self._quality)
        self._left -= len(uri)
        return uri
