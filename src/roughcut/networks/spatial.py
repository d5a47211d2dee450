"""SpaceMapper's network: a small picture and its row of X to colour sliders, their confidence, and regional stops.

    first look   picture [N, 48, 64, 3] --+-- chroma histograms -- convolutions --+-- where white lies: the cast
                                          +-- convolutions, row of X ------------+
    second look  the picture without its cast --+-- convolutions ---------------------+-- sliders, confidences
                                                +-- tone and chroma histograms, row --+-- stops [3, 4]

In a histogram of log chroma a cast is a shift, and so it is of what the classics take for white; finding white there
is a matter of convolutions that know nothing of the place (Barron, Convolutional Color Constancy, ICCV 2015). The row
of X says what is seen, since grass and skin have colours of their own. What is left (tone, colourfulness) is judged on
the picture without its cast. Histograms are soft (each pixel shared between two bins), so that exact extremes, which
differ from camera to camera, say little.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from roughcut.networks.colour_difference import difference

SLIDERS = ("temperature", "tint", "exposure", "black", "white", "gamma", "contrast", "saturation")
SCALES = (3.0, 1.0, 1.6, 0.2, 0.4, 0.8, 0.7, 0.7)
"""Largest value of each slider; `spatial/colour.py` caps at the same."""
LITTLE, PLAIN = 4.0, 8.0
"""CIE94: a gain that is not worth a change, and one that is for certain."""
GRID = (3, 4)
MAX_STOPS = 0.8
TRANSFER = 2.2
LUMA = (0.2126, 0.7152, 0.0722)
CURVE_FOOT = 0.02
ROW = 128  # length of an embedding, X
BINS = 32
REACH = 2.0  # log2 of green over red, green over blue (display) at the histogram's ends
ESTIMATES = ((1, False), (3, False), (6, False), (1, True), (6, True))
"""Classical estimates: the order of the mean, and whether of edges."""
_ZONES = 3
_TONE_BINS = 32
_CHROMA_BINS = 12
_KNOWN = 64  # what is kept of a row
_LN2 = math.log(2)


def exp2(x: Tensor) -> Tensor:
    """2^x, in an operator that ONNX has."""
    return torch.exp(x * _LN2)


def apply_controls(rgb: Tensor, sliders: Tensor) -> Tensor:
    """The map of `effects/looks.py`, differentiable: display RGB [N, P, 3] in 0..1 under sliders [N, 8]."""
    temperature, tint, exposure, black, white, gamma, contrast, saturation = sliders[:, None, :, None].unbind(2)
    balance = torch.cat([temperature / 2 - tint / 3, 2 * tint / 3, -temperature / 2 - tint / 3], dim=-1)
    luma_weights = rgb.new_tensor(LUMA)
    stops = balance - torch.log2((exp2(balance) * luma_weights).sum(-1, keepdim=True)) + exposure
    x = ((rgb * exp2(stops / TRANSFER) - black) / (1 + white - black)).clamp(0, 1)
    x = x + 0.9 * contrast * x * (1 - x) * (2 * x - 1)
    power = exp2(-gamma)
    foot, top = CURVE_FOOT**power, (1 + CURVE_FOOT) ** power
    x = ((x + CURVE_FOOT) ** power - foot) / (top - foot)
    luma = (x * luma_weights).sum(-1, keepdim=True)
    return (luma + exp2(saturation) * (x - luma)).clamp(0, 1)


def balanced(rgb: Tensor, temperature: Tensor, tint: Tensor) -> Tensor:
    """White balance alone: [N, h, w, 3] under [N], [N]; the first step of `apply_controls`."""
    stops = torch.stack([temperature / 2 - tint / 3, 2 * tint / 3, -temperature / 2 - tint / 3], dim=-1)
    stops = stops - torch.log2((exp2(stops) * rgb.new_tensor(LUMA)).sum(-1, keepdim=True))
    return (rgb * exp2(stops / TRANSFER)[:, None, None]).clamp(0, 1)


def grid_gain(grid: Tensor, height: int, width: int) -> Tensor:
    """Display gain [N, height * width, 1] of regional stops [N, rows, columns]; bilinear between cell centres."""
    field = F.interpolate(grid[:, None], size=(height, width), mode="bilinear", align_corners=False)
    return exp2(field.flatten(1)[..., None] / TRANSFER)


def soft_bins(values: Tensor, low: float, high: float, bins: int) -> Tensor:
    """[N, P] to [N, P, bins]: each value shared between the two nearest bins, ends included."""
    at = ((values - low) / (high - low)).clamp(0, 1) * (bins - 1)
    centres = torch.arange(bins, dtype=values.dtype, device=values.device)
    return (1 - (at[..., None] - centres).abs()).clamp(min=0)


def chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """log2 of green over red, and of green over blue, of display RGB [..., 3]; black is neutral."""
    logs = torch.log2(rgb + 0.02)
    return logs[..., 1] - logs[..., 0], logs[..., 1] - logs[..., 2]


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


class Seer(nn.Module):
    """A picture [N, 6, 48, 64] as planes to a map [N, 3 width, 6, 8]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = (6, width, 2 * width, 3 * width)
        self.blocks = nn.Sequential(*(Block(a, b) for a, b in pairwise(sizes)))
        self.last = _layer(3 * width, 3 * width, 3)

    def forward(self, planes: Tensor) -> Tensor:
        seen = self.blocks(planes)
        out: Tensor = seen + self.last(seen)
        return out


