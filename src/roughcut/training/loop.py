"""The training loop, all of it, for one process or many (`torchrun`).

Every step depends on (seed, step) alone: the batch, dropout, the learning rate. So a run that was killed and resumed
ends with the very weights of one that was not.
"""

from __future__ import annotations

import copy
import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from roughcut.errors import DataError, ModelError
from roughcut.records import Progress, no_progress
from roughcut.training import checkpoint
from roughcut.training.settings import LoopSettings
from roughcut.training.tasks import Task
from roughcut.training.world import World

Log = Callable[[Mapping[str, float]], None]
"""Called after every validation with `step`, `loss` and the task's metrics."""


Ending = Literal["finished", "no longer better", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """How training ended. `network` carries the weights with the best validation score."""

    network: nn.Module
    scores: dict[str, float]
    steps: int
    wall_seconds: float
    ended: Ending


@dataclass(kw_only=True)
class _State:
    """What a checkpoint remembers beside tensors."""

    step: int = 0
    best: float = -math.inf
    strikes: int = 0
    """Validations since the best one."""
    wall_seconds: float = 0.0
    seed: int = 0
    scores: dict[str, float] | None = None
    """Of the best validation."""

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "best": None if self.best == -math.inf else self.best}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> _State:
        state = cls(**{k: v for k, v in values.items() if k in cls.__dataclass_fields__})
        state.best = -math.inf if state.best is None else state.best
        return state


def fit(
    task: Task,
    out: Path,
    settings: LoopSettings,
    *,
    seed: int = 0,
    resume: bool = False,
    progress: Progress = no_progress,
    log: Log | None = None,
) -> FitResult:
    """Train a task's network; checkpoints and `history.jsonl` go to `out`. Ctrl-C saves a checkpoint and returns.

    Raises:
        ModelError: resuming without a usable checkpoint, or with another seed.
        DataError: the loss is not a number.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(seed)
    network = task.network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=settings.weight_decay)
    averaged = copy.deepcopy(network) if settings.average else None
    state = _resume(out, network, optimizer, averaged, seed) if resume else _State(seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    run = _Run(
        task=task, network=network, optimizer=optimizer, averaged=averaged, out=out, settings=settings, state=state,
        log=log,
    )  # fmt: skip
    with _interruptible() as interrupted:
        ended = _loop(run, interrupted, progress)
    run.world.agree(torch.zeros(1))  # the others wait until the first has written the best weights
    if state.scores is not None:
        checkpoint.load_weights(network, out / "best.safetensors")
    return FitResult(
        network=network.eval(),
        scores=state.scores or {},
        steps=state.step,
        wall_seconds=state.wall_seconds,
        ended=ended,
    )


def rate_at(step: int, settings: LoopSettings) -> float:
    """The learning rate of a step: linear warm-up, then a cosine down to a hundredth."""
    warm = min((step + 1) / max(settings.warmup, 1), 1.0)
    done = min(step / settings.steps, 1.0)
    return settings.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def _loop(run: _Run, interrupted: threading.Event, progress: Progress) -> Ending:
    state, settings = run.state, run.settings
    clock = time.monotonic() - state.wall_seconds
    while state.step < settings.steps:
        run.step()
        state.wall_seconds = time.monotonic() - clock
        progress(f"training {run.task.name}", state.step, settings.steps)
        if interrupted.is_set():
            run.save()
            return "interrupted"
        if state.step % settings.validate_every == 0 or state.step == settings.steps:
            run.validate()
            if state.strikes >= settings.patience:
                return "no longer better"
    return "finished"


@dataclass(kw_only=True)
class _Run:
    """A training under way: what a step and a validation need."""

    task: Task
    network: nn.Module
    optimizer: torch.optim.Optimizer
    averaged: nn.Module | None
    """The running mean of the network's weights, where one is kept."""
    out: Path
    settings: LoopSettings
    state: _State
    log: Log | None
    world: World = field(default_factory=World.join)
    losses: list[float] = field(default_factory=list)

    def step(self) -> None:
        """One batch forward and back."""
        state, settings = self.state, self.settings
        number = state.step * self.world.size + self.world.rank
        torch.manual_seed(state.seed * 1_000_003 + number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(state.step, settings)
        self.network.train()
        loss = self.task.loss(self.network, self.task.batch(number))
        if not math.isfinite(loss.item()):
            raise DataError("the loss is no longer a number", where=f"step {state.step}", got=loss.item())
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.world.average_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), settings.clip)
        self.optimizer.step()
        self.losses.append(loss.item())
        state.step += 1
        if self.averaged is not None:
            average_in(self.averaged, self.network, min(settings.average, state.step / (state.step + 10)))

    @property
    def judged(self) -> nn.Module:
        """What is validated and exported."""
        return self.network if self.averaged is None else self.averaged

    def validate(self) -> None:
        """Score the network, remember the best, and leave a checkpoint and a line of history."""
        state = self.state
        self.judged.eval()
        with torch.inference_mode():
            scores = self.task.validate(self.judged) if self.world.rank == 0 else {"score": 0.0}
        score = float(self.world.agree(torch.tensor(scores["score"], dtype=torch.float64)))
        better = score > state.best
        state.strikes = 0 if better else state.strikes + 1
        if better:
            state.best, state.scores = score, scores
        if better and self.world.rank == 0:
            checkpoint.save_weights(self.judged, self.out / "best.safetensors")
        self.save()
        self._tell(scores)
        self.losses.clear()

    def save(self) -> None:
        """Leave a checkpoint (the first process alone)."""
        if self.world.rank == 0:
            checkpoint.save(self.out, self.network, self.optimizer, self.state.as_json(), self.averaged)

    def _tell(self, scores: Mapping[str, float]) -> None:
        if self.world.rank:
            return
        loss = sum(self.losses) / max(len(self.losses), 1)
        line = {"step": self.state.step, "loss": loss, "seconds": round(self.state.wall_seconds, 1), **scores}
        with (self.out / "history.jsonl").open("a", encoding="utf-8") as history:
            history.write(json.dumps(line) + "\n")
        if self.log is not None:
            self.log(line)


def average_in(mean: nn.Module, network: nn.Module, decay: float) -> None:
    """Move a running mean of weights and buffers towards the network's: mean * decay + network * (1 - decay)."""
    with torch.no_grad():
        for old, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - decay)
            else:
                old.copy_(new)


def _resume(
    out: Path, network: nn.Module, optimizer: torch.optim.Optimizer, averaged: nn.Module | None, seed: int
) -> _State:
    state = _State.from_json(checkpoint.load(out, network, optimizer, averaged))
    if state.seed != seed:
        raise ModelError("the checkpoint was trained with another seed", where=out, got=seed, allowed=state.seed)
    return state


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Ctrl-C sets the event, so a step is never cut in half; a second Ctrl-C interrupts as usual."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def stop(number: int, frame: object) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)
