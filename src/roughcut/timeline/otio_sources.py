"""The media of a timeline: those we know from our metadata, and those that a person added elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from roughcut.errors import PlanError
from roughcut.timebase import TimeRange, standard_rate
from roughcut.timeline.media_url import url_path
from roughcut.timeline.metadata import from_plain
from roughcut.timeline.otio_time import exact, exact_range
from roughcut.timeline.plan import Source

_TIMECODE_FROM = Fraction(1)
"""Seconds: media that start later than this are counted from a timecode, not from their container's own zero."""


class Sources:
    """The sources by id, growing while clips are read."""

    def __init__(self, known: Any, file: Path, heard: Counter[Path] | None) -> None:
        """`known`: our metadata's list; `heard`: on how many audio tracks a file lies, None where there are none."""
        self._file, self._heard = file, heard
        self.by_id: dict[str, Source] = {}
        self._ids: dict[Path, str] = {}
        self._open_ended: set[str] = set()
        for i, values in enumerate(known if isinstance(known, list) else []):
            self._add_known(values, f"{file}: source {i + 1}")

    def _add_known(self, values: Any, where: str) -> None:
        if not isinstance(values, dict) or not isinstance(values.get("url"), str):
            raise PlanError("a source without its url", where=where, got=repr(values)[:80])
        recorded = url_path(values["url"], self._file.parent)
        if recorded is None:
            raise PlanError("a source that is no file", where=where, got=values["url"], allowed="file:// URLs")
        path = self._find(recorded, values.get("relative"))
        source: Source = from_plain(Source, values | {"path": str(path)}, where)
        self.by_id[source.id] = source
        self._ids[recorded] = self._ids[path] = source.id

    def _find(self, recorded: Path, relative: Any) -> Path:
        """Where the file is: at its recorded place, else where it lay relative to the timeline, else nowhere."""
        if recorded.exists() or not isinstance(relative, str):
            return recorded
        beside = url_path(relative, self._file.parent)
        return beside.resolve() if beside is not None and beside.exists() else recorded

    def of(self, reference: otio.schema.ExternalReference, span: otio.opentime.TimeRange | None, where: str) -> Source:
        """The source of a clip's reference, `span` being the clip's own range where it has one.

        Raises:
            PlanError: the reference is no file, or its times make no sense.
        """
        path = url_path(reference.target_url, self._file.parent)
        if path is None or not reference.target_url:
            raise PlanError(
                "not a media file", where=where, got=repr(reference.target_url), allowed="a file:// URL or a path"
            )
        if path not in self._ids:
            self._add_new(path, reference, span, where)
        source = self.by_id[self._ids[path]]
        return self._grown(source, span, where) if source.id in self._open_ended else source

    def _add_new(self, path: Path, reference: Any, span: otio.opentime.TimeRange | None, where: str) -> None:
        span = reference.available_range or span
        if span is None:
            raise PlanError("neither the clip nor its medium says a range", where=where)
        available, name = exact_range(span, where), self._free_id(path.stem)
        if reference.available_range is None:
            self._open_ended.add(name)
        elif available.start >= _TIMECODE_FROM:
            available = available.shift(-available.start)
        self._ids[path] = name
        self.by_id[name] = Source(
            id=name,
            path=path,
            available=available,
            rate=standard_rate(span.duration.rate),
            width=0,
            height=0,
            tracks=1 if self._heard is None else self._heard[path],
        )

    def _grown(self, source: Source, span: otio.opentime.TimeRange | None, where: str) -> Source:
        """A source whose length nobody said: as long as the clips that use it."""
        if span is not None:
            used, had = exact_range(span, where), source.available
            reach = TimeRange(min(used.start, had.start), max(used.end, had.end))
            self.by_id[source.id] = source = replace(source, available=reach)
        return source

    def shift(self, source: Source, reference: otio.schema.ExternalReference, where: str) -> Fraction:
        """Seconds to add to the reference's times to get the source's: other tools may count from a timecode."""
        if reference.available_range is None:
            return Fraction(0)
        away = source.available.start - exact(reference.available_range.start_time, where)
        return away if abs(away) >= _TIMECODE_FROM else Fraction(0)

    def _free_id(self, stem: str) -> str:
        return next(name for name in _numbered(stem or "media") if name not in self.by_id)


def heard_files(timeline: otio.schema.Timeline, file: Path) -> Counter[Path] | None:
    """On how many of the timeline's audio tracks each file lies; None where it has no audio track."""
    tracks = timeline.audio_tracks()
    return Counter(path for track in tracks for path in _files(track, file)) if tracks else None


def _files(track: otio.schema.Track, file: Path) -> set[Path]:
    references = [c.media_reference for c in track.find_clips()]
    urls = [r.target_url for r in references if isinstance(r, otio.schema.ExternalReference)]
    return {path for url in urls if (path := url_path(url, file.parent))}


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    n = 2
    while True:
        yield f"{stem}-{n}"
        n += 1
