"""Speech on talks with known words: `python benchmarks/speech.py [--talks 12] [--seed 0]`.

Makes talks with eSpeak NG's library (words with their exact times) among pauses, breath, keyboard, music and room
noise, finds speech by `temporal.speech` and by a loudness threshold, both with the same padding, and counts

    clipped    words that lose more than 30 ms of their sound
    dead air   share of all silence in gaps above half a second that stays where no more than half a second should
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from roughcut.features.sound import SoundFeatures, SoundRows
from roughcut.temporal.speech import LOUDNESS_COLUMN, speech_ranges

RATE = 16_000
PADDING = 0.12  # seconds kept on both sides of speech, as the planner does
LOST = 0.03
DEAD = 0.5
VOICES = ("en-us", "en-gb+f3", "en-us+m3", "en-gb+m7", "en-us+f2", "en-gb+f5")
PHRASES = (
    "good morning and welcome to the workshop",
    "today we build a small wooden box",
    "first measure twice",
    "then cut once along the line",
    "yes",
    "so what happens if the blade is dull",
    "the edge tears and the joint will not close",
    "sharpen it before you start",
    "six strokes on each side are enough",
    "okay",
    "let us look at the second half of the problem",
    "which is a question of patience",
    "first things first",
    "keep your fingers away from the fence",
    "this is the part that most people skip",
    "thank you for watching",
    "stop",
    "if the glue has not set by tomorrow leave it for another day",
)
Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Talk:
    """Sound at 16 kHz and the words in it, seconds."""

    sound: np.ndarray
    words: Spans


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("id", ctypes.c_uint),
        ("text", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


class Speaker:
    """eSpeak NG through its C library, synchronous."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("espeak-ng")
        if name is None:
            sys.exit("this benchmark speaks with eSpeak NG: install it (apt install espeak-ng, brew install espeak-ng)")
        self._library = ctypes.CDLL(name)
        self.rate = self._library.espeak_Initialize(2, 0, None, 0)
        prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self._callback = prototype(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, sound: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if sound and count > 0:
            self._sound.append(np.ctypeslib.as_array(sound, (count,)).copy())
        i = 0
        while events[i].type:
            if events[i].type == 1:
                self._starts.append(events[i].milliseconds / 1000)
            i += 1
        return 0

    def say(self, text: str, voice: str, speed: int) -> Talk:
        """The phrase at 16 kHz, each word from its first to its last audible sample."""
        self._sound: list[np.ndarray] = []
        self._starts: list[float] = []
        self._library.espeak_SetVoiceByName(voice.encode())
        self._library.espeak_SetParameter(1, speed, 0)
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 0, 0, 1, None, None)
        sound = np.concatenate(self._sound).astype(np.float32) / 32768
        at = np.arange(int(len(sound) * RATE / self.rate)) * self.rate / RATE
        sound = np.interp(at, np.arange(len(sound)), sound).astype(np.float32)
        edges = [*self._starts, len(sound) / RATE]
        return Talk(sound, [w for a, b in pairwise(edges) if (w := _audible(sound, a, b))])


def _audible(sound: np.ndarray, start: float, end: float) -> tuple[float, float] | None:
    first = int(start * RATE)
    loud = np.flatnonzero(np.abs(sound[first : int(end * RATE)]) > 0.01 * np.abs(sound).max())
    return ((first + loud[0]) / RATE, (first + loud[-1] + 1) / RATE) if len(loud) else None


