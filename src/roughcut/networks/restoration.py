"""The restoration network: a patch of light to what every pair of strengths (denoise, sharpen) would gain.

    patch [N, h, w] --+-- light ---------------------+
                      +-- what a 3x3 mean leaves ----+-- convolutions --+-- mean     --+
                      +-- the same, large and small -+                  +-- deviation -+-- gain, probability [N, 6, 4]

Noise and softness are statistics of small differences, the same all over a picture: so the network sees them at
once, and averages over place.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from roughcut.spatial.restoration import DENOISE, SHARPEN

GAIN_SCALE = 0.05  # SSIM that one unit of the last layer means


class RestorationNetwork(nn.Module):
    """Patches [N, h, w] of 0..255 to gains and logits of a gain, each [N, 6, 4]; gain[:, 0, 0] is 0."""

    def __init__(self, channels: int = 16, hidden: int = 96, dropout: float = 0.1) -> None:
        super().__init__()
        c = channels
        self.convolutions = nn.Sequential(
            *_layer(3, c, 5, 2), *_layer(c, c, 3, 1), *_layer(c, 2 * c, 3, 2), *_layer(2 * c, 2 * c, 3, 2)
        )
        self.joined = nn.Sequential(nn.Linear(4 * c, hidden), nn.ReLU(), nn.Dropout(dropout))
        cells = len(DENOISE) * len(SHARPEN)
        self.gain, self.chance = nn.Linear(hidden, cells), nn.Linear(hidden, cells)

    def judge(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Gains in SSIM and logits, each [N, 6, 4]."""
        maps = self.convolutions(seen(patches.float()))
        spread = torch.sqrt(maps.var((2, 3), unbiased=False) + 1e-4)
        joined = self.joined(torch.cat([maps.mean((2, 3)), spread], dim=1))
        shape = (-1, len(DENOISE), len(SHARPEN))
        gain = (self.gain(joined) * GAIN_SCALE).view(shape)
        return gain - gain[:, :1, :1], self.chance(joined).view(shape)

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Gains in SSIM and their probabilities, each [N, 6, 4]."""
        gain, logits = self.judge(patches)
        return gain, torch.sigmoid(logits)


def seen(patches: Tensor) -> Tensor:
    """[N, 3, h, w] of about unit size: the light, small differences, and small ones beside large ones."""
    light = patches[:, None]
    mean = F.avg_pool2d(F.pad(light, (1, 1, 1, 1), mode="replicate"), 3, 1)
    fine = light - mean
    return torch.cat([light / 64 - 2, fine / 8, fine / (fine.abs() + 2)], dim=1)


def _layer(inputs: int, outputs: int, size: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
