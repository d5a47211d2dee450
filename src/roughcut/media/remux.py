"""Packets on their way into the film without being decoded: what forbids it, and the copied packets themselves."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from roughcut.media.bitstream import (
    BitstreamError,
    ParameterSets,
    broken_link,
    packet_units,
    parameter_sets,
    with_lengths,
    without_sets,
)
from roughcut.media.decode import demuxed
from roughcut.media.faults import Losses, opened
from roughcut.media.gops import RUN_UP, Copy
from roughcut.records import FilmSpec, MediaInfo

COPYABLE = ("h264", "hevc", "vp9", "av1", "prores")
WITH_SETS = ("h264", "hevc")


@dataclass(frozen=True, kw_only=True)
class FilmPacket:
    """A coded picture of the film, in decode order."""

    frame: int
    """The film frame that it shows."""
    data: bytes
    key: bool


def obstacle(info: MediaInfo, spec: FilmSpec, pixel_format: str) -> str | None:
    """Why packets of a source cannot stand in a film of that format, in words; None where they can."""
    video, codec = info.video, spec.codec
    reasons = (
        (codec not in COPYABLE, f"{codec} streams are not joined"),
        (codec_name(info) != codec, f"it is {codec_name(info)}, the film {codec}"),
        (bool(info.parts), "it is several recordings in one"),
        (video.interlaced, "it is interlaced"),
        (video.rotation != 0, "it is turned by its display matrix"),
        ((video.coded_width, video.coded_height) != (video.width, video.height), "its pixels are not square or odd"),
        ((video.width, video.height) != (spec.width, spec.height), "the film has another size"),
        (_plain(video.pixel_format) != pixel_format, f"it is {video.pixel_format}, the film {pixel_format}"),
        (video.colour != spec.colour, "the film has other colour tags"),
    )
    return next((words for holds, words in reasons if holds), None)


def codec_name(info: MediaInfo) -> str:
    """The codec's name without the decoder's."""
    return {"libdav1d": "av1", "libaom-av1": "av1", "libvpx-vp9": "vp9"}.get(info.video.codec, info.video.codec)


def _plain(pixel_format: str) -> str:
    """The old full-range names are the plain ones with a tag."""
    return pixel_format.replace("yuvj", "yuv")


def source_sets(info: MediaInfo) -> ParameterSets | None:
    """A source's parameter sets, from its header or else its first key picture; None for codecs that have none.

    Raises:
        BitstreamError: they cannot be read.
    """
    codec = codec_name(info)
    if codec not in WITH_SETS:
        return None
    with opened(info.path) as container:
        stream = container.streams[info.video.index]
        sets = parameter_sets(codec, stream.codec_context.extradata)
        if sets.units and sets.header:
            return sets
        for packet in demuxed(container, stream, losses=Losses()):
            if packet.is_keyframe:
                units = packet_units(bytes(packet), sets)
                own = tuple(dict.fromkeys([*sets.units, *without_sets(units, codec)[1]]))
                return ParameterSets(codec=codec, units=own, header=sets.header, length_size=sets.length_size)
    raise BitstreamError("no key picture was found")


def stream_header(path: Path, index: int) -> bytes:
    """What a file says of a stream once, before its packets."""
    with opened(path) as container:
        return container.streams[index].codec_context.extradata or b""


def copied(copy: Copy) -> Iterator[FilmPacket]:
    """The packets of a run in decode order; with lengths and without parameter sets where its codec has such.

    Raises:
        BitstreamError: the source does not hold the run any more.
    """
    first, last, taken = copy.pts[0], copy.pts[-1], 0
    sets = source_sets(copy.info)
    with opened(copy.info.path) as container:
        stream = container.streams[copy.info.video.index]
        container.seek(first - int(RUN_UP / copy.info.video.time_base), stream=stream)
        for packet in demuxed(container, stream, losses=Losses(), info=copy.info):
            if not packet.size or packet.pts is None or (taken == 0 and packet.pts != first):
                continue
            if not first <= packet.pts <= last:
                continue
            data = bytes(packet)
            if sets is not None:
                data = rewritten(data, sets, link=taken == 0 and copy.broken_link)
            yield FilmPacket(frame=_frame(copy, packet.pts), data=data, key=packet.is_keyframe)
            taken += 1
            if taken == len(copy):
                return
    raise BitstreamError(f"{copy.info.path.name}: {len(copy) - taken} packets are missing")


def _frame(copy: Copy, pts: int) -> int:
    place = bisect_left(copy.pts, pts)
    if copy.pts[place] != pts:
        raise BitstreamError("a packet has moved")
    return copy.first + place


def rewritten(data: bytes, sets: ParameterSets, *, link: bool) -> bytes:
    """A packet as it stands in a film: with 4-byte lengths, its parameter sets left out (the header has them).

    Args:
        link: it is an HEVC CRA whose leading pictures are left out.

    Raises:
        BitstreamError: it has other parameter sets, or no picture.
    """
    units, own = without_sets(packet_units(data, sets), sets.codec)
    if any(unit not in sets.units for unit in own):
        raise BitstreamError("its parameters change in the middle")
    if not units:
        raise BitstreamError("a packet of it holds no picture")
    return with_lengths(broken_link(units) if link else units)
