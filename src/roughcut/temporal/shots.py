"""Shot boundaries: small pictures to probabilities per frame to transitions to shots.

    thumbs -> shots_frames.onnx -> descriptors -> shots.onnx, block by block -> logits per frame
           -> hysteresis (a change of light alone is no cut) -> transitions -> clean frames between them: shots

Two probabilities per frame: `cut` (this frame is the first of a new shot) and `gradual` (this frame lies inside a
gradual transition); logits over the kinds; and the extent: how far along a gradual transition the frame is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roughcut.errors import ModelError
from roughcut.models import store
from roughcut.models.store import Model
from roughcut.records import F32, U8, FrameTimes, Shot, Transition, TransitionKind
from roughcut.records.rows import Held, Shelf
from roughcut.temporal.hysteresis import runs_above
from roughcut.temporal.light import changes_of_light
from roughcut.temporal.mapper import BlockStream, Logits, sigmoid
from roughcut.timebase import TimeRange

KINDS: tuple[TransitionKind, ...] = ("cut", "dissolve", "fade", "wipe", "other")
HEADS = ("change", "kind", "extent")
_FRAMES_AT_ONCE = 256
_LONG_WIPE, _SURE = 48, 0.93  # frames; what wipes for longer is mostly something large that passes: be sure
_WIPES = ("wipe", "other")


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Where probabilities become transitions; tuned on synthesised films, kept in the network's card."""

    cut: float = 0.5
    gradual_high: float = 0.5
    """Somewhere in a gradual transition its probability reaches this ..."""
    wipe_high: float = 0.6
    """... in a wipe, a slide or the like of up to two seconds this ..."""
    gradual_low: float = 0.3
    """... and it lasts while the probability stays above this."""


@dataclass(frozen=True, kw_only=True)
class ShotEvidence:
    """What the network says of every frame, and the transitions read from it."""

    transitions: tuple[Transition, ...]
    cut: F32
    """[T] probability that the frame is the first after a cut; 0 where light alone changes"""
    gradual: F32
    """[T] probability that the frame lies inside a gradual transition"""


class ShotMapper:
    """One film: `push` thumbs in order, then `finish`. Any chunking gives the same result, in bounded memory."""

    def __init__(self, frames: Model | None = None, mapper: Model | None = None, *, shelf: Shelf = Held) -> None:
        """The shipped networks, or others of the same contract; probabilities are kept on `shelf`.

        Raises:
            ModelError: a network is missing, was altered, or is of another version.
        """
        self._frames = frames or store.load("shots_frames")
        mapper = mapper or store.load("shots")
        self._stream = BlockStream(mapper)
        self._thresholds = _thresholds(mapper)
        self._cut, self._gradual = shelf("cut"), shelf("gradual")
        self._kind, self._extent = shelf("kind"), shelf("extent")
        self._light, self._last = shelf("light"), np.zeros((0, 27, 48, 3), np.uint8)

    def push(self, thumbs: U8) -> None:
        """Take [n, 27, 48, 3] thumbs, n >= 0."""
        for first in range(0, len(thumbs), _FRAMES_AT_ONCE):
            part = np.ascontiguousarray(thumbs[first : first + _FRAMES_AT_ONCE])
            self._light.append(changes_of_light(part, self._last))
            self._last = part[-1:].copy()
            self._keep(self._stream.push(self._frames.run(thumbs=part)["descriptors"]))

    def _keep(self, settled: Logits) -> None:
        change = sigmoid(settled["change"])
        self._cut.append(change[:, 0])
        self._gradual.append(change[:, 1])
        self._kind.append(settled["kind"])
        self._extent.append(sigmoid(settled["extent"][:, 0]))

    def finish(self) -> ShotEvidence:
        """What was found in all of it; call once. Without a frame there is nothing."""
        self._keep(self._stream.finish())
        empty = np.zeros(0, np.float32)
        gradual = self._gradual.whole(empty)
        cut = np.where(self._light.whole(np.zeros(0, np.bool_)), np.float32(0), self._cut.whole(empty))
        kind = self._kind.whole(np.zeros((0, len(KINDS)), np.float32))
        found = find_transitions(cut, gradual, kind, self._extent.whole(empty), self._thresholds)
        return ShotEvidence(transitions=found, cut=cut, gradual=gradual)


def _thresholds(mapper: Model) -> Thresholds:
    """Those of the network's card, once it is known to answer what is asked here."""
    heads, told = mapper.card["heads"], mapper.card.get("thresholds")
    try:
        if set(heads) == set(HEADS):
            return Thresholds(**told)  # type: ignore[arg-type]
    except TypeError:
        pass
    raise ModelError(
        "a shot network of another version", where=mapper.name, got=f"heads {', '.join(heads)}; thresholds {told}",
        allowed=f"heads {', '.join(HEADS)}; thresholds {', '.join(vars(Thresholds()))}",
        next_step="train it anew with this roughcut",
    )  # fmt: skip


