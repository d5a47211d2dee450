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
from PIL import Image, ImageDraw, ImageFont

from roughcut.records import U8, Curve
from roughcut.timebase import TimeRange, format_time

WIDTH, MARGIN, GAP = 1600, 60, 8
STILL_HEIGHT, CURVE_HEIGHT, LANE_HEIGHT = 150, 260, 16
MOST_STILLS = 8
PAPER, INK, FAINT, SHADE = (250, 249, 246), (40, 40, 44), (205, 203, 198), (222, 235, 222)
LINE, KEPT, VOICE = (70, 110, 160), (60, 130, 80), (190, 140, 60)
TICKS = tuple(Fraction(s) for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600))


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A kept stretch: when, how important (0..1), and a still of its middle where it has one, [h, w, 3]."""

    range: TimeRange
    importance: float
    still: U8 | None = None


class MomentChart:
    """Draws one film."""

    def __init__(self, whole: TimeRange, keep: Curve) -> None:
        self._whole, self._keep = whole, keep
        self._top = MARGIN // 2 + STILL_HEIGHT + 70
        self._base = self._top + CURVE_HEIGHT
        self._picture = Image.new("RGB", (WIDTH, self._base + 3 * LANE_HEIGHT + 60), PAPER)
        self._pen = ImageDraw.Draw(self._picture)
        self._font = ImageFont.load_default(18)

    def draw(self, moments: Sequence[Marked], shots: Sequence[Fraction], speech: Sequence[TimeRange]) -> Image.Image:
        """The picture; `shots` are the times at which shots begin."""
        for moment in moments:
            a, b = self._x(moment.range.start), self._x(moment.range.end)
            self._pen.rectangle((a, self._top, max(b, a + 1), self._base), fill=SHADE)
        self._curve()
        for t in shots:
            self._pen.line((self._x(t), self._base, self._x(t), self._base + LANE_HEIGHT // 2), fill=INK)
        for part in speech:
            lane = self._base + LANE_HEIGHT
            self._pen.rectangle((self._x(part.start), lane, self._x(part.end), lane + LANE_HEIGHT - 4), fill=VOICE)
        self._axes(bool(speech))
        self._stills([m for m in moments if m.still is not None])
        return self._picture

    def _x(self, t: Fraction) -> float:
        share = (t - self._whole.start) / (self._whole.duration or 1)
        return MARGIN + float(min(max(share, Fraction(0)), Fraction(1))) * (WIDTH - 2 * MARGIN)

    def _y(self, value: float) -> float:
        return self._base - min(max(value, 0.0), 1.0) * CURVE_HEIGHT

    def _curve(self) -> None:
        """The highest value under each pixel, so that hours keep their peaks."""
        values, keep = self._keep.values, self._keep
        columns: dict[int, float] = {}
        for i in range(len(values)):
            x = round(self._x(keep.start + keep.step * (2 * i + 1) / 2))
            columns[x] = max(columns.get(x, 0.0), float(values[i]))
        points = [(x, self._y(value)) for x, value in columns.items()]
        if len(points) == 1:
            points = [(MARGIN, points[0][1]), (WIDTH - MARGIN, points[0][1])]
        if points:
            self._pen.line(points, fill=LINE, width=3, joint="curve")

    def _axes(self, speech: bool) -> None:
        pen, left, right = self._pen, MARGIN, WIDTH - MARGIN
        for value in (0.0, 0.5, 1.0):
            pen.line((left, self._y(value), right, self._y(value)), fill=FAINT if value else INK)
            pen.text((left - 8, self._y(value)), f"{value:g}", font=self._font, fill=INK, anchor="rm")
        if speech:
            middle = self._base + LANE_HEIGHT + LANE_HEIGHT // 2
            pen.text((left - 8, middle), "voice", font=ImageFont.load_default(15), fill=VOICE, anchor="rm")
        step = next((s for s in TICKS if self._whole.duration / s <= 12), TICKS[-1] * 2)
        t = self._whole.start
        while t <= self._whole.end:
            x, low = self._x(t), self._base + 2 * LANE_HEIGHT
            pen.line((x, low, x, low + 6), fill=INK)
            pen.text((x, low + 10), _clock(t - self._whole.start), font=self._font, fill=INK, anchor="ma")
            t += step

    def _stills(self, moments: Sequence[Marked]) -> None:
        """Side by side in order of time, each tied to its moment by a line."""
        if not moments:
            return
        room = (WIDTH - 2 * MARGIN + GAP) / max(len(moments), 5) - GAP
        for i, moment in enumerate(moments):
            assert moment.still is not None
            still = Image.fromarray(moment.still)
            still.thumbnail((int(room), STILL_HEIGHT), Image.Resampling.LANCZOS)
            left, top = MARGIN + i * (room + GAP), MARGIN // 2 + STILL_HEIGHT - still.height
            self._picture.paste(still, (round(left), top))
            under = (left + still.width / 2, MARGIN // 2 + STILL_HEIGHT)
            words = f"{_clock(moment.range.start - self._whole.start)}  {moment.importance:.2f}"
            self._pen.text((under[0], under[1] + 4), words, font=self._font, fill=INK, anchor="ma")
            middle = (moment.range.start + moment.range.end) / 2
            self._pen.line((under[0], under[1] + 28, self._x(middle), self._top), fill=KEPT, width=2)


def with_stills(ranges: Sequence[tuple[TimeRange, float]]) -> list[int]:
    """Which of (range, importance) pairs are shown with a still: the most important, in order."""
    order = np.argsort([-importance for _, importance in ranges], kind="stable")
    return sorted(int(i) for i in order[:MOST_STILLS])


def _clock(t: Fraction) -> str:
    """`0:07`, `1:02:03`: hours only where there are some."""
    words = format_time(t, digits=0)
    return words.removeprefix("0:")
