"""`python -m roughcut.training.folds MANIFEST -o FOLDER`: the moments recipe, once per published fold.

Each fold's test films are kept out of everything: caption space, bridge, network, and what is chosen by holding out
parts of the training films in turn (`training.moment_methods.choose`). `roughcut evaluate moments` reads the
predictions this leaves behind.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from roughcut.errors import RoughcutError
from roughcut.training.files import write_whole
from roughcut.training.loop import fit
from roughcut.training.moments import MomentTask
from roughcut.training.settings import LoopSettings, read_config, settings
from roughcut.training.tasks import Recipe, TaskInput

FOLDS = 5


def train_fold(manifest: Path, out: Path, config: Path | None, fold: int, seed: int) -> dict[str, Any]:
    """Learn from all but the test films into `out/fold-N`.

    Returns:
        What was chosen inside the training films.
    """
    tables = read_config(config)
    options = {**tables["task"], "fold": fold, "validation": 0.0}
    folder = out / f"fold-{fold}"
    task = MomentTask(TaskInput(data=manifest, options=options, seed=seed))
    fitted = fit(task, folder, settings(LoopSettings, tables["train"], where="[train]"), seed=seed)
    recipe = Recipe(
        task=task.name,
        config={"train": tables["train"], "task": options},
        seed=seed,
        data=manifest.name,
        steps=fitted.steps,
        wall_seconds=fitted.wall_seconds,
        scores=fitted.scores,
    )
    said = task.predictions(fitted.network)
    task.export(fitted.network, folder, recipe)
    write_whole(folder / "predictions.json", json.dumps({**said, "timing": task.timing(fitted.network)}))
    choice: dict[str, Any] = said["choice"]
    return choice


def main(arguments: list[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m roughcut.training.folds", description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    try:
        for fold in range(FOLDS):
            choice = train_fold(given.manifest, given.out, given.config, fold, given.seed)
            print(f"fold {fold}: {json.dumps(choice)}", flush=True)
    except RoughcutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
