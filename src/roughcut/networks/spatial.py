"""SpaceMapper's network: a small picture to colour sliders, their confidence, and regional stops.

    picture [N, 48, 64, 3] --+-- convolutions ---------------- map [C, 6, 8] --+-- mean, max --+
                             +-- chroma histograms by zone --- convolutions ---|---------------+-- sliders, confidence
                             +-- red, green, blue, luma histograms ------------|---------------+
                                                                               +-- with the above -- stops [3, 4]

Histograms are soft (each pixel shared between two bins), so that exact extremes, which differ from camera to camera,
say little and amounts say much. Chroma histograms in log space turn a cast into a shift (after Barron, Convolutional
Color Constancy, ICCV 2015).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLIDERS = ("temperature", "tint", "exposure", "black", "white", "gamma", "contrast", "saturation")
SCALES = (1.6, 0.7, 1.6, 0.2, 0.4, 0.8, 0.7, 0.7)
"""Largest value of each slider; `spatial/colour.py` caps at the same."""
GRID = (3, 4)
MAX_STOPS = 0.8
TRANSFER = 2.2
LUMA = (0.2126, 0.7152, 0.0722)
CURVE_FOOT = 0.02
_ZONES = 3
_CHROMA_BINS = 24
_CHROMA_REACH = 1.6  # log2 of green over red, green over blue at the histogram's ends
_TONE_BINS = 32


def apply_controls(rgb: Tensor, sliders: Tensor) -> Tensor:
    """The map of `effects/looks.py`, differentiable: display RGB [N, P, 3] in 0..1 under sliders [N, 8]."""
    temperature, tint, exposure, black, white, gamma, contrast, saturation = sliders[:, None, :, None].unbind(2)
    balance = torch.cat([temperature / 2 - tint / 3, 2 * tint / 3, -temperature / 2 - tint / 3], dim=-1)
    luma_weights = rgb.new_tensor(LUMA)
    stops = balance - torch.log2((torch.exp2(balance) * luma_weights).sum(-1, keepdim=True)) + exposure
    x = ((rgb * torch.exp2(stops / TRANSFER) - black) / (1 + white - black)).clamp(0, 1)
    x = x + 0.9 * contrast * x * (1 - x) * (2 * x - 1)
    power = torch.exp2(-gamma)
    foot, top = CURVE_FOOT**power, (1 + CURVE_FOOT) ** power
    x = ((x + CURVE_FOOT) ** power - foot) / (top - foot)
    luma = (x * luma_weights).sum(-1, keepdim=True)
    return (luma + torch.exp2(saturation) * (x - luma)).clamp(0, 1)


def grid_gain(grid: Tensor, height: int, width: int) -> Tensor:
    """Display gain [N, height * width, 1] of regional stops [N, rows, columns]; bilinear between cell centres."""
    field = F.interpolate(grid[:, None], size=(height, width), mode="bilinear", align_corners=False)
    return torch.exp2(field.flatten(1)[..., None] / TRANSFER)


def soft_bins(values: Tensor, low: float, high: float, bins: int) -> Tensor:
    """[N, P] to [N, P, bins]: each value shared between the two nearest bins, ends included."""
    at = ((values - low) / (high - low)).clamp(0, 1) * (bins - 1)
    centres = torch.arange(bins, dtype=values.dtype, device=values.device)
    return (1 - (at[..., None] - centres).abs()).clamp(min=0)


class Block(nn.Module):
    """Convolution of stride 2, then a depthwise-separable one added to it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
        self.depth = nn.Conv2d(outputs, outputs, 3, 1, 1, groups=outputs, bias=False)
        self.mix = nn.Sequential(nn.BatchNorm2d(outputs), nn.ReLU(), nn.Conv2d(outputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        out: Tensor = x + self.mix(self.depth(x))
        return out


class SpaceMapper(nn.Module):
    """V for single pictures; the pooling over a shot, weighted by U, is `spatial/mapper.py`.

    Args:
        width: channels of the first convolution.
        hidden: width of the joining layer.
    """

    def __init__(self, width: int = 24, hidden: int = 192) -> None:
        super().__init__()
        self.look = nn.Sequential(Block(6, width), Block(width, 2 * width), Block(2 * width, 3 * width))
        self.chroma = nn.Sequential(Block(_ZONES, 16), Block(16, 32), Block(32, 32), nn.Flatten())
        self.tone = nn.Sequential(nn.Linear(8 * _TONE_BINS, 96), nn.ReLU())
        self.join = nn.Sequential(
            nn.Linear(6 * width + 32 * 9 + 96, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, 128), nn.ReLU()
        )
        self.sliders = nn.Linear(128, len(SLIDERS))
        self.trust = nn.Linear(128, 2)
        self.near = nn.Conv2d(3 * width, 48, 1)
        self.all = nn.Linear(128, 48)
        self.stops = nn.Conv2d(48, 1, 1)
        nn.init.zeros_(self.sliders.weight)
        nn.init.zeros_(self.stops.weight)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Display RGB [N, 48, 64, 3] (uint8, or float in 0..255) to sliders [N, 8], confidence [N], stops [N, 3, 4]."""
        sliders, trust, grid = self.judge(pictures.float() / 255)
        return sliders, trust[:, 0], grid * trust[:, 1, None, None]

    def judge(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Display RGB [N, h, w, 3] in 0..1 to sliders [N, 8], confidences of sliders and grid [N, 2], raw stops."""
        pixels = rgb.flatten(1, 2)
        luma = (pixels * rgb.new_tensor(LUMA)).sum(-1)
        logs = torch.log2(pixels + 0.02)
        u, v = logs[..., 1] - logs[..., 0], logs[..., 1] - logs[..., 2]
        maps = self.look(self._planes(rgb, u, v, luma))
        seen = [maps.mean((2, 3)), maps.amax((2, 3)), self.chroma(_chroma(u, v, luma)), self.tone(_tones(pixels, luma))]
        joined = self.join(torch.cat(seen, dim=1))
        scales = rgb.new_tensor(SCALES)
        sliders = torch.tanh(self.sliders(joined)) * scales
        near = F.relu(F.adaptive_avg_pool2d(self.near(maps), (6, 8)) + self.all(joined)[..., None, None])
        stops = F.avg_pool2d(self.stops(near), 2)[:, 0]
        stops = torch.tanh(stops - stops.mean((1, 2), keepdim=True)) * MAX_STOPS
        return sliders, torch.sigmoid(self.trust(joined)), stops

    def _planes(self, rgb: Tensor, u: Tensor, v: Tensor, luma: Tensor) -> Tensor:
        size = rgb.shape[1:3]
        extra = torch.stack([u / 2, v / 2, luma - luma.mean(1, keepdim=True)], dim=1).reshape(-1, 3, *size)
        return torch.cat([rgb.permute(0, 3, 1, 2) - 0.5, extra], dim=1)


def _chroma(u: Tensor, v: Tensor, luma: Tensor) -> Tensor:
    """[N, zones, 24, 24] square roots of log-chroma histograms in shadows, mids and highlights."""
    zones = soft_bins(luma, 0.1, 0.9, _ZONES)
    columns = soft_bins(v, -_CHROMA_REACH, _CHROMA_REACH, _CHROMA_BINS)
    rows = soft_bins(u, -_CHROMA_REACH, _CHROMA_REACH, _CHROMA_BINS).transpose(1, 2)
    counts = torch.stack([rows @ (columns * zones[..., i : i + 1]) for i in range(_ZONES)], dim=1)
    return 4 * torch.sqrt(counts / u.shape[1] + 1e-6)


def _tones(pixels: Tensor, luma: Tensor) -> Tensor:
    """[N, 8 * 32]: histograms of red, green, blue and luma, as square roots and as running sums."""
    signals = torch.stack([*pixels.unbind(-1), luma], dim=1)
    counts = torch.cat([soft_bins(s, 0, 1, _TONE_BINS).mean(1) for s in signals.unbind(1)], dim=1)
    return torch.cat([2 * torch.sqrt(counts + 1e-6), counts.reshape(-1, 4, _TONE_BINS).cumsum(2).flatten(1)], dim=1)
