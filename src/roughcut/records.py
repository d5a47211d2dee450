"""The small records that cross stage borders. Stages never import each other; they meet here and in the plan.

Every record is frozen, keyword-only and checks itself. Units stand in the names or docstrings; times are exact
`Fraction` seconds on the source's own clock (0 is the container's zero, a stream may start later or earlier).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from roughcut.timebase import TimeRange

SOUND_RATE = 16_000  # Hz: the one rate at which sound is analysed
THUMB_SIZE = (48, 27)  # width, height of the small picture of every frame
PICTURE_SIDE = 256  # longest side of the larger pictures

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]


class Progress(Protocol):
    """Called by long steps: `stage` in plain words, `done` of `total` in the stage's own unit (often seconds)."""

    def __call__(self, stage: str, done: float, total: float) -> None: ...


def no_progress(stage: str, done: float, total: float) -> None:
    """The progress of those who do not look."""


# ---------------------------------------------------------------- what a file is


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """Colour description as FFmpeg names it (`bt709`, `smpte170m`, `bt2020nc`, ...); None where the file says nothing."""

    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    full_range: bool | None = None


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
    frames: int | None = None
    """Frame count where the container tells."""

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


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What `probe` tells of a file. `video` and `audio` are the streams roughcut uses first; `others` are named only."""

    path: Path
    container: str
    size_bytes: int
    digest: str
    """Content hash (fast: size, head, middle and tail), the key of every cache."""
    duration: Fraction
    video: VideoStream
    audio: tuple[AudioStream, ...] = ()
    others: tuple[str, ...] = ()
    """Streams not used, in words (`subtitle 2: mov_text, eng`), for the list of what was not carried over."""
    tags: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def range(self) -> TimeRange:
        """The time covered by pictures."""
        return TimeRange(self.video.start, self.video.start + self.video.duration)


# ---------------------------------------------------------------- the one decode pass


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
        if len(self.pts) and (np.any(np.diff(self.pts) <= 0) or self.end_pts <= self.pts[-1]):
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


# ---------------------------------------------------------------- X: features


@dataclass(frozen=True, kw_only=True)
class Features:
    """X = CNN(x): what the feature extraction makes of one file, rows with times.

    Pictures come a few per second (`picture_frames` says which frames), sound on a fixed 10 Hz grid that starts at
    the video stream's start.
    """

    times: FrameTimes
    frame_stats: F32
    """[T, 4] per frame: mean luma, luma contrast (std), mean |difference to the frame before|, sharpness; in [0, 1]."""
    picture_frames: I64
    """[P]"""
    embeddings: F32
    """[P, D] FrameEncoder rows"""
    pictures: U8
    """[P, h, w, 3] the 64-pixel-wide pictures that spatial mapping looks at (bounded: 64x36 is 7 kB each)"""
    sound: F32
    """[S, 42] per 0.1 s: 40 log-mel bands (mean), loudness dBFS, spectral flux; S = 0 without sound"""
    speech: F32
    """[V] speech probability per window of 512 samples (0.032 s) of the 16 kHz sound; V = 0 without sound"""

    @property
    def has_sound(self) -> bool:
        """False where the file has no audio stream or it is empty."""
        return len(self.sound) > 0


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A value over time on a uniform grid: `values[i]` holds on `[start + i * step, start + (i + 1) * step)`."""

    name: str
    start: Fraction
    step: Fraction
    values: F32

    def __post_init__(self) -> None:
        if self.step <= 0 or self.values.ndim != 1:
            raise ValueError(f"curve {self.name}: a positive step and [N] values, got {self.step}, {self.values.shape}")

    def mean(self, over: TimeRange) -> float:
        """Mean over the grid cells that `over` touches; 0.0 where it touches none."""
        first = max(int((over.start - self.start) // self.step), 0)
        last = max(int(-((self.start - over.end) // self.step)), first + 1)
        part = self.values[first:last]
        return float(part.mean()) if len(part) else 0.0

    def at(self, t: Fraction) -> float:
        """Value at `t`, clamped to the ends; 0.0 on an empty curve."""
        if not len(self.values):
            return 0.0
        return float(self.values[min(max(int((t - self.start) // self.step), 0), len(self.values) - 1)])


# ---------------------------------------------------------------- U: what the temporal mapping says

TransitionKind = Literal["cut", "dissolve", "fade", "wipe", "other"]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A change of shot found in the footage.

    `start` is the last clean frame of the old shot, `end` the first clean frame of the new one, both 0-based in
    presentation order; a cut first seen at frame t is (t - 1, t).
    """

    kind: TransitionKind
    start: int
    end: int
    probability: float

    def __post_init__(self) -> None:
        if not self.start < self.end or not 0 <= self.probability <= 1:
            raise ValueError(f"a transition runs forward with p in 0..1, got {self}")


@dataclass(frozen=True, kw_only=True)
class Shot:
    """Clean frames `[first, stop)` of one shot and the exact time they are shown."""

    first: int
    stop: int
    range: TimeRange

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.stop:
            raise ValueError(f"a shot holds at least one frame, got [{self.first}, {self.stop})")


@dataclass(frozen=True, kw_only=True)
class Speech:
    """A stretch of speech with its mean probability, at word gaps (not padded)."""

    range: TimeRange
    probability: float


@dataclass(frozen=True, kw_only=True)
class Timing:
    """U = RNN(X): what the temporal mapping makes of the rows."""

    transitions: tuple[Transition, ...]
    shots: tuple[Shot, ...]
    keep: Curve
    """Importance in [0, 1]: what people would keep."""
    accent: Curve
    """Effect timing: probability that something begins here that deserves emphasis."""
    lull: Curve
    """Effect timing: probability of a calm stretch, where a soft transition fits."""
    speech: tuple[Speech, ...]
    loudness: Curve
    """Momentary loudness in dBFS (not a probability)."""


# ---------------------------------------------------------------- V: what the spatial mapping says


@dataclass(frozen=True, kw_only=True)
class LookControls:
    """A colour correction as sliders a colourist knows. All 0 is identity.

    Applied in this order (see `effects/looks.py` for the exact formulas and `networks/spatial.py` for the same in
    PyTorch): white balance and exposure in linear light, then black and white points, contrast and gamma on the
    display signal, then saturation.
    """

    temperature: float = 0.0
    """log2 gain of red over blue; +1 is much warmer"""
    tint: float = 0.0
    """log2 gain of green against red and blue; +1 is much greener"""
    exposure: float = 0.0
    """stops"""
    black: float = 0.0
    """display level (0..1 scale) mapped to 0; negative lifts"""
    white: float = 0.0
    """1 + white is the display level mapped to 1"""
    gamma: float = 0.0
    """log2 of the exponent's inverse: positive lifts the middle"""
    contrast: float = 0.0
    """S-curve around the middle; -1..1"""
    saturation: float = 0.0
    """log2 of the chroma gain"""

    def is_identity(self, tolerance: float = 1e-3) -> bool:
        """True where every slider lies within `tolerance` of 0."""
        return all(abs(v) <= tolerance for v in self.values())

    def values(self) -> tuple[float, ...]:
        """The sliders in declared order."""
        return tuple(getattr(self, name) for name in self.names())

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Slider names in declared order."""
        return tuple(cls.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class Look:
    """The correction of one shot: one map for the whole of it, so nothing flickers."""

    controls: LookControls = LookControls()
    confidence: float = 1.0
    """0..1, already worked into the controls; said for people"""
    grid: tuple[tuple[float, ...], ...] | None = None
    """Regional exposure: rows of stops on a low-resolution grid over the picture, bilinear between cell centres."""

    def __post_init__(self) -> None:
        if self.grid is not None and len({len(row) for row in self.grid}) != 1:
            raise ValueError("a look's grid has rows of equal length")


# ---------------------------------------------------------------- the analysis: X, U, V and what they mean


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """All that `roughcut.analyze` learned of one file; the planner reads it, nothing else."""

    media: MediaInfo
    features: Features
    timing: Timing
    looks: tuple[Look, ...]
    """One per shot, in order."""
    models: dict[str, str] = field(default_factory=dict)
    """Name -> version of every network that had a part in it."""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.looks) != len(self.timing.shots):
            raise ValueError(f"one look per shot: {len(self.looks)} looks, {len(self.timing.shots)} shots")


# ---------------------------------------------------------------- pictures on their way to the film


@runtime_checkable
class Picture(Protocol):
    """A full-size frame on its way through effect synthesis. Implemented by `media`; effects see only this.

    An untouched picture goes from decoder to encoder without a copy. `planes` are the encoder's own (YUV 4:2:0, 4:2:2 or 4:4:4,
    8 to 16 bits in uint8/uint16 arrays), so an effect that is affine in colour (dissolve, fade) can work on them.
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
        """The same kind of picture with other planes."""

    def rgb(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """[h, w, 3] full-range non-linear RGB; uint8 for 8-bit sources, uint16 (0..65535) for deeper ones."""

    def with_rgb(self, rgb: NDArray[np.uint8] | NDArray[np.uint16]) -> Picture:
        """The same kind of picture (format, matrix, range) made from RGB of the dtype `rgb()` gives."""


PictureReader = Iterator[Picture]


@dataclass(frozen=True, kw_only=True)
class FilmSpec:
    """What the film is written as."""

    width: int
    height: int
    rate: Fraction
    colour: ColourTags = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False)
    bit_depth: int = 8
    sound_rate: int | None = 48_000
    """None: no sound track"""
    layout: str = "stereo"
    codec: str = "h264"
    crf: int = 20
    preset: str = "veryfast"
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2 or self.width <= 0 or self.height <= 0:
            raise ValueError(f"a film's sides are even and positive, got {self.width}x{self.height}")
        if self.rate <= 0:
            raise ValueError(f"a film's rate is positive, got {self.rate}")
