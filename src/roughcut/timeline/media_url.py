"""Media paths as the URLs that editing programs write and read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

_DRIVE = re.compile(r"^/?[A-Za-z]:[/\\]")


def file_url(path: Path) -> str:
    """`file:///clips/a%20b.mp4`: absolute and percent-encoded, whatever bytes the name holds."""
    return path.absolute().as_uri()


def relative_url(path: Path, folder: Path) -> str | None:
    """`../clips/a%20b.mp4`, seen from `folder`; None where there is no way (another drive)."""
    try:
        way = os.path.relpath(path.absolute(), folder.absolute())
    except ValueError:
        return None
    return quote(os.fsencode(Path(way).as_posix()))


def url_path(url: str, folder: Path) -> Path | None:
    """The file that a reference means; relative ones lie beside the timeline in `folder`. None for http and the like.

    Takes what programs write: `file:///a`, `file://localhost/a`, `file:///C:/a`, bare absolute and relative paths,
    percent-encoded or not (a bare path that exists as it stands is not decoded).
    """
    if _DRIVE.match(url):
        return Path(url)
    if url.startswith("/") or not urlsplit(url).scheme:
        literal = folder / url
        return literal if literal.exists() else folder / _decoded(url)
    parts = urlsplit(url.replace("#", "%23").replace("?", "%3F"))
    if parts.scheme.lower() != "file":
        return None
    decoded = _decoded(parts.path)
    return Path(decoded[1:] if _DRIVE.match(decoded) else decoded)


def _decoded(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))
