"""The analysis cache: arrays by key, in the user's cache folder, so that no file is decoded twice."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

LIMIT_BYTES = 2 * 1024**3
_META = "meta.json"
_BAD_ENTRY = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, json.JSONDecodeError)

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


def save(key: str, arrays: Arrays, meta: Meta, *, limit: int = LIMIT_BYTES) -> bool:
    """Keep an entry; False where the folder cannot be written (a cache that fails costs time, never the work).

    Afterwards the least recently used entries are removed until all together take at most `limit` bytes.
    """
    try:
        folder().mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder(), suffix=".part")
    except OSError:
        return False
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            packed = np.frombuffer(json.dumps(meta).encode(), np.uint8)
            np.savez_compressed(file, allow_pickle=False, **{_META: packed}, **arrays)
        temporary.replace(_path(key))
    except OSError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    _evict(limit)
    return True


def load(key: str) -> tuple[Arrays, Meta] | None:
    """The entry as it was saved; None where there is none or it does not read whole."""
    try:
        with _path(key).open("rb") as file, np.load(file, allow_pickle=False) as entry:
            arrays = {name: entry[name] for name in entry.files}
        meta = json.loads(arrays.pop(_META).tobytes())
    except _BAD_ENTRY:
        return None
    with suppress(OSError):
        os.utime(_path(key))
    return arrays, meta


def _path(key: str) -> Path:
    return folder() / f"{key}.npz"


def _evict(limit: int) -> None:
    with suppress(OSError):
        entries = sorted(((p.stat().st_mtime, p.stat().st_size, p) for p in folder().glob("*.npz")), reverse=True)
        total = 0
        for _, size, path in entries:
            total += size
            if total > limit:
                path.unlink(missing_ok=True)
