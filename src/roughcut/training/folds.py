"""`python -m roughcut.training.folds MANIFEST -o FOLDER`: the moments recipe, once per published fold.

Each fold's test films are kept out of everything; the learning rate is chosen on validation films among the rest.
`roughcut evaluate moments` reads the predictions this leaves behind.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from roughcut.errors import RoughcutError
from roughcut.training.files import write_whole
from roughcut.training.loop import fit
from roughcut.training.moments import MomentTask
from roughcut.training.settings import LoopSettings, read_config, settings
from roughcut.training.tasks import Recipe, TaskInput

FOLDS = 5
VALIDATION = 0.2
RATES = (3e-4, 1e-3, 3e-3)


def train_fold(manifest: Path, out: Path, config: Path | None, fold: int, seed: int) -> dict[str, float]:
    """Choose the learning rate on validation films, then learn from all but the test films into `out/fold-N`.

    Returns:
        The validation score of each rate; `rate` is the one taken.
    """
    tables = read_config(config)
    loop = settings(LoopSettings, tables["train"], where="[train]")
    options = {**tables["task"], "fold": fold}
    folder = out / f"fold-{fold}"
    trial = MomentTask(TaskInput(data=manifest, options={**options, "validation": VALIDATION}, seed=seed))
    scores = {r: fit(trial, folder / f"rate-{r}", replace(loop, rate=r), seed=seed).scores["score"] for r in RATES}
    rate = max(scores, key=lambda r: scores[r])
    task = MomentTask(TaskInput(data=manifest, options={**options, "validation": 0.0}, seed=seed))
    fitted = fit(task, folder, replace(loop, rate=rate), seed=seed)
    recipe = Recipe(
        task=task.name,
        config={"train": {**tables["train"], "rate": rate}, "task": options},
        seed=seed,
        data=manifest.name,
        steps=fitted.steps,
        wall_seconds=fitted.wall_seconds,
        scores=fitted.scores,
    )
    network = fitted.network
    task.export(network, folder, recipe)
    write_whole(folder / "predictions.json", json.dumps({**trial.predictions(network), "timing": task.timing(network)}))
    return {**{f"{r:g}": score for r, score in scores.items()}, "rate": rate}


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
            print(f"fold {fold}:", *(f"{name} {value:.4g}" for name, value in scores.items()), flush=True)
    except RoughcutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
