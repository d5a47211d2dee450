"""`python -m roughcut.training.folds MANIFEST -o FOLDER`: the moments recipe, once per published fold.

Each fold's test films are kept out of everything: caption space, bridge, network, and the choice of the ridge
regression's strength. `roughcut evaluate moments` reads the predictions this leaves behind.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from roughcut.errors import RoughcutError
from roughcut.records import Progress
from roughcut.training.files import write_whole
from roughcut.training.loop import fit
from roughcut.training.moments import MomentTask
from roughcut.training.prepare import prepare
from roughcut.training.settings import LoopSettings, read_config, settings
from roughcut.training.tasks import Recipe, TaskInput

FOLDS = 5
RECIPE: dict[str, dict[str, Any]] = {
    "train": {
        "steps": 40, "rate": 1e-3, "warmup": 5, "weight_decay": 0.05, "validate_every": 20, "patience": 100,
    },
    "task": {"validation": 0.0},
}  # fmt: skip
"""What ships: `configs/moments.toml`."""
Recipes = Mapping[str, dict[str, Any]]


def predict_folds(data: Path, out: Path, progress: Progress) -> Path:
    """Train all folds of a data folder by the recipe that ships; returns `out`, for `evaluate_moments`."""
    manifest = out / "moments.jsonl"
    prepare("moments", data.parent if data.name == "moments" else data, manifest)
    stage = "training on each fold's other films"
    progress(stage, 0, FOLDS)
    for fold, _ in enumerate(train_folds(manifest, out, RECIPE, 0)):
        progress(stage, fold + 1, FOLDS)
    return out


def train_folds(manifest: Path, out: Path, tables: Recipes, seed: int) -> Iterator[dict[str, float]]:
    """`train_fold` for every fold, one by one as they are asked for."""
    return (train_fold(manifest, out, tables, fold, seed) for fold in range(FOLDS))


def train_fold(manifest: Path, out: Path, tables: Recipes, fold: int, seed: int) -> dict[str, float]:
    """Learn from all but the test films into `out/fold-N`; returns the scores on the films learned from."""
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
    return fitted.scores


def main(arguments: list[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m roughcut.training.folds", description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, help="the recipe; the one that ships where it is left out")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    try:
        tables = RECIPE if given.config is None else read_config(given.config)
        for fold, scores in enumerate(train_folds(given.manifest, given.out, tables, given.seed)):
            print(f"fold {fold}:", *(f"{name} {value:.3f}" for name, value in scores.items()), flush=True)
    except RoughcutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
