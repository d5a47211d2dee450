"""One sound track as coded packets, encoded apart from any file: on a thread of its own, before the file is begun."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.codec.context import Flags
from av.container import OutputContainer
from av.stream import Disposition

from roughcut.media.audio import frame_of
from roughcut.media.codecs import Container, codec_of
from roughcut.media.language import language_in
from roughcut.records import F32, FilmSpec, TrackSpec

BITS_PER_CHANNEL = 96_000
Packet: TypeAlias = "av.Packet[Any]"


class SoundEncoder:
    """Float32 [channels, n] in, packets out. Opus knows 48 kHz alone, so other rates are brought to it, and FFmpeg's
    Opus encoder mixes up the channels of 5.0, so those become 5.1.
    """

    def __init__(self, spec: FilmSpec, kind: Container, track: int) -> None:
        self._track = spec.tracks[track]
        self._samples = 0
        name, rate, layout = _shape(spec, kind, self._track)
        self._context = cast(AudioCodecContext, av.CodecContext.create(name, "w"))
        self._context.sample_rate, self._context.layout = rate, layout
        formats = self._context.codec.audio_formats
        assert formats, name
        self._context.format = formats[0]
        self._context.flags |= Flags.global_header  # all containers written here want it so
        _open(self._context)
        self._chunks = AudioResampler(
            format=self._context.format, layout=layout, rate=rate, frame_size=self._context.frame_size or None
        )

    def encode(self, samples: F32) -> list[Packet]:
        """Packets that are ready after these samples."""
        if not samples.shape[1]:
            return []
        frame = frame_of(samples, self._track.layout, self._track.rate)
        frame.pts = self._samples
        self._samples += samples.shape[1]
        return self._encode(frame)

    def finish(self) -> list[Packet]:
        """What the resampler and the encoder still hold."""
        return [*self._encode(None), *self._context.encode(None)]

    def _encode(self, frame: AudioFrame | None) -> list[Packet]:
        return [packet for part in self._chunks.resample(frame) for packet in self._context.encode(part)]


def add_sound_stream(out: OutputContainer, spec: FilmSpec, kind: Container, track: int) -> av.AudioStream:
    """The stream for a `SoundEncoder`'s packets; its own encoder, set up alike, writes the header and nothing else."""
    wanted = spec.tracks[track]
    name, rate, layout = _shape(spec, kind, wanted)
    stream = cast(av.AudioStream, out.add_stream(name, rate=rate, layout=layout))
    stream.metadata.update(_named(wanted, kind))
    stream.disposition = Disposition.default if wanted.default else Disposition(0)
    _open(stream.codec_context)
    return stream


def _shape(spec: FilmSpec, kind: Container, track: TrackSpec) -> tuple[str, int, str]:
    """Encoder, rate and layout of a track in such a file."""
    encoder = kind.audio_for(codec_of(spec, kind))
    if encoder != "libopus":
        return encoder, track.rate, track.layout
    return encoder, 48_000, "5.1" if track.layout == "5.0" else track.layout


def _open(context: AudioCodecContext) -> None:
    context.bit_rate = BITS_PER_CHANNEL * context.layout.nb_channels
    context.open()


def _named(track: TrackSpec, kind: Container) -> dict[str, str]:
    """A stream's metadata."""
    language = language_in(kind.format, track.language) if track.language else None
    return {key: value for key, value in (("language", language), ("title", track.title)) if value}
