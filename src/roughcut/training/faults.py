"""A simulator of camera faults: good pictures in, the same pictures as a wrongly set camera would have shown them.

All random, all vectorised over the batch; every fault is drawn for each picture on its own.

    display --2.2--> linear --camera matrix--> white balance (Planckian locus, tint) --back--> exposure, shading, flare
    --clip--> display --gamma, S-curve or flat profile, black and white points, saturation--> letterbox, title, specks
    --noise, 4:2:0, blocks of a coarse codec, 8 bit--> what the network sees

The colours of the locus are Kim et al.'s cubic fit of the Planckian locus in CIE xy (US patent 7024034), by BT.709.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from roughcut.networks.spatial import LUMA, TRANSFER, grid_gain

_XYZ_TO_RGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)


@dataclass(frozen=True, kw_only=True)
class FaultSettings:
    """How often each fault is drawn (share of faulty pictures) and how clean the mix is."""

    clean: float = 0.25
    balance: float = 0.65
    exposure: float = 0.5
    tone: float = 0.5
    points: float = 0.35
    saturation: float = 0.35
    shading: float = 0.15


def degrade(rgb: Tensor, settings: FaultSettings, draw: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Faulty versions of display pictures [N, h, w, 3] in 0..1, what they should be, and which were left clean [N].

    Bars and titles lie over both, for no correction should take them off; specks over the faulty one alone.
    Clean ones still get what every file has: coarse chroma, 8 bit, now and then a title.
    """
    n = len(rgb)
    clean = torch.rand(n, generator=draw) < settings.clean

    def pick(share: float) -> Tensor:
        return ((torch.rand(n, generator=draw) < share) & ~clean).float()[:, None, None, None]

    light = rgb.clamp(0, 1) ** TRANSFER
    light = _balance(light, pick(settings.balance), draw)
    light = _expose(light, pick(settings.exposure), pick(settings.shading), draw)
    x = light.clamp(0, 1) ** (1 / TRANSFER)
    x = _tone(x, pick(settings.tone), draw)
    x = _points(x, pick(settings.points), draw)
    x = _saturate(x, pick(settings.saturation), draw)
    bars, title = _bars(x, draw), _title(x, draw)
    faulty, right = (torch.maximum(picture * bars, title) for picture in (x, rgb))
    return _record(_specks(faulty, draw), draw), right, clean


def _uniform(draw: torch.Generator, n: int, low: float, high: float, *more: int) -> Tensor:
    shape = (n, *(more or (1, 1, 1)))
    return low + (high - low) * torch.rand(shape, generator=draw)


def locus(kelvin: Tensor) -> Tensor:
    """Linear BT.709 RGB [..., 3] of a black body at 2000..25000 K, of luminance 1."""
    t = 1000 / kelvin
    warm = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    cold = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    x = torch.where(kelvin < 4000, warm, cold)
    low = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    mid = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    high = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    y = torch.where(kelvin < 2222, low, torch.where(kelvin < 4000, mid, high))
    xyz = torch.stack([x / y, torch.ones_like(x), (1 - x - y) / y], dim=-1)
    return (xyz @ torch.tensor(_XYZ_TO_RGB, dtype=xyz.dtype).T).clamp(min=0.02)


def _balance(light: Tensor, on: Tensor, draw: torch.Generator) -> Tensor:
    """The wrong white: gains along the locus and across it, taken in a random camera's own primaries."""
    n = len(light)
    daylight = 154 + 90 * torch.randn((n,), generator=draw)
    lamps = 250 + 160 * torch.rand((n,), generator=draw)
    mired = torch.where(torch.rand((n,), generator=draw) < 0.25, lamps, daylight.clamp(45, 400))
    gains = locus(1e6 / mired) / locus(torch.tensor([6500.0]))
    gains = gains / (gains @ torch.tensor(LUMA))[:, None]
    gains[:, 1] *= torch.exp2(0.22 * torch.randn((n,), generator=draw))
    gains = gains ** (1 * on[:, 0, 0])
    mix = torch.eye(3) * 0.6 + 0.6 * torch.rand((n, 3, 3), generator=draw) * (1 - torch.eye(3)) * 0.35
    mix = mix / mix.sum(-1, keepdim=True)
    seen = torch.einsum("nij,nj->ni", mix, gains)  # white lands on the locus, however the camera mixes
    camera = torch.einsum("nij,nhwj->nhwi", mix, light) * seen[:, None, None]
    back = torch.einsum("nij,nhwj->nhwi", torch.linalg.inv(mix), camera).clamp(min=0)
    return torch.where(on > 0, back, light)


