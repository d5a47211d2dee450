"""The output layer's last step: coded pictures, sound, subtitles and chapters become a film file, whole or not at all.

Decoding times are made here for the whole film: packet number i, in decode order, is decoded when frame i - delay is
shown. The delay is the largest any part needs, so parts of different encoders follow each other without a jump.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av

from roughcut.media.carried import NOTHING, Carried
from roughcut.media.codecs import container_of
from roughcut.media.coded_sound import Packet, add_sound_stream
from roughcut.media.faults import opened, writing
from roughcut.media.remux import FilmPacket
from roughcut.media.streams import set_chapters
from roughcut.media.subtitles import add_subtitle_streams
from roughcut.records import FilmSpec
from roughcut.timebase import nearest_frame
from roughcut.timeline.files import hidden_name
from roughcut.timeline.grid import FrameGrid

FINEST = 3_000_000  # ticks a second: a picture may stand for ten minutes before 31 bits are full
FINE = Fraction(1, 90_000)  # the clock, as in MPEG transport streams, of films whose times have no common one


def temporary_name(path: Path) -> Path:
    """The name a file has while it is written, in the same folder."""
    return path.with_name(hidden_name(path.stem, f".{os.getpid()}.part{path.suffix}"))


def abandoned(path: Path) -> Iterator[Path]:
    """What lies under temporary names of this file: a process that was killed has left it."""
    name = re.compile(re.escape(hidden_name(path.stem, "")) + r"\.\d+\.part" + re.escape(path.suffix))
    return (p for p in path.parent.iterdir() if name.fullmatch(p.name))


@dataclass(frozen=True, kw_only=True)
class CodedVideo:
    """What the film's pictures are, before the first packet: taken from a file that holds such."""

    like: Path
    index: int = 0
    """Number of the stream in that file."""
    extradata: bytes | None = None
    """In place of that file's own."""
    tag: str | None = None
    delay: int = 0
    """Frames by which decoding runs ahead of showing."""


class FilmMuxer:
    """Writes one film under a temporary name, which `publish` makes its own.

        with FilmMuxer(path, spec, grid, video) as film:
            film.write_packet(packet)       # in decode order
            film.write_sound(packets, k)    # of track k, from a `SoundEncoder`
            film.publish()                  # after the file was closed and proved

    Raises:
        OutputError: unknown ending, folder missing or read-only, disk full.
    """

    def __init__(
        self, path: Path, spec: FilmSpec, grid: FrameGrid, video: CodedVideo, carried: Carried = NOTHING
    ) -> None:
        self.path, self.spec, self._grid, self._coded, self._carried = path, spec, grid, video, carried
        self.temporary = temporary_name(path)
        self._kind = container_of(path)
        self._base = grid.tick if grid.tick.denominator <= FINEST else FINE
        self._packets = 0
        self._open = False

    def __enter__(self) -> FilmMuxer:
        with writing(self.path):
            self._out = av.open(f"file:{self.temporary}", "w", format=self._kind.format, options=self._kind.options)
            self._open = True
            try:
                self._out.metadata.update(self.spec.tags)
                self._video = self._add_video()
                tracks = range(len(self.spec.tracks))
                self._sounds = [add_sound_stream(self._out, self.spec, self._kind, k) for k in tracks]
                self._subtitles = add_subtitle_streams(self._out, self._carried.subtitles)
                set_chapters(self._out, self._carried.chapters, self.spec.rate)
            except BaseException:
                self._abandon()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandon()

    def _abandon(self) -> None:
        if self._open:
            with suppress(Exception):
                self._out.close()
        self.temporary.unlink(missing_ok=True)

    def _add_video(self) -> av.VideoStream:
        coded = self._coded
        with opened(coded.like) as like:
            template = cast(av.VideoStream, like.streams[coded.index])
            stream = self._out.add_stream_from_template(template, opaque=True)
        stream.time_base = self._base
        stream.codec_context.framerate = self.spec.rate
        if coded.extradata is not None:
            stream.codec_context.extradata = coded.extradata
        if coded.tag is not None:
            stream.codec_context.codec_tag = coded.tag
        return stream

    def write_packet(self, packet: FilmPacket) -> None:
        """Append a coded picture; packets come in decode order."""
        made = av.Packet(packet.data)
        made.stream, made.time_base = self._video, self._base
        made.pts, made.dts = self._ticks(packet.frame), self._ticks(self._packets - self._coded.delay)
        made.duration = self._ticks(packet.frame + 1) - made.pts
        made.is_keyframe = packet.key
        self._packets += 1
        with writing(self.path):
            for subtitle in self._subtitles:
                subtitle.write_to(self._grid.time(max(self._packets - self._coded.delay, 0)))
            self._out.mux(made)

    def _ticks(self, frame: int) -> int:
        """Time of a film frame in the stream's ticks; frames before the first lie one step apart."""
        time = self._grid.time(frame) if frame >= 0 else frame / self.spec.rate
        return nearest_frame(time, 1 / self._base)

    def write_sound(self, packets: Iterable[Packet], track: int = 0) -> None:
        """Append what the track's `SoundEncoder` gave."""
        with writing(self.path):
            for packet in packets:
                packet.stream = self._sounds[track]
                self._out.mux(packet)

    def close(self) -> None:
        """Write what is still held back, and the file's end."""
        with writing(self.path):
            for subtitle in self._subtitles:
                subtitle.write_to()
            self._out.close()
            self._open = False

    def publish(self) -> None:
        """Give the closed file its name."""
        with writing(self.path):
            self.temporary.replace(self.path)
