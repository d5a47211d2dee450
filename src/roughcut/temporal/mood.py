"""Mood: how pleasant and how exciting a film is likely to be felt, from what is seen and heard at 2 Hz.

    Features, Timing, FaceSigns  --measured-->  [N, 11]  --network_rows-->  [N, 19]  --mood.onnx-->  valence, arousal

Which cue speaks for what is published: motion, cut rate and sound energy for arousal (Hanjalic and Xu 2005, "Affective
video content representation and modeling"), lightness and colour for valence, colour for arousal too (Valdez and
Mehrabian 1994; Wang and Cheong 2006), and faces that smile. What is loud, bright or fast depends on its film, so most
cues are given beside the film's own median: a gain of the sound or an exposure of the pictures changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roughcut.models import store
from roughcut.models.store import Model
from roughcut.records import F32, Curve, Features, Mood, Transition
from roughcut.records.faces import FaceSigns
from roughcut.records.rows import blocks
from roughcut.temporal.mapper import BlockStream
from roughcut.temporal.moments import latest

F64 = NDArray[np.float64]
Looks = Sequence[tuple[Fraction, FaceSigns]]
"""When a picture is shown, and what its faces tell; in order of time."""

ROW_STEP = Fraction(1, 2)  # seconds per row
COLUMNS = (
    "valence", "smile", "faces", "size", "motion", "brightness", "colour", "pace", "loudness", "centroid", "speech",
)  # fmt: skip
FACES, SOUND = slice(0, 4), slice(8, 11)
ABSOLUTE = (0, 1, 2, 3, 4, 6, 7, 9, 10)  # columns given as they are ...
RELATIVE = (4, 5, 6, 7, 8, 9)  # ... and those given beside the film's median
SPREADS = (0.3, 0.15, 0.12, 0.3, 3.0, 1.5)  # least deviation that a relative column is measured by
MOST = 4.0  # deviations
MASKS = ("faces known", "a face", "sound", "cuts")
HEADS = ("valence", "arousal")
TICK = 25.0  # motion is that of 1/25 s, whatever the rate
LEAST_CONTRAST, LEAST_MOTION, LEAST_LIGHT = 0.02, 0.002, 0.02
SHORTEST_SHOT, LONGEST_SHOT = 0.5, 30.0  # seconds beyond which pace says no more
QUIET, UNHEARD = -70.0, -65.0  # dBFS: the least that counts, and where nothing is left to have a timbre
BANDS, LOUDNESS_COLUMN = 40, 40
SOUND_ROWS = 5  # per row here
SPEECH_STEP = 512 / 16_000  # seconds per probability


def measured(features: Features, transitions: Sequence[Transition], looks: Looks | None) -> F32:
    """[N, 11] per half second from the film's start: `COLUMNS`, NaN where something is not known.

    valence, smile     of the faces together, 0 without any; NaN where faces were not read
    faces, size        log2(1 + number), side of the largest as a share of the picture
    motion             log of the change of luma in 1/25 s as a share of the contrast, changes of shot left out
    brightness         log of luma
    colour             colourfulness (Hasler and Suesstrunk 2003) as a share of luma
    pace               -log of the shot's length in seconds; NaN in a film of one shot
    loudness           dBFS
    centroid           mean mel band, weighted by amplitude; NaN where it is silent
    speech             probability
    """
    times = features.times
    if not len(times):
        return np.zeros((0, len(COLUMNS)), np.float32)
    count = max(math.ceil(times.range.duration / ROW_STEP), 1)
    rows = np.full((count, len(COLUMNS)), np.nan)
    seconds = np.asarray(times.pts * float(times.time_base) - float(times.range.start), np.float64)
    rows[:, 4], rows[:, 5] = _seen(features, seconds, transitions, count)
    rows[:, 6] = _colour(features, seconds, count)
    rows[:, 7] = _pace(seconds, transitions, float(times.range.duration), count)
    if features.has_sound:
        rows[:, 8], rows[:, 9] = _heard(features, count)
        windows = (np.arange(len(features.speech)) * SPEECH_STEP / float(ROW_STEP)).astype(np.int64)
        rows[:, 10] = np.nan_to_num(_means(np.asarray(features.speech), windows, count))
    if looks is not None:
        rows[:, FACES] = _faces(looks, times.range.start, count)
    return rows.astype(np.float32)


def network_rows(measures: F32) -> F32:
    """[N, 11] to [N, 19]: absolute columns | those beside the film's median, in robust deviations | what is known."""
    beside = np.stack([_beside(measures[:, c], least) for c, least in zip(RELATIVE, SPREADS, strict=True)], 1)
    known = np.isfinite(measures[:, [0, 0, 8, 7]]).astype(np.float32)
    known[:, 1] = np.nan_to_num(measures[:, 2]) > 0
    filled = np.where(np.isfinite(measures), measures, _medians(measures))
    return np.concatenate([filled[:, ABSOLUTE], beside, known], 1).astype(np.float32)


