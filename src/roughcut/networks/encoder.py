"""FrameEncoder: the small CNN that turns a picture into a row, X = CNN(x), and the teacher it learned from.

    pictures [N, h, w, 3] -> x / 127.5 - 1 -> 19 convolution stages -> mean over places -> linear -> unit rows [N, D]

The stages are those of MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) with batch norm folded into the
convolutions and TensorFlow's SAME padding, which is what the published ImageNet weights were trained with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, repeats, first stride: table 2 of the paper."""
STEM_CHANNELS, LAST_CHANNELS, CLASSES = 32, 1280, 1001


def same_padding(size: int, stride: int, kernel: int = 3) -> tuple[int, int]:
    """Zeros before and after one axis so that the output has ceil(size / stride) places; the odd one goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Convolution(nn.Module):
    """3x3 SAME or 1x1 convolution, [N, c_in, h, w] -> [N, c_out, ceil(h / stride), ceil(w / stride)]."""

    def __init__(self, c_in: int, c_out: int, *, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, groups=groups)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel > 1:
            height, width = int(x.shape[2]), int(x.shape[3])
            x = F.pad(x, (*same_padding(width, self.stride), *same_padding(height, self.stride)))
        return self.conv(x)  # type: ignore[no-any-return]


class InvertedResidual(nn.Module):
    """Expand 1x1, depthwise 3x3, project 1x1; added to the input where shapes agree."""

    def __init__(self, c_in: int, c_out: int, *, wide: int, stride: int) -> None:
        super().__init__()
        expand = [Convolution(c_in, wide), nn.ReLU6()] if wide != c_in else []
        depthwise = Convolution(wide, wide, kernel=3, stride=stride, groups=wide)
        self.layers = nn.Sequential(*expand, depthwise, nn.ReLU6(), Convolution(wide, c_out))
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return x + out if self.residual else out


def _blocks() -> Iterator[InvertedResidual]:
    c_in = STEM_CHANNELS
    for expansion, channels, repeats, stride in BLOCKS:
        for i in range(repeats):
            yield InvertedResidual(c_in, channels, wide=c_in * expansion, stride=stride if i == 0 else 1)
            c_in = channels


class Backbone(nn.Module):
    """Pictures [N, h, w, 3] uint8 RGB -> [N, 1280] pooled features, >= 0."""

    def __init__(self) -> None:
        super().__init__()
        stem = Convolution(3, STEM_CHANNELS, kernel=3, stride=2)
        last = Convolution(BLOCKS[-1][1], LAST_CHANNELS)
        self.stages = nn.Sequential(stem, nn.ReLU6(), *_blocks(), last, nn.ReLU6())

    def forward(self, pictures: Tensor) -> Tensor:
        x = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
        return self.stages(x).mean((2, 3))  # type: ignore[no-any-return]

    def load_published(self, weights: Mapping[str, Tensor]) -> None:
        """Take the ImageNet weights: convolutions in the published order, batch norm already folded in."""
        names = [name for name in weights if name.startswith("features.")]
        ordered = sorted({name.rsplit(".", 1)[0] for name in names}, key=_place)
        convolutions = [m.conv for m in self.modules() if isinstance(m, Convolution)]
        for name, conv in zip(ordered, convolutions, strict=True):
            conv.load_state_dict({part: weights[f"{name}.{part}"].float() for part in ("weight", "bias")})


def _place(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


class Teacher(nn.Module):
    """The published ImageNet classifier: pictures [N, 224, 224, 3] uint8 -> pooled features [N, 1280]."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.backbone.load_published(weights)
        self.fc = nn.Linear(LAST_CHANNELS, CLASSES)
        self.fc.load_state_dict({part: weights[f"fc.{part}"].float() for part in ("weight", "bias")})

    def forward(self, pictures: Tensor) -> Tensor:
        return self.backbone(pictures)  # type: ignore[no-any-return]

    def classify(self, pictures: Tensor) -> Tensor:
        """[N, 1001] logits; class 0 is background."""
        return self.fc(self(pictures))  # type: ignore[no-any-return]


class FrameEncoder(nn.Module):
    """[N, h, w, 3] uint8 RGB -> [N, D] embeddings of unit length; nearness is their dot product."""

    def __init__(self, rows: int = 128) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.project = nn.Linear(LAST_CHANNELS, rows)

    def forward(self, pictures: Tensor) -> Tensor:
        return F.normalize(self.project(self.backbone(pictures)), dim=-1)

    @torch.no_grad()
    def project_onto(self, mean: Tensor, axes: Tensor) -> None:
        """Let the projection be (features - mean) @ axes, with mean [1280] and axes [1280, D]."""
        self.project.weight.copy_(axes.T)
        self.project.bias.copy_(-mean @ axes)
