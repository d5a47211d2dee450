"""The picture of `roughcut moments`: the keep curve over time, what is kept of it, and a still of each kept moment.

+------+ +------+ +------+      stills of the moments (the most important, where there are many), tied to
+--\\---+ +--|---+ +--/---+     the middle of their stretch
|   \\__      |     __/    |
|  ___/\\__  _|__ _/\\__    |     keep, 0 to 1; kept stretches shaded, shot changes as ticks below
|  speech  =====  ==      |     where somebody speaks
0:00       0:20      0:40       time
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from PIL import Image, ImageFont

from roughcut.records import U8, Curve
from roughcut.report.time_chart import FAINT, INK, LANE_HEIGHT, MARGIN, STILLS_BOTTOM, TIED, WIDTH, Pinned, TimeChart
from roughcut.timebase import TimeRange

CURVE_HEIGHT = 260
MOST_STILLS = 8
SHADE = (222, 235, 222)
LINE, KEPT, VOICE = (70, 110, 160), TIED, (190, 140, 60)


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A kept stretch: when, how important (0..1), and a still of its middle where it has one, [h, w, 3]."""

    range: TimeRange
    importance: float
    still: U8 | None = None


class MomentChart(TimeChart):
    """Draws one film."""

    def __init__(self, whole: TimeRange, keep: Curve) -> None:
        self._keep, self._top = keep, STILLS_BOTTOM + 70
        self._base = self._top + CURVE_HEIGHT
        super().__init__(whole, self._base + 3 * LANE_HEIGHT + 60)

    def draw(self, moments: Sequence[Marked], shots: Sequence[Fraction], speech: Sequence[TimeRange]) -> Image.Image:
        """The picture; `shots` are the times at which shots begin."""
        for moment in moments:
            a, b = self.x(moment.range.start), self.x(moment.range.end)
            self._pen.rectangle((a, self._top, max(b, a + 1), self._base), fill=SHADE)
        if points := [(x, self._y(high)) for x, _, high in self.extremes(self._keep)]:
            self._pen.line(points, fill=LINE, width=3, joint="curve")
        self.shots(shots, self._base)
        for part in speech:
            lane = self._base + LANE_HEIGHT
            self._pen.rectangle((self.x(part.start), lane, self.x(part.end), lane + LANE_HEIGHT - 4), fill=VOICE)
        self._axes(bool(speech))
        self.stills([_pinned(self, m, m.still) for m in moments if m.still is not None], self._top)
        return self._picture

    def _y(self, value: float) -> float:
        return self._base - min(max(value, 0.0), 1.0) * CURVE_HEIGHT

    def _axes(self, speech: bool) -> None:
        pen, left, right = self._pen, MARGIN, WIDTH - MARGIN
        for value in (0.0, 0.5, 1.0):
            pen.line((left, self._y(value), right, self._y(value)), fill=FAINT if value else INK)
            pen.text((left - 8, self._y(value)), f"{value:g}", font=self._font, fill=INK, anchor="rm")
        if speech:
            middle = self._base + LANE_HEIGHT + LANE_HEIGHT // 2
            pen.text((left - 8, middle), "voice", font=ImageFont.load_default(15), fill=VOICE, anchor="rm")
        self.time_axis(self._base + 2 * LANE_HEIGHT)


def with_stills(ranges: Sequence[tuple[TimeRange, float]]) -> list[int]:
    """Which of (range, importance) pairs are shown with a still: the most important, in order."""
    order = np.argsort([-importance for _, importance in ranges], kind="stable")
    return sorted(int(i) for i in order[:MOST_STILLS])


def _pinned(chart: TimeChart, moment: Marked, still: U8) -> Pinned:
    words = f"{chart.clock(moment.range.start)}  {moment.importance:.2f}"
    return Pinned(still=still, words=words, time=moment.range.middle)
