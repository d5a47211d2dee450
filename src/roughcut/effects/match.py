"""Colours brought near to those of a reference: a map of display RGB, by a `Match` record.

In OKLab, of lightness L and chroma (a, b):

    1 lightness    L' = the monotone cubic through (KNOTS, lightness)
    2 chroma       (a, b)' = matrix (a, b) + the mean of shadows, mids and highlights by `zones(L')`; what is added
                   falls to 0 towards black and white, which stay neutral
    3 skin         a colour in the range of skin keeps its hue but for a few degrees, whatever 2 makes of it
    4 strength     display RGB is mixed with what it was

The last step of a look, after its correction: so skin is where it belongs when 3 looks for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from roughcut.oklab import oklab, skin_likeness, srgb, zones
from roughcut.records import Match
from roughcut.records.match import KNOTS
from roughcut.splines import monotone

F64 = NDArray[np.float64]
BLACK_END, WHITE_END = 0.2, 0.88  # lightnesses (given) beyond which less and less is added to chroma
SKIN_TURN = np.radians(5.0)  # the most that the hue of skin is turned


def apply_match(rgb: ArrayLike, match: Match) -> F64:
    """The exact map: display RGB [..., 3] in 0..1 to the same. Of a `.cube` as reference it knows nothing."""
    given = np.asarray(rgb, np.float64)
    before = oklab(given)
    light = monotone(KNOTS, match.lightness, before[..., 0])
    dark, bright = before[..., 0] / BLACK_END, (1 - before[..., 0]) / (1 - WHITE_END)
    ends = np.clip(np.minimum(dark, bright), 0, 1)[..., None]
    added = zones(light) @ np.array([match.shadows, match.mids, match.highlights])
    chroma = before[..., 1:] @ np.array(match.chroma).T + added * ends
    chroma = _skin_kept(before, chroma)
    mapped = srgb(np.concatenate([light[..., None], chroma], -1))
    return given + match.strength * (mapped - given)


def _skin_kept(before: F64, chroma: F64) -> F64:
    """Chroma [..., 2], turned back where it was skin's and its hue went too far."""
    hue = np.arctan2(before[..., 2], before[..., 1])
    turn = np.angle(np.exp(1j * (np.arctan2(chroma[..., 1], chroma[..., 0]) - hue)))
    limited = SKIN_TURN * np.tanh(turn / SKIN_TURN)
    back = skin_likeness(before) * (limited - turn)
    c, s = np.cos(back), np.sin(back)
    x, y = chroma[..., 0], chroma[..., 1]
    kept: F64 = np.stack([c * x - s * y, s * x + c * y], -1)
    return kept
