"""Pictures that were taken over as they are coded: the film's packets beside the source's, and nothing to decode.

film      ... I1 P3 B2 P5 B4 |          in decode order, from the picture to start from on
source    ... I1 P3 B2 P5 B4 P7 B6      the same bytes at the same distances: so the same pictures come out
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b

from roughcut.media.bitstream import BitstreamError, ParameterSets, parameter_sets
from roughcut.media.decode import demuxed
from roughcut.media.faults import Losses, opened
from roughcut.media.gops import RUN_UP
from roughcut.media.remux import codec_name, rewritten, source_sets, stream_header
from roughcut.records import MediaInfo

ROUNDING = Fraction(1, 500)  # seconds by which two containers' clocks may differ


@dataclass(frozen=True)
class Coded:
    """Packets in decode order, from a picture to start from to the one on screen."""

    digests: list[bytes]
    times: list[Fraction]
    """Since the first."""

    def equals(self, other: Coded) -> bool:
        """True where the same pictures come out, at the same distances."""
        apart = zip(self.times, other.times, strict=False)
        return self.digests == other.digests and all(abs(a - b) <= ROUNDING for a, b in apart)


def comparable(film: MediaInfo, source: MediaInfo) -> bool:
    """True where the film's packets may be the source's: one codec, size and colour, and its header in the film's."""
    one, other = film.video, source.video
    alike = (one.coded_width, one.coded_height, one.colour) == (other.coded_width, other.coded_height, other.colour)
    if not alike or other.rotation or source.parts or codec_name(film) != codec_name(source):
        return False
    try:
        sets, header = source_sets(source), stream_header(film.path, one.index)
        if sets is None:
            return header == stream_header(source.path, other.index)
        return set(sets.units) <= set(parameter_sets(sets.codec, header).units)
    except BitstreamError:
        return False


def same_packets(film: MediaInfo, at: Fraction, source: MediaInfo, wanted: Fraction) -> bool:
    """True where what the film shows at `at` is coded as what the source shows at `wanted`."""
    try:
        ours, theirs = _coded(film, at, None), _coded(source, wanted, source_sets(source))
    except BitstreamError:
        return False
    return ours is not None and theirs is not None and ours.equals(theirs)


def _coded(info: MediaInfo, t: Fraction, sets: ParameterSets | None) -> Coded | None:
    """None where the packets do not tell. With `sets`, as packets stand in a film."""
    found: list[tuple[Fraction, bytes]] = []
    base = info.video.time_base
    with opened(info.path) as container:
        stream = container.streams[info.video.index]
        if t - RUN_UP > info.video.start:
            container.seek(int((t - RUN_UP) / base), stream=stream)
        for packet in demuxed(container, stream, losses=Losses()):
            if not packet.size:
                continue
            if packet.pts is None or packet.dts is None or packet.is_corrupt or packet.is_discard:
                return None
            if packet.dts * base > t:
                break
            if packet.is_keyframe and packet.pts * base <= t:
                found.clear()
            data = bytes(packet) if sets is None else rewritten(bytes(packet), sets, link=False)
            found.append((packet.pts * base, blake2b(data).digest()))
    shown = max((k for k, (time, _) in enumerate(found) if time <= t), key=lambda k: found[k][0], default=None)
    if shown is None:
        return None
    kept = found[: shown + 1]
    return Coded([digest for _, digest in kept], [time - kept[0][0] for time, _ in kept])
