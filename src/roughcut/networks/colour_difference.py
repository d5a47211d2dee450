"""How far two pictures differ to the eye, differentiable."""

from __future__ import annotations

import torch
from torch import Tensor

RGB_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.072175), (0.0193339, 0.119192, 0.9503041))
"""sRGB (IEC 61966-2-1), white D65"""


def lab(rgb: Tensor) -> Tensor:
    """Display RGB [..., 3] in 0..1 to CIE L*a*b*; the same as `evaluation.delta_e.lab`."""
    light = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)
    to_xyz = rgb.new_tensor(RGB_TO_XYZ)
    to_xyz = to_xyz / to_xyz.sum(1, keepdim=True)
    xyz = light @ to_xyz.T
    f = torch.where(xyz > 216 / 24389, xyz.clamp(min=216 / 24389) ** (1 / 3), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f.unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-1)


def difference(a: Tensor, b: Tensor) -> Tensor:
    """[N] mean colour difference of display pictures [N, P, 3] to the right ones `b`: CIE94, graphic arts.

    CIEDE2000 without what has no slope everywhere; what saturated colours miss counts less, as people see it.
    """
    ours, right = lab(a), lab(b)
    chroma, right_chroma = (torch.sqrt((x[..., 1:] ** 2).sum(-1) + 1e-4) for x in (ours, right))
    apart = ours - right
    light, colour = apart[..., 0] ** 2, (chroma - right_chroma) ** 2
    hue = (apart[..., 1:] ** 2).sum(-1) - colour
    squares = light + colour / (1 + 0.045 * right_chroma) ** 2 + hue.clamp(min=0) / (1 + 0.015 * right_chroma) ** 2
    return torch.sqrt(squares + 1e-2).mean(1)
