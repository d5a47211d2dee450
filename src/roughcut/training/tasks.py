"""The adapter layer: a task is a small class, and nothing else changes when one is added.

A task says what its batches, network, loss and metrics are; the loop, checkpoints, resume, progress and cards are
the same for all. To add one: write the class in a file of this room, and name it in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from roughcut.records import Progress, no_progress

Batch = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network came to be; goes into its card."""

    task: str
    config: Mapping[str, Any]
    seed: int
    data: str
    """The manifest's name and SHA-256."""
    steps: int
    wall_seconds: float
    scores: Mapping[str, float]
    """What the last `validate` of the exported weights said."""


@dataclass(frozen=True, kw_only=True)
class TaskInput:
    """What every task is built from."""

    data: Path
    """The manifest (docs/models.md, "The manifest")."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The config's `[task]` table."""
    seed: int = 0
    cache: Path = Path("runs/cache")
    """Where decoded material may be kept between runs."""
    progress: Progress = no_progress


class Task(Protocol):
    """What the loop asks of a task. Batches depend on (seed, step) alone, so a resumed run continues exactly."""

    name: str

    def network(self) -> nn.Module:
        """A fresh network; the loop has seeded PyTorch before."""

    def batch(self, step: int) -> Batch:
        """The training batch of a step."""

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """A scalar to make small."""

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Metrics on the validation part; `score` is the one that early stopping wants large."""

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """Write ONNX files with cards into `folder`, checked against PyTorch; returns the ONNX files."""


TaskBuilder = Callable[[TaskInput], Task]
