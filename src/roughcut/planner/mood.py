"""Moods in words: which stretch of a film is calm, tense, up or down, and how well it fits what is wished for.

        arousal
  tense    |    up
-----------+----------- valence
   down    |   calm
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from roughcut.errors import OptionError
from roughcut.planner.pieces import Footage
from roughcut.records import Analysis, Mood
from roughcut.timebase import TimeRange

F64 = NDArray[np.float64]
MoodWish = Literal["up", "calm", "tense", "any"]
Word = Literal["up", "tense", "calm", "down", "even"]
# Where a mood lies (valence, arousal). Arousal, which is better known, counts more for what is calm or tense.
TOWARD: dict[Word, tuple[float, float]] = {
    "up": (0.87, 0.5), "tense": (-0.5, 0.87), "calm": (0.5, -0.87), "down": (-0.87, -0.5)
}  # fmt: skip
WORDS: tuple[Word, ...] = (*TOWARD, "even")
EVEN = 0.12  # a mood that leans less than this to any side is even
CHANGE = 0.8  # what another word costs: it must fit this much better, summed over half seconds


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Part of a film in one mood."""

    range: TimeRange
    word: Word
    valence: float
    arousal: float
    confidence: float
    """0..1, the mean of both"""


def leaning(analysis: Analysis, wish: MoodWish, over: TimeRange) -> float:
    """How far a range leans toward what is wished for, about -1..1; 0 for `any`."""
    mood = known_mood(analysis)
    valence, arousal = TOWARD[wish] if wish != "any" else (0.0, 0.0)
    return valence * mood.valence.mean(over) + arousal * mood.arousal.mean(over)


def known_mood(analysis: Analysis) -> Mood:
    """The mood of a file. Raises OptionError where nobody looked for it."""
    if analysis.mood is None:
        name, step = analysis.media.path.name, "analyse with mood=True"
        raise OptionError("the mood is not known", where="--mood", got=name, next_step=step)
    return analysis.mood


def ranks(values: Sequence[float]) -> F64:
    """[N] 0..1 mean rank of each value; equal values share theirs."""
    given = np.array(values, np.float64)
    ordered = np.sort(given)
    ranks = np.searchsorted(ordered, given, side="left") + np.searchsorted(ordered, given, side="right")
    halved: F64 = ranks / (2 * max(len(given), 1))
    return halved


def mood_notes(footage: Footage, wish: MoodWish | None, *, chooses: bool) -> tuple[str, ...]:
    """What stands in the way of a wish, in words. Raises OptionError where the mood is not known."""
    if wish is None:
        return ()
    moods = [known_mood(analysis) for analysis in footage]
    unread = [] if all(mood.faces for mood in moods) else ["--no-faces: the mood was told by pictures and sound alone"]
    kept = ["--mood had nothing to choose from: all is kept; give a --target"] if not chooses and wish != "any" else []
    return (*unread, *kept)


def stretches(mood: Mood, within: TimeRange) -> list[Stretch]:
    """The film `within` in stretches of one word each: the words that fit best, a change having its price."""
    values = np.stack([mood.valence.values, mood.arousal.values], 1).astype(np.float64)
    fit = np.column_stack([values @ np.array(list(TOWARD.values())).T, np.full(len(values), EVEN)])
    found, at = [], 0
    for word, run in groupby(_best_path(fit)):
        count = len(list(run))
        start, end = (mood.valence.start + mood.valence.step * i for i in (at, at + count))
        part = slice(at, at + count)
        sure = [float(c.values[part].mean()) for c in (mood.valence_confidence, mood.arousal_confidence)]
        found.append(
            Stretch(
                range=TimeRange(start, min(end, within.end)),
                word=WORDS[word],
                valence=float(values[part, 0].mean()),
                arousal=float(values[part, 1].mean()),
                confidence=sum(sure) / 2,
            )
        )
        at += count
    return found


def _best_path(fit: F64) -> list[int]:
    """Viterbi: one column per row of [N, K], of the greatest sum less `CHANGE` for each change."""
    if not len(fit):
        return []
    best, came = fit[0].copy(), []
    for row in fit[1:]:
        top = int(best.argmax())
        stay = best >= best[top] - CHANGE
        came.append(np.where(stay, np.arange(len(best)), top))
        best = np.where(stay, best, best[top] - CHANGE) + row
    path = [int(best.argmax())]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return path[::-1]
