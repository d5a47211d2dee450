"""H.264 and HEVC below the packet: NAL units, parameter sets, and making two coders' sets live in one stream.

A film that copies packets of one encoder and adds packets of another has two families of parameter sets. Both stand
in the file's header (avcC, hvcC), told apart by their ids, so that every player finds them:

    source  VPS 0  SPS 0  PPS 0  (whatever ids it has)
    ours    VPS 15 SPS 15 PPS 15                        HEVC; x264 numbers its sets itself (`sps-id`)

Raising an id of 0 to 15 makes its Exp-Golomb code longer by exactly 8 bits ('1' -> '000010000'), so everything behind
it keeps its place within the byte and nothing else of a header has to be understood.

Sources: ITU-T H.264 7.3, H.265 7.3; ISO/IEC 14496-15 for avcC and hvcC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

OUR_ID = 15
_PARAMETER_TYPES = {"h264": (7, 8), "hevc": (32, 33, 34)}
_IDR = {"h264": (5,), "hevc": (16, 17, 18, 19, 20)}
_CRA, _BLA = 21, 17


class BitstreamError(ValueError):
    """The bytes are not what their codec says; the caller encodes instead of copying."""


@dataclass(frozen=True, kw_only=True)
class ParameterSets:
    """All parameter sets of a stream, each one as a NAL unit without its length, and how long lengths are."""

    codec: str
    units: tuple[bytes, ...]
    header: bytes = b""
    """The fixed bytes of avcC (4 from the second on) or hvcC (21 from the second on)."""
    length_size: int = 4
    """Bytes of the length before each NAL unit in packets; 0 where packets are divided by start codes."""

    def ids(self) -> set[tuple[int, int]]:
        """(NAL type, id) of every set."""
        return {(unit_type(u, self.codec), parameter_id(u, self.codec)) for u in self.units}

    def extradata(self) -> bytes:
        """avcC or hvcC with 4-byte lengths."""
        return _avcc(self) if self.codec == "h264" else _hvcc(self)

    def joined(self, other: ParameterSets) -> ParameterSets:
        """Both families in one header.

        Raises:
            BitstreamError: an id stands for different things in the two.
        """
        more = tuple(u for u in other.units if u not in self.units)
        taken = self.ids()
        for unit in more:
            if (unit_type(unit, self.codec), parameter_id(unit, self.codec)) in taken:
                raise BitstreamError("parameter sets with the same number and other content")
        header = self.header
        if self.codec == "h264" and header and other.header:  # the higher profile and level of the two
            header = bytes([max(header[0], other.header[0]), header[1], max(header[2], other.header[2]), header[3]])
        return replace(self, units=self.units + more, header=header)


def parameter_sets(codec: str, extradata: bytes | None) -> ParameterSets:
    """The sets in a stream's header: avcC, hvcC, or NAL units divided by start codes.

    Raises:
        BitstreamError: there are none, or they cannot be read.
    """
    data = extradata or b""
    try:
        if data[:1] != b"\x01" or data[:4] == b"\x00\x00\x00\x01":
            found = ParameterSets(codec=codec, units=tuple(annexb_units(data)), length_size=0)
        else:
            found = _read_avcc(data) if codec == "h264" else _read_hvcc(data)
    except IndexError as error:
        raise BitstreamError("a damaged stream header") from error
    kept = tuple(u for u in found.units if u and unit_type(u, codec) in _PARAMETER_TYPES[codec])
    return replace(found, units=kept)


def _read_avcc(data: bytes) -> ParameterSets:
    units, at = [], 5
    for mask in (31, 255):
        count, at = data[at] & mask, at + 1
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            units.append(data[at + 2 : at + 2 + size])
            at += 2 + size
    return ParameterSets(codec="h264", units=tuple(units), header=data[1:5], length_size=(data[4] & 3) + 1)


def _read_hvcc(data: bytes) -> ParameterSets:
    units, at = [], 23
    for _ in range(data[22]):
        count = int.from_bytes(data[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            units.append(data[at + 2 : at + 2 + size])
            at += 2 + size
    return ParameterSets(codec="hevc", units=tuple(units), header=data[1:22], length_size=(data[21] & 3) + 1)


def _listed(units: Sequence[bytes]) -> bytes:
    return b"".join(len(u).to_bytes(2, "big") + u for u in units)


def _avcc(sets: ParameterSets) -> bytes:
    sps, pps = ([u for u in sets.units if unit_type(u, "h264") == kind] for kind in (7, 8))
    head = sets.header or sps[0][1:4] + b"\xff"
    start = bytes([1]) + head[:3] + bytes([head[3] | 3, 0xE0 | len(sps)])
    tail = b""
    if head[0] in (100, 110, 122, 144):  # high profiles repeat what the SPS says of chroma and depth
        depth = 2 if head[0] in (110, 122) else 0
        tail = bytes([0xFD, 0xF8 | depth, 0xF8 | depth, 0])
    return start + _listed(sps) + bytes([len(pps)]) + _listed(pps) + tail


def _hvcc(sets: ParameterSets) -> bytes:
    if not sets.header:
        raise BitstreamError("a stream header without its fixed part")
    body = b""
    for kind in _PARAMETER_TYPES["hevc"]:
        units = [u for u in sets.units if unit_type(u, "hevc") == kind]
        body += bytes([0x80 | kind]) + len(units).to_bytes(2, "big") + _listed(units)
    head = sets.header[:20] + bytes([sets.header[20] | 3])
    return bytes([1]) + head + bytes([3]) + body


# ---------------------------------------------------------------- NAL units


def unit_type(unit: bytes, codec: str) -> int:
    """The type in a NAL unit's header."""
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def annexb_units(data: bytes) -> list[bytes]:
    """NAL units between start codes."""
    starts = [(m.start(), m.end()) for m in re.finditer(b"\x00\x00\x01", data)]
    ends = [s for s, _ in starts[1:]] + [len(data)]
    return [data[begin:end].rstrip(b"\x00") for (_, begin), end in zip(starts, ends, strict=True)]


