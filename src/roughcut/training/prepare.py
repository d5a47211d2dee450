"""`python -m roughcut.training.prepare TASK DATA_DIR -o manifest.jsonl`: a task's manifest from a data folder."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from roughcut.errors import DataError, OptionError, RoughcutError
from roughcut.training.files import write_whole

Entries = Iterator[dict[str, Any]]


def shots(data: Path) -> Entries:
    """Single shots that may be trained on (`video.csv`, train=yes) and photographs to move over (`images.csv`)."""
    for row in _table(data / "video.csv"):
        if row["train"] == "yes" and row["file"].startswith("shots/single/"):
            yield {"file": row["file"], "labels": {"material": "shot"}, **_origin(row)}
    for row in _table(data / "images.csv"):
        yield {"file": row["file"], "labels": {"material": "still"}, **_origin(row)}


PREPARE: dict[str, Callable[[Path], Entries]] = {"shots": shots}


def prepare(task: str, data: Path, out: Path) -> int:
    """Write the manifest of a task; returns the number of clips.

    Raises:
        OptionError: unknown task. DataError: the folder lacks the tables the task reads, or gives no clip.
    """
    if task not in PREPARE:
        raise OptionError("no such task", where="prepare", got=task, allowed=", ".join(sorted(PREPARE)))
    entries = [{**e, "file": os.path.relpath(data / e["file"], out.parent)} for e in PREPARE[task](data)]
    if not entries:
        raise DataError("no clip to train on", where=data)
    write_whole(out, "".join(json.dumps(e) + "\n" for e in entries))
    return len(entries)


def main(arguments: list[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m roughcut.training.prepare", description=__doc__)
    parser.add_argument("task", help=", ".join(sorted(PREPARE)))
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the manifest to write (.jsonl)")
    given = parser.parse_args(arguments)
    try:
        count = prepare(given.task, given.data, given.out)
    except RoughcutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{given.out}: {count} clips")
    return 0


def _table(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)
    except OSError as error:
        raise DataError("the data folder lacks a table", where=path, got=error) from error


def _origin(row: dict[str, str]) -> dict[str, str]:
    return {"licence": row["licence"], "source": row.get("source_repo") or row.get("source", "")}


if __name__ == "__main__":
    raise SystemExit(main())
