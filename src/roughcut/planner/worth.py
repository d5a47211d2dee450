"""What a stretch of footage is worth: what the networks say of its pictures, joined with what is heard and what moves.

    worth = .6 rank(keep) + .2 rank(motion) + .1 rank(sound event) + .1 share of speech

Ranks among all footage, for only the order of importance is learned. The shares are set by hand: people's scores of
films with their sound are not to be had. Motion breaks the many near-ties in favour of what happens: an empty road is
no highlight because cars passed before and after. A sound event is what is louder than the minute around it.
Where a mood is wished for, half of the worth is the rank of how well a stretch fits it; where faces are to be followed,
a fifth is the rank of how large the largest face is: close-ups, and what people's faces do, are moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from roughcut.planner.mood import MoodWish, leaning, ranks
from roughcut.planner.pieces import Footage
from roughcut.planner.retakes import spoken_share
from roughcut.records import Analysis
from roughcut.timebase import TimeRange

F64 = NDArray[np.float64]
SHARES = {"keep": 0.6, "motion": 0.2, "sound": 0.1, "speech": 0.1}
MOOD_SHARE, FACE_SHARE = 0.5, 0.2
CLOSE = 0.3  # of the picture's height: from this size on a face is a reason
MINUTE = Fraction(30)  # seconds on either side
MUCH = 0.75  # from this rank on a signal is a reason
FITS = 0.6  # and from this one a mood, which fills half of the choice


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A step of one shot."""

    source: int
    shot: int
    range: TimeRange


class Worth:
    """The worth of each cell, [N] in 0..1, and what it is made of."""

    def __init__(
        self, footage: Footage, cells: Sequence[Cell], wish: MoodWish | None = None, *, by_faces: bool = False
    ) -> None:
        self._signals: dict[str, F64] = {
            "keep": ranks([footage[c.source].timing.keep.mean(c.range) for c in cells]),
            "motion": ranks([_motion(footage[c.source], c.range) for c in cells]),
            "sound": ranks([_event(footage[c.source], c.range) for c in cells]),
            "speech": np.array([spoken_share(footage[c.source], c.range) for c in cells], np.float64),
        }
        self.total: F64 = np.sum([share * self._signals[name] for name, share in SHARES.items()], axis=0)
        self._heights = np.array([face_height(footage[c.source], c.range) if by_faces else 0.0 for c in cells])
        if self._heights.any():
            self.total = (1 - FACE_SHARE) * self.total + FACE_SHARE * ranks(self._heights.tolist())
        self._wish = wish
        if wish is not None and wish != "any":
            fits = ranks([leaning(footage[c.source], wish, c.range) for c in cells])
            self._signals["mood"] = fits
            self.total = (1 - MOOD_SHARE) * self.total + MOOD_SHARE * fits

    def reasons(self, first: int, stop: int) -> list[str]:
        """What beside importance speaks for a run of cells, in words."""
        words = {"motion": "much moves", "sound": "it is heard above the rest", "speech": "somebody speaks"}
        said = [words[name] for name in words if self._signals[name][first:stop].mean() >= MUCH]
        if self._heights[first:stop].mean() >= CLOSE:
            said.append("a face is near")
        if "mood" in self._signals and self._signals["mood"][first:stop].mean() >= FITS:
            said.append(f"{self._wish}, as wished")
        return said


def face_height(analysis: Analysis, over: TimeRange) -> float:
    """Mean height, as a share of the picture's, of the largest face in a range; 0 where none was found."""
    times = [over.start + over.duration * Fraction(2 * k + 1, 6) for k in range(3)]
    seen = [[t.box_at(at) for t in analysis.faces or () if t.times[0] <= at <= t.times[-1]] for at in times]
    return float(np.mean([max((float(box[3] - box[1]) for box in boxes), default=0.0) for boxes in seen]))


def _motion(analysis: Analysis, over: TimeRange) -> float:
    """Median difference from frame to frame, which a cut does not move."""
    times = analysis.features.times
    differences = analysis.features.frame_stats[times.frame_at(over.start) + 1 : times.frame_at(over.end) + 1, 2]
    return float(np.median(differences)) if len(differences) else 0.0


def _event(analysis: Analysis, over: TimeRange) -> float:
    """Decibels of a stretch above the minute around it; 0 without sound."""
    loudness = analysis.timing.loudness
    if not len(loudness.values):
        return 0.0
    around = TimeRange(over.start - MINUTE, over.end + MINUTE)
    return round(loudness.mean(over) - loudness.mean(around), 1)
