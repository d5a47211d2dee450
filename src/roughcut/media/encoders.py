"""Encoders by codec: FFmpeg's names and the settings behind a film's quality and speed.

            h264      hevc      av1         vp9          prores
encoder     libx264   libx265   libsvtav1   libvpx-vp9   prores_ks (422 HQ)
bits        8, 10     8, 10     8, 10       8            10

Equal pictures and settings give equal bytes and equal extradata, and every stream begins with a key frame that
nothing before it is needed for, so that streams encoded apart can be put together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy._core._multiarray_umath import __cpu_features__ as CPU  # type: ignore[import-not-found]

from roughcut.records import Codec, FilmSpec, Speed

KEY_SECONDS = 2  # a key picture at least so often: films are quick to seek in, to prove, and to cut again without loss
PIXEL_FORMATS = {8: "yuv420p", 10: "yuv420p10le"}
BIT_DEPTHS: dict[Codec, int] = {"vp9": 8, "prores": 10}
"""Of codecs that are written with one depth alone: FFmpeg's wheels have no VP9 of 10 bit."""
SMALLEST: dict[Codec, int] = {"hevc": 32, "av1": 64}
"""Pixels of a side: below, x265 repeats itself no more and SVT-AV1 damages memory."""


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """FFmpeg's name of an encoder with its settings."""

    name: str
    options: dict[str, str]
    pixel_format: str
    tag: str | None = None
    """The codec's name in the container, where players ask for another than FFmpeg writes."""


def pixel_format(spec: FilmSpec) -> str:
    """FFmpeg's name for the film's pictures."""
    return "yuv422p10le" if spec.codec == "prores" else PIXEL_FORMATS[spec.bit_depth]


def software(spec: FilmSpec) -> Encoder:
    """The encoder of the film's codec that runs everywhere."""
    assert spec.codec is not None
    name, options = _SETTINGS[spec.codec](spec)
    if spec.codec != "prores":
        options["g"] = str(max(round(KEY_SECONDS * spec.rate), 1))
    return Encoder(name=name, options=options, pixel_format=pixel_format(spec))


Settings = tuple[str, dict[str, str]]


def _x264(spec: FilmSpec) -> Settings:
    names: dict[Speed, str] = {"draft": "ultrafast", "fast": "veryfast", "good": "medium", "best": "slow"}
    options = {"crf": str(spec.crf), "preset": names[spec.speed]}
    if CPU.get("AVX512_SKX"):
        options["x264-params"] = "asm=avx2"  # its AVX-512 code gives other bytes from run to run
    return "libx264", options


def _x265(spec: FilmSpec) -> Settings:
    names: dict[Speed, str] = {"draft": "ultrafast", "fast": "veryfast", "good": "fast", "best": "slow"}
    params = "log-level=none:open-gop=0:info=0"
    return "libx265", {"crf": _quality(spec, 2, 51), "preset": names[spec.speed], "x265-params": params}


def _svt_av1(spec: FilmSpec) -> Settings:
    names: dict[Speed, str] = {"draft": "12", "fast": "10", "good": "8", "best": "6"}
    return "libsvtav1", {"crf": _quality(spec, 12, 63), "preset": names[spec.speed]}


def _vp9(spec: FilmSpec) -> Settings:
    names: dict[Speed, str] = {"draft": "8", "fast": "5", "good": "3", "best": "1"}
    deadline = {"deadline": "good", "cpu-used": names[spec.speed], "row-mt": "1"}
    return "libvpx-vp9", {"crf": _quality(spec, 10, 63), "b": "0", **deadline}


def _prores(spec: FilmSpec) -> Settings:
    return "prores_ks", {"profile": "hq", "vendor": "apl0"}


def _quality(spec: FilmSpec, more: int, top: int) -> str:
    return str(min(spec.crf + more, top))


_SETTINGS: dict[Codec, Callable[[FilmSpec], Settings]] = {
    "h264": _x264,
    "hevc": _x265,
    "av1": _svt_av1,
    "vp9": _vp9,
    "prores": _prores,
}
