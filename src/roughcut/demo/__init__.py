"""`roughcut demo`: footage made on the spot, edited, with everything lying in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from roughcut import pipeline
from roughcut.demo.footage import FRAME_RATE, SECONDS, SPEC, frames, sound
from roughcut.records import Progress, no_progress
from roughcut.rendering import EditResult, write_film

FOOTAGE, FILM = "footage.mp4", "cut.mp4"


def make_footage(path: Path, *, progress: Progress = no_progress) -> Path:
    """Draw and speak the demo's 36 seconds of footage and write them as H.264 and AAC.

    Raises:
        OutputError: the file cannot be written.
    """
    track = sound()
    total = SECONDS * int(FRAME_RATE)

    def drawn() -> Iterator[np.ndarray]:
        for n, picture in enumerate(frames(track)):
            progress("drawing footage", n + 1, total)
            yield picture

    return write_film(path, SPEC, drawn(), track)


def run_demo(folder: Path, *, progress: Progress = no_progress) -> EditResult:
    """Make the footage in `folder` and edit it there; results of an earlier demo are replaced."""
    footage = make_footage(folder / FOOTAGE, progress=progress)
    return pipeline.edit([footage], folder / FILM, force=True, progress=progress)
