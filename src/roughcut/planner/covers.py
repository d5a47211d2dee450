"""Which faces are covered, and where: what is unsure is covered (a face too many, never one too few)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, cast

import numpy as np

from roughcut.errors import OptionError
from roughcut.media.picture import place_in
from roughcut.records import F32, Decision, FilmSpec, MediaInfo
from roughcut.records.effect import Effect
from roughcut.records.effects import Cover, Reframe
from roughcut.records.faces import FaceTrack
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Plan
from roughcut.timeline.warp import seen_range

How = Literal["solid", "mosaic", "blur"]
Mode = Literal["follow", "hide", "hide-except"]
MARGIN = np.array([-0.22, -0.35, 0.22, 0.2], np.float32)
"""Covered beside a face's box, shares of its sides: left, above (the forehead), right, below."""
LEAST = np.array([-0.06, -0.06, 0.06, 0.06], np.float32)
"""The same beside the box as it was found, before it was smoothed."""
AT_ENDS = np.array([-0.25, -0.25, 0.25, 0.25], np.float32)
"""Further, where a face comes or goes."""
SMOOTH = np.array([1, 2, 3, 2, 1]) / 9
LEAST_SURE, FEWEST = 0.75, 3
"""A track that never reached this score, or was found in fewer looks, is unsure: nobody can say whose it is."""
HANDLES = Fraction(3)
"""Seconds beside a clip that a join may show."""


@dataclass(frozen=True, kw_only=True)
class FaceWish:
    """`--faces`: what is done with faces once they are found."""

    mode: Mode
    """`follow`: the edit goes by them, nobody is covered; `hide`: those of `names`, or everyone; `hide-except`."""
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> FaceWish:
        """Of `follow`, `hide`, `hide 2 anna`, `hide-except anna`; commas and colons part as spaces do.

        Raises:
            OptionError: it is none of these.
        """
        mode, *names = [word for word in re.split(r"[\s,:]+", text.strip()) if word] or [""]
        wants_names = {"follow": (False,), "hide": (False, True), "hide-except": (True,)}
        if bool(names) not in wants_names.get(mode, ()):
            raise OptionError(
                "what to do with faces", where="--faces", got=repr(text),
                allowed='follow, hide, "hide WHO ...", "hide-except WHO ..."; WHO is a name or a number of '
                "`roughcut faces`",
            )  # fmt: skip
        return cls(mode=cast(Mode, mode), names=tuple(names))

    @property
    def hides(self) -> bool:
        """Whether anybody is covered at all."""
        return self.mode != "follow"

    def chosen(self, tracks: Sequence[FaceTrack], names: Mapping[int, str]) -> list[FaceTrack]:
        """The tracks to cover. Raises OptionError for a name that nobody has."""
        known = {str(t.number) for t in tracks} | {name.casefold() for name in names.values()}
        for name in self.names:
            if name.casefold() not in known:
                people = sorted(set(names.values())) or ["no names yet"]
                listed = f"{', '.join(people)}; numbers 1 to {len(tracks)}" if tracks else "nobody: no face was found"
                raise OptionError("nobody of that name", where="--faces", got=name, allowed=listed)
        meant = {name.casefold() for name in self.names}
        all_but = self.mode == "hide-except" or not self.names
        return [t for t in tracks if not is_sure(t) or all_but != self._is_one(t, names, meant)]

    @staticmethod
    def _is_one(track: FaceTrack, names: Mapping[int, str], meant: set[str]) -> bool:
        return bool({str(track.number), names.get(track.number, "").casefold()} & meant)


def is_sure(track: FaceTrack) -> bool:
    """Whether it can be said whose face it is."""
    return track.score >= LEAST_SURE and int((track.scores > 0).sum()) >= FEWEST