def breath(rng: np.random.Generator) -> np.ndarray:
    """Half a second of soft, low-passed noise."""
    noise = np.convolve(rng.standard_normal(RATE // 2), np.hanning(24) / 12, "same")
    return noise * np.hanning(len(noise)) * 0.03


def keyboard(rng: np.random.Generator) -> np.ndarray:
    """A few key strokes: 15 ms of decaying noise each."""
    out = np.zeros(int(RATE * rng.uniform(0.5, 1.5)))
    for at in rng.integers(0, len(out) - 400, int(rng.integers(3, 9))):
        out[at : at + 240] += rng.standard_normal(240) * np.exp(-np.arange(240) / 50) * rng.uniform(0.05, 0.2)
    return out


def music(rng: np.random.Generator) -> np.ndarray:
    """Two seconds of plucked chords."""
    at = np.arange(2 * RATE) / RATE
    notes = rng.choice([220.0, 261.6, 329.6, 392.0, 440.0], 3, replace=False)
    tone = sum(np.sin(2 * np.pi * f * k * at) / k for f in notes for k in (1, 2, 3))
    return np.asarray(tone) * np.exp(-(at % 0.5) * 5) * 0.05


FILLERS: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (breath, keyboard, music)


def make_talk(speaker: Speaker, rng: np.random.Generator) -> Talk:
    """About ten phrases of one voice, with pauses of 0.2 to 4 s of which most hold something else than silence."""
    voice, speed = str(rng.choice(VOICES)), int(rng.integers(140, 200))
    level = 10 ** (rng.uniform(-12, 3) / 20)
    parts, words, length = [], [], 0
    for phrase in rng.choice(PHRASES, 12, replace=False):
        gap = np.zeros(int(RATE * np.exp(rng.uniform(np.log(0.2), np.log(4)))))
        if rng.random() < 0.7:
            filler = FILLERS[int(rng.integers(len(FILLERS)))](rng)[: max(len(gap) - RATE // 5, 0)]
            gap[RATE // 10 : RATE // 10 + len(filler)] += filler
        said = speaker.say(str(phrase), voice, speed)
        offset = (length + len(gap)) / RATE
        words += [(a + offset, b + offset) for a, b in said.words]
        parts += [gap, said.sound * level]
        length += len(gap) + len(said.sound)
    sound = np.concatenate([*parts, np.zeros(RATE)])
    room = 10 ** (rng.uniform(-65, -45) / 20) * rng.standard_normal(len(sound))
    return Talk(np.clip(sound + room, -1, 1).astype(np.float32), words)


def by_network(rows: SoundRows) -> Spans:
    return [(float(s.range.start), float(s.range.end)) for s in speech_ranges(rows.speech, Fraction(0))]


def by_loudness(threshold: float) -> Callable[[SoundRows], Spans]:
    def find(rows: SoundRows) -> Spans:
        loud = rows.sound[:, LOUDNESS_COLUMN] > threshold
        edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]])))
        return [(a / 10, b / 10) for a, b in edges.reshape(-1, 2)]

    return find


def kept_samples(spans: Spans, length: int) -> np.ndarray:
    """[length] True where the padded spans keep the sound."""
    kept = np.zeros(length, bool)
    for a, b in spans:
        kept[max(int((a - PADDING) * RATE), 0) : int((b + PADDING) * RATE)] = True
    return kept


def measure(talk: Talk, spans: Spans) -> tuple[int, float, float]:
    """Words clipped, seconds of dead air left, seconds of dead air there were."""
    kept = kept_samples(spans, len(talk.sound))
    clipped = sum((~kept[int(a * RATE) : int(b * RATE)]).sum() > LOST * RATE for a, b in talk.words)
    ends = [0.0, *(b for _, b in talk.words)]
    starts = [*(a for a, _ in talk.words), len(talk.sound) / RATE]
    gaps = [(a, b) for a, b in zip(ends, starts, strict=True) if b - a > DEAD]
    left = sum(max(kept[int(a * RATE) : int(b * RATE)].sum() / RATE - DEAD, 0) for a, b in gaps)
    return int(clipped), float(left), sum(b - a for a, b in gaps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--talks", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    speaker, rng = Speaker(), np.random.default_rng(given.seed)
    talks = [make_talk(speaker, rng) for _ in range(given.talks)]
    methods = {"network": by_network} | {f"louder than {t} dBFS": by_loudness(t) for t in (-50, -40, -30)}
    totals = {name: np.zeros(3) for name in methods}
    for talk in talks:
        features = SoundFeatures()
        features.push(talk.sound)
        rows = features.finish()
        for name, find in methods.items():
            totals[name] += measure(talk, find(rows))
    words = sum(len(talk.words) for talk in talks)
    print(f"{given.talks} talks, {sum(len(t.sound) for t in talks) / RATE:.0f} s, {words} words")
    for name, (clipped, left, dead) in totals.items():
        print(f"{name:22s} clipped {clipped:4.0f} ({clipped / words:6.1%})   dead air left {left / dead:6.1%}")


if __name__ == "__main__":
    main()
