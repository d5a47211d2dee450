"""Keeping what is said: whole sentences with air around them, the dead air between them dropped."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from roughcut.planner.budget import knapsack
from roughcut.planner.mood import MoodWish, leaning, ranks
from roughcut.planner.pieces import Footage, Piece, split_by_shot, territories
from roughcut.records import Analysis
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Decision

DEAD_AIR = Fraction(1, 2)  # a gap between words this long is cut out
AIR_BEFORE = Fraction(3, 20)  # left before the first word of a sentence, so that its attack is whole
AIR_AFTER = Fraction(1, 4)  # left after the last one, so that it can die away
SNAP = Fraction(3, 10)  # a shot boundary this near to an edge becomes the edge
COST_UNIT = Fraction(1, 10)
LEAST_FIT = 0.2  # what is left of a sentence's worth that fits the wished mood least of all


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """Words without dead air between them. `spoken` is the words alone, `range` has air around it."""

    source: int
    spoken: TimeRange
    range: TimeRange
    probability: float
    value: float


def speech_share(footage: Footage) -> float:
    """The part of the footage's time that lies within sentences, 0..1."""
    total = sum((a.features.times.range.duration for a in footage), Fraction(0))
    spoken = sum((s.spoken.duration for i, a in enumerate(footage) for s in sentences(i, a)), Fraction(0))
    return float(spoken / total) if total else 0.0


def sentences(source: int, analysis: Analysis) -> list[Sentence]:
    """The sentences of one file, in order, none overlapping."""
    groups = _groups(analysis)
    whole = analysis.features.times.range
    spoken = [part for group, _ in groups if (part := group.intersect(whole)) is not None]
    found, edges = [], _shot_edges(analysis)
    for i, part in enumerate(spoken):
        before = (spoken[i - 1].end + part.start) / 2 if i else whole.start
        after = (part.end + spoken[i + 1].start) / 2 if i + 1 < len(spoken) else whole.end
        around = _with_air(analysis, edges, part, TimeRange(before, after))
        probability = groups[i][1]
        value = float(part.duration) * probability * (0.5 + analysis.timing.keep.mean(part))
        found.append(Sentence(source=source, spoken=part, range=around, probability=probability, value=value))
    return found


def _groups(analysis: Analysis) -> list[tuple[TimeRange, float]]:
    """Runs of speech with gaps shorter than dead air, each with the mean probability weighted by time."""
    groups: list[tuple[TimeRange, float, Fraction]] = []
    for speech in analysis.timing.speech:
        length = speech.range.duration
        if groups and speech.range.start - groups[-1][0].end < DEAD_AIR:
            whole, weighted, spoken = groups[-1]
            groups[-1] = (
                TimeRange(whole.start, speech.range.end),
                weighted + speech.probability * float(length),
                spoken + length,
            )
        else:
            groups.append((speech.range, speech.probability * float(length), length))
    return [(whole, min(weighted / float(spoken), 1.0)) for whole, weighted, spoken in groups if spoken]


def _shot_edges(analysis: Analysis) -> list[Fraction]:
    return [shot.range.start for shot in analysis.timing.shots]


def _with_air(analysis: Analysis, edges: Sequence[Fraction], spoken: TimeRange, room: TimeRange) -> TimeRange:
    """The range with air around it, its edges on a shot boundary or in the quietest moment near, inside `room`."""
    start = _edge(analysis, edges, spoken.start - AIR_BEFORE, (spoken.start - SNAP, spoken.start - AIR_BEFORE / 2))
    end = _edge(
        analysis, edges, spoken.end + AIR_AFTER, (spoken.end + AIR_AFTER / 2, spoken.end + AIR_AFTER + SNAP / 3)
    )
    times = analysis.features.times
    start = times.time(times.frame_at(min(max(start, room.start), spoken.start)))
    end = max(min(end, room.end), spoken.end)
    last = times.frame_at(end)
    return TimeRange(start, end if times.time(last) == end else times.time(last + 1))


def _edge(analysis: Analysis, edges: Sequence[Fraction], wanted: Fraction, near: tuple[Fraction, Fraction]) -> Fraction:
    """A shot boundary within `near`, else the middle of the quietest 0.1 s there, else what was wanted."""
    if inside := edges[bisect_left(edges, near[0]) : bisect_right(edges, near[1])]:
        return min(inside, key=lambda t: abs(t - wanted))
    loudness = analysis.timing.loudness
    steps = max(int((near[1] - near[0]) / loudness.step), 1)
    candidates = [near[0] + loudness.step * (i + Fraction(1, 2)) for i in range(steps)]
    if not len(loudness.values):
        return wanted
    return min(candidates, key=lambda t: (round(loudness.at(t)), abs(t - wanted)))


def speech_pieces(footage: Footage, target: Fraction | None, mood: MoodWish | None = None) -> list[Piece]:
    """Pieces that hold every sentence, or those of greatest worth that fit the target, in order.

    Args:
        mood: what is wished for; the better a sentence fits, the more it is worth.
    """
    found = [s for i, analysis in enumerate(footage) for s in sentences(i, analysis)]
    chosen = found if target is None else _within(_felt(found, footage, mood), target)
    return [
        piece
        for i, analysis in enumerate(footage)
        for piece in split_by_shot(i, territories(analysis), ((s.range, _spoken(s)) for s in chosen if s.source == i))
    ]


def _felt(found: Sequence[Sentence], footage: Footage, mood: MoodWish | None) -> Sequence[Sentence]:
    if mood is None or mood == "any":
        return found
    fits = ranks([leaning(footage[s.source], mood, s.range) for s in found])
    return [replace(s, value=s.value * (LEAST_FIT + fit)) for s, fit in zip(found, fits, strict=True)]


def _within(found: Sequence[Sentence], target: Fraction) -> list[Sentence]:
    costs = [math.ceil(s.range.duration / COST_UNIT) for s in found]
    return [found[i] for i in knapsack([s.value for s in found], costs, int(target / COST_UNIT))]


def _spoken(sentence: Sentence) -> Decision:
    words = f"{float(sentence.spoken.duration):.1f} s of speech, kept whole with air around it"
    return Decision(code="speech", words=words, probability=sentence.probability)
