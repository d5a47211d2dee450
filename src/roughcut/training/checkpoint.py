"""Checkpoints: weights and optimizer state as safetensors, everything else as JSON beside. Nothing is ever pickled.

    runs/x/checkpoint.json                  {"format": ..., "tensors": "checkpoint-000400.safetensors", "step": 400 ...}
    runs/x/checkpoint-000400.safetensors    network.*, optimizer.<parameter>.<state>, average.*
    runs/x/best.safetensors                 the weights with the best score so far

The JSON is replaced last and names its tensors, so a kill at any moment leaves a whole checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from roughcut.errors import ModelError, OutputError
from roughcut.training.files import write_whole

FORMAT = "roughcut.checkpoint.1"
_FRESH = "train without --resume, or into another folder"


def save_weights(network: nn.Module, path: Path) -> None:
    """The network's weights and buffers as one safetensors file, written whole or not at all."""
    _write(path, {name: t.contiguous() for name, t in network.state_dict().items()})


def load_weights(network: nn.Module, path: Path) -> None:
    """Read what `save_weights` wrote into a network of the same shape.

    Raises:
        ModelError: the file is missing, damaged, or of another network.
    """
    _fill(network, _read(path), path)


def save(
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Any],
    averaged: nn.Module | None = None,
) -> None:
    """Write a checkpoint; `state` is JSON and holds at least `step`; `averaged` is the running mean, if one is kept."""
    tensors = {f"network.{name}": t.contiguous() for name, t in network.state_dict().items()}
    if averaged is not None:
        tensors |= {f"average.{name}": t.contiguous() for name, t in averaged.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value.contiguous() for key, value in values.items()}
    name = f"checkpoint-{state['step']:06d}.safetensors"
    _write(folder / name, tensors)
    write_whole(folder / "checkpoint.json", json.dumps({"format": FORMAT, "tensors": name, **state}, indent=1))
    for old in folder.glob("checkpoint-*.safetensors"):
        if old.name != name:
            old.unlink()


def load(
    folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer, averaged: nn.Module | None = None
) -> dict[str, Any]:
    """Read the folder's checkpoint into network, optimizer and running mean; returns its `state`.

    Raises:
        ModelError: there is none, it is damaged, of another version or of another network.
    """
    state = read_state(folder)
    path = folder / state["tensors"]
    tensors = _read(path)
    _fill(network, _part(tensors, "network."), path)
    if averaged is not None:
        _fill(averaged, _part(tensors, "average."), path)
    slots: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _part(tensors, "optimizer.").items():
        index, key = name.split(".", 1)
        slots.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    return state


def read_state(folder: Path) -> dict[str, Any]:
    """The checkpoint's JSON, its version checked.

    Raises:
        ModelError: there is none, or it is not one of ours.
    """
    path = folder / "checkpoint.json"
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError("no checkpoint to resume from", where=folder, next_step=_FRESH) from error
    except (OSError, ValueError) as error:
        raise ModelError("the checkpoint cannot be read", where=path, got=error, next_step=_FRESH) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        got = state.get("format") if isinstance(state, dict) else type(state).__name__
        raise ModelError("a checkpoint of another version", where=path, got=got, allowed=FORMAT, next_step=_FRESH)
    return state


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError as error:
        first, *others = str(error).splitlines()[1:] or [str(error)]  # PyTorch lists every tensor that does not fit
        got = first.strip() + (f" and {len(others)} more" if others else "")
        raise ModelError("weights of another network", where=path, got=got, next_step=_FRESH) from error


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError("the weights cannot be read", where=path, got=error, next_step=_FRESH) from error


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    temporary = path.with_name(path.name + ".part")
    try:
        save_file(tensors, temporary)
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise OutputError("the weights cannot be written", where=path, got=error) from error