def with_covers(
    plan: Plan, found: Mapping[str, tuple[FaceTrack, ...] | None], media: Mapping[str, MediaInfo], wish: FaceWish,
    how: How, names: Mapping[int, str],
) -> Plan:  # fmt: skip
    """The plan with a cover over each chosen face, before all other effects of its clip.

    Args:
        found: source id -> its tracks; None where nobody has looked.

    Raises:
        OptionError: a source was not looked at, a name is unknown, or names are given for more than one file.
    """
    blind = [source for source, tracks in found.items() if tracks is None]
    if blind:
        raise OptionError(
            "nobody has looked for faces here", where=str(plan.sources[0].path), got=blind[0],
            next_step="analyse with faces=True",
        )  # fmt: skip
    if not wish.hides:
        return plan
    if wish.names and len(found) > 1:
        raise OptionError("names go with one file", where="--faces", got=f"{len(found)} files", allowed="hide")
    chosen = {source: wish.chosen(tracks or (), names) for source, tracks in found.items()}

    def covered(clip: Clip) -> Clip:
        whole = any(isinstance(e, Reframe) for e in clip.effects)
        covers = _covers(clip, chosen[clip.source], how, names, None if whole else plan.spec, media[clip.source])
        return replace(clip, effects=(*covers, *clip.effects))

    return plan.with_clips(tuple(covered(clip) for clip in plan.clips))


def _covers(
    clip: Clip, tracks: Iterable[FaceTrack], how: How, names: Mapping[int, str], spec: FilmSpec | None, info: MediaInfo
) -> list[Effect]:
    seen = seen_range(clip)
    shown = TimeRange(max(seen.start - HANDLES, Fraction(0)), seen.end + HANDLES)
    made: list[Effect] = []
    for track in tracks:
        times, boxes = _during(*keyed(track), shown)
        if not times:
            continue
        sure = "" if is_sure(track) else ", unsure, so covered"
        decision = Decision(code="privacy", words=f"face {track.number}{sure}", probability=min(track.score, 1.0))
        placed = boxes if spec is None else _placed(boxes, spec, info)
        path = tuple(tuple(round(float(v), 4) for v in box) for box in placed)
        who = names.get(track.number, str(track.number))
        made.append(Cover(how=how, person=who, times=times, boxes=path, decision=decision))  # type: ignore[arg-type]
    return made


def keyed(track: FaceTrack) -> tuple[tuple[Fraction, ...], F32]:
    """Times and boxes [N, 4] that hide a track: smoothed, with margins, longer and larger where it comes and goes."""
    reach = len(SMOOTH) // 2
    padded = np.pad(track.boxes, ((reach, reach), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(column, SMOOTH, "valid") for column in padded.T], 1)
    inner, outer = widened(track.boxes, LEAST), widened(smooth, MARGIN)
    boxes = np.concatenate([np.minimum(inner, outer)[:, :2], np.maximum(inner, outer)[:, 2:]], 1).astype(np.float32)
    times = list(track.times)
    ends = widened(boxes[[0, -1]], AT_ENDS)
    if track.within.start < times[0]:
        times, boxes = [track.within.start, *times], np.concatenate([ends[:1], boxes])
    if track.within.end > times[-1]:
        times, boxes = [*times, track.within.end], np.concatenate([boxes, ends[1:]])
    return tuple(times), np.clip(boxes, -1, 2)


def widened(boxes: F32, by: F32) -> F32:
    """Boxes [N, 4] moved outwards by shares of their sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    made: F32 = (boxes + np.concatenate([sides, sides], 1) * by).astype(np.float32)
    return made


def _during(times: tuple[Fraction, ...], boxes: F32, shown: TimeRange) -> tuple[tuple[Fraction, ...], F32]:
    """The part of a path that a clip shows, with one key on either side."""
    first = max(sum(t <= shown.start for t in times) - 1, 0)
    last = len(times) - max(sum(t >= shown.end for t in times) - 1, 0)
    if times[-1] <= shown.start or times[0] >= shown.end:
        return (), boxes[:0]
    return times[first:last], boxes[first:last]


def _placed(boxes: F32, spec: FilmSpec, info: MediaInfo) -> F32:
    """Shares of a source's picture as shares of the film's, in whose middle it lies."""
    left, top, width, height = place_in(spec, info)
    size, corner = np.array([spec.width, spec.height] * 2), np.array([left, top] * 2)
    placed: F32 = ((boxes * np.array([width, height] * 2) + corner) / size).astype(np.float32)
    return placed
