"""Pictures to a part of a film: one closed run of coded pictures in a file of its own, and its packets back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
from av.video.frame import PictureType, VideoFrame

from roughcut.errors import InputError
from roughcut.media.bitstream import ParameterSets, packet_units, parameter_sets, renumbered, with_lengths, without_sets
from roughcut.media.decode import demuxed
from roughcut.media.encoders import Encoder
from roughcut.media.faults import Losses, opened, writing
from roughcut.media.picture import FilmPicture
from roughcut.media.remux import WITH_SETS, FilmPacket
from roughcut.media.tags import set_colour
from roughcut.records import FilmSpec

MOST_DELAY = 32  # frames: no encoder runs further ahead
OUR_SPS = 7  # x264 numbers our parameter sets so that they stand beside a source's


def part_ending(spec: FilmSpec) -> str:
    """The kind of file that holds a part."""
    return ".mov" if spec.codec == "prores" else ".mp4"


def beside_copies(encoder: Encoder) -> Encoder:
    """The encoder for parts that share a film with copied packets: its parameter sets must be told apart."""
    if encoder.name != "libx264":
        return encoder
    told = [t for t in (encoder.options.get("x264-params"), f"sps-id={OUR_SPS}") if t]
    return replace(encoder, options={**encoder.options, "x264-params": ":".join(told)})


class SegmentWriter:
    """Writes one part under a temporary name; it gets its own when it is whole, else it is removed.

        with SegmentWriter(path, spec, encoder, film) as part:      # errors name the film
            part.write(picture)     # picture k of the part

    Raises:
        OutputError: the folder cannot be written to, or the disk is full.
    """

    def __init__(self, path: Path, spec: FilmSpec, encoder: Encoder, film: Path) -> None:
        self.path, self._spec, self._encoder, self._film = path, spec, encoder, film
        self._temporary = path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}")
        self._count = self._coded = 0

    def __enter__(self) -> SegmentWriter:
        with writing(self._film):
            self._out = av.open(f"file:{self._temporary}", "w", format=self.path.suffix[1:])
            try:
                self._video = self._add_video()
            except BaseException:
                self._abandon()
                raise
        return self

    def _add_video(self) -> av.VideoStream:
        spec, encoder = self._spec, self._encoder
        stream = cast(av.VideoStream, self._out.add_stream(encoder.name, rate=spec.rate, options=encoder.options))
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, encoder.pixel_format
        stream.time_base = stream.codec_context.time_base = 1 / spec.rate
        set_colour(stream.codec_context, spec.colour)
        return stream

    def write(self, picture: FilmPicture) -> None:
        """Append a picture."""
        frame = picture.frame
        frame.pts, frame.time_base = self._count, 1 / self._spec.rate
        set_colour(frame, self._spec.colour)  # prores_ks goes by the frames alone
        frame.pict_type = PictureType.NONE  # or the source's own key frames would be forced on the encoder
        self._count += 1
        with writing(self._film):
            self._mux(frame)

    def _mux(self, frame: VideoFrame | None) -> None:
        """Encode; decoding times are ours: x265 makes up those of very short runs."""
        for packet in self._video.encode(frame):
            packet.dts = self._coded - MOST_DELAY
            packet.time_base = 1 / self._spec.rate
            self._coded += 1
            self._out.mux(packet)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            with writing(self._film):
                self._mux(None)
                self._out.close()
                self._temporary.replace(self.path)
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        with suppress(Exception):
            self._out.close()
        self._temporary.unlink(missing_ok=True)


def left_in(folder: Path) -> Iterator[Path]:
    """Parts in the making in a folder: where nobody is at work there, what killed processes have left."""
    return folder.glob("*.*.part.*")


def part_whole(path: Path, frames: int, rate: Fraction) -> bool:
    """True where a part holds each of its frames once. After a power cut, a name may stand without its content."""
    try:
        return sorted(p.frame for p in part_packets(path, 0, rate, None)) == list(range(frames))
    except InputError:
        return False


def part_delay(path: Path, rate: Fraction) -> int:
    """Frames by which decoding a part runs ahead of showing it."""
    return max(i - packet.frame for i, packet in enumerate(part_packets(path, 0, rate, None)))


def part_sets(path: Path, codec: str) -> ParameterSets | None:
    """A part's parameter sets as they will be numbered in the film; None for codecs that have none."""
    if codec not in WITH_SETS:
        return None
    with opened(path) as container:
        sets = parameter_sets(codec, container.streams.video[0].codec_context.extradata)
    return sets if codec == "h264" else replace(sets, units=tuple(renumbered(u) for u in sets.units))


def part_packets(path: Path, first: int, rate: Fraction, sets: ParameterSets | None) -> Iterator[FilmPacket]:
    """A part's packets in decode order, from film frame `first` on; numbered anew where `sets` are given."""
    with opened(path) as container:
        stream = container.streams.video[0]
        step = (stream.time_base or 1 / rate) * rate
        for packet in demuxed(container, stream, losses=Losses()):
            if packet.size and packet.pts is not None:
                data = bytes(packet)
                if sets is not None:
                    data = _numbered(data, sets)
                yield FilmPacket(frame=first + round(packet.pts * step), data=data, key=packet.is_keyframe)


def _numbered(data: bytes, sets: ParameterSets) -> bytes:
    units, _ = without_sets(packet_units(data, sets), sets.codec)
    return with_lengths([renumbered(u) for u in units] if sets.codec == "hevc" else units)
