"""What faces tell over a film: a pass over two pictures a second, cached by content.

Only the numbers of `FaceSigns` are cached: no picture of a face, and nothing that a person could be known again by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from roughcut.errors import InputError
from roughcut.features import cache
from roughcut.features.expression import SMALLEST, ExpressionReader
from roughcut.features.faces import FaceDetector, size_for
from roughcut.media.rgb import read_timed_rgb
from roughcut.records import MediaInfo, Progress
from roughcut.records.faces import FaceSigns
from roughcut.temporal.mood import ROW_STEP, Looks

FIELDS = ("count", "size", "smile", "valence")
FORMAT = 1  # rises when the arrays change their meaning


def read_expressions(info: MediaInfo, *, detector: FaceDetector, use_cache: bool, progress: Progress) -> Looks:
    """What the faces of a file tell, in the first picture of each half second.

    Raises:
        InputError: nothing decodes. ModelError: a network fails.
    """
    reader = ExpressionReader()
    settings = {"format": FORMAT, "only": "expressions", "step": str(ROW_STEP), "smallest": SMALLEST}
    key = cache.key_of(info.digest, {"faces": detector.version, "expression": reader.version}, settings)
    entry = cache.load(key) if use_cache else None
    if entry is not None:
        return _from_entry(*entry)
    looks = _read(info, detector, reader, progress)
    if not looks:
        raise InputError("no frame of the video can be decoded", where=info.path)
    if use_cache:
        _keep(key, info.video.time_base, looks)
    return looks


def _read(
    info: MediaInfo, detector: FaceDetector, reader: ExpressionReader, progress: Progress
) -> list[tuple[Fraction, FaceSigns]]:
    width, height = size_for(info.video.width, info.video.height)
    start, total = info.video.start, float(info.duration)
    done = -1

    def is_first(_: int, t: Fraction) -> bool:
        nonlocal done
        before, done = done, max(done, math.floor((t - start) / ROW_STEP))
        return done > before

    looks = []
    for t, rgb in read_timed_rgb(info, width, height, wanted=is_first):
        progress("reading faces", min(float(t - start), total), total)
        looks.append((t, reader(rgb, detector(rgb))))
    progress("reading faces", total, total)
    return looks


def _keep(key: str, base: Fraction, looks: Looks) -> None:
    arrays = {"pts": np.array([int(t / base) for t, _ in looks], np.int64)}
    arrays |= {name: np.array([getattr(signs, name) for _, signs in looks]) for name in FIELDS}
    with cache.draft(cached=True) as draft:
        for name, rows in arrays.items():
            shelf = draft.rows(name)
            shelf.append(rows)
            shelf.whole(rows[:0])
        draft.keep(key, {"time_base": str(base)})


def _from_entry(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Looks:
    base, pts = Fraction(meta["time_base"]), arrays["pts"].tolist()
    columns = {name: arrays[name].tolist() for name in FIELDS}
    return [(p * base, FaceSigns(**{name: columns[name][i] for name in FIELDS})) for i, p in enumerate(pts)]
