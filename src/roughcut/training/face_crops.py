"""The square around a face, as the expression network sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from roughcut.records import U8


def square_crop(picture: Image.Image, box: Sequence[float], size: int) -> U8:
    """[size, size] grey: the square around a box (left, top, right, bottom), black beyond the picture."""
    left, top, right, bottom = map(float, box)
    half = max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    area = (round(x - half), round(y - half), round(x + half), round(y + half))
    return np.asarray(picture.convert("L").crop(area).resize((size, size), Image.Resampling.BOX))
