"""One process or many: under `torchrun` every process takes its own batches and the gradients are averaged.

Outside `torchrun` all of this does nothing. Every process starts from the same seed, so the networks are equal at
the start, and stay so because they take the same steps.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class World:
    """This process's place among `size`."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls) -> World:
        """Join the processes that torchrun started; a world of one without it."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("gloo")
        return cls(dist.get_rank(), size)

    def average_gradients(self, network: nn.Module) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.size == 1:
            return
        for parameter in network.parameters():
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.size

    def agree(self, value: Tensor) -> Tensor:
        """The first process's value, everywhere."""
        if self.size > 1:
            dist.broadcast(value, src=0)
        return value
