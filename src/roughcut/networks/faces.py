"""FaceNetwork: pictures to faces, cell by cell, in YuNet's layout (Wu, Peng and Yu 2023).

    pictures [N, h, w, 3] uint8, h and w multiples of 32 -> for strides 8, 16, 32: [N, cells, 16]

Convolutions that mix channels and convolutions that mix places take turns (Howard et al. 2017, arXiv:1704.04861); a
pyramid brings what the coarse levels know to the fine ones (Lin et al. 2017, arXiv:1612.03144). All four answers of a
level come from one convolution, where YuNet has a branch for each.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
STEM, WIDTH, ANSWERS = 16, 64, 16


class Unit(nn.Module):
    """A 1x1 convolution, then a 3x3 one in each channel by itself, [N, c_in, h, w] -> [N, c_out, h, w]."""

    def __init__(self, c_in: int, c_out: int, *, rectified: bool = True) -> None:
        super().__init__()
        self.mix = nn.Conv2d(c_in, c_out, 1)
        self.place = nn.Conv2d(c_out, c_out, 3, padding=1, groups=c_out)
        self.rectified = rectified

    def forward(self, x: Tensor) -> Tensor:
        x = self.place(self.mix(x))
        return F.relu(x) if self.rectified else x


def _pair(c_in: int, c_between: int) -> nn.Sequential:
    return nn.Sequential(Unit(c_in, c_between), Unit(c_between, WIDTH))


class FaceNetwork(nn.Module):
    """Answers of a cell: logits of class and object (probabilities when used, in `eval`), box (4), points (10)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STEM, 3, 2, 1)
        self.first = Unit(STEM, STEM)
        self.stages = nn.ModuleList([_pair(STEM, STEM), *(_pair(WIDTH, WIDTH) for _ in range(4))])
        self.lateral = nn.ModuleList([Unit(WIDTH, WIDTH) for _ in STRIDES])
        self.shared = nn.ModuleList([Unit(WIDTH, WIDTH) for _ in STRIDES])
        self.heads = nn.ModuleList([Unit(WIDTH, ANSWERS, rectified=False) for _ in STRIDES])

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        x = F.max_pool2d(self.first(F.relu(self.stem(pictures.permute(0, 3, 1, 2).float()))), 2)
        levels: list[Tensor] = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            levels += [x] if number >= 2 else []
            x = F.max_pool2d(x, 2) if 1 <= number <= 3 else x
        above = self.lateral[2](levels[2])
        merged = [above]
        for level in (1, 0):
            above = self.lateral[level](levels[level] + F.interpolate(above, scale_factor=2.0))
            merged.insert(0, above)
        return tuple(self._answers(level, x) for level, x in enumerate(merged))

    def _answers(self, level: int, x: Tensor) -> Tensor:
        answers = self.heads[level](self.shared[level](x)).permute(0, 2, 3, 1).flatten(1, 2)
        return answers if self.training else torch.cat([answers[..., :2].sigmoid(), answers[..., 2:]], 2)
