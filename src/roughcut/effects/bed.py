"""A bed of music under the film: its level, faded at both ends, lower where someone speaks.

speech        ______|=====|__|====|__________    known spans, or (without them) where the film is loud
gain, dB      -----\\_____________/~~~--------    down before the first word, held over short pauses, slowly up
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from roughcut.records import F32
from roughcut.records.effects import Music

STEP = 100  # looks at the film's level per second
ATTACK, HOLD, RELEASE = 0.08, 0.5, 0.8  # seconds: down at once, up when nobody goes on
AHEAD = 0.25  # seconds that it takes to go down where it is known that someone will speak

ReadMusic = Callable[[int, int], F32]
"""(first, count): [channels, count] of the music, over and over, from film sample `first` on."""


class Bed:
    """Adds music to a film's sound, block by block from the start.

    Args:
        rate: samples per second. length: samples of the film.
    """

    def __init__(self, effect: Music, read: ReadMusic, rate: int, length: int) -> None:
        self._effect, self._read, self._rate, self._length = effect, read, rate, length
        self._at = 0
        self._gain = 0.0
        """dB of ducking, 0 to `duck`."""
        self._held = 0.0
        self._known = None if effect.speech is None else duck_curve(effect.speech, effect.duck)

    def under(self, block: F32) -> F32:
        """The block [channels, n] with the music that belongs there."""
        n = block.shape[1]
        music = self._read(self._at, n) * (10 ** (self._effect.level / 20))
        mixed: F32 = (block + music * self._ducked(block) * self._faded(n)).astype(np.float32)
        self._at += n
        return mixed

    def _faded(self, n: int) -> F32:
        fade = float(self._effect.fade) * self._rate
        if not fade:
            return np.ones(n, np.float32)
        at = self._at + np.arange(n, dtype=np.float64) + 0.5
        part: F32 = np.clip(np.minimum(at, self._length - at) / fade, 0, 1).astype(np.float32)
        return part

    def _ducked(self, block: F32) -> F32:
        """[n] factors, even between looks."""
        effect, n = self._effect, block.shape[1]
        if self._known is not None:
            seconds = (self._at + np.arange(n, dtype=np.float64)) / self._rate
            known: F32 = (10 ** (np.interp(seconds, *self._known) / 20)).astype(np.float32)
            return known
        hop = max(self._rate // STEP, 1)
        levels = [self._gain]
        for first in range(0, n, hop):
            part = block[:, first : first + hop]
            loud = 10 * np.log10(float(np.mean(part.astype(np.float64) ** 2)) + 1e-12)
            self._held = HOLD if loud > effect.threshold else max(self._held - hop / self._rate, 0.0)
            down = self._held > 0
            step = effect.duck / ((ATTACK if down else RELEASE) * STEP)
            self._gain = max(self._gain + step, effect.duck) if down else min(self._gain - step, 0.0)
            levels.append(self._gain)
        curve = np.interp(np.arange(n) / hop, np.arange(len(levels)), levels)
        factors: F32 = (10 ** (curve / 20)).astype(np.float32)
        return factors


def duck_curve(speech: Sequence[tuple[Fraction, Fraction]], duck: float) -> tuple[list[float], list[float]]:
    """Seconds and dB of gain, even between them; pauses that leave no time to come up and go down again are held."""
    spans: list[list[float]] = []
    for start, end in ((float(a), float(b)) for a, b in speech):
        if spans and start - spans[-1][1] < AHEAD + HOLD + RELEASE:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    points = [(0.0, 0.0)]
    for start, end in spans:
        points += [(start - AHEAD, 0.0), (start, duck), (end + HOLD, duck), (end + HOLD + RELEASE, 0.0)]
    if spans and spans[0][0] < AHEAD:  # it begins lowered
        points[0:2] = [(-AHEAD, duck)]
    return [t for t, _ in points], [gain for _, gain in points]
