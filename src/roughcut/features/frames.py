"""Feature extraction from pictures: X = CNN(x), and what the small pictures of every frame tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from roughcut.models import store
from roughcut.models.store import Model
from roughcut.records import F32, I64, U8, ScanBatch
from roughcut.records.rows import Held, Shelf

ENCODER_SIZE = (160, 96)  # width, height: pictures are squashed to it whatever their aspect
SMALL_WIDTH = 64
ROWS_PER_RUN = 4  # pictures per call of the network: larger runs fall out of the processor's cache
LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32) / 255  # BT.709 weights, to [0, 1]


@dataclass(frozen=True, kw_only=True)
class FrameRows:
    """The picture part of `records.Features`; fields as there."""

    frame_stats: F32
    picture_frames: I64
    embeddings: F32
    pictures: U8


def resize(pictures: U8, width: int, height: int) -> U8:
    """[n, h, w, 3] to [n, height, width, 3] with an antialiased (area-weighted triangle) filter."""
    out = np.empty((len(pictures), height, width, 3), np.uint8)
    for i, picture in enumerate(pictures):
        out[i] = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))
    return out


def luma_of(thumbs: U8) -> F32:
    """[n, h, w, 3] non-linear RGB to [n, h, w] luma in [0, 1]."""
    luma: F32 = (thumbs.astype(np.float32) @ LUMA).astype(np.float32)
    return luma


def frame_stats(luma: F32, before: F32 | None) -> F32:
    """[n, 4] in [0, 1]: mean luma, contrast (std), mean |difference to the frame before|, sharpness.

    Args:
        luma: [n, h, w] in [0, 1].
        before: [h, w] luma of the frame before the first one; None at the start of a film (difference 0).

    Sharpness is the mean absolute 4-neighbour Laplacian over its maximum of 4.
    """
    shifted = np.concatenate([luma[:1] if before is None else before[None], luma[:-1]])
    middle = luma[:, 1:-1, 1:-1]
    around = luma[:, :-2, 1:-1] + luma[:, 2:, 1:-1] + luma[:, 1:-1, :-2] + luma[:, 1:-1, 2:]
    columns = [
        luma.mean((1, 2)),
        luma.std((1, 2)),
        np.abs(luma - shifted).mean((1, 2)),
        np.abs(4 * middle - around).mean((1, 2)) / 4,
    ]
    return np.stack(columns, 1).astype(np.float32)


def embedded(encoder: Model, pictures: U8) -> Iterator[F32]:
    """The encoder's rows of [n, h, w, 3] pictures of any size, a few at a time: [up to 4, D]."""
    squashed = resize(pictures, *ENCODER_SIZE)
    for at in range(0, len(squashed), ROWS_PER_RUN):
        yield encoder.run(pictures=squashed[at : at + ROWS_PER_RUN])["embedding"]


class FrameFeatures:
    """Consumes the decode pass batch by batch; the result does not depend on how the pass was cut into batches."""

    def __init__(self, encoder: Model | None = None, *, shelf: Shelf = Held) -> None:
        """The shipped encoder, or another of the same contract; rows are kept on `shelf`."""
        self._encoder = encoder or store.load("encoder")
        self._before: F32 | None = None
        self._stats, self._frames = shelf("frame_stats"), shelf("picture_frames")
        self._embeddings, self._pictures = shelf("embeddings"), shelf("pictures")

    def push(self, batch: ScanBatch) -> None:
        """Take the next batch of the pass; sound is not looked at."""
        if len(batch.thumbs):
            luma = luma_of(batch.thumbs)
            self._stats.append(frame_stats(luma, self._before))
            self._before = luma[-1]
        if len(batch.pictures):
            self._frames.append(batch.picture_frames)
            self._pictures.append(self._small(batch.pictures))
            for rows in embedded(self._encoder, batch.pictures):
                self._embeddings.append(rows)

    def finish(self) -> FrameRows:
        """All rows of the film; empty arrays (`embeddings` [0, 0]) where nothing was pushed."""
        return FrameRows(
            frame_stats=self._stats.whole(np.zeros((0, 4), np.float32)),
            picture_frames=self._frames.whole(np.zeros(0, np.int64)),
            embeddings=self._embeddings.whole(np.zeros((0, 0), np.float32)),
            pictures=self._pictures.whole(np.zeros((0, 0, SMALL_WIDTH, 3), np.uint8)),
        )

    def _small(self, pictures: U8) -> U8:
        height, width = pictures.shape[1:3]
        return resize(pictures, SMALL_WIDTH, max(round(height * SMALL_WIDTH / width), 1))
