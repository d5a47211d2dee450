"""Looks as other programs take them: `.cube` files on pictures, and ASC CDL."""

from __future__ import annotations

import functools
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from roughcut.effects.looks import LUMA, apply_controls, apply_lut, read_cube
from roughcut.records import F32, LookControls, Picture
from roughcut.records.effects import Lut
from roughcut.timeline.files import replace_text

F64 = NDArray[np.float64]


def through_lut(picture: Picture, effect: Lut) -> Picture:
    """The picture through a `.cube` file. Raises InputError where it is missing or malformed."""
    return picture.with_rgb(apply_lut(picture.rgb(), cube_of(effect.path)))


@functools.lru_cache(maxsize=8)
def cube_of(path: Path) -> F32:
    """`read_cube`, once for each file."""
    return read_cube(path)


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
    replace_text(path, text)
