"""ExpressionNetwork: a grey face to seven expressions.

    faces [N, 48, 48] uint8 -> own mean and deviation taken out -> residual blocks -> mean over places -> logits [N, 7]

Residual blocks as in He et al. 2015 (arXiv:1512.03385). When it is used (`eval`), a face and its mirror image are both
looked at and their logits averaged: an expression has no left and right.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = (32, 64, 128)
SMALLEST_DEVIATION = 4.0  # levels; below, a face is flat, and stretching it would only show noise


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a short cut, [N, c_in, h, w] -> [N, c_out, h / stride, w / stride]."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        same = stride == 1 and c_in == c_out
        self.short = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.short(x))


class ExpressionNetwork(nn.Module):
    """Faces [N, 48, 48] uint8 (or float, 0..255) -> logits [N, classes]."""

    def __init__(self, classes: int = 7, dropout: float = 0.3) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(1, CHANNELS[0], 3, 2, 1, bias=False), nn.BatchNorm2d(CHANNELS[0]), nn.ReLU())
        blocks: list[nn.Module] = []
        c_in = CHANNELS[0]
        for i, width in enumerate(CHANNELS):
            blocks += [ResidualBlock(c_in, width, 1 if i == 0 else 2)]
            blocks += [ResidualBlock(width, width, 1)] if i < len(CHANNELS) - 1 else []
            c_in = width
        self.layers = nn.Sequential(stem, *blocks)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(c_in, classes))

    def forward(self, faces: Tensor) -> Tensor:
        x = _standard(faces.float())[:, None]
        return self._logits(x) if self.training else (self._logits(x) + self._logits(x.flip(3))) / 2

    def _logits(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x).mean((2, 3)))  # type: ignore[no-any-return]


def _standard(x: Tensor) -> Tensor:
    """Each face with mean 0 and deviation 1, so that light and contrast do not matter."""
    centred = x - x.mean((1, 2), keepdim=True)
    return centred / torch.sqrt((centred * centred).mean((1, 2), keepdim=True) + SMALLEST_DEVIATION**2)
