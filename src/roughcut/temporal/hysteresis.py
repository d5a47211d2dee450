"""Hysteresis with two thresholds: how probabilities become stretches without flickering at one threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def runs_above(values: NDArray[np.floating], high: float, low: float) -> list[tuple[int, int]]:
    """Half-open index runs `[a, b)` where [N] values stay above `low`, of those that reach `high` somewhere."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], values > low, [False]]).astype(np.int8)))
    return [(a, b) for a, b in edges.reshape(-1, 2).tolist() if values[a:b].max() >= high]
