"""How one clip becomes the next, from a timeline's transitions and gaps and our own metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, get_args

import opentimelineio as otio

from roughcut.errors import PlanError
from roughcut.timebase import TimeRange, format_time
from roughcut.timeline.metadata import KEY, from_plain, to_plain
from roughcut.timeline.otio_clips import BY_HAND, Found
from roughcut.timeline.otio_json import Json, metadata_of
from roughcut.timeline.otio_time import exact, same
from roughcut.timeline.plan import OVERLAPPING, Decision, Direction, Join, Source

_STRAIGHT = Join(decision=Decision(code=BY_HAND, words="a straight cut made in another program"))


@dataclass(kw_only=True)
class Edge:
    """What lies between two clips that follow each other (or at an end): transitions, and whether time without any."""

    transitions: list[otio.schema.Transition] = field(default_factory=list)
    gap: bool = False


class JoinReader:
    """Makes joins of edges. Asymmetric dissolves move the cut in `found`, so that they come to lie centred on it."""

    def __init__(
        self,
        found: list[Found],
        edges: Sequence[Edge],
        rate: Fraction,
        sources: dict[str, Source],
        notes: list[str],
        file: str,
    ) -> None:
        self._found, self._edges, self._frame = found, edges, 1 / rate
        self._sources, self._notes, self._file = sources, notes, file

    def joins(self, opening: Join, closing: Join) -> tuple[Join, ...]:
        """One join per edge; `opening` and `closing` hold unless the timeline has transitions there.

        Raises:
            PlanError: a transition has times without meaning.
        """
        last = len(self._found)
        ends = {0: opening, last: closing}
        return tuple(
            self._end(i, ends[i]) if i in ends else self._between(i, edge) for i, edge in enumerate(self._edges)
        )

    def _end(self, i: int, recorded: Join) -> Join:
        transitions = self._edges[i].transitions
        return self._fade(transitions, i) if transitions else recorded

    def _between(self, i: int, edge: Edge) -> Join:
        if edge.gap:
            return self._fade(edge.transitions, i) if edge.transitions else _STRAIGHT
        if edge.transitions:
            return self._dissolve(edge.transitions[0], i)
        return self._recorded(i)

    def _recorded(self, i: int) -> Join:
        """The cut or fade that we wrote, if the same two clips still meet here."""
        before, after = self._found[i - 1].ours, self._found[i].ours
        values = after.get("join")
        if not isinstance(values, dict) or values.get("after") != before.get("id"):
            return _STRAIGHT
        join: Join = from_plain(Join, values, f"{self._found[i].where}: join")
        return join

    def _place(self, i: int) -> str:
        at = sum((f.clip.range.duration for f in self._found[:i]), Fraction(0))
        return f"{self._file}: transition at {format_time(at)}"

    def _offsets(self, transition: otio.schema.Transition, i: int) -> tuple[Fraction, Fraction]:
        where = self._place(i)
        before, after = exact(transition.in_offset, where), exact(transition.out_offset, where)
        if before < 0 or after < 0:
            raise PlanError("a transition of negative length", where=where, got=f"{float(before)}, {float(after)} s")
        return before, after

    def _fade(self, transitions: list[otio.schema.Transition], i: int) -> Join:
        """A transition from or to nothing is a fade from or to black."""
        total = sum((sum(self._offsets(t, i), Fraction(0)) for t in transitions), Fraction(0))
        if total == 0:
            return _STRAIGHT
        words = "a transition from or to nothing, made in another program"
        metadata, _ = _split(transitions[0])
        return Join(kind="fade", duration=total, decision=Decision(code=BY_HAND, words=words), metadata=metadata)

    def _dissolve(self, transition: otio.schema.Transition, i: int) -> Join:
        before, after = self._offsets(transition, i)
        metadata, ours = _split(transition)
        if ours and same(before, after):
            duration: Fraction = from_plain(Fraction, ours.get("duration"), f"{self._place(i)}: duration")
            if same(duration, before + after) and not (self._found[i - 1].touched or self._found[i].touched):
                values = {"kind": "dissolve"} | ours | {"duration": to_plain(duration), "metadata": metadata}
                join: Join = from_plain(Join, values, self._place(i))
                return join
        kind = self._kind(transition, i)
        if not same(before, after):
            self._move_cut(i, (after - before) / 2)
        return self._fitted(kind, before + after, metadata, i)

    def _kind(self, transition: otio.schema.Transition, i: int) -> Join:
        """What the transition's name means here, a dissolve where it means nothing (noted)."""
        words = transition.name.lower().split()
        kind = next((k for k in OVERLAPPING if words[:1] == [k]), "dissolve")
        direction = next((d for d in get_args(Direction) if d in words), "left")
        if kind == "dissolve" and transition.transition_type != "SMPTE_Dissolve":
            what = transition.name or transition.transition_type
            self._notes.append(f"{self._short(i)}: {what!r} is rendered as a dissolve")
        return Join(kind=kind, direction=direction, duration=Fraction(1))  # type: ignore[arg-type]

    def _short(self, i: int) -> str:
        return self._place(i).removeprefix(f"{self._file}: ")

    def _move_cut(self, i: int, by: Fraction) -> None:
        """Move the cut to the middle of the transition: what is seen stays the same."""
        out, into = self._found[i - 1].clip.range, self._found[i].clip.range
        by = max(min(by, into.duration - self._frame), self._frame - out.duration)
        self._set_range(i - 1, TimeRange(out.start, out.end + by))
        self._set_range(i, TimeRange(into.start + by, into.end))

    def _set_range(self, i: int, span: TimeRange) -> None:
        self._found[i] = replace(self._found[i], clip=replace(self._found[i].clip, range=span))

    def _fitted(self, kind: Join, wanted: Fraction, metadata: Json, i: int) -> Join:
        """A transition as long as wanted, or as the media's handles and the clips allow."""
        out, into = self._found[i - 1].clip, self._found[i].clip
        half = min(
            wanted / 2,
            self._sources[out.source].available.end - out.range.end,
            into.range.start - self._sources[into.source].available.start,
            out.range.duration / 2,
            into.range.duration / 2,
        )
        if 2 * half < self._frame:
            if wanted > 0:
                self._notes.append(f"{self._short(i)}: a straight cut, the media hold nothing beyond the clips")
            return replace(_STRAIGHT, metadata=metadata)
        if not same(2 * half, wanted):
            self._notes.append(
                f"{self._short(i)}: {float(2 * half):.2f} s instead of {float(wanted):.2f} s, "
                "the media and clips hold no more"
            )
        words = f"a {kind.kind} made in another program"
        return replace(kind, duration=2 * half, decision=Decision(code=BY_HAND, words=words), metadata=metadata)


def _split(transition: Any) -> tuple[Json, Json]:
    """Other tools' metadata and ours."""
    metadata = metadata_of(transition)
    ours = metadata.pop(KEY, {})
    return metadata, ours if isinstance(ours, dict) else {}
