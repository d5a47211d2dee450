"""What a file is, and what the one decode pass gives of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from roughcut.records.carried import Chapter, SubtitleStream
from roughcut.timebase import TimeRange

SOUND_RATE = 16_000  # Hz: the one rate at which sound is analysed
THUMB_SIZE = (48, 27)  # width, height of the small picture of every frame
PICTURE_SIDE = 256  # longest side of the larger pictures

HDR_TRANSFERS = ("smpte2084", "arib-std-b67")  # PQ and HLG

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]


class Progress(Protocol):
    """Called by long steps: `stage` in plain words, `done` of `total` in the stage's own unit (often seconds)."""

    def __call__(self, stage: str, done: float, total: float) -> None: ...


def no_progress(stage: str, done: float, total: float) -> None:
    """The progress of those who do not look."""


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """Colour description in FFmpeg's names (`bt709`, `smpte170m`, `bt2020nc`, ...); None where the file is silent."""

    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    full_range: bool | None = None

    @property
    def is_hdr(self) -> bool:
        """True for PQ and HLG."""
        return self.transfer in HDR_TRANSFERS


@dataclass(frozen=True, kw_only=True)
class VideoStream:
    """One video stream. `width` x `height` is what a viewer sees: upright, square pixels, even."""

    index: int
    codec: str
    width: int
    height: int
    coded_width: int
    coded_height: int
    rotation: int
    """Degrees (0, 90, 180, 270) the coded picture is turned clockwise to stand upright."""
    sample_aspect: Fraction
    rate: Fraction
    """Dominant frame rate, an exact standard rate where it is one."""
    variable: bool
    """True where frame durations differ: no single rate describes the file."""
    time_base: Fraction
    start: Fraction
    duration: Fraction
    pixel_format: str
    bit_depth: int
    colour: ColourTags
    peak: float | None = None
    """Nits that the brightest pixel reaches, where HDR metadata tells (MaxCLL, else the mastering display's)."""
    interlaced: bool = False
    """True where the first picture is two fields."""
    frames: int | None = None
    """Frame count where the container tells."""
    last: Fraction | None = None
    """Start of the last picture where the file was read to its end: it lasts until the stream does."""

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0 or self.rate <= 0:
            raise ValueError(f"a video stream has a size and a rate, got {self.width}x{self.height} at {self.rate}")
        if self.rotation not in (0, 90, 180, 270):
            raise ValueError(f"rotation is one of 0, 90, 180, 270, got {self.rotation}")


@dataclass(frozen=True, kw_only=True)
class AudioStream:
    """One audio stream; `rate` in Hz, `layout` as FFmpeg names it (`mono`, `stereo`, `5.1`)."""

    index: int
    codec: str
    rate: int
    channels: int
    layout: str
    start: Fraction
    duration: Fraction
    language: str | None = None
    title: str | None = None
    default: bool = False
    """True where the file flags it as the one to play."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A recording laid behind another in one file: its own clock is `shift` seconds behind the file's."""

    pos: int
    """Byte of the file at which it begins."""
    start: Fraction
    """When its first picture is shown."""
    shift: Fraction
    """Seconds to add to its timestamps."""


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What `probe` tells of a file. `video` and `audio` are the streams used, `subtitles` and
    `chapters` go with them; `others` are named only."""

    path: Path
    container: str
    size_bytes: int
    digest: str
    """Content hash (fast: size, head, middle and tail), the key of every cache."""
    duration: Fraction
    video: VideoStream
    audio: tuple[AudioStream, ...] = ()
    subtitles: tuple[SubtitleStream, ...] = ()
    """Text subtitles."""
    chapters: tuple[Chapter, ...] = ()
    others: tuple[str, ...] = ()
    """Streams not used, in words (`subtitle 2: dvdsub, eng`), for the list of what was not carried over."""
    tags: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    """Recordings joined behind the first, where the file's clock jumps; their packets cannot be sought by time."""

    @property
    def range(self) -> TimeRange:
        """The time covered by pictures."""
        return TimeRange(self.video.start, self.video.start + self.video.duration)


@dataclass(frozen=True, kw_only=True)
class ScanBatch:
    """A run of consecutive frames of the one decode pass, in presentation order.

    `thumbs[i]` belongs to frame `first + i`; `pictures[j]` to frame `picture_frames[j]`. Colours are full-range
    non-linear RGB (the file's own transfer, matrix and range undone). Any part may be empty (sound runs ahead of
    or behind pictures); sound blocks follow each other without gap or overlap.
    """

    first: int
    pts: I64
    """[n] ticks of the video stream's time base."""
    thumbs: U8
    """[n, 27, 48, 3]"""
    picture_frames: I64
    """[m] frame indices"""
    pictures: U8
    """[m, h, w, 3], the longest side PICTURE_SIDE"""
    sound: F32
    """[k] mono samples in [-1, 1] at SOUND_RATE; sample 0 of the whole pass lies at the video stream's start."""

    def __post_init__(self) -> None:
        n, m = len(self.pts), len(self.picture_frames)
        w, h = THUMB_SIZE
        if self.thumbs.shape != (n, h, w, 3):
            raise ValueError(f"thumbs are [{n}, {h}, {w}, 3], got {self.thumbs.shape}")
        if self.pictures.ndim != 4 or len(self.pictures) != m:
            raise ValueError(f"pictures are [{m}, h, w, 3], got {self.pictures.shape}")
        if self.sound.ndim != 1:
            raise ValueError(f"sound is mono [k], got {self.sound.shape}")


@dataclass(frozen=True, kw_only=True)
class FrameTimes:
    """When each frame of a file is shown: frame i from `pts[i]` to `pts[i + 1]`, the last one to `end_pts`."""

    pts: I64
    end_pts: int
    time_base: Fraction

    def __post_init__(self) -> None:
        if len(self.pts) and (np.any(self.pts[1:] <= self.pts[:-1]) or self.end_pts <= self.pts[-1]):
            raise ValueError("frame times must rise")

    def __len__(self) -> int:
        return len(self.pts)

    def time(self, frame: int) -> Fraction:
        """Exact start of a frame in seconds; `len(self)` gives the end of the last one."""
        ticks = self.end_pts if frame == len(self.pts) else int(self.pts[frame])
        return ticks * self.time_base

    def frame_at(self, t: Fraction) -> int:
        """Index of the frame shown at `t`, clamped to the film."""
        ticks = t / self.time_base
        found = int(np.searchsorted(self.pts, ticks.numerator // ticks.denominator, side="right")) - 1
        return min(max(found, 0), len(self.pts) - 1)

    @property
    def range(self) -> TimeRange:
        """From the first frame's start to the last one's end."""
        return TimeRange(self.time(0), self.time(len(self)))

    def seconds(self) -> NDArray[np.float64]:
        """[T] start times in float seconds, for plots and features, never for cutting."""
        return self.pts.astype(np.float64) * float(self.time_base)
