"""The analysis cache: what goes in comes out, and nothing broken ever does."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from roughcut.features import cache

ARRAYS = {"embeddings": np.arange(6, dtype=np.float32).reshape(2, 3), "empty": np.zeros((0, 4), np.uint8)}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUGHCUT_CACHE", str(tmp_path / "cache"))


def test_round_trip() -> None:
    """Arrays keep values, types and shapes; the JSON beside them comes back equal."""
    assert cache.save("a", ARRAYS, {"frames": 3, "name": "é"})
    found = cache.load("a")
    assert found is not None
    arrays, meta = found
    assert meta == {"frames": 3, "name": "é"}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    assert [p.name for p in cache.folder().iterdir()] == ["a.npz"]


def test_missing_entry() -> None:
    """What was never saved is None, also before the folder exists."""
    assert cache.load("nothing") is None


@pytest.mark.parametrize("damage", [b"", b"not a zip", None], ids=["empty", "text", "cut short"])
def test_damaged_entry_is_ignored(damage: bytes | None) -> None:
    """An entry that does not read whole counts as missing."""
    cache.save("a", {"x": np.random.default_rng(0).random(5000)}, {})
    path = cache.folder() / "a.npz"
    path.write_bytes(path.read_bytes()[:-3000] if damage is None else damage)
    assert cache.load("a") is None


def test_oldest_goes_first() -> None:
    """Above the limit the entries least recently used are removed; reading an entry makes it recent."""
    block = {"x": np.random.default_rng(0).integers(0, 256, 10_000, dtype=np.uint8)}
    for age, key in enumerate("abc"):
        cache.save(key, block, {})
        os.utime(cache.folder() / f"{key}.npz", (1000 + age, 1000 + age))
    cache.load("a")
    cache.save("d", block, {}, limit=25_000)
    assert {p.stem for p in cache.folder().iterdir()} == {"a", "d"}


def test_unwritable_folder_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache cannot be written, saving says so and raises nothing."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ROUGHCUT_CACHE", str(tmp_path / "file"))
    assert not cache.save("a", ARRAYS, {})
    assert cache.load("a") is None


def test_key_depends_on_everything() -> None:
    """Another file, network or setting is another key; the order of names is not."""
    base = cache.key_of("digest", {"encoder": "1", "shots": "1"}, {"rate": 2})
    assert base == cache.key_of("digest", {"shots": "1", "encoder": "1"}, {"rate": 2})
    others = {
        cache.key_of("other", {"encoder": "1", "shots": "1"}, {"rate": 2}),
        cache.key_of("digest", {"encoder": "2", "shots": "1"}, {"rate": 2}),
        cache.key_of("digest", {"encoder": "1", "shots": "1"}, {"rate": 3}),
    }
    assert len({base, *others}) == 4
