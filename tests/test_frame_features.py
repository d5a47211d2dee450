"""Picture rows: statistics with known values, any batching the same, and the shipped encoder's contract."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from roughcut.features.frames import ENCODER_SIZE, SMALL_WIDTH, FrameFeatures, FrameRows, frame_stats, resize
from roughcut.records import ScanBatch

HEIGHT, WIDTH = 27, 48


def batch(first: int, thumbs: np.ndarray, picture_frames: Sequence[int], pictures: np.ndarray) -> ScanBatch:
    return ScanBatch(
        first=first,
        pts=np.arange(first, first + len(thumbs)),
        thumbs=thumbs,
        picture_frames=np.array(picture_frames, np.int64),
        pictures=pictures,
        sound=np.zeros(0, np.float32),
    )


def rows_of(*batches: ScanBatch) -> FrameRows:
    features = FrameFeatures()
    for one in batches:
        features.push(one)
    return features.finish()


def test_statistics_are_the_pictures_own() -> None:
    """Grey, a step in brightness and a checkerboard have the mean, contrast, difference and sharpness they must."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    luma = np.stack([np.full((HEIGHT, WIDTH), 0.25), np.full((HEIGHT, WIDTH), 0.75), (x + y) % 2]).astype(np.float32)
    stats = frame_stats(luma, None)
    np.testing.assert_allclose(stats[0], [0.25, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(stats[1], [0.75, 0, 0.5, 0], atol=1e-6)
    np.testing.assert_allclose(stats[2], [0.5, 0.5, 0.5, 1.0], atol=1e-3)


def test_batches_change_nothing() -> None:
    """One batch and many, empty ones among them, give the same rows."""
    rng = np.random.default_rng(0)
    thumbs = rng.integers(0, 256, (7, HEIGHT, WIDTH, 3), dtype=np.uint8)
    pictures = rng.integers(0, 256, (3, 144, 256, 3), dtype=np.uint8)
    none = np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)
    whole = rows_of(batch(0, thumbs, [0, 3, 6], pictures))
    parts = rows_of(
        batch(0, thumbs[:2], [0], pictures[:1]),
        batch(2, none, [], pictures[:0]),
        batch(2, thumbs[2:], [3, 6], pictures[1:]),
    )
    np.testing.assert_array_equal(whole.frame_stats, parts.frame_stats)
    np.testing.assert_array_equal(whole.picture_frames, parts.picture_frames)
    np.testing.assert_array_equal(whole.pictures, parts.pictures)
    np.testing.assert_allclose(whole.embeddings, parts.embeddings, atol=1e-5)


def test_shapes_and_unit_length() -> None:
    """A portrait picture keeps its aspect when made small; embeddings have unit length; black does too."""
    pictures = np.zeros((2, 256, 144, 3), np.uint8)
    pictures[1] = np.random.default_rng(1).integers(0, 256, pictures[1].shape)
    rows = rows_of(batch(0, np.zeros((2, HEIGHT, WIDTH, 3), np.uint8), [0, 1], pictures))
    assert rows.pictures.shape == (2, 114, SMALL_WIDTH, 3)
    assert rows.embeddings.shape == (2, 128)
    np.testing.assert_allclose(np.linalg.norm(rows.embeddings, axis=1), 1, atol=1e-5)


def test_likeness_survives_light_and_mirror() -> None:
    """The embedding of a scene mirrored and darkened lies nearer to the scene than to another one."""
    y, x = np.mgrid[:144, :256]
    scene = np.stack([x, y, 255 - x], -1).astype(np.uint8)
    scene[40:100, 60:120] = (200, 40, 40)
    other = np.where(((x // 16 + y // 16) % 2)[..., None] > 0, 230, 20).repeat(3, -1).astype(np.uint8)
    pictures = np.stack([scene, (scene[:, ::-1] * 0.8).astype(np.uint8), other])
    rows = rows_of(batch(0, np.zeros((0, HEIGHT, WIDTH, 3), np.uint8), [0, 1, 2], pictures)).embeddings
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.1


def test_resize_is_antialiased() -> None:
    """A fine checkerboard becomes even grey, and a flat picture stays as it is."""
    y, x = np.mgrid[:96, :192]
    fine = np.repeat((((x + y) % 2) * 255).astype(np.uint8)[None, ..., None], 3, -1)
    np.testing.assert_allclose(resize(fine, 32, 16)[:, 2:-2, 2:-2], 127.5, atol=3)
    assert (resize(np.full((1, 50, 70, 3), 9, np.uint8), *ENCODER_SIZE) == 9).all()


def test_nothing_pushed() -> None:
    """A pass without pictures gives empty rows of the right shapes."""
    rows = rows_of()
    assert rows.frame_stats.shape == (0, 4)
    assert len(rows.embeddings) == len(rows.pictures) == len(rows.picture_frames) == 0


def test_shipped_encoder_meets_its_card() -> None:
    """The card says what was measured: nearer to the teacher's neighbours than colour histograms by far."""
    from roughcut.models import store

    card = store.load("encoder").card
    assert card["inputs"]["pictures"]["shape"][1:] == [ENCODER_SIZE[1], ENCODER_SIZE[0], 3]
    assert card["validation"]["neighbour_recall"] > 1.5 * card["validation"]["histogram_recall"]
    assert card["bytes"] < 6_000_000
    assert card["difference"] == pytest.approx(0, abs=1e-4)
