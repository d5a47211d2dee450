"""How one piece becomes the next: straight cuts, dissolves where it is calm and the scene changes, fades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from roughcut.planner.options import Transitions
from roughcut.planner.pieces import Footage, Piece
from roughcut.planner.timing import accented
from roughcut.records import F32, Analysis, Look
from roughcut.records.rows import part
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Decision, Join

HALF_DISSOLVE = Fraction(1, 4)
FADE_IN, FADE_OUT = Fraction(1, 2), Fraction(1)
HALF_WHIP = Fraction(1, 6)
LIVELY = ("whip",)
SURE = 0.6  # the probability from which a whip is laid
SOFT = 0.5  # a change softer than this gets a dissolve
VERY_CALM = 0.5  # the lull curve seldom rises above it
NEW_SCENE = 0.5  # cosine distance of the frame encoder's rows between unlike scenes
AROUND = Fraction(1)  # seconds looked at on either side of a join

UNBROKEN = Decision(code="unbroken", words="the footage goes on: nothing is cut here")
STRAIGHT = Decision(code="straight_cut", words="a straight cut")
ASKED_CUT = Decision(code="asked", words="a straight cut, as asked")
ASKED_DISSOLVE = Decision(code="asked", words="a dissolve, as asked")
NO_ROOM = Decision(code="no_room", words="a straight cut: the shot is too short to lend frames for a dissolve")


def frames_of(seconds: Fraction, rate: Fraction) -> Fraction:
    """The nearest whole number of film frames, at least one, in seconds."""
    return max(round(seconds * rate), 1) / rate


def choose_joins(
    pieces: Sequence[Piece], footage: Footage, rate: Fraction, wish: Transitions, talk: bool, rich: bool = False
) -> tuple[list[Piece], list[Join]]:
    """The pieces, trimmed where a dissolve borrows from them, and the len(pieces) + 1 joins.

    Args:
        rate: the film's frame rate; every duration is a whole number of its frames.
        rich: transitions that are seen are allowed, one in four joins at most.
        talk: the film follows speech: no dissolve on a sentence and no fade on its first word.
    """
    kept = list(pieces)
    joins: list[Join] = []
    for i in range(1, len(kept)):
        kept[i - 1], kept[i], join = _join(kept[i - 1], kept[i], footage, rate, wish, talk)
        lately = any(j.kind in LIVELY for j in joins[-3:])
        if rich and not lately and join.decision.code in ("straight_cut", "soft_change") and wish == "auto":
            kept[i - 1], kept[i], join = _livelier(kept[i - 1], kept[i], footage, rate, join)
        joins.append(join)
    return kept, [_opening(kept, rate, wish, talk), *joins, _closing(kept, rate, wish)]


def _join(
    before: Piece, after: Piece, footage: Footage, rate: Fraction, wish: Transitions, talk: bool
) -> tuple[Piece, Piece, Join]:
    if after.follows(before):
        return before, after, Join(decision=UNBROKEN)
    soft, decision = _wanted(before, after, footage, wish, talk)
    if not soft:
        return before, after, Join(decision=decision)
    half = frames_of(HALF_DISSOLVE, rate)
    lent = _lend(before, after, footage, half)
    if lent is None:
        return before, after, Join(decision=NO_ROOM)
    return *lent, Join(kind="dissolve", duration=2 * half, decision=decision)


def _livelier(before: Piece, after: Piece, footage: Footage, rate: Fraction, join: Join) -> tuple[Piece, Piece, Join]:
    """A whip into another scene that begins with emphasis; else the join as it is."""
    b = footage[after.source]
    start = TimeRange(after.range.start, min(after.range.start + AROUND, after.range.end))
    change = _distance(
        _row_at(footage[before.source], before.range.end), _row_at(b, after.range.start)
    )  # fmt: skip
    chance = min(change / NEW_SCENE, 1.0) * accented(b.timing.accent, start)
    half = frames_of(HALF_WHIP, rate)
    lent = _lend(before, after, footage, half) if chance >= SURE else None
    if lent is None:
        return before, after, join
    decision = Decision(code="emphasis", words="a whip: another scene, and something begins", probability=chance)
    return *lent, Join(kind="whip", duration=2 * half, decision=decision)


def blend_looks(
    joins: Sequence[Join], pieces: Sequence[Piece], looks: Sequence[Look | None], footage: Footage, rate: Fraction
) -> list[Join]:
    """Where the footage's own gradual transition goes on unbroken, its two looks dissolve over the same frames."""
    found = list(joins)
    for i in range(1, len(pieces)):
        before, after = pieces[i - 1], pieces[i]
        if joins[i].decision is not UNBROKEN or looks[i - 1] == looks[i] or after.shot != before.shot + 1:
            continue
        shots = footage[after.source].timing.shots
        half = (shots[after.shot].range.start - shots[before.shot].range.end) / 2
        half = min(half, before.range.duration / 2, after.range.duration / 2)
        if half * rate >= 1:
            words = "the footage's own soft transition: the two looks blend over it"
            decision = Decision(code="own_transition", words=words)
            found[i] = Join(kind="dissolve", duration=2 * Fraction(int(half * rate)) / rate, decision=decision)
    return found


