"""Does the LSTM earn its place? Three trunks trained alike on the same rows of the same films.

    python benchmarks/shot_trunks.py MANIFEST RUN [--films 480] [--steps 1200]

RUN is a folder that `roughcut train shots` left: its per-frame network and comparisons with neighbours are kept as they
are and make the rows, once. On them are trained, from scratch, with the same films, losses, steps and rate: a linear
model per row (a row already compares a frame with those up to 32 away), three dilated convolutions over time, and the
stacked LSTM. Printed are F1 and right kinds on the validation films, thresholds tuned there for each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from roughcut.networks.shots import CONTEXT, KINDS, ShotNetwork
from roughcut.networks.temporal import MapperConfig, TemporalMapper
from roughcut.temporal.mapper import sigmoid
from roughcut.training.checkpoint import load_weights
from roughcut.training.shots import Guess, ShotTask, score_guesses, tune
from roughcut.training.tasks import Batch, TaskInput

OUTPUTS = 2 + len(KINDS) + 1


class Convolutions(nn.Module):
    """Three temporal convolutions, dilated 1, 3, 9: each frame sees 52 on either side."""

    def __init__(self, inputs: int, hidden: int = 128) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(inputs, hidden), nn.LayerNorm(hidden), nn.ReLU())
        self.layers = nn.ModuleList(nn.Conv1d(hidden, hidden, 9, padding=4 * d, dilation=d) for d in (1, 3, 9))
        self.answer = nn.Linear(hidden, OUTPUTS)

    def forward(self, rows: Tensor) -> Tensor:
        x = self.project(rows).transpose(1, 2)
        for layer in self.layers:
            x = x + F.relu(layer(x))
        answer: Tensor = self.answer(x.transpose(1, 2))
        return answer


class Recurrent(nn.Module):
    """The shipped trunk."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.trunk = TemporalMapper(MapperConfig(inputs=inputs, hidden=96))
        self.answer = nn.Linear(self.trunk.width, OUTPUTS)

    def forward(self, rows: Tensor) -> Tensor:
        answer: Tensor = self.answer(self.trunk(rows))
        return answer


TRUNKS: dict[str, Callable[[int], nn.Module]] = {
    "linear": lambda inputs: nn.Sequential(nn.BatchNorm1d(inputs), nn.Linear(inputs, OUTPUTS)),
    "convolutions": Convolutions,
    "LSTM": Recurrent,
}


class OnRows(nn.Module):
    """A trunk that answers in the names of `ShotTask.loss`; "thumbs" are rows here."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, rows: Tensor) -> dict[str, Tensor]:
        if isinstance(self.trunk, nn.Sequential):
            answer = self.trunk(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
        else:
            answer = self.trunk(rows)
        change, kind, extent = answer.split([2, len(KINDS), 1], dim=2)
        return {"change": change, "kind": kind, "extent": extent}


def rows_of(network: ShotNetwork, thumbs: Tensor) -> Tensor:
    """[N, T, 27, 48, 3] to the rows that the trunk reads."""
    n, t = thumbs.shape[:2]
    descriptors = network.frames(thumbs.flatten(0, 1)).unflatten(0, (n, t))
    ends = (descriptors[:, :1].expand(-1, CONTEXT, -1), descriptors[:, -1:].expand(-1, CONTEXT, -1))
    rows: Tensor = network.mapper.neighbourhood(torch.cat([ends[0], descriptors, ends[1]], dim=1))
    return rows


def train(task: ShotTask, trunk: OnRows, batches: list[Batch], steps: int, rate: float = 2e-3) -> None:
    """The same steps for every trunk."""
    optimizer = torch.optim.AdamW(trunk.parameters(), lr=rate)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * (0.01 + 0.99 * (1 + np.cos(np.pi * step / steps)) / 2)
        loss = task.loss(trunk, batches[step % len(batches)])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trunk.parameters(), 1.0)
        optimizer.step()


@torch.inference_mode()
def guess(trunk: OnRows, rows: Tensor) -> Guess:
    """A film's answer."""
    logits = {name: t[0].numpy() for name, t in trunk(rows[None]).items()}
    change = sigmoid(logits["change"])
    return Guess(change[:, 0], change[:, 1], logits["kind"], sigmoid(logits["extent"][:, 0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--films", type=int, default=480)
    parser.add_argument("--steps", type=int, default=1200)
    given = parser.parse_args()
    torch.set_num_threads(1)
    task = ShotTask(TaskInput(data=given.manifest, seed=1, cache=given.run.parent / "cache"))
    network = task.network().eval()
    load_weights(network, given.run / "best.safetensors")
    with torch.inference_mode():
        drawn = [task.batch(2 * number) for number in range(given.films // task.options.batch)]
        batches = [{**batch, "thumbs": rows_of(network, batch["thumbs"])} for batch in drawn]
        films = task.validation_films()
        held_out = [rows_of(network, torch.from_numpy(film.thumbs)[None])[0] for film in films]
    batches = [{name: t.clone() for name, t in batch.items()} for batch in batches]
    for name, build in TRUNKS.items():
        torch.manual_seed(0)
        trunk, began = OnRows(build(network.mapper.neighbourhood.width)), time.process_time()
        train(task, trunk, batches, given.steps)
        guesses = [guess(trunk.eval(), rows) for rows in held_out]
        score = score_guesses(guesses, films, tune(guesses, films))
        size, right = sum(p.numel() for p in trunk.parameters()), score.right_kind / max(score.hits, 1)
        figures = f"F1 {score.f1:.3f}  precision {score.precision:.3f}  recall {score.recall:.3f}  right {right:.3f}"
        print(f"{name:14s}{size:>9,} weights  {figures}  {time.process_time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
