"""Commands that look at a file, or at what roughcut can do: `probe`, `shots`, `presets`, `effects`, `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roughcut.cli import display
from roughcut.cli.app import app
from roughcut.cli.options import (
    File,
    Force,
    Json,
    NoCache,
    Quiet,
)


@app.command()
def probe(file: File, as_json: Json = False) -> None:
    """What a file is: streams, exact rates, rotation, colour, start times."""
    from roughcut import pipeline
    from roughcut.cli import shown

    shown.media(pipeline.probe(file), as_json=as_json)


@app.command()
def shots(
    file: File,
    split: Annotated[
        Path | None,
        typer.Option(
            help="Write each shot as a film of its own into this folder: 001.mp4, 002.mp4, ... with all its clean "
            "frames and their sound; coded pictures are taken over where that can be done.",
            metavar="DIR",
        ),
    ] = None,
    save_images: Annotated[
        Path | None,
        typer.Option(
            help="Save the first, middle and last frame of each shot into this folder: 001-first.jpg, ...",
            metavar="DIR",
        ),
    ] = None,
    force: Force = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the shots as CSV.")] = False,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Shot boundaries with their kinds and probabilities; films and pictures of the shots."""
    from roughcut import pipeline
    from roughcut.cli import shown
    from roughcut.shotlist import write_files

    with display.progress(quiet or as_json or as_csv) as progress:
        found = pipeline.shots(file, cache=not no_cache, progress=progress)
        written = write_files(found, films=split, pictures=save_images, force=force, progress=progress)
    shown.shots(found, written, as_json=as_json, as_csv=as_csv, quiet=quiet)


@app.command()
def presets(as_json: Json = False) -> None:
    """Ways to write a film, by the names that --preset takes."""
    from roughcut.cli import shown

    shown.presets(as_json=as_json)


@app.command()
def effects(
    previews: Annotated[
        Path | None, typer.Option(help="Draw a sheet of each effect into this folder.", metavar="DIR")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """What can be done to pictures and sound: parameters, ranges, defaults, previews."""
    from roughcut.cli import effects_shown

    effects_shown.catalogue(previews, force=force, as_json=as_json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the footage and the film.")] = Path(
        "roughcut-demo"
    ),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a small piece of synthetic footage, edit it, and say where everything lies."""
    from roughcut.cli import shown
    from roughcut.demo import run_demo

    with display.progress(quiet or as_json) as progress:
        result = run_demo(out, progress=progress)
    shown.result(result, as_json=as_json, quiet=quiet)
