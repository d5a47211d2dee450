"""From source time to film time: the cues and chapters of the sources become those of the film.

source   |-----a-----|-----b-----|-----c-----|
clips        [======1======]          [==2==]
film         [======1======][==2==]                chapters a, b, c begin where the picture changes to them
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise

from roughcut.records import Chapter, Cue, SubtitleTrack
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Plan
from roughcut.timeline.warp import Warp, goes_on, warp_of

SHORTEST = Fraction(1, 25)  # what a cut leaves of a cue is dropped where it is on screen for less: nobody reads it
MIXED = "subrip"  # what a track becomes whose sources spell their cues differently


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A clip on the film's frame grid: source times `[start, start + frames / rate)` are seen from `film` on."""

    source: str
    start: Fraction
    first: int
    """Film frame."""
    frames: int
    rate: Fraction
    goes_on: bool
    """True where it begins exactly where the clip before it ended: nothing was cut."""
    warp: Warp | None = None
    """Where its speed is not 1."""

    @property
    def range(self) -> TimeRange:
        """Source time that is seen; of a still picture, its first frame's."""
        length = self.frames / self.rate
        if self.warp is None:
            return TimeRange(self.start, self.start + length)
        return TimeRange(self.start, self.start + max(self.warp.source(length), 1 / self.rate))

    @property
    def still(self) -> bool:
        """True where one picture stands all the time."""
        return self.warp is not None and self.warp.rate == self.warp.to == 0

    def film_time(self, t: Fraction) -> Fraction:
        """When source time `t` is seen."""
        since = t - self.start
        return self.first / self.rate + (since if self.warp is None else self.warp.film(since))

    def frame_of(self, t: Fraction) -> int:
        """The first film frame of the clip whose middle shows source time `t` or later."""
        since = t - self.start if self.warp is None else self.warp.film(t - self.start)
        return self.first + max(math.ceil(since * self.rate - Fraction(1, 2)), 0)

    def shown(self, frame: int) -> Fraction:
        """The source time in the middle of a film frame."""
        since = (frame - self.first + Fraction(1, 2)) / self.rate
        return self.start + (since if self.warp is None else self.warp.source(since))

    def film_end(self, t: Fraction) -> Fraction:
        """When what ends at source time `t` goes: with a still picture, all stays."""
        return (self.first + self.frames) / self.rate if self.still else self.film_time(t)


def placed(plan: Plan) -> list[Placed]:
    """The clips that have a frame, in film order."""
    edges, found = plan.frame_edges(), list[Placed]()
    for i, (clip, (first, last)) in enumerate(zip(plan.clips, pairwise(edges), strict=True)):
        if last > first:
            found.append(
                Placed(
                    source=clip.source, start=clip.range.start, first=first, frames=last - first, rate=plan.spec.rate,
                    goes_on=i > 0 and goes_on(plan.clips[i - 1], clip), warp=warp_of(clip),
                )
            )  # fmt: skip
    return found


def film_subtitles(plan: Plan, found: Mapping[str, Sequence[SubtitleTrack]]) -> tuple[SubtitleTrack, ...]:
    """The film's subtitle tracks: track k is track k of every source, by source id in `found`; may have no cue.

    Cues are cut to what is kept and moved with it; pieces that meet where nothing was cut are one again.
    """
    clips = placed(plan)
    used = {clip.source: found.get(clip.source, ()) for clip in clips}
    count = max(map(len, used.values()), default=0)
    return tuple(_film_track(clips, {s: t[k] for s, t in used.items() if len(t) > k}) for k in range(count))


def _film_track(clips: Sequence[Placed], tracks: Mapping[str, SubtitleTrack]) -> SubtitleTrack:
    first = next(iter(tracks.values()))
    cues = tuple(sorted(_film_cues(clips, tracks), key=lambda cue: cue.start))
    if all((t.stream.codec, t.header) == (first.stream.codec, first.header) for t in tracks.values()):
        return replace(first, cues=cues)
    plain = tuple(replace(cue, payload=b"") for cue in cues)
    return SubtitleTrack(stream=replace(first.stream, codec=MIXED), cues=plain)


def _film_cues(clips: Sequence[Placed], tracks: Mapping[str, SubtitleTrack]) -> Iterator[Cue]:
    made: list[tuple[Cue, Cue]] = []  # in the film, in its source
    lasting: dict[tuple[str, int], int] = {}  # cues that the clip before showed -> their places in `made`
    seen = {source: _Seen(track.cues) for source, track in tracks.items()}
    for clip in clips:
        here: dict[tuple[str, int], int] = {}
        for j, cue in seen[clip.source].within(clip.range) if clip.source in seen else ():
            start, end = clip.film_time(max(cue.start, clip.range.start)), clip.film_end(min(cue.end, clip.range.end))
            place = lasting.get((clip.source, j), -1) if clip.goes_on else -1
            if place >= 0 and made[place][0].end == start:
                made[place] = replace(made[place][0], end=end), cue
            else:
                place = len(made)
                made.append((replace(cue, start=start, end=end), cue))
            here[clip.source, j] = place
        lasting = here
    return (cue for cue, whole in made if cue.end - cue.start >= min(SHORTEST, whole.end - whole.start))


class _Seen:
    """Cues of one source, found by time."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self._cues = cues
        self._starts = [cue.start for cue in cues]
        self._longest = max((cue.end - cue.start for cue in cues), default=Fraction(0))

    def within(self, span: TimeRange) -> Iterator[tuple[int, Cue]]:
        """Number and cue of those that are on screen in `span`."""
        for j in range(bisect_left(self._starts, span.start - self._longest), bisect_left(self._starts, span.end)):
            if self._cues[j].end > span.start:
                yield j, self._cues[j]


def film_chapters(plan: Plan, found: Mapping[str, Sequence[Chapter]]) -> tuple[Chapter, ...]:
    """The film's chapters: one begins at every frame where the picture comes from another chapter than before.

    Chapters in `found` are in order and do not overlap.
    What lies in no chapter of its source is a chapter without a title; a film of nothing else has none.
    """
    turns = [turn for clip in placed(plan) for turn in _turns(clip, found.get(clip.source, ()))]
    begun = [next(run) for _, run in groupby(turns, key=lambda turn: turn[1])]
    if all(where is None for _, where, _ in begun):
        return ()
    ends = [first for first, _, _ in begun[1:]] + [plan.film_frames()]
    return tuple(
        Chapter(start=first / plan.spec.rate, end=end / plan.spec.rate, title=title)
        for (first, _, title), end in zip(begun, ends, strict=True)
    )


def _turns(clip: Placed, chapters: Sequence[Chapter]) -> Iterator[tuple[int, tuple[str, int] | None, str]]:
    """(film frame, which chapter, title) for the first frame of a clip and every frame where that may change."""
    near = [c for c in chapters if c.start < clip.range.end and c.end > clip.range.start]
    edges = {clip.frame_of(t) for chapter in near for t in (chapter.start, chapter.end)} | {clip.first}
    starts = [chapter.start for chapter in chapters]
    for frame in sorted(e for e in edges if e < clip.first + clip.frames):
        t = clip.shown(frame)
        j = bisect_right(starts, t) - 1
        inside = j >= 0 and t < chapters[j].end
        yield frame, (clip.source, j) if inside else None, chapters[j].title if inside else ""
