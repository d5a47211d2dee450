"""The mood network: what is seen and heard at 2 Hz in, valence and arousal and how sure of them out.

    [N, T, 19]  --standardised, what is not known 0-->  TemporalMapper  -->  heads valence, arousal [N, T, 2] each

A head gives the value in -1..1 and the logarithm of the variance of its error (Kendall and Gal 2017, "What
uncertainties do we need in Bayesian deep learning for computer vision?").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from roughcut.networks.heads import Head, TaskNetwork
from roughcut.networks.temporal import MapperConfig, State, TemporalMapper


class MoodNetwork(TaskNetwork):
    """Rows [N, T, A + R + 4]: A absolute columns, R relative ones, and what of them is known.

    Args:
        centre, scale: [A] of the absolute columns.
        needs: [A + R] which of the four masks a column needs to mean anything; -1 for none.
    """

    centre: Tensor
    scale: Tensor
    needed: Tensor

    def __init__(
        self, centre: Sequence[float], scale: Sequence[float], needs: Sequence[int], *, heads: Sequence[str],
        hidden: int, layers: int, dropout: float,
    ) -> None:  # fmt: skip
        columns, masks = len(needs), 4
        trunk = TemporalMapper(MapperConfig(inputs=columns + masks, hidden=hidden, layers=layers, dropout=dropout))
        super().__init__(trunk, {name: Head(trunk.width, 2) for name in heads})
        beside = columns - len(centre)
        self.register_buffer("centre", torch.tensor([*centre, *[0.0] * beside]))
        self.register_buffer("scale", torch.tensor([*scale, *[1.0] * beside]))
        needed = torch.zeros(masks + 1, columns)
        needed[torch.tensor(needs), torch.arange(columns)] = 1  # row -1 is that of columns that are always known
        self.register_buffer("needed", needed)

    def forward(self, rows: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        return self._told(self.trunk(self._known(rows), lengths))

    def step(self, rows: Tensor, block: int | Tensor, state: State) -> tuple[dict[str, Tensor], State]:
        u, state = self.trunk.step(self._known(rows), block, state)
        return self._told(u), state

    def _known(self, rows: Tensor) -> Tensor:
        masks = rows[..., len(self.centre) :]
        there = torch.cat([masks, torch.ones_like(masks[..., :1])], -1) @ self.needed
        return torch.cat([(rows[..., : len(self.centre)] - self.centre) / self.scale * there, masks], -1)

    def _told(self, u: Tensor) -> dict[str, Tensor]:
        told = {name: head(u) for name, head in self.heads.items()}
        return {name: torch.cat([torch.tanh(t[..., :1]), t[..., 1:].clamp(-8, 2)], -1) for name, t in told.items()}
