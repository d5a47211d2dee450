"""Full-size pictures on their way to the film, and what the film is written as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from roughcut.records.media import ColourTags


@runtime_checkable
class Picture(Protocol):
    """A full-size frame on its way through effect synthesis. Implemented by `media`; effects see only this.

    An untouched picture goes from decoder to encoder without a copy. `planes` are the encoder's own (YUV 4:2:0,
    4:2:2 or 4:4:4, 8 to 16 bits in uint8/uint16 arrays), so an effect that is affine in colour (dissolve, fade) can
    work on them.
    """

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def bit_depth(self) -> int: ...

    def planes(self) -> list[NDArray[np.uint8] | NDArray[np.uint16]]:
        """Y, U, V arrays [h_i, w_i]; read-only views."""

    def black(self) -> tuple[int, int, int]:
        """Code values of black in `planes`: (16, 128, 128) for 8-bit limited range."""

    def with_planes(self, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> Picture:
        """The same kind of picture with copies of these planes, of another size if they are; its planes are its own and
        may be written to before it is handed on."""

    def planes_of(self, rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8] | NDArray[np.uint16]]:
        """Such planes of full-range RGB [h, w, 3] of even size, to be laid on this picture."""

    def rgb(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """[h, w, 3] full-range non-linear RGB; uint8 for 8-bit sources, uint16 (0..65535) for deeper ones."""

    def with_rgb(self, rgb: NDArray[np.uint8] | NDArray[np.uint16]) -> Picture:
        """The same kind of picture (format, matrix, range) made from RGB of the dtype `rgb()` gives."""


PictureReader = Iterator[Picture]


Codec = Literal["h264", "hevc", "av1", "vp9", "prores"]
Speed = Literal["draft", "fast", "good", "best"]
"""How long an encoder may think about a picture: the longer, the smaller the file."""
HD_COLOUR = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False)


@dataclass(frozen=True, kw_only=True)
class TrackSpec:
    """One sound track of the film; `rate` in Hz, `layout` as FFmpeg names it (`mono`, `stereo`, `5.1`)."""

    rate: int = 48_000
    layout: str = "stereo"
    language: str | None = None
    """As the source tells it, mostly ISO 639-2 (`eng`)."""
    title: str | None = None
    default: bool = False
    """True where players should choose it by themselves."""

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"a sound track's rate is positive, got {self.rate}")
        if not self.layout:
            raise ValueError("a sound track has a layout, got none")


@dataclass(frozen=True, kw_only=True)
class FilmSpec:
    """What the film is written as."""

    width: int
    height: int
    rate: Fraction
    colour: ColourTags = HD_COLOUR
    bit_depth: int = 8
    tracks: tuple[TrackSpec, ...] = (TrackSpec(),)
    """Track k of the film is track k of every source, silence where a source has fewer; (): no sound."""
    variable: bool = False
    """True: frames are shown when their source showed them; `rate` then says how fast they mostly come."""
    codec: Codec | None = None
    """None: what the kind of file usually holds (VP9 in WebM, else H.264)."""
    crf: int = 20
    """Quality in x264's terms, 0 (best) to 51; other codecs get the number that looks about alike."""
    speed: Speed = "fast"
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2 or self.width <= 0 or self.height <= 0:
            raise ValueError(f"a film's sides are even and positive, got {self.width}x{self.height}")
        if self.rate <= 0:
            raise ValueError(f"a film's rate is positive, got {self.rate}")
        if self.bit_depth not in (8, 10):
            raise ValueError(f"a film has 8 or 10 bits, got {self.bit_depth}")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"a film's crf lies in 0..51, got {self.crf}")
        if self.codec not in (None, *get_args(Codec)) or self.speed not in get_args(Speed):
            raise ValueError(f"a film has a known codec and speed, got {self.codec}, {self.speed}")
