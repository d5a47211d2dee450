"""Text subtitles: their cues from a file, and cues on their way into one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, cast

from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.subtitles.stream import SubtitleStream as AvSubtitle

from roughcut.media.decode import demuxed
from roughcut.media.faults import Losses, opened
from roughcut.media.language import language_in
from roughcut.media.subtitle_text import numbered, payload_of, text_of
from roughcut.records import Cue, MediaInfo, SubtitleStream, SubtitleTrack
from roughcut.timebase import nearest_frame

TAKEN = {"mp4": ("mov_text",), "mov": ("mov_text",), "matroska": ("subrip", "ass", "webvtt"), "webm": ("webvtt",)}
"""Codecs that a container holds; what it does not hold becomes the first of them, without markup."""
TICKS = Fraction(1, 90_000)
UNTIMED = Fraction(3)  # seconds that a cue lasts whose file does not say, unless another follows
UNORDERED = 10  # seconds that packets of different streams may be out of order in a file
_Said = tuple[Fraction, Fraction, str, bytes]
"""(start, length or 0, text, payload) of a packet; no text where it only ends what was said."""
ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""What FFmpeg's encoders want to know before the first cue: plain white words at the bottom."""


def read_subtitles(info: MediaInfo, *, until: Fraction | None = None) -> tuple[SubtitleTrack, ...]:
    """The cues of all text subtitles of a file, those that start before `until` (source seconds)."""
    if not info.subtitles:
        return ()
    said: dict[int, list[_Said]] = {s.index: [] for s in info.subtitles}
    with opened(info.path) as container:
        headers = {s.index: bytes(container.streams[s.index].codec_context.extradata or b"") for s in info.subtitles}
        for stream, packet in _packets(container, info, info.subtitles):
            assert packet.pts is not None  # _packets gives no others
            start = packet.pts * packet.time_base
            if until is not None and start >= until + UNORDERED:
                break
            length = (packet.duration or 0) * packet.time_base
            said[stream.index].append((start, length, text_of(stream.codec, bytes(packet)), bytes(packet)))
    return tuple(
        SubtitleTrack(stream=s, cues=tuple(_cues(said[s.index])), header=headers[s.index] if s.codec == "ass" else b"")
        for s in info.subtitles
    )


def _packets(
    container: InputContainer, info: MediaInfo, wanted: Sequence[SubtitleStream]
) -> Iterator[tuple[SubtitleStream, Packet[Any]]]:
    by_index = {s.index: s for s in wanted}
    for stream in container.streams:
        if stream.index not in by_index:
            stream.discard = Discard.all  # spares reading them where the container has an index
    chosen = [container.streams[index] for index in by_index]
    for packet in demuxed(container, *chosen, losses=Losses(), info=info):
        if packet.size and packet.pts is not None and packet.stream_index in by_index:
            yield by_index[packet.stream_index], packet


def _cues(said: list[_Said]) -> Iterator[Cue]:
    """Cues of what was said, in order; one without a length lasts until the next."""
    said.sort(key=lambda one: one[0])
    starts = [start for start, *_ in said]
    for start, length, text, payload in said:
        if text:
            end = start + length if length > 0 else _next(starts, start)
            yield Cue(start=start, end=end, text=text, payload=payload)


def _next(starts: Sequence[Fraction], start: Fraction) -> Fraction:
    later = bisect_right(starts, start)
    return min([start + UNTIMED, *starts[later : later + 1]])


def codec_in(container: str, codec: str) -> str | None:
    """What cues of a codec are written as in a container of FFmpeg's names; None where it takes no text subtitles."""
    taken = TAKEN.get(container, ())
    return codec if codec in taken else next(iter(taken), None)


class SubtitleWriter:
    """One track on its way into a file; cues are given out in time order, so that they lie beside the pictures."""

    def __init__(self, out: OutputContainer, track: SubtitleTrack, codec: str) -> None:
        self._out, self._stream = out, _add_stream(out, track, codec)
        self._waiting = list(reversed(_packed(track, codec)))

    def write_to(self, end: Fraction | None = None) -> None:
        """Write the cues that start before film time `end`; None: all that are left."""
        while self._waiting and (end is None or self._waiting[-1][0] < end):
            start, stop, payload = self._waiting.pop()
            packet = Packet(payload)
            packet.stream, packet.time_base, packet.is_keyframe = self._stream, TICKS, True
            packet.pts = packet.dts = nearest_frame(start, 1 / TICKS)
            packet.duration = nearest_frame(stop, 1 / TICKS) - packet.pts
            self._out.mux(packet)


def add_subtitle_streams(out: OutputContainer, tracks: Sequence[SubtitleTrack]) -> list[SubtitleWriter]:
    """A stream for each track that the container can hold; before anything is written."""
    codecs = [codec_in(out.format.name, track.stream.codec) for track in tracks]
    return [SubtitleWriter(out, track, codec) for track, codec in zip(tracks, codecs, strict=True) if codec]


def _add_stream(out: OutputContainer, track: SubtitleTrack, codec: str) -> Stream:
    if codec in ("mov_text", "ass"):  # their streams begin with a header, which FFmpeg's encoders make
        stream = cast(AvSubtitle, out.add_stream(codec))
        stream.codec_context.subtitle_header = track.header or ASS_HEADER
    else:
        stream = cast(AvSubtitle, out.add_mux_stream(codec))
    stream.time_base = TICKS
    if track.stream.language:
        stream.metadata["language"] = language_in(out.format.name, track.stream.language)
    if track.stream.title:
        stream.metadata["title"] = track.stream.title
    flags = (Disposition.default if track.stream.default else 0) | (Disposition.forced if track.stream.forced else 0)
    stream.disposition = Disposition(flags)
    return stream


def _packed(track: SubtitleTrack, codec: str) -> list[tuple[Fraction, Fraction, bytes]]:
    """(start, end, payload) in time order."""
    if codec == "mov_text":
        return [(a, b, _payload(track, codec, cues, 0)) for a, b, cues in _one_at_a_time(track.cues)]
    return [(cue.start, cue.end, _payload(track, codec, [cue], n)) for n, cue in enumerate(track.cues)]


def _payload(track: SubtitleTrack, codec: str, cues: Sequence[Cue], number: int) -> bytes:
    """What is stored for cues that are on screen together: markup stays where the codec stays and there is one."""
    if codec == track.stream.codec and len(cues) == 1 and cues[0].payload:
        return numbered(cues[0].payload, number) if codec == "ass" else cues[0].payload
    return payload_of(codec, "\n".join(cue.text for cue in cues))


def _one_at_a_time(cues: Sequence[Cue]) -> Iterator[tuple[Fraction, Fraction, list[Cue]]]:
    """Stretches without overlap and what is on screen in each: mov_text shows one text at a time."""
    edges = sorted({t for cue in cues for t in (cue.start, cue.end)})
    coming, shown = list(reversed(cues)), list[Cue]()
    for a, b in pairwise(edges):
        shown = [cue for cue in shown if cue.end > a]
        while coming and coming[-1].start <= a:
            shown.append(coming.pop())
        if shown:
            yield a, b, shown