def _expose(light: Tensor, on: Tensor, shade: Tensor, draw: torch.Generator) -> Tensor:
    """Wrong exposure with clipping, smooth regional shading, and flare (stray light over everything)."""
    n, h, w = light.shape[:3]
    stops = torch.randn((n, 1, 1, 1), generator=draw) * 0.8 - 0.15
    coarse = F.interpolate(0.6 * torch.randn((n, 1, 2, 3), generator=draw), size=(5, 7), mode="bicubic")[:, 0]
    field = grid_gain(coarse.clamp(-1.5, 1.5) * shade[:, :, :, 0] * TRANSFER, h, w).reshape(n, h, w, 1)
    flare = _uniform(draw, n, 0, 0.06) * on * (_uniform(draw, n, 0, 1) < 0.4)
    return light * torch.exp2(stops.clamp(-2, 1.6) * on) * field * (1 - flare) + flare * light.mean(
        (1, 2), keepdim=True
    ).clamp(min=0.2)


def _tone(x: Tensor, on: Tensor, draw: torch.Generator) -> Tensor:
    """A wrong gamma, and an S-curve or its opposite, a flat profile."""
    n = len(x)
    x = x.clamp(1e-4, 1) ** torch.exp2(0.4 * on * torch.randn((n, 1, 1, 1), generator=draw).clamp(-2, 2))
    strength = on * _uniform(draw, n, -1, 1) * 3.0
    steep = strength.abs() + 1e-3
    ends = torch.sigmoid(steep / 2)
    curved = (torch.sigmoid(steep * (x - 0.5)) - (1 - ends)) / (2 * ends - 1)
    inside = (2 * ends - 1) * x + 1 - ends
    flat = torch.log(inside / (1 - inside)) / steep + 0.5
    return torch.where(strength > 0, curved, 0.35 * x + 0.65 * flat)


def _points(x: Tensor, on: Tensor, draw: torch.Generator) -> Tensor:
    """Black lifted or crushed, white dull or blown."""
    n = len(x)
    black = on * (_uniform(draw, n, -0.08, 0.16))
    white = 1 + on * _uniform(draw, n, -0.3, 0.12)
    return (black + x * (white - black)).clamp(0, 1)


def _saturate(x: Tensor, on: Tensor, draw: torch.Generator) -> Tensor:
    luma = (x * x.new_tensor(LUMA)).sum(-1, keepdim=True)
    gain = torch.exp2(on * _uniform(draw, len(x), -1.1, 0.6))
    return (luma + gain * (x - luma)).clamp(0, 1)


def _bars(x: Tensor, draw: torch.Generator) -> Tensor:
    """[N, h, w, 1]: 0 under black bars, which few pictures have, else 1."""
    n, h, w = x.shape[:3]
    rows = (torch.arange(h) + 0.5)[None, :, None, None] / h
    columns = (torch.arange(w) + 0.5)[None, None, :, None] / w
    bar = _uniform(draw, n, 0.06, 0.16) * (_uniform(draw, n, 0, 1) < 0.08)
    side = _uniform(draw, n, 0.08, 0.2) * (_uniform(draw, n, 0, 1) < 0.04)
    inside = (rows > bar) & (rows < 1 - bar) & (columns > side) & (columns < 1 - side)
    return inside.float()


def _title(x: Tensor, draw: torch.Generator) -> Tensor:
    """[N, h, w, 1]: 1 where white letters are, in few pictures, else 0."""
    n, h, w = x.shape[:3]
    rows = (torch.arange(h) + 0.5)[None, :, None, None] / h
    columns = (torch.arange(w) + 0.5)[None, None, :, None] / w
    top, left = _uniform(draw, n, 0.05, 0.85), _uniform(draw, n, 0.05, 0.6)
    box = (rows > top) & (rows < top + 0.1) & (columns > left) & (columns < left + 0.35)
    letters = torch.rand((n, h, w, 1), generator=draw) < 0.5
    return (box & letters & (_uniform(draw, n, 0, 1) < 0.06)).float()


def _specks(x: Tensor, draw: torch.Generator) -> Tensor:
    """Lone pixels of one ink a picture."""
    n, h, w = x.shape[:3]
    speck = torch.rand((n, h, w, 1), generator=draw) < 0.006 * (_uniform(draw, n, 0, 1) < 0.25)
    ink = torch.rand((n, 1, 1, 3), generator=draw).round()
    return torch.where(speck, ink, x)


def _record(x: Tensor, draw: torch.Generator) -> Tensor:
    """What a file does: noise, chroma at half size, coarse blocks of 4, 8 bit."""
    n, h, w = x.shape[:3]
    sigma = _uniform(draw, n, 0, 0.03) * (_uniform(draw, n, 0, 1) < 0.5)
    x = x + sigma * torch.randn(x.shape, generator=draw)
    luma = (x * x.new_tensor(LUMA)).sum(-1, keepdim=True)
    chroma = F.avg_pool2d((x - luma).permute(0, 3, 1, 2), 2)
    chroma = F.interpolate(chroma, size=(h, w), mode="nearest").permute(0, 2, 3, 1)
    subsampled = torch.where(_uniform(draw, n, 0, 1) < 0.5, luma + chroma, x)
    return (subsampled.clamp(0, 1) * 255).round() / 255
