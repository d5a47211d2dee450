"""PyTorch to ONNX: export, prove that both say the same, write the card."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn

from roughcut.errors import ModelError, OutputError
from roughcut.models import store
from roughcut.networks.heads import TaskNetwork
from roughcut.training.files import write_whole
from roughcut.training.tasks import Recipe

OPSET = 18
TOLERANCE = 1e-4
Axes = Mapping[str, Mapping[int, str]]
"""Input or output name -> axis -> the word that stands for its free size."""


class StreamStep(nn.Module):
    """`step` of a network with trunk and heads, as ONNX wants it: tensors in, a flat tuple out."""

    def __init__(self, network: TaskNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: Tensor, block: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        logits, (h, c) = self.network.step(rows, block, (h, c))
        return (*logits.values(), h, c)


def export_stream(network: TaskNetwork, path: Path, *, context: int = 0, columns: int | None = None) -> float:
    """Export a trunk with its heads for `temporal.mapper.BlockStream`.

    Inputs `rows [1, n, columns]`, `block` (int64 scalar), `h`, `c`; outputs one `[1, block, K]` per head, `h_next`,
    `c_next`. `context` rows on either side of the block are read by the network before its trunk.

    Returns:
        The largest difference found between PyTorch and ONNX Runtime.
    """
    trunk = network.trunk.config
    columns = columns or trunk.inputs
    state = network.trunk.initial_state()

    def case(block: int, after: int) -> dict[str, Tensor]:
        rows = torch.rand(1, block + after + 2 * context, columns)
        return {"rows": rows, "block": torch.tensor(block), "h": state[0] + 0.1, "c": state[1] - 0.1}

    names = [*network.heads, "h_next", "c_next"]
    axes: dict[str, dict[int, str]] = {"rows": {1: "rows"}, **{name: {1: "block"} for name in network.heads}}
    step = StreamStep(network).eval()
    to_onnx(step, case(trunk.block, trunk.lookahead), path, outputs=names, axes=axes)
    cases = [case(trunk.block, trunk.lookahead), case(1, 0), case(7, 5)]
    return check_equal(step, path, cases)


def to_onnx(module: nn.Module, inputs: Mapping[str, Tensor], path: Path, *, outputs: Sequence[str], axes: Axes) -> None:
    """Write a module as one self-contained ONNX file, under its name only when whole.

    Raises:
        OutputError: the file cannot be written.
    """
    temporary = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter(
                "ignore"
            )  # the tracing exporter keeps LSTM as one ONNX operator; the newer one unrolls
            torch.onnx.export(
                module.eval(),
                tuple(inputs.values()),
                str(temporary),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={name: dict(free) for name, free in axes.items()},
                opset_version=OPSET,
                dynamo=False,
            )
        temporary.replace(path)
    except OSError as error:
        raise OutputError("the network cannot be written", where=path, got=error) from error


def check_equal(module: nn.Module, path: Path, cases: Sequence[Mapping[str, Tensor]]) -> float:
    """The largest difference between PyTorch and ONNX Runtime over the cases, as a share of the largest answer above 1.

    Raises:
        ModelError: it is above 1e-4, or the shapes differ.
    """
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for case in cases:
        with torch.no_grad():
            wanted = module(*case.values())
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        given = session.run(None, {name: t.numpy() for name, t in case.items()})
        worst = max([worst, *(_difference(g, w.numpy()) for g, w in zip(given, wanted, strict=True))])
    if not worst <= TOLERANCE:
        raise ModelError("PyTorch and ONNX disagree", where=path, got=worst, allowed=f"<= {TOLERANCE}")
    return worst


def write_card(path: Path, *, version: str, recipe: Recipe, data: Sequence[str], **facts: Any) -> Path:
    """The card beside an ONNX file: contract read from the file itself, recipe, data, scores and `facts`."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    card = {
        "format": store.CARD_FORMAT,
        "name": path.stem,
        "version": version,
        "sha256": store.digest(path),
        "bytes": path.stat().st_size,
        "licence": "Apache-2.0",
        "threads": 1,
        "inputs": {node.name: _contract(node) for node in session.get_inputs()},
        "outputs": {node.name: _contract(node) for node in session.get_outputs()},
        **facts,
        "training_data": list(data),
        "recipe": {
            "task": recipe.task,
            "config": recipe.config,
            "seed": recipe.seed,
            "manifest": recipe.data,
            "steps": recipe.steps,
            "wall_seconds": recipe.wall_seconds,
            "torch": torch.__version__,
        },
        "validation": dict(recipe.scores),
    }
    card_path = path.with_suffix(".json")
    write_whole(card_path, json.dumps(card, indent=1) + "\n")
    return card_path


def _contract(node: Any) -> dict[str, Any]:
    dtype = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(uint8)": "uint8"}[node.type]
    return {"dtype": dtype, "shape": list(node.shape)}


def _difference(a: Any, b: Any) -> float:
    if a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    # logits of 20 carry fewer decimals in float32 than logits of 1
    return float(np.abs(a.astype(np.float64) - b).max() / max(1.0, float(np.abs(b).max())))
