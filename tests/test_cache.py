"""The analysis cache: what goes in comes out, and nothing broken ever does."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from roughcut.errors import OutputError
from roughcut.features import cache
from roughcut.features.spill import Spilled
from roughcut.records.rows import Held, blocks

ARRAYS = {"embeddings": np.arange(6, dtype=np.float32).reshape(2, 3), "empty": np.zeros((0, 4), np.uint8)}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUGHCUT_CACHE", str(tmp_path / "cache"))


def save(key: str, arrays: cache.Arrays, meta: cache.Meta, **options: int) -> bool:
    with cache.draft(cached=True) as draft:
        for name, array in arrays.items():
            rows = draft.rows(name)
            for row in array:
                rows.append(row[None])
            rows.whole(array)
        return draft.keep(key, meta, **options)


def test_round_trip() -> None:
    """Arrays appended row by row keep values, types and shapes; the JSON beside them comes back equal."""
    assert save("a", ARRAYS, {"frames": 3, "name": "é"})
    found = cache.load("a")
    assert found is not None
    arrays, meta = found
    assert meta == {"frames": 3, "name": "é"}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    assert [p.name for p in cache.folder().iterdir()] == ["a"]


def test_missing_entry() -> None:
    """What was never saved is None, also before the folder exists."""
    assert cache.load("nothing") is None


@pytest.mark.parametrize("name", ["x.npy", cache.META])
@pytest.mark.parametrize("damage", [b"", b"not an array", None], ids=["empty", "text", "cut short"])
def test_damaged_entry_is_ignored(damage: bytes | None, name: str) -> None:
    """An entry that does not read whole counts as missing, and the next one kept takes its place."""
    arrays = {"x": np.random.default_rng(0).random(5000)}
    save("a", arrays, {"losses": []})
    path = cache.folder() / "a" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if damage is None else damage)
    assert cache.load("a") is None
    assert save("a", arrays, {"losses": []})
    assert cache.load("a") is not None


def test_oldest_goes_first() -> None:
    """Above the limit the entries least recently used are removed; reading an entry makes it recent."""
    block = {"x": np.random.default_rng(0).integers(0, 256, 10_000, dtype=np.uint8)}
    (cache.folder()).mkdir()
    (cache.folder() / "older.npz").write_bytes(b"of the first format")
    for age, key in enumerate("abc"):
        save(key, block, {})
        os.utime(cache.folder() / key, (1000 + age, 1000 + age))
    cache.load("a")
    save("d", block, {}, limit=25_000)
    assert {p.stem for p in cache.folder().iterdir()} == {"a", "d"}


def test_arrays_outlive_their_entry() -> None:
    """What was read stays readable when another run evicts the entry."""
    save("a", ARRAYS, {})
    found = cache.load("a")
    assert found is not None
    save("b", ARRAYS, {}, limit=1)
    assert cache.load("a") is None
    np.testing.assert_array_equal(found[0]["embeddings"], ARRAYS["embeddings"])


def test_drafts_leave_nothing(tmp_path: Path) -> None:
    """A pass that comes to nothing leaves no draft; what a killed run left goes after a day, a live one stays."""
    with cache.draft(cached=True) as draft:
        draft.rows("x").append(np.zeros((3, 2)))
        assert len(list(cache.folder().iterdir())) == 1
    assert list(cache.folder().iterdir()) == []
    for name, age in (("old.part", cache.ABANDONED + 60), ("live.part", 60)):
        place = cache.folder() / name
        place.mkdir()
        (place / "x.npy").write_bytes(b"rows")
        then = (place / "x.npy").stat().st_mtime - age
        os.utime(place / "x.npy", (then, then))
        os.utime(place, (then, then))
    save("a", ARRAYS, {})
    assert {p.name for p in cache.folder().iterdir()} == {"a", "live.part"}


def test_unwritable_folder_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache cannot be written, the pass works elsewhere, keeping says so, and nothing is raised."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ROUGHCUT_CACHE", str(tmp_path / "file"))
    assert not save("a", ARRAYS, {})
    assert cache.load("a") is None


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """Rows that cannot be written are an error that names the folder and the way out."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "x.npy").symlink_to("/dev/full")
    rows = Spilled(tmp_path / "x.npy")
    with pytest.raises(OutputError, match="ROUGHCUT_CACHE"):
        rows.append(np.zeros((100_000, 10)))
    rows.close()


def test_spilled_rows_are_held_rows(tmp_path: Path) -> None:
    """Rows on disk equal rows in memory, whole and in blocks, whatever the parts."""
    rng = np.random.default_rng(2)
    held, spilled = Held(), Spilled(tmp_path / "x.npy")
    for n in (0, 5, 1, 0, 70, 3):
        part = rng.normal(size=(n, 2, 3)).astype(np.float32)
        held.append(part)
        spilled.append(part)
    empty = np.zeros((0, 2, 3), np.float32)
    whole, mapped = held.whole(empty), spilled.whole(empty)
    np.testing.assert_array_equal(whole, mapped)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), whole)
    parts = list(blocks(mapped, 32))
    assert [len(p) for p in parts] == [32, 32, 15]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


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
