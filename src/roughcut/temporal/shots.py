"""Shot boundaries: small pictures to probabilities per frame to transitions to shots.

    thumbs -> shots_frames.onnx -> descriptors -> shots.onnx, block by block -> logits per frame
           -> hysteresis -> transitions -> clean frames between them: shots

Two probabilities per frame: `cut` (this frame is the first of a new shot) and `gradual` (this frame lies inside a
gradual transition); and logits over the kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roughcut.models import store
from roughcut.models.store import Model
from roughcut.records import F32, U8, FrameTimes, Shot, Transition, TransitionKind
from roughcut.records.rows import Held, Shelf
from roughcut.temporal.mapper import BlockStream, Logits, sigmoid
from roughcut.timebase import TimeRange

KINDS: tuple[TransitionKind, ...] = ("cut", "dissolve", "fade", "wipe", "other")
_FRAMES_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Where probabilities become transitions; tuned on synthesised films, kept in the network's card."""

    cut: float = 0.5
    gradual_high: float = 0.5
    """Somewhere in a gradual transition its probability reaches this ..."""
    gradual_low: float = 0.3
    """... and it lasts while the probability stays above this."""


@dataclass(frozen=True, kw_only=True)
class ShotEvidence:
    """What the network says of every frame, and the transitions read from it."""

    transitions: tuple[Transition, ...]
    cut: F32
    """[T] probability that the frame is the first after a cut"""
    gradual: F32
    """[T] probability that the frame lies inside a gradual transition"""


class ShotMapper:
    """One film: `push` thumbs in order, then `finish`. Any chunking gives the same result, in bounded memory."""

    def __init__(self, frames: Model | None = None, mapper: Model | None = None, *, shelf: Shelf = Held) -> None:
        """The shipped networks, or others of the same contract; probabilities are kept on `shelf`."""
        self._frames = frames or store.load("shots_frames")
        mapper = mapper or store.load("shots")
        self._stream = BlockStream(mapper)
        self._thresholds = Thresholds(**mapper.card["thresholds"])
        self._cut, self._gradual, self._kind = shelf("cut"), shelf("gradual"), shelf("kind")

    def push(self, thumbs: U8) -> None:
        """Take [n, 27, 48, 3] thumbs, n >= 0."""
        for first in range(0, len(thumbs), _FRAMES_AT_ONCE):
            part = np.ascontiguousarray(thumbs[first : first + _FRAMES_AT_ONCE])
            self._keep(self._stream.push(self._frames.run(thumbs=part)["descriptors"]))

    def _keep(self, settled: Logits) -> None:
        change = sigmoid(settled["change"])
        self._cut.append(change[:, 0])
        self._gradual.append(change[:, 1])
        self._kind.append(settled["kind"])

    def finish(self) -> ShotEvidence:
        """What was found in all of it; call once. Without a frame there is nothing."""
        self._keep(self._stream.finish())
        empty = np.zeros(0, np.float32)
        cut, gradual = self._cut.whole(empty), self._gradual.whole(empty)
        kind = self._kind.whole(np.zeros((0, len(KINDS)), np.float32))
        return ShotEvidence(
            transitions=find_transitions(cut, gradual, kind, self._thresholds), cut=cut, gradual=gradual
        )


def find_transitions(cut: F32, gradual: F32, kind: F32, thresholds: Thresholds) -> tuple[Transition, ...]:
    """Transitions from probabilities, in order, none overlapping.

    A gradual one is a run above the low threshold that somewhere reaches the high one; a cut is a peak. Where both
    claim the same frames, the more probable of a cut and a run of a few frames stays, and a longer run swallows cuts.

    Args:
        cut: [T] probabilities. gradual: [T] probabilities. kind: [T, 5] logits over `KINDS`.
    """
    sure = np.where(_is_peak(cut, thresholds.cut), cut, 0.0)
    runs = _runs(gradual, thresholds.gradual_high, thresholds.gradual_low)
    runs = [(a, z) for a, z in runs if z - a > 3 or sure[max(a - 1, 0) : z + 1].max() <= gradual[a:z].max()]
    for a, z in runs:
        sure[max(a - 2, 0) : z + 2] = 0.0
    found = [_cut_at(t, cut) for t in np.flatnonzero(sure).tolist()]
    found += [_gradual_over(a, z, gradual, kind) for a, z in runs if z - a < len(gradual)]
    return tuple(sorted(found, key=lambda t: t.start))


def shots_from(transitions: tuple[Transition, ...], times: FrameTimes) -> tuple[Shot, ...]:
    """The clean stretches between transitions; at least one for a film of one frame or more."""
    firsts = [0, *(t.end for t in transitions)]
    stops = [*(t.start + 1 for t in transitions), len(times)]
    spans = [(first, stop) for first, stop in zip(firsts, stops, strict=True) if first < stop]
    if not spans and len(times):
        spans = [(0, len(times))]
    return tuple(
        Shot(first=first, stop=stop, range=TimeRange(times.time(first), times.time(stop))) for first, stop in spans
    )


def _runs(p: F32, high: float, low: float) -> list[tuple[int, int]]:
    """Half-open runs above `low` that hold a value above `high`; gaps of one or two frames are closed first."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], p > low, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for a, z in edges.reshape(-1, 2).tolist():
        if runs and a - runs[-1][1] <= 2:
            runs[-1] = (runs[-1][0], z)
        else:
            runs.append((a, z))
    return [(a, z) for a, z in runs if p[a:z].max() > high]


def _is_peak(p: F32, threshold: float) -> NDArray[np.bool_]:
    """Frames above the threshold that no neighbour exceeds; frame 0 follows nothing and is none."""
    peak: NDArray[np.bool_] = p > threshold
    peak[:1] = False
    peak[1:] &= p[1:] >= p[:-1]
    peak[:-1] &= p[:-1] > p[1:]
    return peak


def _cut_at(t: int, cut: F32) -> Transition:
    return Transition(kind="cut", start=t - 1, end=t, probability=float(cut[t]))


def _gradual_over(a: int, z: int, gradual: F32, kind: F32) -> Transition:
    """A run becomes a transition from the frame before to the frame after, inside the film."""
    name = KINDS[1 + int(kind[a:z, 1:].mean(axis=0).argmax())]
    start, end = max(a - 1, 0), min(z, len(gradual) - 1)
    return Transition(kind=name, start=start, end=end, probability=float(gradual[a:z].max()))
