"""The three kinds of answers a trunk gives. A head kind owns only its loss and its metric.

    tag       one answer per step and column, each a probability: boundary, inside, keep, accent
    classify  one class per stream: the type of a transition, the quality of a clip
    rank      one score per candidate; only the order counts: which moment, clip or look comes first

Before each head stands an adapter (Houlsby et al., "Parameter-efficient transfer learning for NLP", 2019): a bottleneck
beside the trunk that starts at zero, so a new task begins with exactly what the trunk knows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from roughcut.networks.temporal import State, TemporalMapper


class Adapter(nn.Module):
    """u + up(relu(down(u))) with `up` zero at the start; [..., width] to [..., width]."""

    def __init__(self, width: int, bottleneck: int = 16) -> None:
        super().__init__()
        self.down = nn.Linear(width, bottleneck)
        self.up = nn.Linear(bottleneck, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, u: Tensor) -> Tensor:
        added: Tensor = self.up(F.relu(self.down(u)))
        return u + added


class Head(nn.Module):
    """Adapter and linear answer: `[N, T, width]` to `[N, T, outputs]`."""

    def __init__(self, width: int, outputs: int, bottleneck: int = 16) -> None:
        super().__init__()
        self.adapter = Adapter(width, bottleneck)
        self.answer = nn.Linear(width, outputs)

    def forward(self, u: Tensor) -> Tensor:
        logits: Tensor = self.answer(self.adapter(u))
        return logits


class TagHead(Head):
    """A probability per step and column; `sigmoid` of the logits."""

    @staticmethod
    def loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Mean binary cross entropy of [N, T, K] logits under soft targets in [0, 1], weighted step by step."""
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return (each * weights).sum() / weights.sum().clamp(min=1e-6)

    @staticmethod
    def metric(scores: Tensor, targets: Tensor) -> float:
        """Average precision of scores against targets above 0.5, both of one shape; 0 without any positive."""
        order = scores.flatten().argsort(descending=True, stable=True)
        hits = (targets.flatten()[order] > 0.5).double()
        if not hits.any():
            return 0.0
        precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1, device=hits.device)
        return float((precision * hits).sum() / hits.sum())


class ClassifyHead(Head):
    """One class per stream: the mean of its steps' logits, so a stream may be a whole film or a few of its steps."""

    @staticmethod
    def pool(logits: Tensor, mask: Tensor) -> Tensor:
        """[N, T, C] step logits and [N, T] mask (1 = belongs to the stream) to [N, C]."""
        weights = mask[:, :, None].to(logits.dtype)
        return (logits * weights).sum(1) / weights.sum(1).clamp(min=1.0)

    @classmethod
    def loss(cls, logits: Tensor, classes: Tensor, mask: Tensor) -> Tensor:
        """Mean cross entropy of the pooled logits; streams without any step do not count."""
        each = F.cross_entropy(cls.pool(logits, mask), classes, reduction="none")
        there = mask.any(1).to(each.dtype)
        return (each * there).sum() / there.sum().clamp(min=1.0)

    @classmethod
    def metric(cls, logits: Tensor, classes: Tensor, mask: Tensor) -> float:
        """Share of streams with the right class; 0 without any stream."""
        there = mask.any(1)
        right = (cls.pool(logits, mask).argmax(-1) == classes) & there
        return float(right.sum()) / max(int(there.sum()), 1)


class RankHead(Head):
    """One score per candidate (step); only their order within a stream counts."""

    def __init__(self, width: int, bottleneck: int = 16) -> None:
        super().__init__(width, 1, bottleneck)

    @staticmethod
    def loss(scores: Tensor, worth: Tensor, mask: Tensor) -> Tensor:
        """ListNet (Cao et al., 2007): cross entropy between the softmaxes of worth and of scores, [N, T] each."""
        lowest = torch.finfo(scores.dtype).min
        there = mask > 0
        wanted = worth.masked_fill(~there, lowest).softmax(-1)
        log_given = scores.masked_fill(~there, lowest).log_softmax(-1)
        return -(wanted * log_given.masked_fill(~there, 0.0)).sum(-1).mean()

    @staticmethod
    def metric(scores: Tensor, worth: Tensor) -> float:
        """Kendall's tau-b of two [T] vectors; 0 where either is constant."""
        a, b = (torch.sign(v[:, None] - v[None, :]).double() for v in (scores, worth))
        norm = torch.sqrt((a * a).sum() * (b * b).sum())
        return float((a * b).sum() / norm) if norm > 0 else 0.0


class TaskNetwork(nn.Module):
    """One trunk and its heads: rows in, one block of logits per head out. What is exported for `temporal.mapper`."""

    def __init__(self, trunk: TemporalMapper, heads: dict[str, Head]) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleDict(heads)

    def forward(self, rows: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Whole films: [N, T, inputs] rows (and [N] lengths) to [N, T, outputs] logits by head."""
        u = self.trunk(rows, lengths)
        return {name: head(u) for name, head in self.heads.items()}

    def step(self, rows: Tensor, block: int | Tensor, state: State) -> tuple[dict[str, Tensor], State]:
        """One block of a stream, as `TemporalMapper.step`."""
        u, state = self.trunk.step(rows, block, state)
        return {name: head(u) for name, head in self.heads.items()}, state
