"""The output layer's last step: coded pictures, sound, subtitles and chapters become a film file, whole or not at all.

Decoding times are made here for the whole film: packet number i, in decode order, is decoded when frame i - delay is
shown. The delay is the largest any part needs, so parts of different encoders follow each other without a jump.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.stream import Disposition

from roughcut.media.audio import frame_of
from roughcut.media.carried import NOTHING, Carried
from roughcut.media.codecs import Container, codec_of, container_of
from roughcut.media.faults import opened, writing
from roughcut.media.language import language_in
from roughcut.media.remux import FilmPacket
from roughcut.media.streams import set_chapters
from roughcut.media.subtitles import add_subtitle_streams
from roughcut.records import F32, FilmSpec, TrackSpec
from roughcut.timebase import nearest_frame
from roughcut.timeline.files import hidden_name
from roughcut.timeline.grid import FrameGrid

SOUND_BITS_PER_CHANNEL = 96_000
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
            film.write_sound(samples, k)    # float32 [channels, n], sample m of track k is heard at m / its rate
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
                sound = self._kind.audio_for(codec_of(self.spec, self._kind))
                self._sounds = [SoundWriter(self._out, self._kind, sound, track) for track in self.spec.tracks]
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

    def write_sound(self, samples: F32, track: int = 0) -> None:
        """Append [channels, n] samples at the track's rate."""
        with writing(self.path):
            self._sounds[track].write(samples)

    def close(self) -> None:
        """Write what is still held back, and the file's end."""
        with writing(self.path):
            for sound in self._sounds:
                sound.finish()
            for subtitle in self._subtitles:
                subtitle.write_to()
            self._out.close()
            self._open = False

    def publish(self) -> None:
        """Give the closed file its name."""
        with writing(self.path):
            self.temporary.replace(self.path)


class SoundWriter:
    """One track on its way into the file. Opus knows 48 kHz alone, so other rates are brought to it, and FFmpeg's
    Opus encoder mixes up the channels of 5.0, so those become 5.1."""

    def __init__(self, out: OutputContainer, kind: Container, encoder: str, track: TrackSpec) -> None:
        self._out, self._track = out, track
        self._samples = 0
        opus = encoder == "libopus"
        rate, layout = 48_000 if opus else track.rate, "5.1" if opus and track.layout == "5.0" else track.layout
        self._stream = cast(av.AudioStream, out.add_stream(encoder, rate=rate, layout=layout))
        self._stream.metadata.update(_named(track, kind))
        self._stream.disposition = Disposition.default if track.default else Disposition(0)
        context = self._stream.codec_context
        context.bit_rate = SOUND_BITS_PER_CHANNEL * context.layout.nb_channels
        context.open()
        self._chunks = AudioResampler(
            format=self._stream.format, layout=layout, rate=rate, frame_size=context.frame_size or None
        )

    def write(self, samples: F32) -> None:
        """Append [channels, n] samples."""
        if not samples.shape[1]:
            return
        frame = frame_of(samples, self._track.layout, self._track.rate)
        frame.pts = self._samples
        self._samples += samples.shape[1]
        self._encode(frame)

    def finish(self) -> None:
        """Write what the resampler and the encoder still hold."""
        self._encode(None)
        self._out.mux(self._stream.encode(None))

    def _encode(self, frame: AudioFrame | None) -> None:
        for part in self._chunks.resample(frame):
            self._out.mux(self._stream.encode(part))


def _named(track: TrackSpec, kind: Container) -> dict[str, str]:
    """A stream's metadata."""
    language = language_in(kind.format, track.language) if track.language else None
    return {key: value for key, value in (("language", language), ("title", track.title)) if value}
