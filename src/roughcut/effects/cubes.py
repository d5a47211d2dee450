"""Looks as other programs take them: `.cube` files on pictures, ASC CDL, and the map from one look to another.

Bringing a picture's colours to a reference's is the linear Monge-Kantorovich map between their means and covariances
(Pitie and Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping"), here in CIELAB, its stretch limited, so
that a grey picture is not torn apart to match a bright one.
"""

from __future__ import annotations

import functools
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from roughcut.effects.looks import LUMA, LUT_SIZE, apply_controls, apply_lut, read_cube
from roughcut.errors import OutputError
from roughcut.records import F32, U8, LookControls, Picture
from roughcut.records.effects import Lut

LEAST_STRETCH, MOST_STRETCH = 0.5, 2.0
MOST_SHIFT = 30.0  # of L*, a*, b*
WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)  # IEC 61966-2-1
F64 = NDArray[np.float64]


def through_lut(picture: Picture, effect: Lut) -> Picture:
    """The picture through a `.cube` file. Raises InputError where it is missing or malformed."""
    return picture.with_rgb(apply_lut(picture.rgb(), cube_of(effect.path)))


@functools.lru_cache(maxsize=8)
def cube_of(path: Path) -> F32:
    """`read_cube`, once for each file."""
    return read_cube(path)


def mixed_with_identity(lut: F32, strength: float) -> F32:
    """A LUT [n, n, n, 3] as far as `strength` (0..1)."""
    axis = np.linspace(0, 1, len(lut))
    plain = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    made: F32 = (plain + strength * (lut - plain)).astype(np.float32)
    return made


def like(pictures: U8, reference: U8, size: int = LUT_SIZE) -> F32:
    """A LUT [n, n, n, 3] that gives pictures [N, h, w, 3] the colours of others [M, h, w, 3]."""
    own, wanted = (lab_of(p.reshape(-1, 3) / 255.0) for p in (pictures, reference))
    matrix = _monge_kantorovich(_covariance(own), _covariance(wanted))
    shift = np.clip(wanted.mean(0) - own.mean(0), -MOST_SHIFT, MOST_SHIFT)
    axis = np.linspace(0, 1, size)
    lattice = lab_of(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1))
    mapped = (lattice - own.mean(0)) @ matrix + own.mean(0) + shift
    return rgb_of(mapped).astype(np.float32)


def _covariance(lab: F64) -> F64:
    found: F64 = np.cov(lab, rowvar=False) + np.eye(3) * 1.0  # a flat picture has no spread to be stretched
    return found


def _monge_kantorovich(own: F64, wanted: F64) -> F64:
    root = _root(own)
    back = np.linalg.inv(root)
    matrix = back @ _root(root @ wanted @ root) @ back
    values, axes = np.linalg.eigh(matrix)
    limited: F64 = (axes * np.clip(values, LEAST_STRETCH, MOST_STRETCH)) @ axes.T
    return limited


def _root(matrix: F64) -> F64:
    values, axes = np.linalg.eigh(matrix)
    root: F64 = (axes * np.sqrt(np.clip(values, 0, None))) @ axes.T
    return root


def lab_of(rgb: NDArray[np.floating]) -> F64:
    """CIELAB (D65) of sRGB [..., 3] in 0..1."""
    x = np.asarray(rgb, np.float64)
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    t = linear @ TO_XYZ.T / WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    lab: F64 = np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
    return lab


def rgb_of(lab: F64) -> F64:
    """The way back, limited to 0..1."""
    middle = (lab[..., 0] + 16) / 116
    f = np.stack([middle + lab[..., 1] / 500, middle, middle - lab[..., 2] / 200], -1)
    t = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    linear = np.clip(t * WHITE @ np.linalg.inv(TO_XYZ).T, 0, 1)
    rgb: F64 = np.clip(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055), 0, 1)
    return rgb


def cdl_of(controls: LookControls) -> tuple[F64, F64, F64, float]:
    """Slope, offset and power [3] and saturation of the ASC CDL nearest to the sliders; exact for those at 0.

    CDL is (x slope + offset) ^ power in each channel, then saturation about BT.709 luma (ASC CDL 1.2). Fitted to the
    greys and their channels by Gauss-Newton steps.
    """
    x = np.linspace(0.02, 0.98, 97)
    greys = apply_controls(np.repeat(x[:, None], 3, 1), _without_saturation(controls))
    slope, offset, power = np.ones(3), np.zeros(3), np.ones(3)
    for channel in range(3):
        fit = np.array([1.0, 0.0, 1.0])
        for _ in range(60):
            base = np.clip(x * fit[0] + fit[1], 1e-6, None)
            value = base ** fit[2]
            slopes = fit[2] * base ** (fit[2] - 1)
            jacobian = np.stack([slopes * x, slopes, value * np.log(base)], 1)
            step = np.linalg.lstsq(jacobian, greys[:, channel] - np.clip(value, 0, 1), rcond=1e-9)[0]
            fit = np.clip(fit + 0.5 * step, [0.05, -0.5, 0.2], [8, 0.5, 5])
        slope[channel], offset[channel], power[channel] = fit
    return slope, offset, power, float(2.0**controls.saturation)


def _without_saturation(c: LookControls) -> LookControls:
    return LookControls(**{**dict(zip(c.names(), c.values(), strict=True)), "saturation": 0.0})


def apply_cdl(rgb: NDArray[np.floating], cdl: tuple[F64, F64, F64, float]) -> F64:
    """A CDL on RGB [..., 3] in 0..1."""
    slope, offset, power, saturation = cdl
    x = np.clip(np.asarray(rgb, np.float64) * slope + offset, 0, 1) ** power
    luma = (x @ LUMA)[..., None]
    graded: F64 = np.clip(luma + saturation * (x - luma), 0, 1)
    return graded


def write_cdl(path: Path, controls: LookControls, name: str) -> None:
    """Write a `.cdl` (ASC ColorDecisionList). Raises OutputError."""
    slope, offset, power, saturation = cdl_of(controls)
    rows = "".join(
        f"        <{tag}>{' '.join(f'{v:.6f}' for v in values)}</{tag}>\n"
        for tag, values in (("Slope", slope), ("Offset", offset), ("Power", power))
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ColorDecisionList xmlns="urn:ASC:CDL:v1.2">\n  <ColorDecision>\n'
        f'    <ColorCorrection id="{escape(name, {chr(34): "&quot;"})}">\n      <SOPNode>\n{rows}      </SOPNode>\n'
        f"      <SatNode>\n        <Saturation>{saturation:.6f}</Saturation>\n      </SatNode>\n"
        "    </ColorCorrection>\n  </ColorDecision>\n</ColorDecisionList>\n"
    )
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise OutputError("the look cannot be written", where=path, got=error) from error
