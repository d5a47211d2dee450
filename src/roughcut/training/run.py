"""`roughcut train TASK`: manifest and config in; a trained, exported, checked network and its card out."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from roughcut.errors import DataError
from roughcut.records import Progress, no_progress
from roughcut.training import registry, tasks
from roughcut.training.boards import board_log
from roughcut.training.files import write_whole
from roughcut.training.loop import FitResult, Log, fit
from roughcut.training.settings import LoopSettings, read_config, settings


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What a training left behind."""

    task: str
    out: Path
    models: tuple[Path, ...]
    """Exported ONNX files, each with its card beside; empty where training was interrupted before a validation."""
    scores: dict[str, float]
    steps: int
    wall_seconds: float
    ended: str
    """`finished`, `no longer better` or `interrupted` (go on with resume)."""


def train(
    task: str,
    data: Path,
    out: Path,
    *,
    config: Path | None = None,
    seed: int = 0,
    resume: bool = False,
    steps: int | None = None,
    cache: Path | None = None,
    tensorboard: bool = False,
    progress: Progress = no_progress,
    log: Log | None = None,
) -> TrainResult:
    """Train a task and export its networks into `out`.

    Args:
        task: a name in `training.registry.TASKS`.
        data: the manifest (JSON Lines).
        out: the run's folder: checkpoints, history, models, `result.json`.
        config: TOML with `[train]` and `[task]`; the defaults where None.
        steps: overrides the config's.
        cache: where decoded material is kept; `cache` beside `out` where None.
        tensorboard: also write validation curves for TensorBoard (needs the package).

    Raises:
        OptionError: unknown task, config or setting. DataError: the manifest is wrong. ModelError: see `resume`.
    """
    builder = registry.find(task)
    tables = read_config(config)
    if steps is not None:
        tables["train"]["steps"] = steps
    loop = settings(LoopSettings, tables["train"], where="[train]")
    if not data.is_file():
        raise DataError("no such manifest", where=data, next_step="write one, or prepare one (docs/models.md)")
    parts = tasks.TaskInput(
        data=data, options=tables["task"], seed=seed, cache=cache or out.parent / "cache", progress=progress
    )
    job = builder(parts)
    fitted = fit(job, out, loop, seed=seed, resume=resume, progress=progress, log=board_log(out, log, tensorboard))
    models = _export(job, fitted, out, _recipe(task, data, tables, seed, fitted)) if fitted.scores else []
    result = TrainResult(
        task=task,
        out=out,
        models=tuple(models),
        scores=fitted.scores,
        steps=fitted.steps,
        wall_seconds=round(fitted.wall_seconds, 1),
        ended=fitted.ended,
    )
    _write_result(result)
    return result


def _export(job: tasks.Task, fitted: FitResult, out: Path, recipe: tasks.Recipe) -> list[Path]:
    """The first process alone exports."""
    return job.export(fitted.network, out, recipe) if os.environ.get("RANK", "0") == "0" else []


def _recipe(task: str, data: Path, config: dict[str, Any], seed: int, fitted: FitResult) -> tasks.Recipe:
    return tasks.Recipe(
        task=task,
        config=config,
        seed=seed,
        data=f"{data.name} sha256:{hashlib.sha256(data.read_bytes()).hexdigest()}",
        steps=fitted.steps,
        wall_seconds=round(fitted.wall_seconds, 1),
        scores=fitted.scores,
    )


def _write_result(result: TrainResult) -> None:
    write_whole(result.out / "result.json", json.dumps(asdict(result), indent=1, default=str))
