"""SubRip files as people have them: any usual encoding, with or without a byte order mark, cues in any order."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from roughcut.errors import InputError
from roughcut.records.effects import Caption

_TIME = r"(\d+):(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?"
_LINE = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_MARKUP = re.compile(r"</?[a-zA-Z][^>]*>|\{\\[^}]*\}")
MOST_BYTES = 20_000_000


def read_srt(path: Path) -> tuple[Caption, ...]:
    """The cues in order of their times, without markup; where two overlap, the earlier one gives way.

    Raises:
        InputError: missing, too large, or no cue in it.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("the captions are too large", where=path, allowed="an .srt file of at most 20 MB")
        text = decoded_text(path.read_bytes())
    except OSError as error:
        raise InputError("the captions cannot be read", where=path, got=error.strerror) from error
    cues = _cues(text.splitlines())
    if not cues:
        raise InputError("no captions were found", where=path, allowed="SubRip: a time line with --> above each text")
    return without_overlaps(cues)


def decoded_text(data: bytes) -> str:
    """UTF-8, UTF-16 with or without its mark, else Windows' Western letters."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _cues(lines: list[str]) -> list[Caption]:
    starts = [k for k, line in enumerate(lines) if _LINE.match(line)]
    found = []
    for k, after in zip(starts, [*starts[1:], len(lines) + 1][: len(starts)], strict=True):
        match = _LINE.match(lines[k])
        assert match is not None
        numbers = match.groups()
        start, end = _seconds(numbers[:4]), _seconds(numbers[4:])
        words = lines[k + 1 : after - 1] if after <= len(lines) else lines[k + 1 :]
        text = "\n".join(clean for line in words if (clean := _MARKUP.sub("", line).strip()))
        if text and end > start:
            found.append(Caption(start=start, end=end, text=text))
    return found


def _seconds(parts: tuple[str | None, ...]) -> Fraction:
    hours, minutes, seconds, rest = (part or "0" for part in parts)
    return Fraction(int(hours) * 3600 + int(minutes) * 60 + int(seconds)) + Fraction(int(rest), 10 ** len(rest))


def without_overlaps(cues: list[Caption]) -> tuple[Caption, ...]:
    """In order, each ending where the next begins at the latest; of two that begin together, both texts on one."""
    kept: list[Caption] = []
    for cue in sorted(cues, key=lambda c: (c.start, c.end)):
        if kept and kept[-1].start == cue.start:
            both = f"{kept[-1].text}\n{cue.text}"
            kept[-1] = Caption(start=cue.start, end=max(kept[-1].end, cue.end), text=both)
            continue
        if kept and kept[-1].end > cue.start:
            kept[-1] = Caption(start=kept[-1].start, end=cue.start, text=kept[-1].text)
        kept.append(cue)
    return tuple(kept)
