"""Pieces: stretches of one shot of one source that are kept, before they become clips on the film's frame grid."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from roughcut.records import Analysis
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Dropped

Footage = Sequence[Analysis]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A kept stretch. `source` and `shot` are indices into the footage and its shots."""

    source: int
    shot: int
    range: TimeRange
    decision: Decision

    def follows(self, other: Piece) -> bool:
        """True where this piece goes on exactly where the other ended: the join between them is none."""
        return self.source == other.source and self.range.start == other.range.end


def source_id(index: int) -> str:
    """The plan's name for the footage's file number `index`."""
    return f"source-{index + 1}"


def territories(analysis: Analysis) -> list[TimeRange]:
    """The time each shot is seen, gradual transitions shared half and half: they cover the film without a gap."""
    shots, whole = analysis.timing.shots, analysis.features.times.range
    inner = [_middle(analysis, a.stop, b.first) for a, b in pairwise(shots)]
    return [TimeRange(a, b) for a, b in zip([whole.start, *inner], [*inner, whole.end], strict=True)]


def _middle(analysis: Analysis, stop: int, first: int) -> Fraction:
    """Start of the frame half-way between the last clean frame of one shot and the first of the next."""
    return analysis.features.times.time((stop + first + 1) // 2)


def split_by_shot(
    source: int, lands: Sequence[TimeRange], kept: Iterable[tuple[TimeRange, Decision]]
) -> Iterator[Piece]:
    """Kept ranges as pieces that lie in one shot's territory each; `lands` are the `territories` of the source."""
    for whole, decision in kept:
        for shot in range(bisect_right(lands, whole.start, key=lambda land: land.end), len(lands)):
            if lands[shot].start >= whole.end:
                break
            part = whole.intersect(lands[shot])
            if part is not None:
                yield Piece(source=source, shot=shot, range=part, decision=decision)


def gaps(whole: TimeRange, kept: Iterable[TimeRange], shortest: Fraction) -> Iterator[TimeRange]:
    """What of `whole` no kept range covers, in order, leaving out slivers shorter than `shortest`."""
    at = whole.start
    for part in [*sorted(kept), TimeRange(whole.end, whole.end)]:
        if part.start - at >= shortest:
            yield TimeRange(at, part.start)
        at = max(at, part.end)


def dropped_from(pieces: Sequence[Piece], footage: Footage, why: Decision) -> list[Dropped]:
    """What was left out of each source, all for the same reason; its probability is that of not being wanted."""
    return [
        Dropped(source=source_id(i), range=gap, decision=_unwanted(analysis, gap, why))
        for i, analysis in enumerate(footage)
        for gap in gaps(
            analysis.features.times.range, (p.range for p in pieces if p.source == i), shortest=Fraction(1, 5)
        )
    ]


def _unwanted(analysis: Analysis, gap: TimeRange, why: Decision) -> Decision:
    keep = analysis.timing.keep.mean(gap)
    return replace(why, words=f"{why.words} (importance {keep:.2f})", probability=min(max(1 - keep, 0.0), 1.0))


def to_clips(pieces: Sequence[Piece], footage: Footage, rate: Fraction) -> list[Clip]:
    """Pieces on the film's grid: every clip a whole number of frames, none showing a frame beyond its piece.

    With frames sampled at their middle, n frames from `start` show source up to start + (n - 1/2) / rate, so n is
    rounded with halves going down. A piece that follows the one before starts exactly where that clip ended.
    """
    clips: list[Clip] = []
    for i, piece in enumerate(pieces):
        start = piece.range.start
        if i and piece.follows(pieces[i - 1]):
            start = clips[-1].range.end
        frames = max(math.ceil((piece.range.end - start) * rate - Fraction(1, 2)), 1)
        clips.append(
            Clip(
                source=source_id(piece.source),
                range=TimeRange(start, start + frames / rate),
                decision=piece.decision,
                name=f"{footage[piece.source].media.path.stem} shot {piece.shot + 1}",
            )
        )
    return clips
