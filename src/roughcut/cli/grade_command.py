"""`grade`: colour alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from roughcut.cli import display
from roughcut.cli.app import app
from roughcut.cli.options import DryRun, Force, Json, NoCache, Preset, Quiet
from roughcut.records import Look


@app.command()
def grade(
    source: Annotated[Path, typer.Argument(help="A picture, a folder of pictures, or a film.", metavar="IN")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="A picture or film; for a folder a folder, of PNGs of the same names."),
    ],
    strength: Annotated[float, typer.Option(help="How far: 0 (not) to 1 (as found).")] = 1.0,
    like: Annotated[
        Path | None,
        typer.Option(help="Bring the corrected colours near to those of a picture, a film or a .cube.", metavar="REF"),
    ] = None,
    lut: Annotated[Path | None, typer.Option(help="Write the look as a .cube of 33^3, too.", metavar="CUBE")] = None,
    cdl: Annotated[Path | None, typer.Option(help="Write the nearest ASC CDL, too.", metavar="CDL")] = None,
    preset: Preset = None,
    dry_run: DryRun = False,
    force: Force = False,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Correct the colour of a picture, a folder of pictures or a film, or match a reference; nothing is cut."""
    from roughcut import grading, pipeline
    from roughcut.cli import shown

    wish = grading.Wish(strength=strength, reference=like)
    kind = grading.kind_of(source)
    grading.check_beside(lut, cdl, one=kind != "folder", like=like is not None, inputs=[source], force=force)
    with display.progress(quiet or as_json) as progress:
        if kind == "film":
            asked: dict[str, Any] = {"preset": preset, "cache": not no_cache, "progress": progress}
            result = None if dry_run else pipeline.grade_film(
                source, out, strength=strength, reference=like, force=force, **asked
            )  # fmt: skip
            plan = result.plan if result else pipeline.grade_plan(source, like=like, look_strength=strength, **asked)
            graded, looks = [], [clip.look or Look() for clip in plan.clips]
        else:
            pairs = grading.pictures_in(source, out) if kind == "folder" else [(source, out)]
            graded = list(grading.grade_pictures(pairs, wish, force=force, dry_run=dry_run, progress=progress))
            looks, result = [one.look for one in graded], None
    if not dry_run:
        grading.write_beside(grading.mean_look(looks), lut=lut, cdl=cdl, name=out.stem)
    if result is not None:
        shown.result(result, as_json=as_json, quiet=quiet)
    elif as_json:
        display.say_json([one.json() for one in graded] or [grading.look_json(look) for look in looks])
    elif not quiet:
        named = [(one.source.name, one.look) for one in graded] or [(f"shot {i}", k) for i, k in enumerate(looks, 1)]
        display.table(("what", "confidence", "look"), [(name, f"{k.confidence:.2f}", words(k)) for name, k in named])


def words(look: Look) -> str:
    """The sliders that are not at rest."""
    moved = [
        f"{name} {value:+.2f}" for name, value in zip(look.controls.names(), look.controls.values(), strict=True)
        if abs(value) >= 0.01
    ]  # fmt: skip
    more = ["regions"] if look.grid is not None else []
    more += [f"{len(look.keys)} keys against drift"] if look.keys else []
    more += [f"as {look.match.reference}"] if look.match is not None else []
    return ", ".join([*moved, *more]) or "left alone"