class MoodMapper:
    """U = RNN(X) for moods."""

    def __init__(self, model: Model | None = None) -> None:
        """The shipped network, or another of the same contract. Raises ModelError."""
        self._model = model or store.load("mood")

    def map(self, features: Features, transitions: Sequence[Transition], looks: Looks | None) -> Mood:
        """The mood of a film; `looks` is None where faces were not read. Empty curves without pictures."""
        start = features.times.range.start if len(features.times) else Fraction(0)
        answers = self.answers(measured(features, transitions, looks))

        def curve(name: str, values: F32) -> Curve:
            return Curve(name=name, start=start, step=ROW_STEP, values=values)

        sure = {f"{head}_confidence": curve(f"{head}_confidence", answers[head][:, 1]) for head in HEADS}
        means = {head: curve(head, answers[head][:, 0]) for head in HEADS}
        return Mood(**means, **sure, faces=looks is not None)

    def answers(self, measures: F32) -> dict[str, F32]:
        """Head -> [N, 2] of measures [N, 11]: value in -1..1, confidence in 0..1."""
        stream = BlockStream(self._model)
        parts = [stream.push(network_rows(measures)), stream.finish()]
        usual: dict[str, Any] = self._model.card["variance"]
        return {head: _told(np.concatenate([p[head] for p in parts]), float(usual[head])) for head in HEADS}


def _told(given: F32, usual: float) -> F32:
    """[N, 2] value and log of its error's variance to value and confidence.

    Who says a value without knowing errs by its square and the usual variance of moods; confidence is what of that is
    saved. Over values as wide as moods are it is their correlation with what is felt.
    """
    value = np.clip(given[:, 0], -1, 1)
    sure = np.clip(1 - np.exp(np.minimum(given[:, 1], 10)) / (usual + value * value), 0, 1)
    return np.stack([value, sure], 1).astype(np.float32)


def _beside(values: F32, least: float) -> F64:
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    low, middle, high = np.quantile(values[known].astype(np.float64), (0.25, 0.5, 0.75))
    deviation = max((high - low) / 1.349, least)
    return np.asarray(np.where(known, np.clip((values - middle) / deviation, -MOST, MOST), 0.0), np.float64)


def _medians(measures: F32) -> F64:
    """[11] 0 for a column of which nothing is known."""
    return np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0 for c in measures.T])


def _means(values: NDArray[Any], cells: NDArray[np.int64], count: int) -> F64:
    """[count] mean of the values in each cell; NaN where there are none."""
    inside = cells < count
    filled = np.bincount(cells[inside], minlength=count)
    sums = np.bincount(cells[inside], values[inside], minlength=count)
    return np.asarray(np.divide(sums, filled, out=np.full(count, np.nan), where=filled > 0), np.float64)


def _held(values: F64) -> F64:
    """Cells that are not known take the one before."""
    known = np.flatnonzero(np.isfinite(values))
    return np.asarray(values[latest(known, len(values))]) if len(known) else values


