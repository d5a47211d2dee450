"""Pictures of the film: `records.Picture` over FFmpeg's frames, and the way there from any source frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from roughcut.media.encoders import pixel_format
from roughcut.media.tags import swscale_matrix, swscale_range
from roughcut.records import FilmSpec, MediaInfo

Plane = NDArray[np.uint8] | NDArray[np.uint16]

PRECISE = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
DEEP_RGB = "rgb48le"
GREY = {"gray": "yuv420p", "gray10le": "yuv420p10le", "gray12le": "yuv420p12le"}
"""What the picture formats without colour become: swscale takes them for full range, whatever they are tagged."""

Tone = Callable[[Plane], Plane]
"""RGB [h, w, 3] over all of uint16, in the source's kind of light -> the same in the film's."""


class FilmPicture:
    """A frame in the film's own size, format, matrix and range. Implements `records.Picture`."""

    def __init__(self, frame: VideoFrame, film: Film) -> None:
        self.frame = frame
        self._film = film

    @property
    def width(self) -> int:
        """Pixels."""
        return self.frame.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self.frame.height

    @property
    def bit_depth(self) -> int:
        """8 or 10."""
        return self._film.spec.bit_depth

    def planes(self) -> list[Plane]:
        """Y, U, V as views of the frame's own memory."""
        return [_view(plane, self._film.dtype) for plane in self.frame.planes]

    def black(self) -> tuple[int, int, int]:
        """Code values of black."""
        return self._film.black

    def with_planes(self, planes: list[Plane]) -> FilmPicture:
        """A new picture with these planes, as large as they are."""
        height, width = planes[0].shape
        made = VideoFrame(width, height, self.frame.format.name)
        for target, plane in zip(made.planes, planes, strict=True):
            _view(target, self._film.dtype)[:] = plane
        return FilmPicture(made, self._film)

    def planes_of(self, rgb: NDArray[np.uint8]) -> list[Plane]:
        """Planes of RGB [h, w, 3], to be laid on this picture."""
        return [plane.copy() for plane in FilmPicture(self._film.from_rgb(rgb), self._film).planes()]

    def rgb(self) -> Plane:
        """[h, w, 3] full-range RGB, uint8 or (10 bit) uint16 up to 65535."""
        return self._film.to_rgb(self.frame)

    def with_rgb(self, rgb: Plane) -> FilmPicture:
        """A new picture from such RGB."""
        return FilmPicture(self._film.from_rgb(rgb), self._film)


def _view(plane: object, dtype: type[np.generic]) -> Plane:
    """[height, width] of a plane, the padding at the end of its lines left out."""
    size = np.dtype(dtype).itemsize
    lines = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // size)  # type: ignore[call-overload, attr-defined]
    view: Plane = lines[: plane.height, : plane.width]  # type: ignore[attr-defined]
    return view


def _widened(rgb: Plane) -> Plane:
    """swscale's 16-bit RGB, in which white is 255 * 256, spread over all of uint16."""
    held = np.minimum(rgb, 65_280)
    held += held >> 8
    return held


def _narrowed(rgb: Plane) -> Plane:
    """The way back."""
    return rgb - (rgb >> 8)


class Film:
    """What all pictures of one film share: format, matrix, range, and the converters for them."""

    def __init__(self, spec: FilmSpec) -> None:
        self.spec = spec
        self.format = pixel_format(spec)
        self.dtype: type[np.generic] = np.uint8 if spec.bit_depth == 8 else np.uint16
        self.matrix, self.range = swscale_matrix(spec.colour, spec.height), swscale_range(spec.colour)
        scale = 1 << (spec.bit_depth - 8)
        self.black = (0 if spec.colour.full_range else 16 * scale, 128 * scale, 128 * scale)
        self._rgb_format = "rgb24" if spec.bit_depth == 8 else DEEP_RGB
        self._own = threading.local()

    @property
    def _scalers(self) -> tuple[VideoReformatter, VideoReformatter]:
        """To RGB and from it; each thread has its own pair."""
        if not hasattr(self._own, "scalers"):
            self._own.scalers = (VideoReformatter(), VideoReformatter())
        scalers: tuple[VideoReformatter, VideoReformatter] = self._own.scalers
        return scalers

    def to_rgb(self, frame: VideoFrame) -> Plane:
        """Full-range RGB of a film frame."""
        made = self._scalers[0].reformat(
            frame, format=self._rgb_format, src_colorspace=self.matrix, dst_colorspace=self.matrix,
            src_color_range=self.range, dst_color_range=ColorRange.JPEG, interpolation=PRECISE,
        )  # fmt: skip
        rgb: Plane = made.to_ndarray()  # type: ignore[assignment]
        return rgb if self.spec.bit_depth == 8 else _widened(rgb)

    def from_rgb(self, rgb: Plane) -> VideoFrame:
        """A film frame of full-range RGB, uint8 or uint16; from 16 to 8 bits with an ordered dither against bands."""
        deep = rgb.dtype == np.uint16
        given = _narrowed(rgb) if deep else np.ascontiguousarray(rgb)
        frame = VideoFrame.from_ndarray(given, format=DEEP_RGB if deep else "rgb24")  # type: ignore[arg-type]
        return self._scalers[1].reformat(
            frame, format=self.format, src_colorspace=self.matrix, dst_colorspace=self.matrix,
            src_color_range=ColorRange.JPEG, dst_color_range=self.range, interpolation=PRECISE,
        )  # fmt: skip

    def blank(self) -> VideoFrame:
        """A black frame."""
        frame = VideoFrame(self.spec.width, self.spec.height, self.format)
        for plane, value in zip(frame.planes, self.black, strict=True):
            _view(plane, self.dtype)[:] = value
        return frame


