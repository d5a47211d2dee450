"""The shipped networks: ONNX files with a card beside each, checked before they run. No PyTorch here.

A card is `NAME.json` beside `NAME.onnx`. Its fields are listed in docs/models.md; those checked here:

    format    "roughcut.model.1"
    name      the file's stem            version   text, goes into every report
    sha256    of the ONNX file           bytes     its size
    inputs    name -> {"dtype": "float32", "shape": ["rows", 42]}: a number is fixed, a word is free
    outputs   name -> the same
    threads   how many threads the network gains from
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from roughcut.errors import ModelError

CARD_FORMAT = "roughcut.model.1"
FOLDER = Path(__file__).parent
MAX_BYTES = 10_000_000
_REQUIRED = ("format", "name", "version", "sha256", "inputs", "outputs")
_RESTORE = "reinstall roughcut, or train the model again (docs/models.md)"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network ready to run."""

    name: str
    version: str
    card: Mapping[str, Any]
    session: Any = field(repr=False)

    def run(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """One pass: input arrays by name to output arrays by name.

        Raises:
            ModelError: an input is missing, unknown, or has another type or shape than the card says.
        """
        _check_inputs(self.name, self.card["inputs"], inputs)
        names = list(self.card["outputs"])
        try:
            return dict(zip(names, self.session.run(names, inputs), strict=True))
        except Exception as error:  # ONNX Runtime's own exceptions share no base below Exception
            raise ModelError("the network failed", where=self.name, got=error) from error


def load(name: str) -> Model:
    """A shipped network by name, such as `shots`.

    Raises:
        ModelError: there is no such network, or its file was altered.
    """
    path = FOLDER / f"{name}.onnx"
    if not path.exists():
        raise ModelError(
            "no such network", where=name, allowed=", ".join(names()) or "none shipped", next_step=_RESTORE
        )
    return load_path(path)


def names() -> list[str]:
    """Names of the shipped networks, sorted."""
    return sorted(p.stem for p in FOLDER.glob("*.onnx"))


def load_path(path: Path) -> Model:
    """A network from any folder; its card lies beside it. Loaded once per process and content.

    Raises:
        ModelError: network or card is missing, altered, or says something else than the file holds.
    """
    card = read_card(path)
    return _load(path.resolve(), card["sha256"])


def release() -> None:
    """Let go of the networks, and give what they took back to the system: they are opened anew when they are wanted.

    Opened and used they hold some 200 MB, more than a render takes.
    """
    _load.cache_clear()
    with suppress(AttributeError, OSError, TypeError):  # the C library of Linux; it would keep most of it
        ctypes.CDLL(None).malloc_trim(0)


def read_card(path: Path) -> dict[str, Any]:
    """The card beside an ONNX file, its fields checked.

    Raises:
        ModelError: it is missing, not JSON, of another format, or incomplete.
    """
    beside = path.with_suffix(".json")
    try:
        card = json.loads(beside.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError("the network has no card", where=beside, next_step=_RESTORE) from error
    except (OSError, ValueError) as error:
        raise ModelError("the card cannot be read", where=beside, got=error, next_step=_RESTORE) from error
    if not isinstance(card, dict) or card.get("format") != CARD_FORMAT:
        got = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise ModelError("a card of another format", where=beside, got=got, allowed=CARD_FORMAT, next_step=_RESTORE)
    missing = [key for key in _REQUIRED if key not in card]
    if missing:
        raise ModelError("the card lacks fields", where=beside, got=", ".join(missing), next_step=_RESTORE)
    return card


def digest(path: Path) -> str:
    """SHA-256 of a file in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def _load(path: Path, sha256: str) -> Model:
    card = read_card(path)
    found = digest(path) if path.exists() else "no file"
    if found != sha256:
        raise ModelError(
            "the network is not the one its card describes", where=path, got=found, allowed=sha256, next_step=_RESTORE
        )
    session = _open(path, int(card.get("threads", 1)))
    _check_contract(path, card, session)
    return Model(name=card["name"], version=str(card["version"]), card=card, session=session)


def _open(path: Path, threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(1, min(threads, os.cpu_count() or 1))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError("the network cannot be opened", where=path, got=error, next_step=_RESTORE) from error


def _check_contract(path: Path, card: Mapping[str, Any], session: Any) -> None:
    """The card names exactly the file's inputs and outputs."""
    for kind, nodes in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        held = {node.name for node in nodes}
        if held != set(card[kind]):
            raise ModelError(
                f"the card's {kind} are not the network's",
                where=path,
                got=", ".join(sorted(card[kind])),
                allowed=", ".join(sorted(held)),
                next_step=_RESTORE,
            )


def _check_inputs(name: str, wanted: Mapping[str, Any], given: Mapping[str, NDArray[Any]]) -> None:
    if set(wanted) != set(given):
        raise ModelError("other inputs than the card's", where=name, got=sorted(given), allowed=sorted(wanted))
    for key, array in given.items():
        shape, dtype = wanted[key]["shape"], wanted[key]["dtype"]
        if array.dtype != np.dtype(dtype) or not _fits(array.shape, shape):
            raise ModelError(
                f"input {key} has another type or shape than the card says",
                where=name,
                got=f"{array.dtype} {list(array.shape)}",
                allowed=f"{dtype} {shape}",
            )


def _fits(shape: tuple[int, ...], wanted: Sequence[int | str]) -> bool:
    """A number in the card is fixed, a word stands for any size."""
    return len(shape) == len(wanted) and all(isinstance(w, str) or w == s for s, w in zip(shape, wanted, strict=True))
