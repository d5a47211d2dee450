"""Colour tags: FFmpeg's names for the codes of ITU-T H.273, and what an untagged file means."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import cast

from av.sidedata.sidedata import SideData, Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from roughcut.records import ColourTags

MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c"}
PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
             11: "smpte431", 12: "smpte432"}  # fmt: skip
TRANSFERS = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 11: "iec61966-2-4",
             13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67"}  # fmt: skip
FULL, LIMITED = 2, 1

_SWSCALE = {
    "bt709": Colorspace.ITU709,
    "fcc": Colorspace.FCC,
    "bt470bg": Colorspace.ITU601,
    "smpte170m": Colorspace.SMPTE170M,
    "smpte240m": Colorspace.SMPTE240M,
    "bt2020nc": Colorspace.BT2020,
    "bt2020c": Colorspace.BT2020,
}


def tags_from_codes(matrix: int, primaries: int, transfer: int, colour_range: int, pixel_format: str) -> ColourTags:
    """Tags from a decoded frame's codes; the old `yuvj` formats are full range whatever the code says."""
    full = True if pixel_format.startswith("yuvj") else {FULL: True, LIMITED: False}.get(colour_range)
    return ColourTags(
        matrix=MATRICES.get(matrix),
        primaries=PRIMARIES.get(primaries),
        transfer=TRANSFERS.get(transfer),
        full_range=full,
    )


def peak_of(frame: VideoFrame) -> float | None:
    """Nits of the brightest pixel by the frame's HDR metadata: MaxCLL, else the peak of the mastering display."""
    told = {data.type: bytes(data) for data in cast(Iterable[SideData], frame.side_data)}
    light, mastering = told.get(Type.CONTENT_LIGHT_LEVEL), told.get(Type.MASTERING_DISPLAY_METADATA)
    if light is not None and (brightest := struct.unpack_from("=I", light)[0]):
        return float(brightest)
    if mastering is None:
        return None
    # AVMasteringDisplayMetadata: eight chromaticities, the least and the greatest luminance, and which of both are set
    above, below, _, has_luminance = struct.unpack_from("=iiii", mastering, 9 * 8)
    return above / below if has_luminance and above > 0 and below > 0 else None


def matrix_of(tags: ColourTags, height: int) -> str:
    """The matrix to convert with: the tagged one, else that of the tagged primaries or HDR transfer, else what players
    assume (BT.709 from 720 lines on, else BT.601)."""
    if tags.matrix is not None:
        return tags.matrix
    if tags.primaries == "bt2020" or tags.is_hdr:
        return "bt2020nc"
    return "bt709" if height >= 720 else "smpte170m"


def swscale_matrix(tags: ColourTags, height: int) -> Colorspace:
    """The same for swscale."""
    return _SWSCALE[matrix_of(tags, height)]


def swscale_range(tags: ColourTags) -> ColorRange:
    """Untagged video is limited range."""
    return ColorRange.JPEG if tags.full_range else ColorRange.MPEG


def set_colour(target: VideoCodecContext | VideoFrame, tags: ColourTags) -> None:
    """Give an encoder or a frame these tags; what they leave open becomes unspecified."""
    target.colorspace = _code(MATRICES, tags.matrix)
    target.color_primaries = _code(PRIMARIES, tags.primaries)
    target.color_trc = _code(TRANSFERS, tags.transfer)
    target.color_range = {True: FULL, False: LIMITED, None: 0}[tags.full_range]


def _code(codes: dict[int, str], name: str | None) -> int:
    """H.273's code of a name; 2 says unspecified."""
    return next((code for code, known in codes.items() if known == name), 2)