class CastFinder(nn.Module):
    """Where white lies: histograms and estimates [N, 9, 32, 32] over the plane of log chroma, and what is known, to
    logits over the same plane."""

    def __init__(self, known: int, width: int = 16) -> None:
        super().__init__()
        self.near = _layer(_ZONES + 1 + len(ESTIMATES), width, 5)
        self.far = nn.Sequential(_layer(width, 2 * width, 3, stride=2), _layer(2 * width, 2 * width, 3))
        self.told = nn.Linear(known, 4 * width)
        self.farther = nn.Sequential(_layer(2 * width, 2 * width, 3, dilation=2), _layer(2 * width, 2 * width, 3))
        self.told_last = nn.Linear(known, 2 * width)
        self.joined = _layer(3 * width, width, 1)
        self.logit = nn.Conv2d(width, 1, 1)
        self.prior = nn.Parameter(torch.zeros(BINS, BINS))  # where white lies in most pictures

    def forward(self, histograms: Tensor, known: Tensor) -> Tensor:
        near = self.near(histograms)
        far = self.farther(_told(self.far(near), self.told(known)))
        wide = F.interpolate(far, scale_factor=2.0, mode="bilinear", align_corners=False)
        joined = _told(self.joined(torch.cat([near, wide], dim=1)), self.told_last(known))
        logits: Tensor = self.logit(joined)[:, 0] + self.prior
        return logits


