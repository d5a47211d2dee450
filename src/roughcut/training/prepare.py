"""`python -m roughcut.training.prepare TASK DATA_DIR -o manifest.jsonl`: a task's manifest from a data folder."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from roughcut.errors import DataError, OptionError, RoughcutError
from roughcut.evaluation.colour_set import colour_part
from roughcut.evaluation.expression import expression_part
from roughcut.training.files import write_whole

Entries = Iterator[dict[str, Any]]
MOSAIC_FACES = 9600
ENCODER_TEACHER = "encoder/mobilenet_v2_imagenet_fp16.safetensors"


def shots(data: Path) -> Entries:
    """Single shots that may be trained on, photographs to move over, and frames of films."""
    yield from _material(data)
    for frame in _frames(data):
        labels = {"material": "still", "film": frame["film"]}
        yield {"file": f"moments/{frame['file']}", "labels": labels, "split": _sixth(frame["film"])}


def _material(data: Path) -> Entries:
    """Single shots (`video.csv`, train=yes) and photographs (`images.csv`)."""
    for row in _table(data / "video.csv"):
        if row["train"] == "yes" and row["file"].startswith("shots/single/"):
            yield {"file": row["file"], "labels": {"material": "shot"}, **_origin(row)}
    for row in _table(data / "images.csv"):
        yield {"file": row["file"], "labels": {"material": "still"}, **_origin(row)}


def encoder(data: Path) -> Entries:
    """The teacher, photographs, and frames of films; a sixth validates, the frames of one film together."""
    yield {"file": ENCODER_TEACHER, "labels": {"material": "teacher"}, "licence": "Apache-2.0"}
    for row in _table(data / "images.csv"):
        yield {"file": row["file"], "labels": {"material": "still"}, "split": _sixth(row["file"]), **_origin(row)}
    for frame in _frames(data):
        yield {"file": f"moments/{frame['file']}", "labels": {"material": "frame"}, "split": _sixth(frame["film"])}


def moments(data: Path) -> Entries:
    """People's scores with captions (TVSum, SumMe), and the real frames that tie pictures to captions."""
    for name in ("tvsum", "summe"):
        yield {"file": f"moments/{name}_anno.h5", "labels": {"annotations": name}}
    for frame in _frames(data):
        yield {"file": f"moments/{frame['file']}", "labels": {"film": frame["film"], "step": frame["step"]}}


def restoration(data: Path) -> Entries:
    """Single shots and photographs; by name, a twelfth validates and a twelfth is held out for `evaluate`."""
    for entry in _material(data):
        yield {**entry, "split": colour_part(entry["file"])}


def colour(data: Path) -> Entries:
    """The same, and frames of films and portraits to learn from; those of one film or person stay together."""
    yield from restoration(data)
    for frame in _frames(data):
        split = colour_part(frame["film"])
        yield {"file": f"moments/{frame['file']}", "labels": {"material": "frame"}, "split": split}
    for row in _table(data / "faces" / "portraits.csv"):
        split = colour_part(row["person"] or row["file"])
        yield {"file": row["file"], "labels": {"material": "portrait"}, "split": split, **_origin(row)}


def expression(data: Path) -> Entries:
    """FER-2013's mosaics, to train and to choose by; portraits, a third of the persons to train on, a sixth to choose
    by, half to test on."""
    for split, part in (("train", "train"), ("val", "validation")):
        mosaics = sorted((data / "faces" / "fer2013").glob(f"{part}_*.jpg"))
        for number, path in enumerate(mosaics):
            labels = {"labels": f"{part}_labels.txt", "first": number * MOSAIC_FACES}
            name = path.relative_to(data).as_posix()
            yield {"file": name, "labels": labels, "split": split, "licence": "FER-2013: research use"}
    for row in _table(data / "faces" / "portraits.csv"):
        if row["label"] not in ("", "contempt"):  # FER-2013 has no contempt
            labels = {"expression": row["label"], "teacher": "../teacher/yunet_n_dynamic.onnx"}
            yield {"file": row["file"], "labels": labels, "split": expression_part(row["person"]), **_origin(row)}


def mood(data: Path) -> Entries:
    """Single shots, and those faces of `expression` that it chose by."""
    yield from (entry for entry in _material(data) if entry["labels"]["material"] == "shot")
    yield from (entry for entry in expression(data) if entry["split"] == "val")


def faces(data: Path) -> Entries:
    """The teacher, portraits, photographs, frames of films and single shots. A sixth validates, a sixth is never
    looked at; portraits of one person and frames of one film stay together."""
    yield {"file": "faces/teacher/yunet_n_dynamic.onnx", "labels": {"material": "teacher"}, "licence": "Apache-2.0"}
    for row in _table(data / "faces" / "portraits.csv"):
        split = _held_out(row["person"] or row["file"])
        yield {"file": row["file"], "labels": {"material": "portrait"}, "split": split, **_origin(row)}
    for row in _table(data / "images.csv"):
        yield {"file": row["file"], "labels": {"material": "still"}, "split": _held_out(row["file"]), **_origin(row)}
    for row in _table(data / "video.csv"):
        if row["train"] == "yes" and row["file"].startswith("shots/single/"):
            split = _held_out(row["file"])
            yield {"file": row["file"], "labels": {"material": "shot"}, "split": split, **_origin(row)}
    for frame in _frames(data):
        split = _held_out(frame["film"])
        yield {"file": f"moments/{frame['file']}", "labels": {"material": "frame"}, "split": split}


PREPARE: dict[str, Callable[[Path], Entries]] = {
    "shots": shots,
    "encoder": encoder,
    "moments": moments,
    "colour": colour,
    "restoration": restoration,
    "expression": expression,
    "faces": faces,
    "mood": mood,
}


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


def _frames(data: Path) -> Iterator[dict[str, Any]]:
    """The entries of `moments/frames/index.json`, each with its film's name."""
    path = data / "moments" / "frames" / "index.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("the data folder lacks the frames' index", where=path, got=error) from error
    for entry in entries:
        yield {**entry, "film": f"{entry['ds']}/{entry['video']}"}


def _sixth(name: str) -> str:
    """`val` for a sixth of all names, the same on every machine."""
    return "val" if zlib.crc32(name.encode()) % 6 == 0 else "train"


def _held_out(name: str) -> str:
    """`val` for a sixth of all names, `test` for another."""
    return {0: "val", 1: "test"}.get(zlib.crc32(name.encode()) % 6, "train")


def _origin(row: dict[str, str]) -> dict[str, str]:
    return {"licence": row["licence"], "source": row.get("source_repo") or row.get("source", "")}


if __name__ == "__main__":
    raise SystemExit(main())
