"""U = RNN(X): the temporal trunk that shots (rows per frame) and moments (rows per half second) share.

    rows       |--- block 0 ---|--- block 1 ---|--- block 2 ---|-- 3 --|
    forward    ------------------------------------------------------->   one stacked LSTM, its state carried on
    backward   <-----------------------|                                  one stacked LSTM per block, from zero state,
                               <-----------------------|                  reading `lookahead` rows past the block's end
                                               <-----------------------|

The latency-controlled bidirectional LSTM of Zhang et al., "Highway long short-term memory RNNs for distant speech
recognition" (ICASSP 2016). Blocks lie at fixed absolute rows, so a stream cut anywhere gives the numbers of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, Tensor]
"""(h, c) of the forward LSTM, each [layers, N, hidden]"""


@dataclass(frozen=True, kw_only=True)
class MapperConfig:
    """Sizes of a `TemporalMapper`; `block` and `lookahead` in rows."""

    inputs: int
    hidden: int = 64
    layers: int = 2
    block: int = 128
    lookahead: int = 64
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if min(self.inputs, self.hidden, self.layers, self.block) < 1 or self.lookahead < 0:
            raise ValueError(f"a temporal mapper has positive sizes, got {self}")


class TemporalMapper(nn.Module):
    """Stacked LSTMs, one each way, over `[N, T, inputs]` rows; gives `[N, T, 2 * hidden]`."""

    def __init__(self, config: MapperConfig) -> None:
        super().__init__()
        self.config = config
        hidden, layers = config.hidden, config.layers
        between = config.dropout if layers > 1 else 0.0
        self.project = nn.Sequential(
            nn.Linear(config.inputs, hidden), nn.LayerNorm(hidden), nn.ReLU(), nn.Dropout(config.dropout)
        )
        self.ahead = nn.LSTM(hidden, hidden, layers, batch_first=True, dropout=between)
        self.back = nn.LSTM(hidden, hidden, layers, batch_first=True, dropout=between)

    @property
    def width(self) -> int:
        """Columns of the output."""
        return 2 * self.config.hidden

    def forward(self, rows: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Whole films at once.

        Args:
            rows: [N, T, inputs], padded at the end with anything.
            lengths: [N] rows that exist; all T where None. Rows past them neither matter nor mean anything.
        """
        if lengths is None:
            lengths = torch.full((len(rows),), rows.shape[1], device=rows.device)
        projected = self.project(rows)
        past, _ = self.ahead(projected)
        return torch.cat([past, self._future(projected, lengths)], dim=-1)

    def step(self, rows: Tensor, block: int | Tensor, state: State) -> tuple[Tensor, State]:
        """One block of a stream.

        Args:
            rows: [N, block + lookahead, inputs]: the block and what follows it (less at the film's end).
            block: how many of the rows are the block's own.
            state: what the step before returned; `initial_state` at the start.

        Returns:
            [N, block, 2 * hidden] and the state for the next block.
        """
        projected = self.project(rows)
        past, state = self.ahead(projected[:, :block], state)
        future, _ = self.back(projected.flip(1))
        return torch.cat([past, future.flip(1)[:, :block]], dim=-1), state

    def initial_state(self, batch: int = 1) -> State:
        """The zero state of `batch` streams."""
        zero = torch.zeros(self.config.layers, batch, self.config.hidden)
        return zero, zero.clone()

    def _future(self, rows: Tensor, lengths: Tensor) -> Tensor:
        """The backward LSTM over every block of every film as one batch; padding comes last after reversal."""
        n, t, width = rows.shape
        block, reach = self.config.block, self.config.block + self.config.lookahead
        starts = torch.arange(0, t, block, device=rows.device)
        valid = (lengths[:, None] - starts).clamp(0, reach).flatten()
        padded = F.pad(rows, (0, 0, 0, len(starts) * block + self.config.lookahead - t))
        windows = padded.unfold(1, reach, block).transpose(2, 3).reshape(-1, reach, width)
        order = (valid[:, None] - 1 - torch.arange(int(valid.max()), device=rows.device)).clamp(min=0)
        future, _ = self.back(_take_rows(windows, order))
        future = F.pad(_take_rows(future, order), (0, 0, 0, max(block - order.shape[1], 0)))
        return future[:, :block].reshape(n, len(starts) * block, -1)[:, :t]


def _take_rows(rows: Tensor, order: Tensor) -> Tensor:
    """rows[i, order[i, j]] as [N, J, D]."""
    return rows.gather(1, order[:, :, None].expand(-1, -1, rows.shape[2]))
