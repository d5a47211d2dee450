"""What travels beside pictures and sound: subtitles and chapters. Times are exact `Fraction` seconds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

KEPT_TAGS = (
    "creation_time", "title", "artist", "album", "album_artist", "composer", "comment", "description", "synopsis",
    "date", "copyright", "genre", "keywords", "language", "show", "episode_id", "network", "lyrics", "make", "model",
)  # fmt: skip
"""Tags of a file, in FFmpeg's names, that its film keeps; where it was taken is none of them."""


@dataclass(frozen=True, kw_only=True)
class SubtitleStream:
    """One text subtitle stream of a file, `codec` in FFmpeg's names (`mov_text`, `subrip`, `ass`, `webvtt`, `text`)."""

    index: int
    codec: str
    language: str | None = None
    title: str | None = None
    default: bool = False
    forced: bool = False


@dataclass(frozen=True, kw_only=True)
class Cue:
    """Words on screen for `[start, end)`."""

    start: Fraction
    end: Fraction
    text: str
    """Lines without markup."""
    payload: bytes = b""
    """The same as its codec stores it, with markup."""

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a cue ends after it starts, got {self.start} to {self.end}")


@dataclass(frozen=True, kw_only=True)
class SubtitleTrack:
    """A subtitle stream with its cues, in order of their starts."""

    stream: SubtitleStream
    cues: tuple[Cue, ...]
    header: bytes = b""
    """What the codec says once for all cues (the styles of `ass`)."""


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A named stretch `[start, end)`."""

    start: Fraction
    end: Fraction
    title: str

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a chapter ends after it starts, got {self.start} to {self.end}")
