"""Sound at the joins and as a whole: equal-power crossfades, fades, one gain to the target, a limiter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from roughcut.records import F32

CEILING_DB = -1.2  # highest true peak as estimated here, so that it stays below -1 dBTP (EBU R128)
MAX_GAIN_DB = 20.0
TOO_QUIET = -50.0  # LUFS: below this there is nothing meant to be heard
HOPS_AHEAD = 5  # milliseconds the limiter looks ahead
REACH = 8  # samples on either side that say what lies between two
RELEASE = 0.01  # part of the way back that the limiter's gain makes per millisecond


def crossfade(old: F32, new: F32) -> F32:
    """[channels, n] from old to new at constant power (cos, sin)."""
    angle = (np.arange(old.shape[1], dtype=np.float32) + 0.5) / max(old.shape[1], 1) * (np.pi / 2)
    mixed: F32 = (old * np.cos(angle) + new * np.sin(angle)).astype(np.float32)
    return mixed


def ramp(samples: F32, first: int, length: int, *, rising: bool) -> F32:
    """Samples that begin `first` samples into a linear fade of `length`; beyond the fade they are full (or silent)."""
    part = np.clip((first + np.arange(samples.shape[1], dtype=np.float32) + 0.5) / max(length, 1), 0, 1)
    faded: F32 = (samples * (part if rising else 1 - part)).astype(np.float32)
    return faded


def silenced(samples: F32, first: int, stretches: Iterable[tuple[int, int]], length: int) -> F32:
    """Samples that begin at sample `first`, silent on each [start, stop); `length` samples before and after it fade."""
    gain = np.ones(samples.shape[1], np.float32)
    at = first + np.arange(samples.shape[1])
    for start, stop in stretches:
        away = np.maximum(start - at, at - (stop - 1))
        gain = np.minimum(gain, np.clip(away / max(length, 1), 0, 1).astype(np.float32))
    muted: F32 = samples * gain
    return muted


def target_gain(integrated: float, target: float | None) -> tuple[float, str | None]:
    """The factor that brings a film to its target loudness, and a note where it does not quite.

    Args:
        integrated: measured, LUFS. target: wanted, LUFS; None leaves the level alone.
    """
    if target is None:
        return 1.0, None
    if integrated < TOO_QUIET:
        return 1.0, f"the sound is nearly silent ({integrated:.0f} LUFS), so its level was left alone"
    wanted = target - integrated
    if wanted > MAX_GAIN_DB:
        return 10 ** (
            MAX_GAIN_DB / 20
        ), f"the sound was raised by {MAX_GAIN_DB:.0f} dB, the most allowed, not {wanted:.0f}"
    return 10 ** (wanted / 20), None


def limited(blocks: Iterable[F32], gain: float, rate: int) -> Iterator[F32]:
    """The blocks times `gain`, their peaks held below the ceiling by a limiter that looks 5 ms ahead.

    As many samples come out as go in. Gain is found per millisecond and interpolated, so nothing clicks.
    """
    ceiling = 10 ** (CEILING_DB / 20)
    hop = max(rate // 1000, 1)
    state = _Release()
    waiting: F32 | None = None
    for block in blocks:
        loud = (block * np.float32(gain)).astype(np.float32)
        waiting = loud if waiting is None else np.concatenate([waiting, loud], 1)
        whole = (waiting.shape[1] - REACH) // hop - HOPS_AHEAD - 1
        if whole > 0:
            yield _held(waiting, whole, hop, ceiling, state)
            waiting = waiting[:, whole * hop :]
    if waiting is not None and waiting.shape[1]:
        left = waiting.shape[1]
        padded = np.pad(waiting, ((0, 0), (0, -left % hop + (HOPS_AHEAD + 1) * hop + REACH)))
        yield _held(padded, -(-left // hop), hop, ceiling, state)[:, :left]


def true_peaks(samples: F32) -> F32:
    """[n] highest |value| over [channels, n] at and between the samples, by 4x oversampling (ITU-R BS.1770)."""
    peaks = np.abs(samples).max(0)
    for channel in samples:
        for taps in _BETWEEN:
            peaks = np.maximum(peaks, np.abs(np.convolve(channel, taps, mode="same")))
    found: F32 = peaks.astype(np.float32)
    return found


def _fractional_delay(part: float, reach: int) -> F32:
    """Windowed sinc that gives the value `part` of a sample after each."""
    at = np.arange(-reach, reach + 1) + part
    taps: F32 = (np.sinc(at) * np.cos(np.pi * at / (2 * reach + 2)) ** 2).astype(np.float32)
    return taps


_BETWEEN = [_fractional_delay(part, REACH) for part in (0.25, 0.5, 0.75)]


class _Release:
    """The limiter's gain at the end of what was given out."""

    def __init__(self) -> None:
        self.gain = 1.0
        self.before = 1.0
        self.tail: F32 | None = None
        """The last samples given out, before limiting: what lies between samples depends on both sides."""


def _held(samples: F32, hops: int, hop: int, ceiling: float, state: _Release) -> F32:
    """The first `hops` milliseconds, limited."""
    count = hops + HOPS_AHEAD + 1
    tail = np.zeros_like(samples[:, :REACH]) if state.tail is None else state.tail
    seen = np.concatenate([tail, samples[:, : count * hop + REACH]], 1)
    state.tail = seen[:, hops * hop : hops * hop + REACH]
    peaks = true_peaks(seen)[REACH : REACH + count * hop].reshape(count, hop).max(1)
    allowed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    if state.gain == 1.0 and state.before == 1.0 and allowed.min() >= 1.0:
        return samples[:, : hops * hop]
    around = np.concatenate([[state.before], allowed])
    need = np.lib.stride_tricks.sliding_window_view(around, HOPS_AHEAD + 2).min(1)[: hops + 1]
    curve = [state.gain]
    for floor in need[1:]:
        curve.append(min(float(floor), curve[-1] + (1 - curve[-1]) * RELEASE))
    curve[0] = min(curve[0], float(need[0]))
    state.gain, state.before = curve[hops], float(allowed[hops - 1])
    gains = np.interp(np.arange(hops * hop) / hop, np.arange(hops + 1), curve[: hops + 1])
    held: F32 = (samples[:, : hops * hop] * gains).astype(np.float32)
    return held
