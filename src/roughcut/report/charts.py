"""Drawings as inline SVG: they stretch with the page, so they hold no text."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from roughcut.records import Curve
from roughcut.report.data import decimated
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Plan

WIDTH, HEIGHT = 1000, 100
_SCALES = {"loudness": (-60.0, 0.0), "valence": (-1.0, 1.0), "arousal": (-1.0, 1.0)}


def curve_lane(curve: Curve, span: TimeRange, kept: Sequence[TimeRange], shots: Sequence[Fraction]) -> str:
    """One curve over the footage time `span`: kept ranges shaded, shot changes as ticks."""
    return _svg("lane", _shades(kept, span), _ticks(shots, span), _line(curve, span))


def film_map(plan: Plan) -> str:
    """The film as a bar: one block per clip, as long as it is shown; neighbours differ in shade."""
    edges = plan.edges()
    whole = TimeRange(edges[0], edges[-1])
    order = {s.id: i for i, s in enumerate(plan.sources)}
    blocks = [
        f'<rect class="b{i % 2} s{order[clip.source] % 4}" x="{_x(a, whole):.1f}" y="0" '
        f'width="{max(_x(b, whole) - _x(a, whole), 0.5):.1f}" height="{HEIGHT}"/>'
        for i, (clip, (a, b)) in enumerate(zip(plan.clips, pairwise(edges), strict=True))
    ]
    return _svg("map", *blocks)


def _svg(kind: str, *parts: str) -> str:
    head = f'<svg class="{kind}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
    return head + "".join(parts) + "</svg>"


def _x(t: Fraction, span: TimeRange) -> float:
    length = span.duration or Fraction(1)
    return float(min(max((t - span.start) / length, Fraction(0)), Fraction(1))) * WIDTH


def _shades(kept: Sequence[TimeRange], span: TimeRange) -> str:
    boxes = [(_x(r.start, span), _x(r.end, span)) for r in kept]
    shades = [
        f'<rect class="kept" x="{a:.1f}" y="0" width="{max(b - a, 0.5):.1f}" height="{HEIGHT}"/>' for a, b in boxes
    ]
    cuts = "".join(f"M{x:.1f} 0V{HEIGHT}" for pair in boxes for x in pair)
    return "".join(shades) + f'<path class="cut" d="{cuts}"/>' if shades else ""


def _ticks(times: Sequence[Fraction], span: TimeRange) -> str:
    marks = dict.fromkeys(f"M{_x(t, span):.1f} {HEIGHT}v-12" for t in times)
    return f'<path class="shot" d="{"".join(marks)}"/>' if marks else ""


def _line(curve: Curve, span: TimeRange) -> str:
    low, high = _SCALES.get(curve.name, (0.0, 1.0))
    values = np.nan_to_num(decimated(curve.values), nan=low, posinf=high, neginf=low)
    heights = [*np.clip(values, low, high), 0.0 if low < 0 < high else low]  # the last one: where the area begins
    *y, base = HEIGHT - 2 - (np.array(heights) - low) / (high - low) * (HEIGHT - 4)
    end = curve.start + curve.step * len(curve.values)
    x = np.linspace(_x(curve.start, span), _x(end, span), len(values))
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    area = f"{x[0]:.1f},{base:.1f} {points} {x[-1]:.1f},{base:.1f}"
    return f'<polygon class="area" points="{area}"/><polyline class="line" points="{points}"/>'
