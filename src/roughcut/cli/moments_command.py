"""`roughcut moments`: what people would keep of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roughcut.cli import display
from roughcut.cli.app import app
from roughcut.cli.options import File, Force, Json, NoCache, Quiet, Target, Track
from roughcut.timebase import format_time


@app.command()
def moments(
    file: File,
    target: Target = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw importance over time, with stills of what is kept, into this PNG file.", metavar="PNG"),
    ] = None,
    track: Track = None,
    force: Force = False,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Importance over time, and the moments that `edit` would keep, each with its reason."""
    from roughcut import momentlist, pipeline
    from roughcut.results import claim_png

    claim_png(plot, file, force=force)
    with display.progress(quiet or as_json) as progress:
        found = pipeline.moments(file, target=target, track=track, cache=not no_cache, progress=progress)
        if plot is not None:
            momentlist.plot(found, plot, force=force)
    if as_json:
        display.say_json(found.as_json())
    else:
        rows = [
            (format_time(m.range.start), format_time(m.range.end), f"{found.importance(m):.2f}", m.decision.words)
            for m in found.moments
        ]
        display.table(("from", "to", "importance", "why"), rows)
        kept = sum(float(m.range.duration) for m in found.moments)
        whole = float(found.analysis.features.times.range.duration)
        display.say(
            f"{len(found.moments)} moments, {kept:.1f} of {whole:.1f} s" + (f"; drawn in {plot}" if plot else "")
        )
    if not quiet:
        for remark in (*found.plan.notes, *found.analysis.warnings):
            display.note(remark)