class Conformer:
    """Source frames (upright) as film pictures: scaled with their aspect kept, padded with black, converted.

    Where nothing differs the frame passes through without a copy. Where the film's light is of another kind (HDR,
    SDR), `tone` maps it, on RGB of 16 bits.
    """

    def __init__(self, info: MediaInfo, film: Film, tone: Tone | None = None) -> None:
        self._film, self._tone = film, tone
        video = info.video
        self._matrix = swscale_matrix(video.colour, video.coded_height)
        self._range = swscale_range(video.colour)
        self._left, self._top, self._width, self._height = place_in(film.spec, info)
        self._scaler, self._grey = VideoReformatter(), VideoReformatter()
        self._same_colour = (self._matrix, self._range) == (film.matrix, film.range) and tone is None

    def picture(self, frame: VideoFrame) -> FilmPicture:
        """The film's picture of a source frame."""
        if frame.format.name in GREY:
            frame = self._grey.reformat(
                frame, format=GREY[frame.format.name], src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.JPEG
            )
        same_size = (frame.width, frame.height) == (self._width, self._height)
        if self._tone is not None:
            frame = self._film.from_rgb(self._tone(self._rgb(frame)))
        elif not (same_size and self._same_colour and frame.format.name == self._film.format):
            frame = self._converted(frame, self._film.format, self._film.matrix, self._film.range)
        spec = self._film.spec
        if (self._width, self._height) != (spec.width, spec.height):
            frame = self._padded(frame)
        return FilmPicture(frame, self._film)

    def _rgb(self, frame: VideoFrame) -> Plane:
        """Full-range RGB of 16 bits, in the source's own kind of light."""
        made = self._converted(frame, DEEP_RGB, self._matrix, ColorRange.JPEG)
        return _widened(made.to_ndarray())  # type: ignore[arg-type]

    def _converted(self, frame: VideoFrame, pixels: str, matrix: Colorspace, levels: ColorRange) -> VideoFrame:
        return self._scaler.reformat(
            frame, self._width, self._height, pixels, src_colorspace=self._matrix, dst_colorspace=matrix,
            src_color_range=self._range, dst_color_range=levels, interpolation=PRECISE,
        )  # fmt: skip

    def _padded(self, frame: VideoFrame) -> VideoFrame:
        """The frame in the middle of a black one."""
        whole = self._film.blank()
        for target, source in zip(whole.planes, frame.planes, strict=True):
            x, y = self._left * target.width // whole.width, self._top * target.height // whole.height
            part = _view(source, self._film.dtype)
            _view(target, self._film.dtype)[y : y + part.shape[0], x : x + part.shape[1]] = part
        return whole


def place_in(spec: FilmSpec, info: MediaInfo) -> tuple[int, int, int, int]:
    """Left, top, width and height, pixels, of a source's picture inside the film's, its aspect kept."""
    scale = min(Fraction(spec.width, info.video.width), Fraction(spec.height, info.video.height))
    width, height = (_even(side * scale) for side in (info.video.width, info.video.height))
    return (spec.width - width) // 4 * 2, (spec.height - height) // 4 * 2, width, height


def covering(spec: FilmSpec, info: MediaInfo) -> FilmSpec:
    """The film as large as it takes for a source's picture to fill it, whatever its shape."""
    scale = max(Fraction(spec.width, info.video.width), Fraction(spec.height, info.video.height))
    return replace(spec, width=_even(info.video.width * scale), height=_even(info.video.height * scale))


def _even(side: Fraction) -> int:
    return max(round(side / 2) * 2, 2)
