"""The demo's footage: a narrated holiday film as it comes out of a camera, with everything that wants mending.

0 s    hills                 narrated
5 s    a person talks        two sentences, a long pause between
14 s   a bare wall           nothing is said: dead air
18 s   a beach               narrated, two stops too dark; dissolves into
23 s   a vase                narrated, the white balance far too blue
29 s   a city at night       narrated
33 s   the beach again       silence, fades to black
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from roughcut.demo import scenes
from roughcut.demo.scenes import U8, Scene
from roughcut.demo.voice import RATE, ambience, sentence
from roughcut.records import FilmSpec, TrackSpec

FRAME_RATE = Fraction(25)
SECONDS = 36
SPOKEN = ((1.0, 2.6), (5.5, 2.7), (9.8, 3.6), (18.8, 2.9), (23.8, 2.3), (27.2, 1.5), (29.6, 2.8))  # start, length
DISSOLVE, FADE = (22.6, 23.4), (34.6, 36.0)
TUNGSTEN = (1.35, 1.0, 0.5)  # linear gains of red, green, blue: daylight balance under a lamp
SEED = 3
SPEC = FilmSpec(width=scenes.WIDTH, height=scenes.HEIGHT, rate=FRAME_RATE, tracks=(TrackSpec(rate=RATE),), crf=18)


def sound() -> NDArray[np.float32]:
    """[2, n] the narration over quiet air."""
    rng = np.random.default_rng(SEED)
    track = ambience(SECONDS * RATE, rng)
    for start, length in SPOKEN:
        words = sentence(length, rng)
        track[round(start * RATE) : round(start * RATE) + len(words)] += words
    return np.stack([track, track]).astype(np.float32)


def frames(track: NDArray[np.float32]) -> Iterator[U8]:
    """[540, 960, 3] RGB frames at 25 per second; the speaker's mouth follows the sound."""
    cuts = _cut_list(_mouth(track))
    for n in range(SECONDS * int(FRAME_RATE)):
        t = n / float(FRAME_RATE)
        scene, began = next((s, a) for s, a, b in cuts if a <= t < b)
        picture = scene(t - began)
        if DISSOLVE[0] <= t < DISSOLVE[1]:
            other, other_began = next((s, a) for s, a, b in cuts if a > began)
            part = (t - DISSOLVE[0]) / (DISSOLVE[1] - DISSOLVE[0])
            picture = scenes.blend(picture, other(t - other_began + 1), part)
        if t >= FADE[0]:
            picture = scenes.blend(picture, np.zeros_like(picture), (t - FADE[0]) / (FADE[1] - FADE[0]))
        yield picture


def _cut_list(mouth: NDArray[np.float64]) -> list[tuple[Scene, float, float]]:
    """Scenes with start and end; the dissolve's first half still belongs to the old one."""

    def opening(t: float) -> float:
        return float(mouth[min(int((t + 5) * 100), len(mouth) - 1)])

    return [
        (scenes.hills, 0, 5),
        (scenes.cast(scenes.speaker(opening), TUNGSTEN), 5, 14),
        (scenes.wall, 14, 18),
        (scenes.underexposed(scenes.beach, 2), 18, DISSOLVE[1]),
        (scenes.turntable, DISSOLVE[1], 29),
        (scenes.city, 29, 33),
        (scenes.beach, 33, SECONDS),
    ]


def _mouth(track: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far the mouth is open per hundredth of a second, 0..1: the level of the voice, smoothed."""
    step = RATE // 100
    level = np.sqrt((track[0, : len(track[0]) // step * step].reshape(-1, step) ** 2).mean(1))
    smooth = np.convolve(level, np.ones(5) / 5, mode="same")
    return np.clip(smooth / max(float(smooth.max()), 1e-9) * 1.3 - 0.05, 0, 1)