def _wanted(before: Piece, after: Piece, footage: Footage, wish: Transitions, talk: bool) -> tuple[bool, Decision]:
    """Whether a dissolve is wanted, and why (not)."""
    if wish == "cuts":
        return False, ASKED_CUT
    if wish == "dissolves":
        return True, ASKED_DISSOLVE
    soft = softness(before, after, footage)
    if talk or soft < SOFT:
        return False, replace(STRAIGHT, probability=1 - soft)
    words = "a dissolve: calm on both sides and another scene"
    return True, Decision(code="soft_change", words=words, probability=soft)


def softness(before: Piece, after: Piece, footage: Footage) -> float:
    """0..1: how well a soft transition fits, from the effect-timing curves and how much the scene changes."""
    a, b = footage[before.source], footage[after.source]
    end = TimeRange(max(before.range.end - AROUND, before.range.start), before.range.end)
    start = TimeRange(after.range.start, min(after.range.start + AROUND, after.range.end))
    calm = (a.timing.lull.mean(end) + b.timing.lull.mean(start)) / 2
    change = _distance(_row_at(a, before.range.end), _row_at(b, after.range.start))
    fits = calm / VERY_CALM * (1 - accented(b.timing.accent, start) / 2) * min(change / NEW_SCENE, 1.0)
    return float(np.clip(fits, 0, 1))


def _row_at(analysis: Analysis, t: Fraction) -> F32 | None:
    features = analysis.features
    if not len(features.embeddings):
        return None
    at = int(np.searchsorted(features.picture_frames, features.times.frame_at(t)))
    at = min(at, len(features.embeddings) - 1)
    return np.asarray(part(features.embeddings, at, at + 1)[0])


def _distance(a: F32 | None, b: F32 | None) -> float:
    """Cosine distance, 0..1 (opposite directions count as 1)."""
    if a is None or b is None:
        return 0.0
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(1 - float(a @ b) / norm, 0, 1)) if norm else 0.0


def _lend(before: Piece, after: Piece, footage: Footage, half: Fraction) -> tuple[Piece, Piece] | None:
    """Both pieces with `half` of clean shot beyond their ranges, trimmed for it if need be; None where too short."""
    left = footage[before.source].timing.shots[before.shot].range
    right = footage[after.source].timing.shots[after.shot].range
    end, start = min(before.range.end, left.end - half), max(after.range.start, right.start + half)
    if end - before.range.start < 3 * half or after.range.end - start < 3 * half:
        return None
    return (
        replace(before, range=TimeRange(before.range.start, end)),
        replace(after, range=TimeRange(start, after.range.end)),
    )


def _opening(pieces: Sequence[Piece], rate: Fraction, wish: Transitions, talk: bool) -> Join:
    if wish == "cuts" or talk:
        return Join(decision=Decision(code="opening", words="the film starts at once"))
    decision = Decision(code="opening", words="the film opens from black")
    return Join(kind="fade", duration=frames_of(min(FADE_IN, pieces[0].range.duration / 4), rate), decision=decision)


def _closing(pieces: Sequence[Piece], rate: Fraction, wish: Transitions) -> Join:
    if wish == "cuts":
        return Join(decision=Decision(code="closing", words="the film stops at once"))
    decision = Decision(code="closing", words="the film closes to black")
    return Join(kind="fade", duration=frames_of(min(FADE_OUT, pieces[-1].range.duration / 4), rate), decision=decision)