class SpaceMapper(nn.Module):
    """V for single pictures; the pooling over a shot, weighted by U, is `spatial/mapper.py`.

    Args:
        width: channels of the first convolutions.
        hidden: width of the joining layer.
    """

    def __init__(self, width: int = 28, hidden: int = 256) -> None:
        super().__init__()
        self.known = nn.Sequential(nn.Dropout(0.1), nn.Linear(ROW, _KNOWN), nn.ReLU())
        self.first, self.second = Seer(width), Seer(width)
        told = _KNOWN + 6 * width
        self.cast = CastFinder(told)
        self.nudge = nn.Sequential(nn.Linear(told + 5, 64), nn.ReLU(), nn.Linear(64, 2))
        self.tone = nn.Sequential(nn.Linear(8 * _TONE_BINS + _ZONES * _CHROMA_BINS, 96), nn.ReLU())
        seen = 6 * width + 96 + _KNOWN + 5
        self.join = nn.Sequential(
            nn.Linear(seen, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, 128), nn.ReLU()
        )
        self.sliders = nn.Linear(128, len(SLIDERS))
        self.trust = nn.Linear(128, 2)
        self.near = nn.Conv2d(3 * width, 48, 1)
        self.all = nn.Linear(128, 48)
        self.stops = nn.Conv2d(48, 1, 1)
        for layer in (self.sliders, self.nudge[2], self.stops):
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Display RGB [N, 48, 64, 3] (uint8, or float in 0..255) and their rows of X [N, 128] to sliders [N, 8],
        confidence [N], stops [N, 3, 4].

        What would hardly be seen is left undone: the confidence is 0 where the change, times the network's trust in
        it, is below `LITTLE`, and 1 from `PLAIN` on.
        """
        rgb = pictures.float() / 255
        sliders, trust, grid, _ = self.judge(rgb, rows)
        pixels = rgb[:, ::2, ::2].flatten(1, 2)
        gain = difference(apply_controls(pixels, sliders), pixels) * trust[:, 0]
        confidence = ((gain - LITTLE) / (PLAIN - LITTLE)).clamp(0, 1)
        return sliders, confidence, grid * trust[:, 1, None, None]

    def judge(self, rgb: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Display RGB [N, h, w, 3] in 0..1 to sliders [N, 8], confidences of sliders and grid [N, 2], raw stops, and
        logits [N, 32, 32] of where white lies."""
        row, scales = self.known(rows), rgb.new_tensor(SCALES)
        told = torch.cat([row, _pooled(self.first(_planes(rgb)))], dim=1)
        logits = self.cast(torch.cat([cast_histograms(rgb[:, ::2, ::2]), estimates(rgb)], dim=1), told)
        cast, spread = place(logits)
        cast = cast + 0.5 * torch.tanh(self.nudge(torch.cat([told, cast, spread], dim=1)))
        first = balance_of(cast)
        plain = balanced(rgb, *first.detach().unbind(1))
        maps = self.second(_planes(plain))
        tones = self.tone(_tones(plain[:, ::2, ::2]))
        joined = self.join(torch.cat([_pooled(maps), tones, row, cast.detach(), spread], dim=1))
        more = self.sliders(joined)
        rest = torch.tanh(more[:, 2:]) * scales[2:]
        balance = first + 0.4 * torch.tanh(more[:, :2])
        sliders = torch.cat([torch.minimum(torch.maximum(balance, -scales[:2]), scales[:2]), rest], dim=1)
        near = F.relu(F.adaptive_avg_pool2d(self.near(maps), (6, 8)) + self.all(joined)[..., None, None])
        stops = F.avg_pool2d(self.stops(near), 2)[:, 0]
        stops = torch.tanh(stops - stops.mean((1, 2), keepdim=True)) * MAX_STOPS
        return sliders, torch.sigmoid(self.trust(joined)), stops, logits


