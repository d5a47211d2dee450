"""The picture of `roughcut mood`: how the film is likely to be felt over time, and how sure that is.

+------+ +------+ +------+      a still of each of the longest stretches
+--\\---+ +--|---+ +--/---+
| calm  |  up   | tense   |     the stretches in a word
|   ___/\\\\____              |     valence, -1 to 1, in a band as wide as the doubt
|  ____/\\\\__/\\\\__           |     arousal, the same
0:00       0:20      0:40       time; shot changes as ticks
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from PIL import Image, ImageFont

from roughcut.planner.mood import Stretch
from roughcut.records import U8, Curve, Mood
from roughcut.report.time_chart import (
    FAINT,
    INK,
    LANE_HEIGHT,
    MARGIN,
    STILLS_BOTTOM,
    WIDTH,
    Colour,
    Pinned,
    TimeChart,
)
from roughcut.timebase import TimeRange

PANEL, BETWEEN, WORDS_HEIGHT = 170, 26, 30
MOST_STILLS = 8
USUAL = 0.15  # variance of moods; with a value and its confidence it gives back the error that is expected
SHADES: dict[str, Colour] = {
    "up": (250, 226, 160), "tense": (243, 200, 190), "calm": (205, 226, 214), "down": (207, 212, 226),
    "even": (236, 234, 229),
}  # fmt: skip
LINES: dict[str, tuple[Colour, Colour]] = {
    "valence": ((176, 120, 20), (240, 224, 192)), "arousal": ((178, 62, 60), (240, 212, 208)),
}  # fmt: skip


class MoodChart(TimeChart):
    """Draws one film."""

    def __init__(self, whole: TimeRange, mood: Mood) -> None:
        self._mood = mood
        self._words_top = STILLS_BOTTOM + 70
        self._tops = [self._words_top + WORDS_HEIGHT + BETWEEN + i * (PANEL + BETWEEN) for i in range(2)]
        super().__init__(whole, self._tops[-1] + PANEL + LANE_HEIGHT + 60)

    def draw(self, stretches: Sequence[Stretch], shots: Sequence[Fraction], stills: dict[int, U8]) -> Image.Image:
        """The picture; `shots` are the times at which shots begin, `stills` by the number of their stretch."""
        for stretch in stretches:
            self._stretch(stretch)
        m = self._mood
        for top, curve, sure in zip(
            self._tops, (m.valence, m.arousal), (m.valence_confidence, m.arousal_confidence), strict=True
        ):
            self._panel(curve, sure, top)
        bottom = self._tops[-1] + PANEL
        self.shots(shots, bottom)
        self.time_axis(bottom + LANE_HEIGHT)
        pinned = [(stretches[i], still) for i, still in sorted(stills.items())]
        self.stills(
            [Pinned(still=p, words=f"{self.clock(s.range.start)}  {s.word}", time=s.range.middle) for s, p in pinned],
            self._words_top,
        )
        return self._picture

    def _stretch(self, stretch: Stretch) -> None:
        a, b = self.x(stretch.range.start), self.x(stretch.range.end)
        self._pen.rectangle((a, self._words_top, max(b - 1, a + 1), self._words_top + WORDS_HEIGHT),
                            fill=SHADES[stretch.word])  # fmt: skip
        if b - a > self._font.getlength(stretch.word) + 6:
            middle = ((a + b) / 2, self._words_top + WORDS_HEIGHT / 2)
            self._pen.text(middle, stretch.word, font=self._font, fill=INK, anchor="mm")

    def _panel(self, curve: Curve, sure: Curve, top: int) -> None:
        line, band = LINES[curve.name]
        doubt = np.sqrt((1 - np.clip(sure.values, 0, 1)) * (USUAL + curve.values**2))
        upper, lower = (
            [(x, self._y(v, top)) for x, *both in self.extremes(_with(curve, curve.values + side * doubt))
             for v in (max(both) if side > 0 else min(both),)]
            for side in (1, -1)
        )  # fmt: skip
        if len(upper) > 1:
            self._pen.polygon([*upper, *reversed(lower)], fill=band)
        self._levels(curve.name, line, top)
        points = [(x, self._y(v, top)) for x, low, high in self.extremes(curve) for v in dict.fromkeys((low, high))]
        if len(points) > 1:
            self._pen.line(points, fill=line, width=3, joint="curve")

    def _levels(self, name: str, colour: Colour, top: int) -> None:
        left, right = MARGIN, WIDTH - MARGIN
        for value in (-1, 0, 1):
            y = self._y(value, top)
            self._pen.line((left, y, right, y), fill=INK if value == 0 else FAINT)
            self._pen.text((left - 8, y), f"{value:g}", font=self._font, fill=INK, anchor="rm")
        self._pen.text((left + 6, top + 2), name, font=ImageFont.load_default(17), fill=colour, anchor="la")

    def _y(self, value: float, top: int) -> float:
        return top + (1 - min(max(value, -1.0), 1.0)) / 2 * PANEL


def longest(stretches: Sequence[Stretch]) -> list[int]:
    """Which stretches are shown with a still: the longest, in order."""
    order = sorted(range(len(stretches)), key=lambda i: -stretches[i].range.duration)
    return sorted(order[:MOST_STILLS])


def _with(curve: Curve, values: np.ndarray) -> Curve:
    return Curve(name=curve.name, start=curve.start, step=curve.step, values=values.astype(np.float32))