def find_transitions(cut: F32, gradual: F32, kind: F32, extent: F32, thresholds: Thresholds) -> tuple[Transition, ...]:
    """Transitions from probabilities, in order, none overlapping.

    A gradual one is a run above the low threshold that somewhere reaches the high one; a cut is a peak. A cut plainer
    than what its own frame says of a gradual one stands: runs end before it and begin after it. Of another cut and a
    run of a few frames the more probable stays, and a longer run swallows the cuts in it or beside it.

    Args:
        cut: [T] probabilities. gradual: [T] probabilities. kind: [T, 5] logits over `KINDS`.
        extent: [T] how far along a gradual transition is, 0..1; means nothing elsewhere.
    """
    high = min(thresholds.gradual_high, thresholds.wipe_high)
    peaks = _is_peak(cut, thresholds.cut)
    plain = peaks & (cut > 2 * gradual)
    parted = np.where(plain | np.append(plain[1:], False), 0.0, gradual)  # both frames beside a cut rise
    faint = np.where(peaks & ~plain, cut, 0.0)
    runs = runs_above(parted, high, thresholds.gradual_low)
    runs = [(a, z) for a, z in runs if z - a > 3 or faint[max(a - 1, 0) : z + 1].max() <= gradual[a:z].max()]
    runs = [part for run in runs for part in _parts(*run, parted, extent, high)]
    for a, z in runs:
        faint[max(a - 2, 0) : z + 2] = 0.0
    found = [_cut_at(t, cut) for t in np.flatnonzero(plain | (faint > 0)).tolist()]
    gradual_ones = [(_gradual_over(a, z, gradual, kind), z - a) for a, z in runs if z - a < len(gradual)]
    found += [t for t, length in gradual_ones if t.probability >= _needed(t.kind, length, thresholds)]
    return tuple(sorted(found, key=lambda t: t.start))


def _parts(a: int, z: int, p: F32, extent: F32, high: float) -> Iterator[tuple[int, int]]:
    """A run split where it dips between two high stretches, and where the extent starts anew; parts that are high."""
    todo = [(a, z)]
    while todo:
        a, z = todo.pop()
        at = _valley(p[a:z], high) or _new_start(extent[a:z])
        if at:
            todo += [(a + at + 1, z), (a, a + at)]
        elif a < z and p[a:z].max() >= high:
            yield a, z


def _valley(p: F32, high: float) -> int:
    """The lowest place of three frames below half of what is reached before and after; 0 where there is none."""
    if len(p) < 9:
        return 0
    walls = np.minimum(np.maximum.accumulate(p), np.maximum.accumulate(p[::-1])[::-1])
    depth = np.maximum(np.maximum(p[:-2], p[1:-1]), p[2:]) / walls[1:-1]
    at = int(np.where(walls[1:-1] > high, depth, 1.0).argmin())
    return at + 1 if depth[at] < 0.5 and walls[at + 1] > high else 0


def _new_start(extent: F32) -> int:
    """Where the extent falls from near its end to near its start within four frames; 0 where nowhere."""
    if len(extent) < 14:
        return 0
    fall = extent[3:-7] - extent[7:-3]
    at = int(fall.argmax())
    steps = extent[at + 3 : at + 7] - extent[at + 4 : at + 8]
    return at + 4 + int(steps.argmax()) if fall[at] > 0.5 else 0


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


def _is_peak(p: F32, threshold: float) -> NDArray[np.bool_]:
    """Frames above the threshold that no neighbour exceeds; frame 0 follows nothing and is none."""
    peak: NDArray[np.bool_] = p > threshold
    peak[:1] = False
    peak[1:] &= p[1:] >= p[:-1]
    peak[:-1] &= p[:-1] > p[1:]
    return peak


def _cut_at(t: int, cut: F32) -> Transition:
    return Transition(kind="cut", start=t - 1, end=t, probability=float(cut[t]))


def _needed(kind: TransitionKind, length: int, thresholds: Thresholds) -> float:
    """The probability that a gradual transition of some frames must reach."""
    if kind not in _WIPES:
        return thresholds.gradual_high
    return _SURE if length >= _LONG_WIPE else thresholds.wipe_high


def _gradual_over(a: int, z: int, gradual: F32, kind: F32) -> Transition:
    """A run becomes a transition, inside the film, over the frames where it passes half of its peak."""
    name = KINDS[1 + int(kind[a:z, 1:].mean(axis=0).argmax())]
    peak = gradual[a:z].max()
    inside = a + np.flatnonzero(gradual[a:z] > peak / 2)
    start, end = max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 1, len(gradual) - 1)
    return Transition(kind=name, start=start, end=end, probability=float(peak))
