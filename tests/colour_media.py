"""Colour patches as films, by this file's own arithmetic: nothing here goes through the code under test."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIDE = 16  # pixels of a patch
PATCHES = np.array([
    (200, 40, 40), (40, 180, 60), (30, 60, 200), (230, 200, 30), (150, 110, 90), (128,) * 3, (245,) * 3, (16,) * 3
]) / 255  # fmt: skip
WEIGHTS = {
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020nc": (0.2627, 0.0593),
}
CODES = {
    "smpte170m": 6,
    "bt470bg": 5,
    "bt709": 1,
    "bt2020nc": 9,
    "bt2020": 9,
    "bt2020-10": 14,
    "smpte2084": 16,
    "arib-std-b67": 18,
}


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How pictures are coded; `tags` are (matrix, primaries, transfer), None where untagged."""

    matrix: str
    full: bool = False
    bits: int = 8
    tags: tuple[str | None, str | None, str | None] = (None, None, None)
    pixel_format: str = ""
    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = (("crf", "4"), ("preset", "ultrafast"))
    tag_range: bool = True

    @property
    def format(self) -> str:
        """FFmpeg's name, 4:2:0 unless told otherwise."""
        return self.pixel_format or ("yuv420p" if self.bits == 8 else f"yuv420p{self.bits}le")


def to_yuv(rgb: np.ndarray, coding: Coding) -> np.ndarray:
    """[..., 3] RGB in 0..1 to code values (H.273, equations 20 to 43)."""
    kr, kb = WEIGHTS[coding.matrix]
    r, g, b = np.moveaxis(rgb, -1, 0)
    y = kr * r + (1 - kr - kb) * g + kb * b
    chroma = [(b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)]
    top, step, middle = 2**coding.bits - 1, 2 ** (coding.bits - 8), 2 ** (coding.bits - 1)
    if coding.full:
        return np.rint(np.stack([y * top, *(c * top + middle for c in chroma)], -1)).clip(0, top)
    return np.rint(np.stack([(219 * y + 16) * step, *(c * 224 * step + middle for c in chroma)], -1))


def to_rgb(yuv: np.ndarray, coding: Coding) -> np.ndarray:
    """The way back, limited to 0..1."""
    kr, kb = WEIGHTS[coding.matrix]
    top, step, middle = 2**coding.bits - 1, 2 ** (coding.bits - 8), 2 ** (coding.bits - 1)
    y, u, v = np.moveaxis(np.asarray(yuv, float), -1, 0)
    y, span = (y / top, top) if coding.full else ((y / step - 16) / 219, 224 * step)
    b, r = y + (2 - 2 * kb) * (u - middle) / span, y + (2 - 2 * kr) * (v - middle) / span
    return np.stack([r, (y - kr * r - kb * b) / (1 - kr - kb), b], -1).clip(0, 1)


def filled(planes: list[np.ndarray], pixel_format: str) -> av.VideoFrame:
    """A frame with these planes."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pixel_format)
    for target, given in zip(frame.planes, planes, strict=True):
        size = given.dtype.itemsize
        np.frombuffer(target, given.dtype).reshape(-1, target.line_size // size)[: given.shape[0], : given.shape[1]] = (
            given
        )
    return frame


def read(plane: av.video.plane.VideoPlane, bits: int) -> np.ndarray:
    """[h, w] of a decoded plane."""
    dtype = np.dtype(np.uint8 if bits == 8 else "<u2")
    return np.frombuffer(plane, dtype).reshape(-1, plane.line_size // dtype.itemsize)[: plane.height, : plane.width]


def patch_planes(coding: Coding, rgb: np.ndarray) -> list[np.ndarray]:
    """Planes of one row of patches [n, 3], SIDE pixels wide and 2 SIDE high each, in the coding's format."""
    layout = av.VideoFormat(coding.format, SIDE * len(rgb), 2 * SIDE)
    dtype = np.uint8 if coding.bits == 8 else np.dtype("<u2")
    in_planes = np.rint(rgb * (2**coding.bits - 1))[:, [1, 2, 0]]  # planar RGB stores G, B, R
    values = (in_planes if layout.is_rgb else to_yuv(rgb, coding)).T
    planes = []
    for k, component in enumerate(layout.components):
        value = values[k] if k < 3 else np.full(len(rgb), 2**coding.bits - 1)  # alpha: opaque
        planes.append(np.repeat(value, component.width // len(rgb))[None].repeat(component.height, 0).astype(dtype))
    return planes


def write_patches(path: Path, coding: Coding, rgb: np.ndarray = PATCHES, *, frames: int = 8) -> Path:
    """A film of patches at 25 frames/s."""
    frame = filled(patch_planes(coding, rgb), coding.format)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(coding.codec, rate=25, options=dict(coding.options))
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, coding.format
        context = stream.codec_context
        for attribute, name in zip(("colorspace", "color_primaries", "color_trc"), coding.tags, strict=True):
            if name is not None:
                setattr(context, attribute, CODES[name])
        if coding.tag_range:
            context.color_range = 2 if coding.full else 1
        for n in range(frames):
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def seen_patches(path: Path, coding: Coding, count: int = len(PATCHES), *, at: int = 2) -> np.ndarray:
    """[count, 3] RGB in 0..1 at the middles of the patches of a film frame, from its planes as FFmpeg decodes them."""
    with av.open(str(path)) as container:
        frame = next(f for n, f in enumerate(container.decode(video=0)) if n == at)
    assert frame.format.name.startswith("yuv"), frame.format.name
    columns = []
    for plane in frame.planes[:3]:
        values, width = read(plane, coding.bits), plane.width / count
        middle = slice(plane.height // 4, 3 * plane.height // 4)
        columns.append(
            [values[middle, round((k + 0.3) * width) : round((k + 0.7) * width)].mean() for k in range(count)]
        )
    return to_rgb(np.array(columns).T, coding)


def tags_of(path: Path) -> tuple[int, int, int, int]:
    """Codes of a film's first frame as FFmpeg decodes it: matrix, primaries, transfer, range."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    return int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range)
