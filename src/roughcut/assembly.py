"""Units, sound and what lies beside them become one file: packets in decode order, sound as far as the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from roughcut.media.bitstream import BitstreamError, ParameterSets
from roughcut.media.encoders import Encoder
from roughcut.media.mux import CodedVideo, FilmMuxer
from roughcut.media.remux import FilmPacket, copied, stream_header
from roughcut.media.segment import part_delay, part_packets, part_sets
from roughcut.parts import PartMaker
from roughcut.records import Progress
from roughcut.soundtrack import Soundtrack
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.plan import Plan
from roughcut.units import Cutting


@dataclass(frozen=True)
class Pictures:
    """The film's coded pictures: where they come from, and what stands in the stream's header."""

    cutting: Cutting
    parts: PartMaker
    sets: ParameterSets | None
    """Of our parts, where they stand beside copied packets."""
    video: CodedVideo


def coded_pictures(plan: Plan, cutting: Cutting, parts: PartMaker, encoder: Encoder) -> Pictures:
    """What the muxer must know before the first packet; the parts are finished.

    Raises:
        BitstreamError: our parameter sets and the source's cannot stand in one stream.
    """
    ours = [parts.path(u) for u in cutting.units if u.copy is None]
    copies = [u.copy for u in cutting.units if u.copy is not None]
    delay = max([part_delay(p, plan.spec.rate) for p in ours] + [c.delay for c in copies])
    if not copies:
        return Pictures(cutting, parts, None, CodedVideo(like=ours[0], tag=encoder.tag, delay=delay))
    sets = part_sets(ours[0], plan.spec.codec or "") if ours else None
    extradata = None
    if cutting.sets is not None:
        extradata = (cutting.sets if sets is None else cutting.sets.joined(sets)).extradata()
    info = copies[0].info
    if plan.spec.codec == "av1" and ours and stream_header(ours[0], 0) != stream_header(info.path, info.video.index):
        raise BitstreamError("an AV1 stream has one sequence header, and the source's is not that of our encoder")
    video = CodedVideo(like=info.path, index=info.video.index, extradata=extradata, tag=encoder.tag, delay=delay)
    return Pictures(cutting, parts, sets, video)


def packets(pictures: Pictures, rate: Fraction) -> Iterator[FilmPacket]:
    """All coded pictures of the film in decode order.

    Raises:
        BitstreamError: a source does not hold any more what was found in it.
    """
    for unit in pictures.cutting.units:
        if unit.copy is not None:
            yield from copied(unit.copy)
        else:
            yield from part_packets(pictures.parts.path(unit), unit.first, rate, pictures.sets)


def assemble(
    rate: Fraction, grid: FrameGrid, pictures: Pictures, sound: Soundtrack, film: FilmMuxer, progress: Progress
) -> None:
    """Write the whole film into an open muxer."""
    total = float(grid.time(len(grid)))
    for n, packet in enumerate(packets(pictures, rate), 1):
        film.write_packet(packet)
        sound.write_to(film, grid.time(n))
        progress("writing", float(grid.time(n)), total)
    sound.finish(film)
    film.close()
