"""`train` and `evaluate`, which need the extra `train`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from roughcut.cli import display
from roughcut.cli.app import app
from roughcut.cli.options import (
    Json,
    Quiet,
)


@app.command()
def train(
    task: Annotated[
        str, typer.Argument(help="shots, encoder, moments, mood, colour, restoration, expression or faces.")
    ],
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
    task: Annotated[str, typer.Argument(help="shots, moments, mood, colour, restoration, expression or faces.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder (expression: or CSV) of labelled data; mood can do without.")
    ] = None,
    models: Annotated[
        Path | None, typer.Option(help="Folder of networks to measure instead (faces: or a file).")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Which published split, where the task has several (csta).")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a network on labelled data, beside simple baselines."""
    from roughcut.cli import shown

    evaluation = shown.evaluation_room()
    options = {} if split is None else {"split": split}
    with display.progress(quiet or as_json) as progress, TemporaryDirectory() as place:
        if task == "moments" and models is None and data is not None and data.is_dir() and split in (None, "csta"):
            # what ships has learned from these films
            models = shown.moment_folds(data, Path(place), progress)
        report = evaluation.evaluate(task, data, models=models, progress=progress, **options)
    display.say_json(report.json()) if as_json else display.say(report.table())
