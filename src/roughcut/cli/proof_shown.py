"""A proof as people and machines read it."""

from __future__ import annotations

from roughcut.cli import display
from roughcut.proving import Proof
from roughcut.timebase import format_time


def proof(found: Proof, *, as_json: bool) -> bool:
    """Streams, joins, segments and the verdict; returns whether the film holds."""
    if as_json:
        display.say_json(found.to_dict())
        return not found.problems
    display.table(("stream", "what", "planned", "found", "planned, s", "found, s"), _streams(found))
    display.table(("join at", "track", "sound late by timestamps", "by ear"), _joins(found))
    display.table(("clip", "from", "film", "first frame", "last frame"), _segments(found))
    for title, lines in (("differs", found.differs), ("warning", found.warnings), ("PROBLEM", found.problems)):
        for words in lines:
            display.say(f"{title}: {words}")
    display.say("the film is what was planned" if not found.problems else "the film is NOT what was planned")
    return not found.problems


def _streams(found: Proof) -> list[tuple[object, ...]]:
    return [
        (s.kind if s.track == 0 else f"sound {s.track}", s.words, s.count.expected, s.count.found,
         f"{s.count.expected_seconds:.3f}", f"{s.count.found_seconds:.3f}") for s in found.streams
    ]  # fmt: skip


def _joins(found: Proof) -> list[tuple[object, ...]]:
    return [
        (format_time(j.film_time), j.track, f"{j.seconds * 1000:+.1f} ms",
         j.note or "not measurable" if j.heard is None else f"{j.heard * 1000:+.1f} ms") for j in found.joins
    ]  # fmt: skip


def _segments(found: Proof) -> list[tuple[object, ...]]:
    words = [
        {name: match.likeness + (f" by {match.shift * 1000:+.0f} ms" if match.shift else "")
         for name, match in s.frames()} for s in found.segments
    ]  # fmt: skip
    return [
        (s.clip, s.name, str(s.film_range), said.get("first", "in a transition"), said.get("last", "in a transition"))
        for s, said in zip(found.segments, words, strict=True)
    ]
