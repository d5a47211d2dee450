"""The commands: `edit` and its thirds `analyze`, `plan`, `render`; `verify`, `probe`, `shots`, `demo`; `train` ..."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from roughcut import __version__
from roughcut.cli import display, effect_options

app = typer.Typer(
    name="roughcut",
    help="A neural video editor: footage in; an edited, graded film and the editable timeline behind it out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Files = Annotated[
    list[Path], typer.Argument(help="Footage: one or more video files, in film order.", metavar="FILES...")
]
File = Annotated[Path, typer.Argument(help="A video file.", metavar="FILE")]
Target = Annotated[
    str | None,
    typer.Option("--target", "-t", help="Longest film wanted: 60s, 1m30s or 1:30."),
]
Keep = Annotated[
    str, typer.Option(help="What to keep: auto (looks at the footage), speech, highlights or all.", metavar="WHAT")
]
Look = Annotated[str, typer.Option(help="Colour: auto (a learned correction per shot) or none.", metavar="LOOK")]
Transitions = Annotated[str, typer.Option(help="Joins: auto, cuts or dissolves.", metavar="JOINS")]
Sdr = Annotated[bool, typer.Option("--sdr", help="Bring HDR (PQ, HLG) to SDR; else it keeps its depth and tags.")]
Vfr = Annotated[
    str,
    typer.Option(help="Footage at a variable rate: constant (one rate) or keep (its own times).", metavar="WHICH"),
]
Track = Annotated[
    str | None,
    typer.Option(
        help="Sound track that decisions listen to: a number from 1 or a language such as eng. All tracks are kept.",
        metavar="TRACK",
    ),
]
Preset = Annotated[
    str | None, typer.Option(help="How the film is written; `roughcut presets` lists the names.", metavar="NAME")
]
Hardware = Annotated[
    str,
    typer.Option(help="auto tries the machine's own encoders first: faster, another picture quality.", metavar="WHICH"),
]
Smart = Annotated[
    str | None,
    typer.Option(
        help="Take over the footage's own coded pictures where nothing is done to them: fast, and not a bit is lost. "
        "auto: where footage and film are alike; always: take the footage's codec, refuse where nothing can be taken "
        "over; never: encode all. Left out, it is auto, or never with a preset.",
        metavar="WHEN",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on from what an interrupted render of this film had finished; interrupted again, keep that.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Analyse and plan, print the decisions, write nothing.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace results that exist.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Analyse anew, whatever the cache holds.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"roughcut {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command()
def edit(
    files: Files,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="One film of all files: .mp4, .mov, .mkv or .webm.", metavar="FILM"),
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option(help="One film of each file, in this folder; those that are made are skipped.", metavar="DIR"),
    ] = None,
    target: Target = None,
    keep: Keep = "auto",
    look: Look = "auto",
    transitions: Transitions = "auto",
    sdr: Sdr = False,
    vfr: Vfr = "constant",
    track: Track = None,
    preset: Preset = None,
    effects: effect_options.Effects = "none",
    captions: effect_options.Captions = None,
    title: effect_options.Title = None,
    logo: effect_options.Logo = None,
    music: effect_options.Music = None,
    reframe: effect_options.Reframe = None,
    stabilise: effect_options.Stabilise = False,
    denoise: effect_options.Denoise = 0.0,
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
    """Footage in; the film, its timeline (.otio) and its report (.html, .json) out."""
    from roughcut import pipeline
    from roughcut.cli import each, shown

    wishes: dict[str, Any] = {
        "target": target, "keep": keep, "look": look, "transitions": transitions, "sdr": sdr, "vfr": vfr,
        "effects": effects, "captions": captions, "title": title, "logo": logo, "music": music, "reframe": reframe,
        "stabilise": stabilise, "denoise": denoise,
    }  # fmt: skip
    if out is None or out_dir is not None:
        each.edit(
            files, each.one_folder(out, out_dir), preset=preset, hardware=hardware, smart=smart, resume=resume,
            plan_only=plan_only, dry_run=dry_run, force=force,
            cache=not no_cache, as_json=as_json, quiet=quiet, track=track, **wishes,
        )  # fmt: skip
        return
    with display.progress(quiet or as_json) as progress:
        if dry_run or plan_only:
            plan = pipeline.plan_files(
                files, track=track, cache=not no_cache, progress=progress, preset=preset, **wishes
            )
            timeline = None if dry_run else pipeline.write_plan(plan, out.with_suffix(".otio"), force=force)
        else:
            result = pipeline.edit(
                files, out, track=track, preset=preset, hardware=hardware, smart=smart, resume=resume, force=force,
                cache=not no_cache, progress=progress, **wishes,
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
def plan(
    files: Files,
    out: Annotated[Path, typer.Option("--out", "-o", help="The timeline, an .otio file.", metavar="TIMELINE")],
    target: Target = None,
    keep: Keep = "auto",
    look: Look = "auto",
    transitions: Transitions = "auto",
    sdr: Sdr = False,
    vfr: Vfr = "constant",
    track: Track = None,
    preset: Preset = None,
    effects: effect_options.Effects = "none",
    captions: effect_options.Captions = None,
    title: effect_options.Title = None,
    logo: effect_options.Logo = None,
    music: effect_options.Music = None,
    reframe: effect_options.Reframe = None,
    stabilise: effect_options.Stabilise = False,
    denoise: effect_options.Denoise = 0.0,
    dry_run: DryRun = False,
    force: Force = False,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Decide the edit and write it as a timeline that Resolve, Premiere and Kdenlive open."""
    from roughcut import pipeline
    from roughcut.cli import shown

    wishes: dict[str, Any] = {
        "target": target, "keep": keep, "look": look, "transitions": transitions, "sdr": sdr, "vfr": vfr,
        "effects": effects, "captions": captions, "title": title, "logo": logo, "music": music, "reframe": reframe,
        "stabilise": stabilise, "denoise": denoise,
    }  # fmt: skip
    with display.progress(quiet or as_json) as progress:
        made = pipeline.plan_files(files, track=track, cache=not no_cache, progress=progress, preset=preset, **wishes)
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


@app.command()
def train(
    task: Annotated[str, typer.Argument(help="shots, encoder, moments or colour.")],
    data: Annotated[Path, typer.Option(help="The manifest (JSON Lines); see docs/models.md.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run: checkpoints, curves, the network.")],
    config: Annotated[Path | None, typer.Option(help="TOML settings, such as configs/shots.toml.")] = None,
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Train this many steps instead of the config's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write curves for TensorBoard.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network from labelled data (needs the extra `train`)."""
    from roughcut.cli import shown

    training = shown.training_room()
    with display.progress(quiet or as_json) as progress:
        result = training.train(
            task, data, out, config=config, seed=seed, steps=steps, resume=resume, tensorboard=tensorboard,
            progress=progress,
        )  # fmt: skip
    shown.trained(result, as_json=as_json)


@app.command()
def evaluate(
    task: Annotated[str, typer.Argument(help="shots, moments, colour or expression.")],
    data: Annotated[Path, typer.Option(help="Folder (expression: or CSV) of labelled data.")],
    models: Annotated[Path | None, typer.Option(help="Folder of networks to measure, not the shipped.")] = None,
    split: Annotated[str | None, typer.Option(help="Which published split, where the task has several (csta).")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a network on labelled data, beside simple baselines."""
    from roughcut.cli import shown

    evaluation = shown.evaluation_room()
    options = {} if split is None else {"split": split}
    with display.progress(quiet or as_json) as progress:
        report = evaluation.evaluate(task, data, models=models, progress=progress, **options)
    display.say_json(report.json()) if as_json else display.say(report.table())
