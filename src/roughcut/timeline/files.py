"""Names of files in the making, and text files that never stand half-written under their final name."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from roughcut.errors import OutputError

MOST_BYTES = 200  # of a hidden name before its ending: file systems take 255, and an ending needs some


def hidden_name(name: str, ending: str) -> str:
    """`.NAME` + ending: the name of what lies hidden beside a file. One that is too long for file systems is cut
    between characters, and a digest of all of it tells it from others that begin alike.
    """
    whole = os.fsencode(name)
    if len(whole) <= MOST_BYTES:
        return f".{name}{ending}"
    digest = hashlib.sha256(whole).hexdigest()[:16]
    return f".{whole[: MOST_BYTES - 17].decode('utf-8', 'ignore')}~{digest}{ending}"


def looks_folder(film: Path) -> Path:
    """`cut.looks`: where the looks of a film or timeline `cut` lie as `.cube` files."""
    return film.with_suffix(".looks")


def replace_text(path: Path, text: str | Iterable[str]) -> None:
    """Write a UTF-8 text file, given whole or in parts, whole or not at all: beside its name first, then under it.

    Raises:
        OutputError: it cannot be written; whatever stood there before is untouched.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=hidden_name(path.name, "."), suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as out:
            out.writelines([text] if isinstance(text, str) else text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise OutputError("the file cannot be written", where=path, got=error.strerror or str(error)) from error
