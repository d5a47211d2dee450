"""The shot network: small pictures in; what they say of themselves and of their neighbours; the trunk; three heads.

    thumbs [T, 27, 48, 3] --FrameNet--> descriptors [T, D] --neighbourhood--> rows [T, R] --TaskNetwork--> logits
                                        embedding | grid | histogram          distances to frames 1..32 away,
                                                                              and where in the picture things change

Similarity to neighbours as the input of a recurrent net follows TransNetV2 (Soucek and Lokoc, 2020), with colour
histograms and learnt embeddings; here they are taken at few, spread offsets, in the past, in the future and across
the frame, so a frame costs about a hundred small dot products. The residual from the mean of two neighbours is the
classical sign of a dissolve (Lienhart, "Reliable dissolve detection", 2001).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from roughcut.networks.heads import ClassifyHead, TagHead, TaskNetwork
from roughcut.networks.temporal import MapperConfig, State, TemporalMapper

KINDS = ("cut", "dissolve", "fade", "wipe", "other")
TAGS = ("cut", "gradual")
OFFSETS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
CONTEXT = OFFSETS[-1]
LOOKS = (1, 3, 8, 20)  # frames away, for the maps of change
GRID = (9, 12)  # rows, columns of the colour grid
BINS = 8  # histogram bins per channel


@dataclass(frozen=True, kw_only=True)
class ShotConfig:
    """Sizes of a `ShotNetwork`."""

    embedding: int = 32
    channels: tuple[int, int, int] = (24, 40, 56)
    change: tuple[int, int] = (24, 32)
    """Channels of the maps of change"""
    hidden: int = 96
    layers: int = 2
    block: int = 128
    lookahead: int = 64


class FrameNet(nn.Module):
    """A frame's descriptor: learnt unit embedding, 9x12 RGB grid in [0, 1], square root of a joint 8x8x8 histogram."""

    def __init__(self, config: ShotConfig) -> None:
        super().__init__()
        a, b, c = config.channels
        self.convolutions = nn.Sequential(_stage(3, a), _stage(a, b), _stage(b, c))
        self.embed = nn.Linear(2 * c, config.embedding)
        self.width = config.embedding + 3 * GRID[0] * GRID[1] + BINS**3

    def forward(self, thumbs: Tensor) -> Tensor:
        """[n, 27, 48, 3] uint8 (or the same values in float) to [n, width]."""
        pixels = thumbs.float()
        planes = pixels.permute(0, 3, 1, 2) / 255.0
        maps = self.convolutions(planes - 0.5)
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)
        grid = F.avg_pool2d(planes, (27 // GRID[0], 48 // GRID[1])).flatten(1)
        return torch.cat([F.normalize(self.embed(pooled), dim=1), grid, _histogram(pixels)], dim=1)


class Neighbourhood(nn.Module):
    """Descriptors with `CONTEXT` more on either side, [N, T + 2 * CONTEXT, D], to rows [N, T, width]."""

    def __init__(self, embedding: int, change: tuple[int, int]) -> None:
        super().__init__()
        self.embedding = embedding
        cells = GRID[0] + GRID[1]
        self.change = nn.Sequential(_stage(_MAPS, change[0], stride=1), _stage(*change))
        self.width = 4 * 3 * len(OFFSETS) + len(OFFSETS) + 2 * cells + 3 + 8 + embedding + 2 * change[1]

    def forward(self, descriptors: Tensor) -> Tensor:
        parts = [self.embedding, 3 * GRID[0] * GRID[1], BINS**3]
        embedding, grid, histogram = torch.split(descriptors, parts, dim=2)
        structure = _structure(grid)
        columns = [
            *_three_ways(lambda k: 1.0 - _pairs(embedding, k, _dot)),
            *_three_ways(lambda k: 4.0 * _pairs(grid, k, _distance)),
            *_three_ways(lambda k: 1.0 - _pairs(histogram, k, _dot)),
            *_three_ways(lambda k: _pairs(structure, k, _half_square)),
            *(4.0 * _residual(grid, k) for k in OFFSETS),
        ]
        changes = [torch.unflatten(_middle(grid) - _shifted(grid, -k), 2, (3, *GRID)).abs().mean(2) for k in (1, 4, 16)]
        profiles = [4.0 * change.mean(axis) for change in changes[:2] for axis in (2, 3)]
        still = [torch.exp(-30.0 * change).mean((2, 3))[..., None] for change in changes]
        moved = _middle(embedding) - _shifted(embedding, -1)
        where = self.change(_change_maps(grid)).unflatten(0, (grid.shape[0], -1))
        places = [where.mean((3, 4)), where.amax((3, 4))]
        own = [_statistics(_middle(grid)), moved]
        return torch.cat([torch.stack(columns, dim=2), *profiles, *still, *own, *places], dim=2)


class ShotNetwork(nn.Module):
    """Thumbs to logits: `change` [N, T, 2] (cut, gradual), `kind` [N, T, 5], `extent` [N, T, 1] (how far along)."""

    def __init__(self, config: ShotConfig) -> None:
        super().__init__()
        self.config = config
        self.frames = FrameNet(config)
        self.mapper = ShotMapperNetwork(config)

    def forward(self, thumbs: Tensor) -> dict[str, Tensor]:
        """[N, T, 27, 48, 3] uint8; the first and last frame stand in for what lies beyond the film."""
        n, t = thumbs.shape[:2]
        descriptors = self.frames(thumbs.flatten(0, 1)).unflatten(0, (n, t))
        before = descriptors[:, :1].expand(-1, CONTEXT, -1)
        after = descriptors[:, -1:].expand(-1, CONTEXT, -1)
        logits: dict[str, Tensor] = self.mapper(torch.cat([before, descriptors, after], dim=1))
        return logits


class ShotMapperNetwork(TaskNetwork):
    """Descriptors with context to logits: the part that runs block by block on a stream."""

    def __init__(self, config: ShotConfig) -> None:
        neighbourhood = Neighbourhood(config.embedding, config.change)
        trunk = TemporalMapper(
            MapperConfig(
                inputs=neighbourhood.width,
                hidden=config.hidden,
                layers=config.layers,
                block=config.block,
                lookahead=config.lookahead,
            )
        )
        heads = {
            "change": TagHead(trunk.width, len(TAGS)),
            "kind": ClassifyHead(trunk.width, len(KINDS)),
            "extent": TagHead(trunk.width, 1),
        }
        super().__init__(trunk, heads)
        self.neighbourhood = neighbourhood

    def forward(self, rows: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        return super().forward(self.neighbourhood(rows), lengths)

    def step(self, rows: Tensor, block: int | Tensor, state: State) -> tuple[dict[str, Tensor], State]:
        return super().step(self.neighbourhood(rows), block, state)


def _stage(inputs: int, outputs: int, *, stride: int = 2) -> nn.Sequential:
    """Convolution, norm, ReLU; half the size at stride 2."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _histogram(pixels: Tensor) -> Tensor:
    """Square root of the share of pixels per joint colour bin: dot products are Bhattacharyya coefficients."""
    level = torch.floor(pixels.flatten(1, 2) * (BINS / 256.0)).long()
    codes = (level[..., 0] * BINS + level[..., 1]) * BINS + level[..., 2]
    counts = pixels.new_zeros((pixels.shape[0], BINS**3))
    counts = counts.scatter_add(1, codes, torch.ones_like(codes, dtype=torch.float32))
    return torch.sqrt(counts / codes.shape[1])


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(2)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean(2)


def _half_square(a: Tensor, b: Tensor) -> Tensor:
    return ((a - b) ** 2).sum(2) / 2


def _pairs(x: Tensor, k: int, measure: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """measure(x[t], x[t + k]) for every t that has such a neighbour: [N, length - k]."""
    return measure(x[:, : x.shape[1] - k], x[:, k:])


def _three_ways(pairs: Callable[[int], Tensor]) -> list[Tensor]:
    """Per offset k: from t - k to t, from t to t + k, and across from t - k to t + k; [N, T] each."""
    found = {k: pairs(k) for k in {*OFFSETS, *(2 * k for k in OFFSETS)}}
    columns = []
    for k in OFFSETS:
        length = found[k].shape[1] + k - 2 * CONTEXT
        starts = ((k, CONTEXT - k), (k, CONTEXT), (2 * k, CONTEXT - k))
        columns += [found[lag][:, first : first + length] for lag, first in starts]
    return columns


def _middle(x: Tensor) -> Tensor:
    return x[:, CONTEXT : x.shape[1] - CONTEXT]


def _shifted(x: Tensor, by: int) -> Tensor:
    return x[:, CONTEXT + by : x.shape[1] - CONTEXT + by]


def _residual(grid: Tensor, k: int) -> Tensor:
    """How far a frame lies from the mean of its neighbours k before and after."""
    return _distance(_middle(grid), (_shifted(grid, -k) + _shifted(grid, k)) / 2)


_MAPS = 5 * len(LOOKS) + 3


def _change_maps(grid: Tensor) -> Tensor:
    """[N * T, maps, 9, 12]: to frames some way before and after, |RGB| and luma; the residual from both; the frame."""
    here, luma = _middle(grid), _luma(_middle(grid))
    maps = [torch.unflatten(here - 0.5, 2, (3, -1))]
    for k in LOOKS:
        before, after = _shifted(grid, -k), _shifted(grid, k)
        strength = [torch.unflatten(d.abs(), 2, (3, -1)).mean(2) for d in (here - before, after - here)]
        strength += [luma - _luma(before), _luma(after) - luma]
        strength += [torch.unflatten((here - (before + after) / 2).abs(), 2, (3, -1)).mean(2)]
        maps.append(4.0 * torch.stack(strength, dim=2))
    return torch.unflatten(torch.cat(maps, dim=2), 3, GRID).flatten(0, 1).contiguous(memory_format=torch.channels_last)


def _structure(grid: Tensor) -> Tensor:
    """[N, T, 108]: the luma grid without its mean, at unit length unless it is flat: what light does not change."""
    luma = _luma(grid)
    centred = luma - luma.mean(2, keepdim=True)
    return centred / torch.sqrt((centred**2).sum(2, keepdim=True) + 0.02)


def _luma(grid: Tensor) -> Tensor:
    r, g, b = grid.chunk(3, dim=2)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _statistics(grid: Tensor) -> Tensor:
    """[N, T, 8]: mean, spread, lowest and highest luma; mean RGB; mean saturation. A flat frame is a fade's middle."""
    colours = torch.unflatten(grid, 2, (3, -1))
    luma = _luma(grid)
    mean = luma.mean(2, keepdim=True)
    spread = torch.sqrt(((luma - mean) ** 2).mean(2, keepdim=True) + 1e-6)
    saturation = (colours.amax(2) - colours.amin(2)).mean(2, keepdim=True)
    return torch.cat([mean, 4 * spread, luma.amin(2, True), luma.amax(2, True), colours.mean(3), saturation], dim=2)
