"""The output layer: pictures and sound become a film file, whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.stream import Disposition
from av.video.frame import PictureType

from roughcut.errors import OutputError
from roughcut.media.audio import frame_of
from roughcut.media.carried import NOTHING, Carried
from roughcut.media.codecs import Container, codec_of, container_of, encoder_for
from roughcut.media.faults import reason
from roughcut.media.language import language_in
from roughcut.media.picture import FilmPicture
from roughcut.media.streams import set_chapters
from roughcut.media.subtitles import add_subtitle_streams
from roughcut.media.tags import set_colour
from roughcut.records import F32, FilmSpec, TrackSpec

SOUND_BITS_PER_CHANNEL = 96_000


def temporary_name(path: Path) -> Path:
    """The name a file has while it is written, in the same folder."""
    return path.with_name(f".{path.stem[:80]}.{os.getpid()}.part{path.suffix}")


class FilmWriter:
    """Writes one film under a temporary name; it gets its own name when all went well, else it is removed.

        with FilmWriter(path, spec) as film:
            film.write_picture(picture)     # picture k is shown from k / rate on
            film.write_sound(samples)       # float32 [channels, n], sample m of a track is heard at m / its rate

    Raises:
        OutputError: unknown ending, a codec that such a file cannot hold, folder missing or read-only, disk full.
    """

    def __init__(self, path: Path, spec: FilmSpec, carried: Carried = NOTHING, *, hardware: bool = False) -> None:
        self.path, self.spec, self._carried = path, spec, carried
        self._kind = container_of(path)
        self._encoder, self.remark = encoder_for(spec, self._kind, hardware=hardware)
        self._temporary = temporary_name(path)
        self._pictures = 0

    def __enter__(self) -> FilmWriter:
        with _mapped(self.path):
            self._out = av.open(f"file:{self._temporary}", "w", format=self._kind.format, options=self._kind.options)
            try:
                self._out.metadata.update(self.spec.tags)
                self._video = self._add_video()
                sound = self._kind.audio_for(codec_of(self.spec, self._kind))
                self._sounds = [_SoundWriter(self._out, self._kind, sound, track) for track in self.spec.tracks]
                self._subtitles = add_subtitle_streams(self._out, self._carried.subtitles)
                set_chapters(self._out, self._carried.chapters, self.spec.rate)
            except BaseException:
                self._abandon()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            with _mapped(self.path):
                self._out.mux(self._video.encode(None))
                for sound in self._sounds:
                    sound.finish()
                for subtitle in self._subtitles:
                    subtitle.write_to()
                self._out.close()
                self._temporary.replace(self.path)
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        with suppress(Exception):
            self._out.close()
        self._temporary.unlink(missing_ok=True)

    def _add_video(self) -> av.VideoStream:
        spec, encoder = self.spec, self._encoder
        stream = cast(av.VideoStream, self._out.add_stream(encoder.name, rate=spec.rate, options=encoder.options))
        stream.width, stream.height = spec.width, spec.height
        stream.pix_fmt = encoder.pixel_format
        if encoder.tag is not None:
            stream.codec_context.codec_tag = encoder.tag
        stream.time_base = stream.codec_context.time_base = 1 / spec.rate
        set_colour(stream.codec_context, spec.colour)
        return stream

    def write_picture(self, picture: FilmPicture) -> None:
        """Append a picture."""
        frame = picture.frame
        frame.pts, frame.time_base = self._pictures, 1 / self.spec.rate
        set_colour(frame, self.spec.colour)  # prores_ks goes by the frames alone
        frame.pict_type = PictureType.NONE  # or the source's own key frames would be forced on the encoder
        self._pictures += 1
        with _mapped(self.path):
            for subtitle in self._subtitles:
                subtitle.write_to(self._pictures / self.spec.rate)
            self._out.mux(self._video.encode(frame))

    def write_sound(self, samples: F32, track: int = 0) -> None:
        """Append [channels, n] samples at the track's rate."""
        with _mapped(self.path):
            self._sounds[track].write(samples)


class _SoundWriter:
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


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    """FFmpeg's and the system's complaints about writing as OutputError."""
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC
        what = "the disk is full" if full else "the film cannot be written"
        step = "free some space" if full else "choose a folder that exists and may be written to"
        raise OutputError(what, where=path, got=reason(error), next_step=step) from error
