"""A training config: TOML with two tables, `[train]` for the loop and `[task]` for the task's own settings.

    [train]
    steps = 3000
    rate = 2e-3

    [task]
    batch = 8

Both tables are dataclasses with defaults; an unknown key or a value of another type is an `OptionError` that names
what is allowed. A config is data: it never names code.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from roughcut.errors import OptionError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """The `[train]` table."""

    steps: int = 1000
    rate: float = 1e-3
    """Peak learning rate of AdamW; rises over `warmup` steps, then falls on a cosine to a hundredth."""
    warmup: int = 50
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of the gradient."""
    validate_every: int = 200
    """Steps between validations; each leaves a checkpoint."""
    patience: int = 5
    """Validations in a row without a better score before training stops."""
    average: float = 0.0
    """Decay of a running mean of the weights, which is then what is validated and exported; 0 for none."""
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "rate", "clip", "validate_every", "patience", "threads"):
            if getattr(self, name) <= 0:
                raise OptionError("a training setting must be positive", where=name, got=getattr(self, name))
        if not 0 <= self.average < 1:
            raise OptionError("a decay lies in [0, 1)", where="average", got=self.average)


def read_config(path: Path | None) -> dict[str, dict[str, Any]]:
    """The two tables of a config file, each empty where it is missing (or where there is no file).

    Raises:
        OptionError: the file is missing, not TOML, or has other tables.
    """
    if path is None:
        return {"train": {}, "task": {}}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError("the config cannot be read", where=path, got=error, allowed="a TOML file") from error
    unknown = sorted(set(tables) - {"train", "task"})
    if unknown or not all(isinstance(t, dict) for t in tables.values()):
        raise OptionError("the config has other parts", where=path, got=", ".join(unknown), allowed="[train], [task]")
    return {"train": tables.get("train", {}), "task": tables.get("task", {})}


def settings(cls: type[T], table: Mapping[str, Any], *, where: str) -> T:
    """A settings dataclass from a table.

    Raises:
        OptionError: an unknown key, or a value of another type or out of range.
    """
    known = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise OptionError("unknown setting", where=where, got=", ".join(unknown), allowed=", ".join(known))
    try:
        return TypeAdapter(cls).validate_python(dict(table))
    except ValidationError as error:
        first = error.errors()[0]
        place = f"{where}.{'.'.join(map(str, first['loc']))}"
        raise OptionError("not a usable value", where=place, got=first["input"], allowed=first["msg"]) from error
