"""How films are encoded: what each kind of file may hold, and which encoder writes it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from roughcut.errors import OutputError
from roughcut.media.encoders import BIT_DEPTHS, SMALLEST, Encoder, software
from roughcut.media.hardware import find_hardware
from roughcut.records import Codec, FilmSpec


@dataclass(frozen=True, kw_only=True)
class Container:
    """How a file ending is written."""

    format: str
    codecs: tuple[Codec, ...]
    """What it may hold; the first is its usual one."""
    audio: str = "aac"
    options: dict[str, str] = field(default_factory=dict)

    def audio_for(self, codec: Codec) -> str:
        """The sound's encoder beside pictures of `codec`: an editor's file has PCM."""
        return "pcm_s24le" if codec == "prores" else self.audio

    def holding(self, codec: Codec | None) -> Codec:
        """`codec`, or the usual one. Raises OutputError for one that it cannot hold."""
        if codec is None or codec in self.codecs:
            return codec or self.codecs[0]
        homes = [ending for ending, kind in CONTAINERS.items() if codec in kind.codecs]
        raise OutputError(
            f"{codec} does not go into such a file",
            where=f"a {self.format} film",
            allowed=", ".join(self.codecs),
            next_step=f"choose another preset, or a name that ends in {' or '.join(homes)}",
        )


FAST_START = {"movflags": "+faststart"}
CONTAINERS = {
    ".mp4": Container(format="mp4", codecs=("h264", "hevc", "av1", "vp9"), options=FAST_START),
    ".m4v": Container(format="mp4", codecs=("h264", "hevc", "av1", "vp9"), options=FAST_START),
    ".mov": Container(format="mov", codecs=("h264", "hevc", "prores"), options=FAST_START),
    ".mkv": Container(format="matroska", codecs=("h264", "hevc", "av1", "vp9", "prores")),
    ".webm": Container(format="webm", codecs=("vp9", "av1"), audio="libopus"),
}


def container_of(path: Path) -> Container:
    """How a film of that name is written. Raises OutputError for an unknown ending."""
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise OutputError(
            "unknown kind of film", where=path, got=path.suffix or "no ending", allowed=", ".join(CONTAINERS)
        ) from None


def codec_of(spec: FilmSpec, container: Container) -> Codec:
    """The film's codec. Raises OutputError where such a file cannot hold it, or its pictures are too small for it."""
    codec = container.holding(spec.codec)
    least = SMALLEST.get(codec, 2)
    if min(spec.width, spec.height) < least:
        size = f"{spec.width}x{spec.height}"
        raise OutputError(f"the pictures are too small for {codec}", got=size, allowed=f"{least}x{least} and more")
    return codec


def fitted(spec: FilmSpec, path: Path) -> tuple[FilmSpec, tuple[str, ...]]:
    """What a film of that name will really be, its codec named, and remarks on what it loses.

    Raises:
        OutputError: unknown ending, or a codec that such a file cannot hold.
    """
    codec = codec_of(spec, container_of(path))
    depth = BIT_DEPTHS.get(codec, spec.bit_depth)
    lost = depth < spec.bit_depth
    words = (
        f"{codec} is written with {depth} bit: {spec.bit_depth} bit of the film were rounded (--preset av1 keeps them)"
    )
    # ProRes has nowhere to say that its range is full, so players take it as limited
    colour = replace(spec.colour, full_range=False) if codec == "prores" else spec.colour
    return replace(spec, codec=codec, bit_depth=depth, colour=colour), (words,) if lost else ()


def encoder_for(spec: FilmSpec, container: Container, *, hardware: bool = False) -> tuple[Encoder, str | None]:
    """The encoder of a film, and a remark about hardware where it was asked for.

    Hardware is used only where it encodes a few pictures of this film's size and format on trial.

    Raises:
        OutputError: the container cannot hold the codec.
    """
    spec = replace(spec, codec=codec_of(spec, container))
    if spec.codec == "av1":
        os.environ.setdefault("SVT_LOG", "0")  # SVT's own log goes past FFmpeg's, to standard error
    found, remark = find_hardware(spec) if hardware else (None, None)
    tag = "hvc1" if spec.codec == "hevc" and container.format in ("mp4", "mov") else None  # Apple plays no other
    return replace(found or software(spec), tag=tag), remark
