"""`faces`: who is seen where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roughcut.cli import display
from roughcut.cli.app import app
from roughcut.cli.options import Detector, File, Force, Json, NoCache, People, Quiet


@app.command()
def faces(
    file: File,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Write a page with a picture of each face, on which they can be named.", metavar="HTML"),
    ] = None,
    people: People = None,
    detector: Detector = None,
    recogniser: Annotated[
        Path | None,
        typer.Option(
            help="Give the faces of one person one name, by a network that was fetched (`roughcut models fetch sface`) "
            "or a file of its kind. Look at the page before you trust it.",
            metavar="ONNX",
        ),
    ] = None,
    force: Force = False,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The faces of a film, followed through each shot: their numbers are what `edit --faces` takes."""
    from roughcut import pipeline
    from roughcut.people import is_sure, known_names, persons, read_names, write_sheet
    from roughcut.report.people import people_json
    from roughcut.timebase import format_time

    with display.progress(quiet or as_json) as progress:
        found = pipeline.faces(file, detector=detector, cache=not no_cache, progress=progress)
    names = {} if people is None else known_names(found.tracks, read_names(people), people)
    if recogniser is not None:
        names = persons(found, recogniser, detector, names)
    if sheet is not None:
        write_sheet(found, sheet, names, force=force)
    if as_json:
        display.say_json(people_json(str(file), found.tracks, names))
        return
    rows = [
        (t.number, names.get(t.number, "-"), format_time(t.times[0], digits=1), format_time(t.times[-1], digits=1),
         f"{t.score:.2f}", "" if is_sure(t) else "uncertain: always covered")
        for t in found.tracks
    ]  # fmt: skip
    if rows:
        display.table(("face", "name", "from", "to", "score", ""), rows)
    else:
        display.say("no face was found")
    if sheet is not None and not quiet:
        display.say(f"page    {sheet}")
