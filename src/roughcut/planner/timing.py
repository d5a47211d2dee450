"""The effect-timing head read as a chance: what it says is rare, so it is measured by what it usually says."""

from __future__ import annotations

import numpy as np

from roughcut.records import Curve
from roughcut.timebase import TimeRange

USUAL, RARE = 0.148, 0.241  # the accent head's median and 95 % quantile on the films it was trained on (its card)


def accented(curve: Curve, span: TimeRange) -> float:
    """0..1: how surely something begins within `span`, by the highest moment there: 0 is usual, 1 one in twenty."""
    first = max(int((span.start - curve.start) // curve.step), 0)
    last = max(int(-((curve.start - span.end) // curve.step)), first + 1)
    values = curve.values[first:last]
    peak = float(values.max()) if len(values) else 0.0
    return float(np.clip((peak - USUAL) / (RARE - USUAL), 0, 1))
