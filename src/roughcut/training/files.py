"""Text files written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from roughcut.errors import OutputError


def write_whole(path: Path, text: str) -> None:
    """Write a text file under a temporary name in its folder, then rename it.

    Raises:
        OutputError: the folder cannot be written.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise OutputError("the file cannot be written", where=path, got=error) from error
