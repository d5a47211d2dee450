"""The moments network: rows of meaning with their context in, logits of keep, accent and lull out.

    [N, T, 5 K]: row | before | after | wide | film   --compare-->  [N, T, 4 K + 4]  --TemporalMapper-->  [N, T, 2 H]
                                                                          |                                   |
                                                                   linear, fitted before                  TagHeads
                                                                          \\_______________ + ________________/
                                                                                 keep, accent, lull

It is trained on rows of meaning (captions in a K-dimensional space) and run on rows of pictures: a linear map takes
an embedding to where its caption would lie, and a linear map of means is the mean of the maps.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from roughcut.networks.heads import Head, TagHead, TaskNetwork
from roughcut.networks.temporal import MapperConfig, State, TemporalMapper

INPUT_DROPOUT = 0.2
SCALE = 4.0  # brings differences of unit rows to about one
LIKENESS = 8.0  # cosines with the film are few beside them, and each says more


def compare(rows: Tensor) -> Tensor:
    """[N, T, 5 K] to [N, T, 4 K + 4]: what differs from the film, likeness to the film, novelty in the half minute."""
    row, before, after, wide, film = rows.chunk(5, dim=-1)
    near = (before + after) / 2
    pairs = ((row, film), (row, wide), (near, film), (wide, film))
    likeness = [LIKENESS * F.cosine_similarity(a, b, dim=-1, eps=1e-4)[..., None] for a, b in pairs]
    differences = [SCALE * (row - film), SCALE * (near - film), SCALE * (wide - film), SCALE * (after - before) / 2]
    return torch.cat([*differences, *likeness], dim=-1)


class MomentNetwork(TaskNetwork):
    """Rows of meaning [N, T, 5 K] to logits by head: a linear model of the compared rows, and what the LSTMs add.

    The linear model is fitted in closed form and stays; the heads begin at zero, so training starts from it.
    """

    def __init__(self, meanings: int, names: tuple[str, ...], *, hidden: int, layers: int, dropout: float) -> None:
        inputs = 4 * meanings + 4
        trunk = TemporalMapper(MapperConfig(inputs=inputs, hidden=hidden, layers=layers, dropout=dropout))
        super().__init__(trunk, {name: TagHead(trunk.width, 1) for name in names})
        self.linear = nn.ModuleDict({name: nn.Linear(inputs, 1) for name in names}).requires_grad_(False)
        for answer in self._answers():
            nn.init.zeros_(answer.weight)
            nn.init.zeros_(answer.bias)
        self.blind, self.dropout = nn.Dropout(INPUT_DROPOUT), nn.Dropout(dropout)

    def forward(self, rows: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        x = compare(rows)
        return self._answer(x, self.trunk(self.blind(x), lengths))

    def step(self, rows: Tensor, block: int | Tensor, state: State) -> tuple[dict[str, Tensor], State]:
        x = compare(rows)
        u, state = self.trunk.step(x, block, state)
        return self._answer(x[:, :block], u), state

    @torch.no_grad()
    def start_linear(self, name: str, weights: Tensor, bias: float) -> None:
        """Set the linear model of a head: [4 K + 4] weights of the compared rows."""
        linear = self.linear.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        linear.weight.copy_(weights[None])
        linear.bias.fill_(bias)

    @torch.no_grad()
    def spread(self, name: str, middle: float, gain: float) -> None:
        """Let a head say `gain * (logit - middle)`: the order of rows stays."""
        head, linear = self.heads.get_submodule(name), self.linear.get_submodule(name)
        assert isinstance(head, TagHead)
        assert isinstance(linear, nn.Linear)
        for layer in (head.answer, linear):
            layer.weight.mul_(gain)
            layer.bias.mul_(gain)
        linear.bias.sub_(middle * gain)

    def _answers(self) -> list[nn.Linear]:
        return [head.answer for head in self.heads.values() if isinstance(head, TagHead)]

    def _answer(self, x: Tensor, u: Tensor) -> dict[str, Tensor]:
        seen = self.dropout(u)
        return {name: self.linear[name](x) + head(seen) for name, head in self.heads.items()}


class PictureMoments(TaskNetwork):
    """A `MomentNetwork` that reads pictures: rows of embeddings [N, T, 5 D] to logits by head. What is exported."""

    def __init__(self, network: MomentNetwork, bridge: Tensor, offset: Tensor) -> None:
        """`bridge` [D, K] and `offset` [K]: where the caption of an embedding would lie."""
        heads = {name: head for name, head in network.heads.items() if isinstance(head, Head)}
        super().__init__(network.trunk, heads)
        self.network = network
        self.bridge = nn.Linear(*bridge.shape)
        with torch.no_grad():
            self.bridge.weight.copy_(bridge.T)
            self.bridge.bias.copy_(offset)

    def forward(self, rows: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        return self.network(self.meaning(rows), lengths)  # type: ignore[no-any-return]

    def step(self, rows: Tensor, block: int | Tensor, state: State) -> tuple[dict[str, Tensor], State]:
        return self.network.step(self.meaning(rows), block, state)

    def meaning(self, rows: Tensor) -> Tensor:
        """[N, T, 5 D] to [N, T, 5 K]."""
        return torch.cat([self.bridge(part) for part in rows.chunk(5, dim=-1)], dim=-1)
