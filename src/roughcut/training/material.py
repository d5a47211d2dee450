"""Footage from a manifest, decoded once: every clip is kept as a small array in the cache folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from roughcut.errors import DataError
from roughcut.media.probe import probe
from roughcut.media.rgb import read_rgb
from roughcut.records import U8, Progress
from roughcut.timebase import format_time
from roughcut.training.footage import STORED_SIZE, Footage
from roughcut.training.manifest import Clip, Manifest, Split

STILL_SIZE = (144, 81)  # photographs keep more, for there is only one frame to look around in
MATERIALS = ("shot", "still")


def load_footage(manifest: Manifest, split: Split, cache: Path, progress: Progress) -> Footage:
    """The shots and stills of one split; stills labelled with a `film` are kept film by film.

    Raises:
        DataError: a clip names no material, cannot be decoded, or the split is empty.
    """
    clips = manifest.of(split)
    shots: list[U8] = []
    stills: list[U8] = []
    films: dict[str, list[U8]] = {}
    for done, clip in enumerate(clips, 1):
        material = clip.labels.get("material")
        if material not in MATERIALS:
            place = manifest.where(clip)
            raise DataError("a clip for shots names its material", where=place, got=material, allowed=MATERIALS)
        film = clip.labels.get("film")
        where = films.setdefault(str(film), []) if film else shots if material == "shot" else stills
        where.append(_cached(clip, str(material), cache))
        progress(f"reading {split} footage", done, len(clips))
    if not (shots or stills or films):
        raise DataError("no clip to draw from", where=manifest.path, got=f"split {split}", next_step="add some clips")
    return Footage(shots, stills, [pictures for pictures in films.values() if len(pictures) > 1])


def _cached(clip: Clip, material: str, cache: Path) -> U8:
    path = cache / f"{_key(clip)}.npy"
    if path.exists():
        return np.asarray(np.load(path, allow_pickle=False), np.uint8)
    frames = _still(clip.file) if material == "still" else _shot(clip)
    cache.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part.npy")
    np.save(temporary, frames)
    temporary.replace(path)
    return frames


def _key(clip: Clip) -> str:
    stat = clip.file.stat()
    text = f"{clip.file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{clip.range}|{STORED_SIZE}|{STILL_SIZE}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _still(path: Path) -> U8:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB").resize(STILL_SIZE, Image.Resampling.BOX), np.uint8)[None]
    except (OSError, UnidentifiedImageError) as error:
        raise DataError("the picture cannot be read", where=path, got=error) from error


def _shot(clip: Clip) -> U8:
    info = probe(clip.file)
    if clip.range is not None and clip.range.end > info.range.end + 1 / info.video.rate:
        raise DataError(
            "the range lies beyond the film", where=clip.file, got=clip.range,
            allowed=f"up to {format_time(info.range.end)}",
        )  # fmt: skip
    frames = list(read_rgb(info, *STORED_SIZE, clip.range))
    if not frames:
        raise DataError("no frame of the clip can be decoded", where=clip.file, got=f"range {clip.range}")
    return np.stack(frames)
