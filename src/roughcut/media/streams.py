"""What a container holds beside moving pictures and sound: tags, chapters, text subtitles, and the rest in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from av.container import InputContainer, OutputContainer
from av.stream import Discard, Disposition, Stream
from av.subtitles.stream import SubtitleStream as AvSubtitle

from roughcut.media.language import language_of
from roughcut.records import Chapter, SubtitleStream
from roughcut.timebase import nearest_frame

CONTAINER_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")
"""Written by every muxer about its own file."""
CODECS = {"mov_text": "mov_text", "srt": "subrip", "subrip": "subrip", "ass": "ass", "ssa": "ass", "webvtt": "webvtt",
          "text": "text"}  # fmt: skip
"""FFmpeg's decoder of a text subtitle -> its codec."""
PICTURES = ("dvdsub", "dvbsub", "pgssub", "xsub")


def plain_tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """The file's tags by lower-case name, without what only describes the container."""
    return {k.lower(): v for k, v in metadata.items() if k.lower() not in CONTAINER_TAGS}


def subtitle_streams(container: InputContainer) -> tuple[SubtitleStream, ...]:
    """The text subtitles."""
    found = (_subtitle_stream(s) for s in container.streams.subtitles)
    return tuple(s for s in found if s is not None)


def _subtitle_stream(stream: AvSubtitle) -> SubtitleStream | None:
    """A stream of words; None where it holds pictures or cannot be read."""
    codec = CODECS.get(stream.codec_context.name) if stream.codec_context is not None else None
    if codec is None:
        return None
    return SubtitleStream(
        index=stream.index,
        codec=codec,
        language=language_of(stream.language),
        title=stream.metadata.get("title") or stream.metadata.get("name"),
        default=bool(stream.disposition & Disposition.default),
        forced=bool(stream.disposition & Disposition.forced),
    )


def chapters(container: InputContainer, end: Fraction) -> tuple[Chapter, ...]:
    """Chapters in order, one at a time: each lasts until the next at most, one without an end just as long."""
    listed = sorted((_chapter(c) for c in container.chapters()), key=lambda c: (c[0], -c[1]))
    nexts = [*(start for start, *_ in listed[1:]), max([end, *(stop for _, stop, _ in listed)])]
    closed = (
        (start, min(stop, following) if stop > start else following, title)
        for (start, stop, title), following in zip(listed, nexts, strict=False)
    )
    return tuple(Chapter(start=start, end=stop, title=title) for start, stop, title in closed if stop > start)


def set_chapters(out: OutputContainer, listed: Sequence[Chapter], rate: Fraction) -> None:
    """The chapters of a film, which begin and end at its frames; before anything is written."""
    out.set_chapters(
        [
            {
                "id": number,
                "start": nearest_frame(chapter.start, rate),
                "end": nearest_frame(chapter.end, rate),
                "time_base": 1 / rate,
                "metadata": {"title": chapter.title},
            }
            for number, chapter in enumerate(listed, 1)
        ]
    )


def _chapter(told: Mapping[str, Any]) -> tuple[Fraction, Fraction, str]:
    base = Fraction(told["time_base"])
    return told["start"] * base, told["end"] * base, told["metadata"].get("title", "")


def others(container: InputContainer, kept: set[int]) -> Iterator[str]:
    """A sentence for each stream that no film carries; `kept` are the indices of those it does."""
    for stream in container.streams:
        if stream.index not in kept and not _is_chapter_list(container, stream):
            named = ", ".join(filter(None, (_kind(stream), stream.language, stream.metadata.get("title"))))
            yield f"stream {stream.index} ({named}) is not carried over{_why(stream)}"


def _is_chapter_list(container: InputContainer, stream: Stream) -> bool:
    """mp4 and mov keep chapters in a stream of their own, which FFmpeg marks as not to be read."""
    return stream.type == "data" and stream.discard == Discard.all and bool(container.chapters())


def _kind(stream: Stream) -> str:
    codec = stream.codec_context.name if stream.codec_context is not None else None
    if stream.disposition & Disposition.attached_pic:
        return f"cover picture, {codec}"
    if stream.type == "attachment":
        return f"attachment {stream.metadata.get('filename', '')}".strip()
    if "timecode" in stream.metadata:
        return f"timecode {stream.metadata['timecode']}"
    return ", ".join(filter(None, (stream.type, codec or stream.metadata.get("handler_name"))))


def _why(stream: Stream) -> str:
    if stream.type == "subtitle":
        pictures = stream.codec_context is not None and stream.codec_context.name in PICTURES
        return ": its subtitles are pictures" if pictures else ": its subtitles cannot be read"
    if stream.type == "video" and not stream.disposition & Disposition.attached_pic:
        return ": a film has one picture track"
    return ""