def place(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The mean [N, 2] of a plane of logits [N, 32, 32] in units of `chroma`, and its variances and peak [N, 3]."""
    share = torch.softmax(logits.flatten(1), dim=1).reshape(-1, BINS, BINS)
    at = torch.linspace(-REACH, REACH, BINS, device=logits.device)
    sides = torch.stack([share.sum(2), share.sum(1)], dim=1)
    mean = (sides * at).sum(2)
    variances = (sides * (at - mean[..., None]) ** 2).sum(2)
    return mean, torch.cat([variances, share.flatten(1).amax(1, keepdim=True)], dim=1)


def balance_of(cast: Tensor) -> Tensor:
    """[N, 2] temperature and tint that take white from `cast` [N, 2] (u, v) to grey."""
    u, v = cast.unbind(1)
    return TRANSFER * torch.stack([u - v, -(u + v) / 2], dim=1)


def cast_histograms(rgb: Tensor) -> Tensor:
    """[N, 4, 32, 32] square roots of log-chroma histograms: shadows, mids, highlights, and where chroma changes.

    Clipped pixels count little, for they no longer have the light's colour.
    """
    u, v = chroma(rgb)
    luma = (rgb * rgb.new_tensor(LUMA)).sum(-1)
    whole = ((0.99 - rgb.amax(-1)) * 25).clamp(0.1, 1)
    zones = soft_bins(luma.flatten(1), 0.1, 0.8, _ZONES) * whole.flatten(1)[..., None]
    edges = F.pad((luma[:, 1:, 1:] - luma[:, :-1, :-1]).abs(), (1, 0, 1, 0)).flatten(1)
    weights = torch.cat([zones, 8 * edges[..., None] * whole.flatten(1)[..., None]], dim=2)
    columns = soft_bins(v.flatten(1), -REACH, REACH, BINS)
    rows = soft_bins(u.flatten(1), -REACH, REACH, BINS).transpose(1, 2)
    counts = [rows @ (columns * weights[..., i : i + 1]) for i in range(_ZONES + 1)]
    return 4 * torch.sqrt(torch.stack(counts, dim=1) / weights.shape[1] + 1e-6)


def _told(x: Tensor, scale_and_shift: Tensor) -> Tensor:
    """Feature-wise linear modulation (Perez et al. 2018): channels scaled and shifted by what is known."""
    scale, shift = scale_and_shift[..., None, None].chunk(2, dim=1)
    return x * (1 + scale) + shift


def _pooled(maps: Tensor) -> Tensor:
    return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)


def estimates(rgb: Tensor) -> Tensor:
    """[N, 5, 32, 32] where classical colour constancy puts white, each a spot on the plane of log chroma.

    Minkowski means of linear light (shades of gray: Finlayson and Trezzi 2004) and of its edges (gray edge: van de
    Weijer et al. 2007), by the orders of `ESTIMATES`.
    """
    light = rgb**TRANSFER
    edges = (light[:, 1:, 1:] - light[:, :-1, :-1]).abs()
    planes = []
    for order, of_edges in ESTIMATES:
        means = ((edges if of_edges else light) ** order).mean((1, 2))
        white = (means + 1e-12) ** (1 / (order * TRANSFER))
        u, v = chroma(white / white.amax(-1, keepdim=True))
        rows, columns = (soft_bins(x[:, None], -REACH, REACH, BINS)[:, 0] for x in (u, v))
        planes.append(rows[:, :, None] * columns[:, None])
    return 4 * torch.stack(planes, dim=1)


def _layer(inputs: int, outputs: int, size: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    pad = dilation * (size // 2)
    conv = nn.Conv2d(inputs, outputs, size, stride, pad, dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


def _planes(rgb: Tensor) -> Tensor:
    u, v = chroma(rgb)
    luma = (rgb * rgb.new_tensor(LUMA)).sum(-1)
    extra = torch.stack([u / 2, v / 2, luma - luma.mean((1, 2), keepdim=True)], dim=1)
    return torch.cat([rgb.permute(0, 3, 1, 2) - 0.5, extra], dim=1)


def _tones(rgb: Tensor) -> Tensor:
    """[N, 8 * 32 + 36]: histograms of red, green, blue and luma as square roots and running sums; of chroma by zone."""
    pixels = rgb.flatten(1, 2)
    luma = (pixels * rgb.new_tensor(LUMA)).sum(-1)
    signals = [*pixels.unbind(-1), luma]
    counts = torch.cat([soft_bins(s, 0, 1, _TONE_BINS).mean(1) for s in signals], dim=1)
    sums = counts.reshape(-1, 4, _TONE_BINS).cumsum(2).flatten(1)
    colour = torch.sqrt((pixels.amax(-1) - pixels.amin(-1)).clamp(min=1e-6))
    zones = soft_bins(luma, 0.1, 0.8, _ZONES).transpose(1, 2)
    by_zone = (zones @ soft_bins(colour, 0, 1, _CHROMA_BINS) / pixels.shape[1]).flatten(1)
    return torch.cat([2 * torch.sqrt(counts + 1e-6), sums, 2 * torch.sqrt(by_zone + 1e-6)], dim=1)
