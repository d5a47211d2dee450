"""The analysis cache: a folder of arrays by key, in the user's cache folder, so that no file is decoded twice.

    CACHE/KEY/meta.json, embeddings.npy, ...        an entry: there is no entry without its meta.json
    CACHE/xyz.part/...                              a draft: rows of a pass under way, renamed when it is whole

Rows go to disk as they come and are mapped when they are read, so hours of footage take no more memory than minutes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from roughcut.features.spill import Spilled, mapped

LIMIT_BYTES = 4 * 1024**3
ABANDONED = 24 * 3600  # seconds after which a draft that nobody wrote to is what a killed run left
META = "meta.json"
PART = ".part"
_BAD_ENTRY = (OSError, ValueError, KeyError, EOFError, json.JSONDecodeError)

Arrays = dict[str, np.ndarray]
Meta = dict[str, Any]


def folder() -> Path:
    """`$ROUGHCUT_CACHE`, else the platform's cache folder for roughcut. Not created here."""
    if chosen := os.environ.get("ROUGHCUT_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "roughcut" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "roughcut"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "roughcut"


def key_of(digest: str, models: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    """One key for one analysis: the file's content, the networks' versions and the settings that shape the numbers."""
    text = json.dumps([digest, sorted(models.items()), settings], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


class Draft:
    """An entry in the making: `rows` for each array, then `keep` or `read`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._rows: list[Spilled] = []

    def rows(self, name: str) -> Spilled:
        """A new array that grows on disk."""
        self._rows.append(Spilled(self.place / f"{name}.npy"))
        return self._rows[-1]

    def keep(self, key: str, meta: Meta, *, limit: int = LIMIT_BYTES) -> bool:
        """Make it the entry `key`; False where that fails (a cache that fails costs time, never the work).

        Afterwards the least recently used entries are removed until all together take at most `limit` bytes.
        """
        if self.place.parent != folder():
            return False
        entry = folder() / key
        try:
            (self.place / META).write_text(json.dumps(meta), encoding="utf-8")
            shutil.rmtree(entry, ignore_errors=True)
            self.place.rename(entry)
        except OSError:
            return False
        _evict(limit)
        return True

    def close(self) -> None:
        """Close and remove what was not kept."""
        for rows in self._rows:
            rows.close()
        shutil.rmtree(self.place, ignore_errors=True)


@contextmanager
def draft(*, cached: bool) -> Iterator[Draft]:
    """A draft in the cache folder, or (`cached` off, or no cache to write to) in the system's temporary one.

    What was not kept is removed at the end; arrays mapped from it stay readable for as long as they are held.
    """
    place = _new_folder() if cached else None
    made = Draft(place or Path(tempfile.mkdtemp(prefix="roughcut-", suffix=PART)))
    try:
        yield made
    finally:
        made.close()


def _new_folder() -> Path | None:
    try:
        folder().mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=folder(), suffix=PART))
    except OSError:
        return None


def load(key: str) -> tuple[Arrays, Meta] | None:
    """The entry as it was kept, its arrays mapped; None where there is none or it is not whole."""
    entry = folder() / key
    try:
        meta = json.loads((entry / META).read_text(encoding="utf-8"))
        arrays = {path.stem: mapped(path) for path in sorted(entry.glob("*.npy"))}
    except _BAD_ENTRY:
        return None
    with suppress(OSError):
        os.utime(entry)
    return arrays, meta


def _evict(limit: int) -> None:
    with suppress(OSError):
        found = [(p.stat().st_mtime, p) for p in folder().iterdir() if p.suffix != PART]
        total = 0
        for _, path in sorted(found, reverse=True):
            total += _size(path) if path.is_dir() else limit  # a file is an entry of an older roughcut
            if total > limit:
                _remove(path)
        for path in folder().glob(f"*{PART}"):
            if time.time() - max(p.stat().st_mtime for p in (path, *path.iterdir())) > ABANDONED:
                _remove(path)


def _size(entry: Path) -> int:
    return sum(p.stat().st_size for p in entry.iterdir())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