def _seen(
    features: Features, seconds: F64, transitions: Sequence[Transition], count: int
) -> tuple[F64, F64]:  # motion, brightness
    cells = np.clip(seconds / float(ROW_STEP), 0, count - 1).astype(np.int64)
    stats = np.concatenate([block[:, :3].astype(np.float64) for block in blocks(features.frame_stats)])
    luma, contrast = (_held(_means(stats[:, k], cells, count)) for k in (0, 1))
    moves = np.ones(len(stats), bool)
    moves[0] = False
    for t in transitions:
        moves[t.start + 1 : t.end + 1] = False
    lasted = np.diff(seconds, prepend=seconds[:1])
    change, time = (np.bincount(cells[moves], v[moves], minlength=count) for v in (stats[:, 2], lasted))
    each = np.divide(change, time * TICK, out=np.full(count, np.nan), where=time > 0)
    share = _held(each) / (contrast + LEAST_CONTRAST)
    return np.log(np.nan_to_num(share) + LEAST_MOTION), np.log(luma + LEAST_LIGHT)


def _colour(features: Features, seconds: F64, count: int) -> F64:
    at = seconds[np.asarray(features.picture_frames)]
    cells = np.clip(at / float(ROW_STEP), 0, count - 1).astype(np.int64)
    each = [colourfulness(block) for block in blocks(features.pictures, 256)]
    return _held(_means(np.concatenate([np.zeros(0), *each]), cells, count))


def colourfulness(pictures: NDArray[np.uint8]) -> F64:
    """[n, h, w, 3] to [n]: Hasler and Suesstrunk's measure divided by the mean of all channels."""
    rgb = pictures.reshape(len(pictures), -1, 3).astype(np.float64) / 255
    first, second = rgb[..., 0] - rgb[..., 1], (rgb[..., 0] + rgb[..., 1]) / 2 - rgb[..., 2]
    spread = np.hypot(first.std(1), second.std(1)) + 0.3 * np.hypot(first.mean(1), second.mean(1))
    found: F64 = spread / (rgb.mean((1, 2)) + LEAST_LIGHT)
    return found


def _pace(seconds: F64, transitions: Sequence[Transition], duration: float, count: int) -> F64:
    if not transitions:
        return np.full(count, np.nan)
    changes = [float(seconds[min((t.start + t.end + 1) // 2, len(seconds) - 1)]) for t in transitions]
    edges = np.array([0.0, *changes, max(duration, changes[-1])])
    lengths = np.clip([b - a for a, b in pairwise(edges)], SHORTEST_SHOT, LONGEST_SHOT)
    middles = (np.arange(count) + 0.5) * float(ROW_STEP)
    return np.asarray(-np.log(lengths[np.searchsorted(edges[1:-1], middles, side="right")]), np.float64)


def _heard(features: Features, count: int) -> tuple[F64, F64]:  # loudness, centroid
    power, centroid = [np.zeros(0)], [np.zeros(0)]
    for block in blocks(features.sound):
        power.append(10 ** (block[:, LOUDNESS_COLUMN].astype(np.float64) / 10))
        amplitude = np.exp(block[:, :BANDS].astype(np.float64) / 2)
        centroid.append(amplitude @ np.arange(BANDS) / amplitude.sum(1))
    cells = np.arange(len(features.sound)) // SOUND_ROWS
    loudness = 10 * np.log10(np.nan_to_num(_means(np.concatenate(power), cells, count)) + 1e-12)
    timbre = _means(np.concatenate(centroid), cells, count)
    return np.maximum(loudness, QUIET), np.where(loudness > UNHEARD, timbre, np.nan)


def _faces(looks: Looks, start: Fraction, count: int) -> F64:
    cells = np.array([min(max(int((t - start) / ROW_STEP), 0), count - 1) for t, _ in looks], np.int64)
    told = np.array([(s.valence, s.smile, math.log2(1 + s.count), s.size) for _, s in looks]).reshape(-1, 4)
    return np.stack([np.nan_to_num(_held(_means(told[:, k], cells, count))) for k in range(4)], 1)