def length_units(data: bytes, size: int) -> list[bytes]:
    """NAL units that stand behind their lengths.

    Raises:
        BitstreamError: a length reaches beyond the packet.
    """
    units, at = [], 0
    while at + size <= len(data):
        end = at + size + int.from_bytes(data[at : at + size], "big")
        if end > len(data):
            raise BitstreamError("a damaged packet")
        units.append(data[at + size : end])
        at = end
    return units


def packet_units(data: bytes, sets: ParameterSets) -> list[bytes]:
    """NAL units of a packet of that stream, none of them empty."""
    units = length_units(data, sets.length_size) if sets.length_size else annexb_units(data)
    return [u for u in units if u]


def with_lengths(units: Sequence[bytes]) -> bytes:
    """A packet of NAL units behind 4-byte lengths."""
    return b"".join(len(u).to_bytes(4, "big") + u for u in units)


def without_sets(units: Sequence[bytes], codec: str) -> tuple[list[bytes], list[bytes]]:
    """The units that are pictures and messages, and those that are parameter sets."""
    kinds = _PARAMETER_TYPES[codec]
    rest: list[bytes] = []
    sets: list[bytes] = []
    for unit in units:
        (sets if unit_type(unit, codec) in kinds else rest).append(unit)
    return rest, sets


def entry_kind(units: Sequence[bytes], codec: str) -> str | None:
    """`idr` where decoding can start with nothing lost, `cra` where leading pictures must go, else None."""
    kinds = {unit_type(u, codec) for u in units}
    if kinds & set(_IDR[codec]):
        return "idr"
    return "cra" if codec == "hevc" and _CRA in kinds else None


def broken_link(units: Sequence[bytes]) -> list[bytes]:
    """An HEVC picture made a splicing point (H.265 3.18): a CRA in the middle of a film would make decoders throw away
    pictures still to be shown, a BLA does not. Nothing but the type in the header changes.
    """
    kinds = [unit_type(u, "hevc") for u in units]
    return [
        bytes([u[0] & 0x81 | _BLA << 1]) + u[1:] if kind == _CRA else u for u, kind in zip(units, kinds, strict=True)
    ]


# ---------------------------------------------------------------- ids


def unescaped(unit: bytes) -> bytes:
    """A NAL unit without emulation prevention."""
    return re.sub(b"\x00\x00\x03", b"\x00\x00", unit)


def escaped(raw: bytes) -> bytes:
    """A NAL unit in which no start code can be seen (7.4.1)."""
    return re.sub(b"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", raw)


class _Bits:
    """Reads numbers from a bit string, first bit first."""

    def __init__(self, raw: bytes, at: int) -> None:
        self._value, self._size, self.at = int.from_bytes(raw, "big"), len(raw) * 8, at

    def take(self, count: int) -> int:
        self.at += count
        if self.at > self._size:
            raise BitstreamError("a parameter set ends early")
        return self._value >> (self._size - self.at) & ((1 << count) - 1)

    def golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + (self.take(zeros) if zeros else 0)


def parameter_id(unit: bytes, codec: str) -> int:
    """The number of a parameter set."""
    raw, kind = unescaped(unit[:120]), unit_type(unit, codec)
    if codec == "h264":
        return _Bits(raw, 32 if kind == 7 else 8).golomb()
    if kind == 32:
        return raw[2] >> 4
    return _Bits(raw, 16 if kind == 34 else _sps_id_at(raw)).golomb()


def _sps_id_at(raw: bytes) -> int:
    """Bit position of an HEVC SPS's own id: behind the profile, tier and levels of all its layers."""
    bits = _Bits(raw, 16)
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    bits.at += 96
    if layers:
        present = [(bits.take(1), bits.take(1)) for _ in range(8)][:layers]
        bits.at += sum(88 * profile + 8 * level for profile, level in present)
    return bits.at


def renumbered(unit: bytes) -> bytes:
    """An HEVC unit of ours with OUR_ID in place of id 0 wherever it names a parameter set.

    Raises:
        BitstreamError: its ids are not 0.
    """
    kind = unit_type(unit, "hevc")
    if kind >= 35:
        return unit
    raw = unescaped(unit)
    if kind == 32:
        return escaped(raw[:2] + bytes([OUR_ID << 4 | raw[2] & 15]) + raw[3:])
    if kind == 33:
        raw = raw[:2] + bytes([OUR_ID << 4 | raw[2] & 15]) + raw[3:]
        return escaped(_raised(raw, _sps_id_at(raw)))
    if kind == 34:
        return escaped(_raised(_raised(raw, 16), 25))
    return escaped(_raised(raw, 18 if 16 <= kind <= 23 else 17))


def _raised(raw: bytes, at: int) -> bytes:
    """The Exp-Golomb 0 at bit `at` made OUR_ID: 8 bits longer."""
    head, last = at // 8, at % 8
    byte = raw[head]
    if not byte >> (7 - last) & 1:
        raise BitstreamError("a parameter set is not numbered 0")
    before = byte >> (8 - last)
    after = byte & ((1 << (7 - last)) - 1)
    widened = (before << 9 | (OUR_ID + 1)) << (7 - last) | after
    return raw[:head] + widened.to_bytes(2, "big") + raw[head + 1 :]
