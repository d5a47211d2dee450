"""Small whole files of many containers and codecs, to be damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from media import Frame, Sound, Subtitles, beeps, beside, write_media

SECONDS, RATE = 3, 25
REAL = ("moviepy_big_buck_bunny_432_433.webm", "sample-videos_eat.mkv", "sample-videos_milk.mkv")
"""Small files of other people's encoders, where the shared footage lies beside this checkout."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One container with the codecs in it."""

    name: str
    video: str = "libx264"
    audio: str | None = "aac"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    rotation: int = 0


FAST = {"preset": "ultrafast", "g": "12", "bf": "2"}
KINDS = (
    Kind(name="h264.mp4", options=FAST),
    Kind(name="h264.mkv", options=FAST, audio="libopus"),
    Kind(name="h264.ts", options=FAST, audio="mp2"),
    Kind(name="turned.mov", options=FAST, rotation=90),
    Kind(name="interlaced.mkv", options={**FAST, "x264-params": "interlaced=1"}, audio="flac"),
    Kind(name="hevc.mp4", video="libx265", options={"preset": "ultrafast", "x265-params": "keyint=12:log-level=0"}),
    Kind(name="av1.mp4", video="libsvtav1", options={"preset": "12"}),
    Kind(name="vp9.webm", video="libvpx-vp9", audio="libopus", options={"deadline": "realtime", "cpu-used": "8"}),
    Kind(name="vp8.webm", video="libvpx", audio="libopus", options={"deadline": "realtime", "cpu-used": "8"}),
    Kind(name="mpeg4.avi", video="mpeg4", audio="libmp3lame", options={"g": "12"}),
    Kind(name="mpeg2.ts", video="mpeg2video", audio="ac3", options={"g": "12"}),
    Kind(name="mjpeg.avi", video="mjpeg", audio="pcm_s16le", pixel_format="yuvj420p", options={"q": "4"}),
    Kind(name="prores.mov", video="prores_ks", audio="pcm_s16le", pixel_format="yuv422p10le", options={"profile": "0"}),
    Kind(name="loop.gif", video="gif", audio=None, pixel_format="rgb8", options={"loop": "-1"}),
)


def pictures() -> Iterator[Frame]:
    """A bright bar wanders over a slowly changing slope; the scene changes halfway."""
    slope = np.linspace(30, 120, 64, dtype=np.float32)[None, :, None] * np.ones((48, 1, 3), np.float32)
    for n in range(SECONDS * RATE):
        picture = (slope + n if n < SECONDS * RATE // 2 else 220 - slope).astype(np.uint8)
        picture[:, n % 60 : n % 60 + 4] = 250
        yield picture


def write_seed(folder: Path, kind: Kind) -> Path:
    """The whole file of a kind."""
    sound = Sound(samples=beeps(SECONDS, [1, 2]), codec=kind.audio) if kind.audio else None
    options = kind.options or {"preset": "ultrafast"}
    return write_media(
        folder / kind.name, pictures(), rate=Fraction(RATE), sound=sound, codec=kind.video,
        options=options, pixel_format=kind.pixel_format, rotation=kind.rotation,
    )  # fmt: skip


def write_talkative(folder: Path, plain: Path) -> Path:
    """An mp4 with all that may lie beside pictures and sound."""
    cue = (Fraction(1, 2), Fraction(2), "words")
    subtitles = [Subtitles(codec="mov_text", cues=[cue], language="eng")]
    return beside(plain, folder / "talkative.mp4", subtitles=subtitles, chapters=[(Fraction(0), Fraction(1), "one")])


def write_seeds(folder: Path, real: Path | None = None, keep: Callable[[str], bool] = lambda name: True) -> list[Path]:
    """All seeds, and the real files where they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [write_seed(folder, kind) for kind in KINDS if keep(kind.name)]
    made += [write_talkative(folder, p) for p in made if p.name == "h264.mp4"]
    found = [real / name for name in REAL] if real is not None else []
    return made + [p for p in found if p.is_file()]
