"""Text files that never stand half-written under their final name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from roughcut.errors import OutputError


def replace_text(path: Path, text: str | Iterable[str]) -> None:
    """Write a UTF-8 text file, given whole or in parts, whole or not at all: beside its name first, then under it.

    Raises:
        OutputError: it cannot be written; whatever stood there before is untouched.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as out:
            out.writelines([text] if isinstance(text, str) else text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise OutputError("the file cannot be written", where=path, got=error.strerror or str(error)) from error
