"""Pictures in files: read upright as RGB of 8 or 16 bits, and written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageOps

from roughcut.errors import InputError, OutputError
from roughcut.records import U8

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
PNG_DEPTH_AT, PNG_COLOUR_AT = 24, 25  # bytes of the header: bits of a channel, kind of pixels (ISO 15948, 11.2.2)
PNG_KINDS = {0: "gray16be", 2: "rgb48be", 4: "ya16be", 6: "rgba64be"}
MOST_PIXELS = 200_000_000
Levels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """What a file holds."""

    rgb: Levels
    """[h, w, 3], the whole range of its kind of number; turned as the camera says."""
    alpha: Levels | None = None
    """[h, w]"""
    profile: bytes | None = None
    """The ICC profile that its RGB is meant in."""
    note: str | None = None


def read_picture(path: Path) -> PictureFile:
    """A picture of any kind that Pillow reads; of PNG, 16 bits stay 16.

    Raises:
        InputError: missing, a folder, no picture, cut off, or of more than 200 million pixels.
    """
    try:
        head = path.read_bytes()[: PNG_COLOUR_AT + 1]
        deep = head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) > PNG_COLOUR_AT and head[PNG_DEPTH_AT] == 16
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise InputError("the picture is too large", where=path, got=f"{picture.width}x{picture.height}")
            return _deep(path, PNG_KINDS[head[PNG_COLOUR_AT]]) if deep else _plain(picture)
    except (OSError, ValueError, SyntaxError, KeyError, Image.DecompressionBombError, av.FFmpegError) as error:
        raise InputError("the picture cannot be read", where=path, got=error, allowed=", ".join(ENDINGS)) from error


def _plain(picture: Image.Image) -> PictureFile:
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    own = upright.mode in ("RGB", "RGBA")
    note = None if own or upright.mode in ("P", "L", "LA", "1") else f"{upright.mode} was converted to RGB"
    alpha = None
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        alpha = np.asarray(upright.getchannel("A"))
    if upright.mode.startswith("I;16"):
        grey = (np.asarray(upright).astype(np.uint32) // 257).astype(np.uint8)
        upright = Image.fromarray(grey)
    profile = picture.info.get("icc_profile") if own else None
    return PictureFile(rgb=np.asarray(upright.convert("RGB")), alpha=alpha, profile=profile, note=note)


def _deep(path: Path, kind: str) -> PictureFile:
    with av.open(str(path), format="png_pipe") as held:
        frame = next(held.decode(video=0))
    deep = "rgba64le" if kind in ("ya16be", "rgba64be") else "rgb48le"
    levels = frame.reformat(format=deep).to_ndarray().astype(np.uint16, copy=False)
    alpha = np.ascontiguousarray(levels[..., 3]) if levels.shape[2] > 3 else None
    return PictureFile(rgb=np.ascontiguousarray(levels[..., :3]), alpha=alpha)


def write_picture(path: Path, held: PictureFile) -> None:
    """Write by the name's ending, as deep as the picture where that is PNG, else in 8 bits.

    Raises:
        OutputError: the ending is unknown, or the file cannot be written; what stood there is untouched.
    """
    temporary = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        if held.rgb.dtype == np.uint16 and path.suffix.lower() == ".png":
            temporary.write_bytes(_deep_png(held))
        else:
            _eight(held, path).save(temporary, **_how(path, held))
        temporary.replace(path)
    except (OSError, ValueError, av.FFmpegError) as error:
        raise OutputError("the picture cannot be written", where=path, got=error) from error
    finally:
        temporary.unlink(missing_ok=True)


def to_eight(levels: Levels) -> U8:
    """16 bits rounded to 8; 8 bits as they are."""
    deep = levels.dtype == np.uint16
    return ((levels.astype(np.uint32) + 128) // 257 if deep else levels).astype(np.uint8, copy=False)


def _eight(held: PictureFile, path: Path) -> Image.Image:
    made = Image.fromarray(to_eight(held.rgb))
    if held.alpha is not None and path.suffix.lower() in (".png", ".webp", ".tif", ".tiff"):
        made.putalpha(Image.fromarray(to_eight(held.alpha)))
    return made


def _how(path: Path, held: PictureFile) -> dict[str, Any]:
    quality = {"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg", ".webp") else {}
    return {**quality, **({} if held.profile is None else {"icc_profile": held.profile})}


def _deep_png(held: PictureFile) -> bytes:
    parts = [held.rgb] if held.alpha is None else [held.rgb, held.alpha[..., None]]
    kind = "rgb48" if held.alpha is None else "rgba64"
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(np.concatenate(parts, 2)), format=f"{kind}le")
    codec = av.CodecContext.create("png", "w")
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, f"{kind}be"
    codec.time_base = Fraction(1)
    frame.pts = 0
    packets = [*codec.encode(frame.reformat(format=f"{kind}be")), *codec.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
