"""A labelled clip dataset: JSON Lines, one clip a line.

    {"file": "clips/a.mp4", "range": ["0", "12.5"], "labels": {"keep": [[2, 4.5]]}, "split": "train", "licence": "CC0"}

    file      a video, a picture or an .npz of rows; relative to the manifest's folder
    range     optional: [start, end) in seconds, numbers or exact text ("1001/24000"); the whole file where missing
    labels    what the task wants, at least one entry; a list under `spans` holds [start, end] pairs in seconds
    split     optional: train, val or test; the task divides by file name where missing
    licence   optional: goes into the model's card
    source    optional: where the clip comes from

Blank lines and lines that start with # are skipped. Every error names the file and the line.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

from roughcut.errors import DataError
from roughcut.timebase import TimeRange

Split = Literal["train", "val", "test"]
_KEYS = ("file", "range", "labels", "split", "licence", "source")
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One line of a manifest."""

    file: Path
    labels: Mapping[str, Any]
    line: int
    """1-based, for messages."""
    range: TimeRange | None = None
    split: Split | None = None
    licence: str = "unknown"
    source: str = ""

    def part(self, *, validation: float = 0.1) -> Split:
        """Its split; where none is written, a fixed share of file names (by hash) validates and the rest trains."""
        if self.split is not None:
            return self.split
        draw = int.from_bytes(hashlib.sha256(self.file.name.encode()).digest()[:4], "big") / 2**32
        return "val" if draw < validation else "train"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All clips of a manifest, in order."""

    path: Path
    clips: tuple[Clip, ...] = field(repr=False)

    def of(self, split: Split) -> tuple[Clip, ...]:
        """The clips of one split."""
        return tuple(clip for clip in self.clips if clip.part() == split)

    def licences(self) -> list[str]:
        """Every licence with its number of clips, most frequent first."""
        counts: dict[str, int] = {}
        for clip in self.clips:
            counts[clip.licence] = counts.get(clip.licence, 0) + 1
        return [f"{n} clips: {name}" for name, n in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))]

    def where(self, clip: Clip) -> str:
        """`path:line` of a clip, for messages."""
        return f"{self.path}:{clip.line}"


def read(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        DataError: it is missing or empty, or a line is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the manifest cannot be read", where=path, got=error, allowed="JSON Lines in UTF-8") from error
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise DataError("the manifest is empty", where=path, allowed="one JSON object a line")
    return Manifest(path=path, clips=tuple(_clip(path, n, line) for n, line in numbered))


def check_spans(where: str, spans: object, duration: float) -> list[tuple[float, float]]:
    """Label spans as [start, end] pairs in seconds, inside `[0, duration]`.

    Raises:
        DataError: empty, not pairs, not rising, or beyond the film.
    """
    if not isinstance(spans, list) or not spans:
        raise DataError("empty labels", where=where, got=spans, allowed="[[start, end], ...] in seconds")
    found = []
    for span in spans:
        if not isinstance(span, list) or len(span) != 2 or not all(_is_number(v) for v in span) or span[0] >= span[1]:
            raise DataError("not a label span", where=where, got=span, allowed="[start, end] with start < end")
        if span[0] < 0 or span[1] > duration + 1e-6:
            raise DataError("a label lies beyond the film", where=where, got=span, allowed=f"[0, {duration:.3f}]")
        found.append((float(span[0]), float(span[1])))
    return found


def _clip(path: Path, number: int, line: str) -> Clip:
    where = f"{path}:{number}"
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise DataError("not JSON", where=where, got=error, allowed="one JSON object a line") from error
    if not isinstance(entry, dict):
        raise DataError("not an object", where=where, got=type(entry).__name__, allowed='{"file": ..., "labels": ...}')
    unknown = sorted(set(entry) - set(_KEYS))
    if unknown:
        raise DataError("unknown key", where=where, got=", ".join(unknown), allowed=", ".join(_KEYS))
    return Clip(
        file=_file(where, path.parent, entry.get("file")),
        labels=_labels(where, entry.get("labels")),
        line=number,
        range=_range(where, entry.get("range")),
        split=_split(where, entry.get("split")),
        licence=str(entry.get("licence", "unknown")),
        source=str(entry.get("source", "")),
    )


def _file(where: str, folder: Path, name: object) -> Path:
    if not isinstance(name, str) or not name:
        raise DataError("a clip needs a file", where=where, got=name, allowed='"file": "clips/a.mp4"')
    path = folder / name
    if not path.is_file():
        raise DataError("the file is missing", where=where, got=name, next_step=f"paths are relative to {folder}")
    return path


def _labels(where: str, labels: object) -> Mapping[str, Any]:
    if not isinstance(labels, dict) or not labels or any(v in (None, "", [], {}) for v in labels.values()):
        raise DataError("empty labels", where=where, got=labels, allowed="an object with at least one filled entry")
    return labels


def _range(where: str, given: object) -> TimeRange | None:
    if given is None:
        return None
    try:
        start, end = (Fraction(str(v)) for v in cast("list[object]", given))
        if start < 0 or start >= end:
            raise ValueError("it runs backwards")
        return TimeRange(start, end)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise DataError("not a range", where=where, got=given, allowed="[start, end] with 0 <= start < end") from error


def _split(where: str, given: object) -> Split | None:
    if given is not None and given not in _SPLITS:
        raise DataError("unknown split", where=where, got=given, allowed=", ".join(_SPLITS))
    return cast("Split | None", given)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
