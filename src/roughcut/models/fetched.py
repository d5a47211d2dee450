"""Networks that others published and that roughcut can use but does not ship: fetched only when somebody asks.

Each is known by the SHA-256 of its file, so it does not matter which way the file came. It lies in the user's data
folder, and is checked again whenever it is opened.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from roughcut.errors import ModelError, OptionError, OutputError
from roughcut.records import Progress, no_progress

CHUNK = 1 << 16
TIMEOUT = 30  # seconds without a byte


@dataclass(frozen=True, kw_only=True)
class Published:
    """A file as its authors published it."""

    name: str
    does: str
    address: str
    """Of one commit, so that it cannot change."""
    sha256: str
    bytes: int
    licence: str


PUBLISHED = {
    one.name: one
    for one in (
        Published(
            name="yunet",
            does="finds faces in place of the shipped detector: --detector yunet (Wu, Peng and Yu 2023)",
            address="https://github.com/ShiqiYu/libfacedetection.train/raw/"
            "dca340aa082c71081a68d17db8e58b33a58a914b/onnx/yunet_n_dynamic.onnx",
            sha256="104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
            bytes=322_906,
            licence="Apache-2.0",
        ),
        Published(
            name="sface",
            does="tells faces apart, so that those of one person get one name: faces --recogniser sface "
            "(Zhong et al. 2021)",
            address="https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/"
            "models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
            sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
            bytes=38_696_353,
            licence="Apache-2.0",
        ),
    )
}


def folder() -> Path:
    """`$ROUGHCUT_DATA`/models, else the same in the platform's data folder for roughcut. Not created here."""
    if chosen := os.environ.get("ROUGHCUT_DATA"):
        return Path(chosen) / "models"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "roughcut" / "models"


def place(name: str) -> Path:
    """Where a published network lies once it is fetched.

    Raises:
        OptionError: none of that name is known.
    """
    if name not in PUBLISHED:
        raise OptionError("no network of this name can be fetched", got=name, allowed=", ".join(sorted(PUBLISHED)))
    return folder() / f"{name}.onnx"


def is_here(name: str) -> bool:
    """Whether it was fetched and is what was published."""
    path = place(name)
    return path.is_file() and _digest(path) == PUBLISHED[name].sha256


def file_of(network: Path) -> Path:
    """The file that is meant: a published network by its name, any other path as it is.

    Raises:
        ModelError: the published one was not fetched, or was altered since.
    """
    name = str(network)
    if name not in PUBLISHED or network.exists():
        return network
    path = place(name)
    if not is_here(name):
        what = "the fetched network was altered" if path.exists() else "this network was not fetched yet"
        raise ModelError(what, where=name, next_step=f"`roughcut models fetch {name}`, or name an .onnx file")
    return path


def fetch(name: str, *, source: str | None = None, progress: Progress = no_progress) -> Path:
    """Bring a published network into the data folder, whole and checked, or not at all.

    Args:
        source: another address, or a file, that holds the same content; the authors' address where None.

    Raises:
        OptionError: none of that name is known. OutputError: the data folder cannot be written.
        ModelError: it cannot be reached, or holds something else than what was published.
    """
    target, wanted = place(name), PUBLISHED[name]
    if is_here(name):
        return target
    given = source or wanted.address
    part = _new_part(target)
    try:
        hashed = hashlib.sha256()
        done = 0
        for chunk in _chunks(given, name):
            done += len(chunk)
            if done > wanted.bytes:
                break
            hashed.update(chunk)
            _append(part, chunk)
            progress(f"fetching {name}", done, wanted.bytes)
        if done != wanted.bytes or hashed.hexdigest() != wanted.sha256:
            got = f"more than {wanted.bytes} bytes" if done > wanted.bytes else f"{done} bytes, {hashed.hexdigest()}"
            raise ModelError(
                "not the file that was published, so nothing was kept", where=given, got=got,
                allowed=f"{wanted.bytes} bytes, SHA-256 {wanted.sha256}",
            )  # fmt: skip
        _settle(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _chunks(given: str, name: str) -> Iterator[bytes]:
    address = given if "://" in given else Path(given).absolute().as_uri()
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as held:
            while chunk := held.read(CHUNK):
                yield chunk
    except (OSError, HTTPException, ValueError) as error:  # URLError is an OSError; a ValueError: no such scheme
        raise ModelError(
            "the network cannot be fetched", where=given, got=getattr(error, "reason", None) or error,
            next_step=f"try again online, or bring the file yourself: `roughcut models fetch {name} --from FILE`",
        ) from error  # fmt: skip


def _new_part(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    except OSError as error:
        raise OutputError("the data folder cannot be written", where=target.parent, got=error.strerror) from error
    os.close(handle)
    return Path(path)


def _append(part: Path, chunk: bytes) -> None:
    try:
        with part.open("ab") as out:
            out.write(chunk)
    except OSError as error:
        raise OutputError("the data folder cannot be written", where=part.parent, got=error.strerror) from error


def _settle(part: Path, target: Path) -> None:
    try:
        part.chmod(0o644)
        part.replace(target)
    except OSError as error:
        raise OutputError("the data folder cannot be written", where=target, got=error.strerror) from error


def _digest(path: Path) -> str:
    with path.open("rb") as held:
        return hashlib.file_digest(held, "sha256").hexdigest()
