"""What charts over a film's time share: the axis, stills tied to their moments, marks, and the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from roughcut.media.faults import writing
from roughcut.records import U8, Curve
from roughcut.timebase import TimeRange, format_time

WIDTH, MARGIN, GAP = 1600, 60, 8
STILL_HEIGHT, LANE_HEIGHT = 150, 16
STILLS_BOTTOM = MARGIN // 2 + STILL_HEIGHT
PAPER, INK, FAINT = (250, 249, 246), (40, 40, 44), (205, 203, 198)
TIED = (60, 130, 80)
TICKS = tuple(Fraction(s) for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600))
Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A still [h, w, 3], what stands below it, and the time it is tied to."""

    still: U8
    words: str
    time: Fraction


class TimeChart:
    """Paper with a film's time from left to right."""

    def __init__(self, whole: TimeRange, height: int) -> None:
        self._whole = whole
        self._picture = Image.new("RGB", (WIDTH, height), PAPER)
        self._pen = ImageDraw.Draw(self._picture)
        self._font = ImageFont.load_default(18)

    def x(self, t: Fraction) -> float:
        """The column of a time."""
        share = (t - self._whole.start) / (self._whole.duration or 1)
        return MARGIN + float(min(max(share, Fraction(0)), Fraction(1))) * (WIDTH - 2 * MARGIN)

    def clock(self, t: Fraction) -> str:
        """`0:07`, `1:02:03`: hours only where there are some; counted from the film's beginning."""
        return format_time(t - self._whole.start, digits=0).removeprefix("0:")

    def extremes(self, curve: Curve) -> list[tuple[float, float, float]]:
        """Column, least and greatest value of a curve under each pixel, so that hours keep their peaks."""
        columns: dict[int, tuple[float, float]] = {}
        for i, value in enumerate(map(float, curve.values)):
            x = round(self.x(curve.start + curve.step * (2 * i + 1) / 2))
            low, high = columns.get(x, (value, value))
            columns[x] = min(low, value), max(high, value)
        points = [(float(x), low, high) for x, (low, high) in columns.items()]
        return [(float(x), *points[0][1:]) for x in (MARGIN, WIDTH - MARGIN)] if len(points) == 1 else points

    def shots(self, times: Sequence[Fraction], top: float) -> None:
        """Short marks where shots begin."""
        for t in times:
            self._pen.line((self.x(t), top, self.x(t), top + LANE_HEIGHT // 2), fill=INK)

    def time_axis(self, top: float) -> None:
        """Marks and times, at most a dozen."""
        step = next((s for s in TICKS if self._whole.duration / s <= 12), TICKS[-1] * 2)
        t = self._whole.start
        while t <= self._whole.end:
            self._pen.line((self.x(t), top, self.x(t), top + 6), fill=INK)
            self._pen.text((self.x(t), top + 10), self.clock(t), font=self._font, fill=INK, anchor="ma")
            t += step

    def stills(self, pinned: Sequence[Pinned], bottom: float) -> None:
        """Side by side along the top in order of time, each tied by a line that ends at `bottom`."""
        room = (WIDTH - 2 * MARGIN + GAP) / max(len(pinned), 5) - GAP
        for i, one in enumerate(pinned):
            still = Image.fromarray(one.still)
            still.thumbnail((int(room), STILL_HEIGHT), Image.Resampling.LANCZOS)
            left = MARGIN + i * (room + GAP)
            self._picture.paste(still, (round(left), STILLS_BOTTOM - still.height))
            middle = left + still.width / 2
            self._pen.text((middle, STILLS_BOTTOM + 4), one.words, font=self._font, fill=INK, anchor="ma")
            self._pen.line((middle, STILLS_BOTTOM + 28, self.x(one.time), bottom), fill=TIED, width=2)


def save_png(picture: Image.Image, path: Path) -> Path:
    """Write a picture under its name when it is whole. Raises OutputError."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with writing(path):
            picture.save(temporary, format="PNG")
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
