"""`roughcut mood`: how a film is likely to be felt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roughcut.cli import display
from roughcut.cli.app import app
from roughcut.cli.options import Detector, File, Force, Json, NoCache, NoFaces, Quiet, Track
from roughcut.timebase import format_time


@app.command()
def mood(
    file: File,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw valence and arousal over time, with their doubt, into this PNG file.", metavar="PNG"),
    ] = None,
    no_faces: NoFaces = False,
    track: Track = None,
    detector: Detector = None,
    force: Force = False,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """How a film is likely to be felt over time: calm, tense, up or down. Of films, not of people (docs/mood.md)."""
    from roughcut import moodlist, pipeline
    from roughcut.results import claim_png

    claim_png(plot, file, force=force)
    with display.progress(quiet or as_json) as progress:
        found = pipeline.mood(
            file, expressions=not no_faces, detector=detector, track=track, cache=not no_cache, progress=progress
        )
        if plot is not None:
            moodlist.plot(found, plot, force=force)
    if as_json:
        display.say_json(found.as_json())
    else:
        rows = [
            (format_time(s.range.start, digits=1), format_time(s.range.end, digits=1), s.word, f"{s.valence:+.2f}",
             f"{s.arousal:+.2f}", f"{s.confidence:.2f}")
            for s in found.stretches
        ]  # fmt: skip
        display.table(("from", "to", "mood", "valence", "arousal", "confidence"), rows)
        if plot is not None:
            display.say(f"drawn in {plot}")
    if not quiet:
        for remark in found.warnings:
            display.note(remark)
