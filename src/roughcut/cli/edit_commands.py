"""`edit` and its thirds `analyze`, `plan` and `render`; `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from roughcut.cli import display
from roughcut.cli.app import app
from roughcut.cli.options import (
    DryRun,
    File,
    Files,
    Force,
    Hardware,
    Json,
    NoCache,
    Preset,
    Quiet,
    Resume,
    Smart,
    Track,
    with_wishes,
)


@app.command()
@with_wishes
def edit(
    files: Files,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="One film of all files: .mp4, .mov, .mkv or .webm.", metavar="FILM"),
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option(help="One film of each file, in this folder; those that are made are skipped.", metavar="DIR"),
    ] = None,
    asked: dict[str, Any],
    hardware: Hardware = "off",
    smart: Smart = None,
    resume: Resume = False,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Write the timeline, render nothing.")] = False,
    dry_run: DryRun = False,
    force: Force = False,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Footage in; the film, its timeline (.otio), looks (.looks/*.cube) and report (.html, .json) out."""
    from roughcut import pipeline
    from roughcut.cli import each, shown

    if out is None or out_dir is not None:
        each.edit(
            files, each.one_folder(out, out_dir), hardware=hardware, smart=smart, resume=resume, plan_only=plan_only,
            dry_run=dry_run, force=force, cache=not no_cache, as_json=as_json, quiet=quiet, **asked,
        )  # fmt: skip
        return
    with display.progress(quiet or as_json) as progress:
        if dry_run or plan_only:
            plan = pipeline.plan_files(files, cache=not no_cache, progress=progress, **asked)
            timeline = None if dry_run else pipeline.write_plan(plan, out.with_suffix(".otio"), force=force)
        else:
            result = pipeline.edit(
                files, out, hardware=hardware, smart=smart, resume=resume, force=force, cache=not no_cache,
                progress=progress, **asked,
            )  # fmt: skip
    if dry_run or plan_only:
        shown.plan(plan, timeline, as_json=as_json, quiet=quiet)
    else:
        shown.result(result, as_json=as_json, quiet=quiet)


@app.command()
def analyze(
    file: File,
    track: Track = None,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What the networks make of a file: shots, moments, speech, looks."""
    from roughcut import pipeline
    from roughcut.cli import shown

    with display.progress(quiet or as_json) as progress:
        analysis = pipeline.analyze(file, track=track, cache=not no_cache, progress=progress)
    shown.analysis(analysis, as_json=as_json, quiet=quiet)


@app.command()
@with_wishes
def plan(
    files: Files,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The timeline, an .otio file.", metavar="TIMELINE")],
    asked: dict[str, Any],
    dry_run: DryRun = False,
    force: Force = False,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Decide the edit and write it as a timeline that Resolve, Premiere and Kdenlive open."""
    from roughcut import pipeline
    from roughcut.cli import shown

    with display.progress(quiet or as_json) as progress:
        made = pipeline.plan_files(files, cache=not no_cache, progress=progress, **asked)
    timeline = None if dry_run else pipeline.write_plan(made, out, force=force)
    shown.plan(made, timeline, as_json=as_json, quiet=quiet)


@app.command()
def render(
    timeline: Annotated[Path, typer.Argument(help="An .otio timeline, as roughcut wrote it or as you changed it.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The film: .mp4, .mov, .mkv or .webm.", metavar="FILM")],
    preset: Preset = None,
    hardware: Hardware = "off",
    smart: Smart = None,
    resume: Resume = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the film of a timeline."""
    from roughcut import pipeline
    from roughcut.cli import shown

    with display.progress(quiet or as_json) as progress:
        result = pipeline.render(
            timeline, out, preset=preset, hardware=hardware, smart=smart, resume=resume, force=force, progress=progress
        )
    shown.result(result, as_json=as_json, quiet=quiet)


@app.command()
def verify(
    film: Annotated[Path, typer.Argument(help="The film to measure; any program may have made it.", metavar="FILE")],
    plan: Annotated[Path, typer.Option("--plan", "-p", help="The .otio timeline it should be.", metavar="TIMELINE")],
    quick: Annotated[bool, typer.Option("--quick", help="Decode the pictures around the joins alone.")] = False,
    as_json: Json = False,
) -> None:
    """Whether a film is what its timeline says: exit code 0 if so, 1 if not, 2 if that cannot be told."""
    from roughcut import pipeline
    from roughcut.cli import proof_shown

    if not proof_shown.proof(pipeline.verify(film, plan, quick=quick), as_json=as_json):
        raise typer.Exit(1)
