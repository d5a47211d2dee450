"""`python -m roughcut.training.folds MANIFEST -o FOLDER`: the moments recipe, once per published fold.

Each fold's test films are kept out of everything; when to stop is decided by validation films among the rest.
`roughcut evaluate moments` reads the predictions this leaves behind.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from roughcut.errors import RoughcutError
from roughcut.training.loop import fit
from roughcut.training.moments import MomentTask
from roughcut.training.settings import LoopSettings, read_config, settings
from roughcut.training.tasks import Recipe, TaskInput

FOLDS = 5
VALIDATION = 0.2


def train_fold(manifest: Path, out: Path, config: Path | None, fold: int, seed: int) -> dict[str, float]:
    """Train on all films but the fold's into `out/fold-N`: network and predictions. Returns validation scores."""
    tables = read_config(config)
    options = {**tables["task"], "fold": fold, "validation": VALIDATION}
    loop = replace(settings(LoopSettings, tables["train"], where="[train]"), validate_every=10)
    task = MomentTask(TaskInput(data=manifest, options=options, seed=seed))
    folder = out / f"fold-{fold}"
    fitted = fit(task, folder, loop, seed=seed)
    recipe = Recipe(
        task=task.name,
        config={"train": tables["train"], "task": options},
        seed=seed,
        data=manifest.name,
        steps=fitted.steps,
        wall_seconds=fitted.wall_seconds,
        scores=fitted.scores,
    )
    task.export(fitted.network, folder, recipe)
    return fitted.scores


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
            scores = train_fold(given.manifest, given.out, given.config, fold, given.seed)
            print(f"fold {fold}:", *(f"{name} {value:.3f}" for name, value in scores.items()), flush=True)
    except RoughcutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
