"""The streaming runtime of the temporal trunk: rows in, logits per row out, in bounded memory.

    buffer   | context |        block        |  lookahead  | context |
    emits              |<------------------->|                          then drops `block` rows from the front

A network exported by `training.export.export_stream` is run block by block; blocks lie at fixed absolute rows, so
chunks of any size give the numbers of the whole film. At the film's ends the first and last row stand in for the
missing context; the lookahead is what is left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from roughcut.errors import ModelError
from roughcut.models.store import Model
from roughcut.records import F32

Logits = dict[str, F32]
"""Head name -> [rows, K] logits."""


class BlockStream:
    """One film's way through a temporal network. `push` rows in order, then `finish` once.

    Holds at most `block + lookahead + 2 * context` rows beside what was pushed last.
    """

    def __init__(self, model: Model) -> None:
        """Raises ModelError where the model's card has no `stream` contract."""
        stream = model.card.get("stream")
        if not isinstance(stream, dict):
            raise ModelError("not a temporal network: its card has no stream contract", where=model.name)
        self._model = model
        self._block, self._lookahead = int(stream["block"]), int(stream["lookahead"])
        self._context = int(stream["context"])
        self._heads = {name: int(model.card["outputs"][name]["shape"][-1]) for name in model.card["heads"]}
        self._rows: F32 = np.zeros((0, int(model.card["inputs"]["rows"]["shape"][-1])), np.float32)
        self._state = {key: np.zeros(model.card["inputs"][key]["shape"], np.float32) for key in ("h", "c")}

    def push(self, rows: F32) -> Logits:
        """Take [n, columns] rows; returns the logits of every row that is now settled (possibly none)."""
        if not len(rows):
            return self._gather([])
        if not len(self._rows):
            self._rows = np.repeat(rows[:1], self._context, axis=0)
        self._rows = np.concatenate([self._rows, rows])
        settled = []
        while len(self._rows) >= self._block + self._lookahead + 2 * self._context:
            settled.append(self._step(self._block, self._lookahead))
        return self._gather(settled)

    def finish(self) -> Logits:
        """The logits of the rows still held back (none where nothing was pushed); call once, after the last push."""
        if not len(self._rows):
            return self._gather([])
        self._rows = np.concatenate([self._rows, np.repeat(self._rows[-1:], self._context, axis=0)])
        settled = []
        while (left := len(self._rows) - 2 * self._context) > 0:
            block = min(self._block, left)
            settled.append(self._step(block, min(self._lookahead, left - block)))
        return self._gather(settled)

    def _step(self, block: int, lookahead: int) -> dict[str, NDArray[Any]]:
        rows = self._rows[: block + lookahead + 2 * self._context]
        out = self._model.run(rows=rows[None], block=np.array(block, np.int64), **self._state)
        self._state = {"h": out["h_next"], "c": out["c_next"]}
        self._rows = self._rows[block:]
        return out

    def _gather(self, settled: list[dict[str, NDArray[Any]]]) -> Logits:
        empty = {name: np.zeros((0, width), np.float32) for name, width in self._heads.items()}
        return {name: np.concatenate([empty[name], *(out[name][0] for out in settled)]) for name in self._heads}


def sigmoid(logits: F32) -> F32:
    """Logits to probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))), np.float32)
