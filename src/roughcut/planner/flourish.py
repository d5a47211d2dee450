"""Where effects go, from what the networks heard and saw. Few of them: a plain film must not look like a demo reel.

punch-in    a cut inside one shot of a talk: every second piece a little closer, as from a second camera
push-in     where the voice gains energy and importance rises, or importance rises towards an accent, on a clip long
            enough to notice
speed       `rich` alone: a long stretch that moves, says nothing and matters little goes faster
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from roughcut.planner.pieces import Footage, Piece
from roughcut.planner.timing import accented
from roughcut.records import Analysis
from roughcut.records.effect import Effect
from roughcut.records.effects import PunchIn, PushIn, Speed
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision

Level = Literal["none", "subtle", "rich"]

LONG_ENOUGH = Fraction(4)  # seconds: a shorter clip needs no move
RISEN = 0.2  # importance between the halves of a clip that counts as full rise
LOUDER = 6.0  # dB between the halves of a clip that count as full rise
DULL, STIRRING = 0.45, 0.02  # importance below, motion (mean difference of frames) above: time to hurry
DULL_FOR = Fraction(6)


@dataclass(frozen=True)
class _Measure:
    """How much of it."""

    push: float
    punch: float
    sure: float
    """Probability from which an effect is laid."""
    rest: int
    """Clips without a push-in after one."""


_MEASURES = {"subtle": _Measure(0.04, 0.08, 0.6, 4), "rich": _Measure(0.08, 0.14, 0.45, 2)}


def flourished(
    clips: Sequence[Clip], pieces: Sequence[Piece], footage: Footage, rate: Fraction, level: Level
) -> list[Clip]:
    """The clips with the effects that fit them; as they are at level `none`."""
    if level == "none":
        return list(clips)
    measure, made = _MEASURES[level], list[Clip]()
    closer, last_push = False, -measure.rest - 1
    for i, (clip, piece) in enumerate(zip(clips, pieces, strict=True)):
        jump = i > 0 and _jump(pieces[i - 1], piece)
        closer = jump and not closer
        found: Effect | None = None
        if closer:
            words = "a little closer, so that the cut inside one shot looks meant"
            found = PunchIn(amount=measure.punch, decision=Decision(code="jump_cut", words=words, probability=1.0))
        elif not jump and i - last_push > measure.rest:
            found = _push(clip, footage[piece.source], measure)
            last_push = i if found is not None else last_push
        made.append(clip if found is None else replace(clip, effects=(*clip.effects, found)))
        if level == "rich" and found is None and (hurried := _hurried(clip, footage[piece.source], rate)):
            made[-1] = hurried
    return made


def _jump(before: Piece, after: Piece) -> bool:
    """True where something was cut out of one shot."""
    return (before.source, before.shot) == (after.source, after.shot) and not after.follows(before)


def _push(clip: Clip, analysis: Analysis, measure: _Measure) -> PushIn | None:
    if clip.range.duration < LONG_ENOUGH:
        return None
    chance = rising(clip.range, analysis)
    if chance < measure.sure:
        return None
    words = "voice and importance rise here" if _spoken(clip.range, analysis) else "importance rises towards an accent"
    return PushIn(amount=measure.push, decision=Decision(code="rising", words=words, probability=round(chance, 3)))


def rising(span: TimeRange, analysis: Analysis) -> float:
    """0..1: how surely someone speaks here with growing energy while importance does not fall, or importance rises
    towards an accent of the effect-timing head."""
    first, second = TimeRange(span.start, span.middle), TimeRange(span.middle, span.end)
    timing = analysis.timing
    louder = (timing.loudness.mean(second) - timing.loudness.mean(first)) / LOUDER
    more = timing.keep.mean(second) - timing.keep.mean(first)
    felt = 0.6 * np.clip(louder, 0, 1) + 0.4 * np.clip(0.5 + 2 * more, 0, 1)
    seen = accented(timing.accent, second) * np.clip(more / RISEN, 0, 1)
    return float(np.clip(max(_spoken(span, analysis) * felt, seen), 0, 1))


def _spoken(span: TimeRange, analysis: Analysis) -> float:
    """Share of the time in which someone speaks."""
    parts = (said for s in analysis.timing.speech if (said := s.range.intersect(span)))
    return float(sum((part.duration for part in parts), Fraction(0)) / span.duration)


def _hurried(clip: Clip, analysis: Analysis, rate: Fraction) -> Clip | None:
    """The clip in half its time, speeding up, where it is long, moves, says nothing and matters little."""
    span, timing = clip.range, analysis.timing
    if span.duration < DULL_FOR or any(s.range.intersect(span) for s in timing.speech):
        return None
    importance, motion = timing.keep.mean(span), _motion(analysis, span)
    if importance > DULL or motion < STIRRING:
        return None
    words = f"long motion that matters little (importance {importance:.2f}): played in half the time"
    why = Decision(code="long_motion", words=words, probability=round(1 - importance, 3))
    half = TimeRange(span.start, span.start + int(span.duration * rate / 2) / rate)
    return replace(clip, range=half, effects=(*clip.effects, Speed(rate=Fraction(1), to=Fraction(3), decision=why)))


def _motion(analysis: Analysis, span: TimeRange) -> float:
    """Mean difference of consecutive frames, 0..1."""
    times = analysis.features.times
    first, last = times.frame_at(span.start), times.frame_at(span.end)
    return float(np.asarray(analysis.features.frame_stats[first + 1 : max(last, first + 2), 2]).mean())
