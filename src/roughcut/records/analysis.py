"""X, U and V: what features, temporal mapping and spatial mapping say of a file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from roughcut.records.faces import FaceTrack
from roughcut.records.match import Match
from roughcut.records.media import F32, I64, U8, FrameTimes, MediaInfo
from roughcut.splines import monotone
from roughcut.timebase import TimeRange

SLIDER_DIGITS = 3  # of a slider between keys: a step is far below what eight bits show


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


@dataclass(frozen=True, kw_only=True)
class Mood:
    """The mood of a film over time, each half second, and how sure of it the network is.

    A mood is that of the film as it is likely to be felt, not that of any person in it.
    """

    valence: Curve
    """-1 (unpleasant) to 1 (pleasant)"""
    arousal: Curve
    """-1 (quiet) to 1 (excited)"""
    valence_confidence: Curve
    """0..1: about the correlation with what is felt that the network expects; 0 where it knows nothing"""
    arousal_confidence: Curve
    faces: bool
    """False where faces were not read."""

    def __post_init__(self) -> None:
        if len({(c.start, c.step, len(c.values)) for c in self.curves()}) != 1:
            raise ValueError("the curves of a mood lie on one grid")

    def curves(self) -> tuple[Curve, ...]:
        """All four, in declared order."""
        return self.valence, self.arousal, self.valence_confidence, self.arousal_confidence


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
class LookKey:
    """The sliders of a look at one moment of its source."""

    time: Fraction
    controls: LookControls


@dataclass(frozen=True, kw_only=True)
class Look:
    """The look of one shot: one map for the whole of it, so nothing flickers, unless the camera itself drifts."""

    controls: LookControls = LookControls()
    confidence: float = 1.0
    """0..1, already worked into the controls; said for people"""
    grid: tuple[tuple[float, ...], ...] | None = None
    """Regional exposure: rows of stops on a low-resolution grid over the picture, bilinear between cell centres."""
    match: Match | None = None
    """Colours as in a reference, on the corrected ones."""
    keys: tuple[LookKey, ...] = ()
    """Where the camera drifts, what the sliders are when; `controls` is then their mean. Times are of the source, so a
    clip that is split or trimmed keeps its look."""

    def is_identity(self) -> bool:
        """True where the look changes nothing."""
        still = all(key.controls.is_identity() for key in self.keys)
        return self.controls.is_identity() and still and self.grid is None and self.match is None

    def at(self, t: Fraction) -> Look:
        """The look at source time `t`: between keys a monotone cubic, without a jump even in its slope."""
        if not self.keys:
            return self
        first = self.keys[0].time
        times = [float(key.time - first) for key in self.keys]
        values = monotone(times, [key.controls.values() for key in self.keys], float(t - first), level_ends=True)
        steps = (round(float(v), SLIDER_DIGITS) for v in values)
        return replace(self, controls=LookControls(**dict(zip(LookControls.names(), steps, strict=True))), keys=())

    def __post_init__(self) -> None:
        if any(b.time <= a.time for a, b in pairwise(self.keys)):
            raise ValueError("a look's keys have rising times")
        if self.grid is not None and len({len(row) for row in self.grid}) != 1:
            raise ValueError("a look's grid has rows of equal length")


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
    track: int = 0
    """The sound track, from 0, that was listened to."""
    faces: tuple[FaceTrack, ...] | None = None
    """The faces, where they were asked for; None where nobody has looked."""
    mood: Mood | None = None
    """The mood, where it was asked for."""

    def __post_init__(self) -> None:
        if len(self.looks) != len(self.timing.shots):
            raise ValueError(f"one look per shot: {len(self.looks)} looks, {len(self.timing.shots)} shots")
