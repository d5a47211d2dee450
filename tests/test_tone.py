"""Light: PQ, HLG and SDR against published values, the roll-off by hand, order, hue, the LUT against the formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from roughcut.effects.looks import apply_lut
from roughcut.effects.tone import (
    LUMA_709,
    TO_709,
    Light,
    convert,
    gamut_pressed,
    pq_code,
    pq_nits,
    rolled_off,
    to_nits,
    tone_between,
    tone_lut,
)
from roughcut.evaluation.delta_e import ciede2000, lab
from roughcut.records import HD_COLOUR, ColourTags

PQ, HLG = Light(transfer="pq", wide=True), Light(transfer="hlg", wide=True)
SDR = Light(transfer="sdr", wide=False)
PQ_TAGS = ColourTags(matrix="bt2020nc", primaries="bt2020", transfer="smpte2084", full_range=False)
RNG = np.random.default_rng(3)


def grey(value: float) -> np.ndarray:
    return np.full(3, value)


@pytest.mark.parametrize(("nits", "code"), [(26, 0.38), (100, 0.508), (203, 0.58), (1000, 0.752), (10_000, 1.0)])
def test_pq_is_the_published_curve(nits: float, code: float) -> None:
    """ST 2084 codes as BT.2408 and BT.2100 print them; and the way back."""
    assert float(pq_code(nits)) == pytest.approx(code, abs=0.005)
    assert float(pq_nits(pq_code(nits))) == pytest.approx(nits, rel=1e-9)


@pytest.mark.parametrize(("code", "nits"), [(0.0, 0), (0.38, 26), (0.75, 203), (1.0, 1000)])
def test_hlg_is_the_published_curve(code: float, nits: float) -> None:
    """BT.2408: grey of 18 % at 38 % is 26 nits, diffuse white at 75 % is 203 nits on a display of 1000."""
    np.testing.assert_allclose(to_nits(grey(code), "hlg"), grey(nits), rtol=0.01, atol=1e-9)


def eetf_by_hand(nits: float, peak: float, top: float) -> float:
    """BT.2390 5.4.1 step by step, on plain numbers."""

    def encode(light: float) -> float:
        y = (light / 10_000) ** 0.1593017578125
        return float(((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)

    def decode(code: float) -> float:
        root = code ** (1 / 78.84375)
        return float(10_000 * (max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125))

    e1, max_lum = encode(nits) / encode(peak), encode(top) / encode(peak)
    ks = 1.5 * max_lum - 0.5
    if e1 < ks:
        return nits
    t = (e1 - ks) / (1 - ks)
    e2 = (2 * t**3 - 3 * t**2 + 1) * ks + (t**3 - 2 * t**2 + t) * (1 - ks) + (-2 * t**3 + 3 * t**2) * max_lum
    return decode(e2 * encode(peak))


@pytest.mark.parametrize("peak", [400.0, 1000.0, 4000.0])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 1.0])
def test_the_roll_off_is_bt2390(peak: float, share: float) -> None:
    """Nits under and above the knee, to SDR's 203, from three mastering peaks."""
    assert float(rolled_off(share * peak, peak, 203.0)) == pytest.approx(eetf_by_hand(share * peak, peak, 203.0))


@pytest.mark.parametrize(("light", "peak_code"), [(PQ, 0.751827), (HLG, 1.0)])
def test_sdr_levels(light: Light, peak_code: float) -> None:
    """Black stays black, grey of 26 nits is at 42.5 %, diffuse white at 90 %, the peak at 100 %."""
    codes = {PQ: (0.0, 0.3800, 0.5807, peak_code), HLG: (0.0, 0.3784, 0.7499, peak_code)}[light]
    by_hand = [(eetf_by_hand(nits, 1000, 203) / 203) ** (1 / 2.4) for nits in (1e-9, 26, 203, 1000)]
    seen = [convert(grey(code), light, SDR)[1] for code in codes]
    np.testing.assert_allclose(seen, by_hand, atol=0.001)
    np.testing.assert_allclose(seen, [0, 0.425, 0.903, 1], atol=0.002)


@pytest.mark.parametrize("light", [PQ, HLG])
def test_a_grey_ramp_stays_grey_and_in_order(light: Light) -> None:
    """Of 500 greys up to the peak each is brighter than the one before, and none has a colour."""
    top = float(pq_code(1000)) if light == PQ else 1.0
    ramp = np.linspace(0, top, 500)[:, None].repeat(3, 1)
    out = convert(ramp, light, SDR)
    assert np.ptp(out, axis=1).max() < 1e-6
    assert np.diff(out[:, 0]).min() > 0
    through = apply_lut((ramp[None].repeat(2, 0) * 65535).round().astype(np.uint16), tone_lut(light, SDR))[0]
    assert np.ptp(through.astype(int), axis=1).max() <= 1
    assert np.diff(through[:, 0].astype(int)).min() >= 0


def hlg_signal(scene: np.ndarray) -> np.ndarray:
    """BT.2100's HLG OETF."""
    return np.where(
        scene <= 1 / 12, np.sqrt(3 * scene), 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    )


@pytest.mark.parametrize("light", [PQ, HLG])
def test_saturated_colours_roll_off_in_order(light: Light) -> None:
    """Any colour of BT.2020 that gets brighter gets brighter in SDR too, up to its peak, and stays in range."""
    corners = np.array([c for c in np.ndindex(2, 2, 2) if any(c)], float)
    shades = np.concatenate([corners, RNG.random((60, 3))])
    shades /= shades.max(1, keepdims=True)
    for shade in shades:
        ramp = np.linspace(0.001, 1, 200)[:, None] * shade
        code = pq_code(1000 * ramp) if light == PQ else hlg_signal(ramp)
        out = convert(code, light, SDR)
        assert out.min() >= 0
        assert out.max() <= 1 + 1e-9
        luminance = out**2.4 @ LUMA_709
        assert np.diff(luminance).min() > -1e-9
        assert luminance[-1] > luminance[-20]


def test_the_gamut_is_pressed_at_equal_luminance_and_hue() -> None:
    """Colours beyond BT.709 come inside it along the line to grey, in order; those well inside do not move."""
    wide = RNG.random((500, 3)) @ TO_709.T
    pressed = gamut_pressed(wide)
    assert pressed.min() >= 0
    np.testing.assert_allclose(pressed @ LUMA_709, wide @ LUMA_709, atol=1e-3)
    before, after = (x - (x @ LUMA_709)[:, None] for x in (wide, pressed))
    cosine = (before * after).sum(1) / (np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1))
    assert cosine.min() > 0.9999
    fading = np.array([0.3, 0.5, 0.2]) + np.linspace(0, 1, 100)[:, None] * np.array([-0.35, 0.15, -0.05])
    least = gamut_pressed(fading).min(1)
    assert np.diff(least).max() < 0
    np.testing.assert_allclose(gamut_pressed(fading[:60]), fading[:60])


@pytest.mark.parametrize("light", [PQ, HLG])
def test_the_lut_is_the_formula(light: Light) -> None:
    """Through OpenColorIO at 16 bits every colour is within dE00 1.5 of the exact map, the mean within 0.1."""
    top = float(pq_code(1000)) if light == PQ else 1.0
    codes = (RNG.random((300, 300, 3)) * top * 65535).astype(np.uint16)
    codes[:150] = np.clip(codes[:150].mean(-1, keepdims=True) + RNG.normal(0, 2500, (150, 300, 3)), 0, top * 65535)
    tags = PQ_TAGS if light == PQ else replace(PQ_TAGS, transfer="arib-std-b67")
    tone = tone_between(tags, HD_COLOUR)
    assert tone is not None
    error = ciede2000(lab(tone(codes) / 65535), lab(convert(codes / 65535, light, SDR)))
    assert error.max() < 1.5
    assert error.mean() < 0.1


@pytest.mark.parametrize(("light", "white"), [(PQ, 0.5807), (HLG, 0.7499)])
def test_sdr_inside_hdr(light: Light, white: float) -> None:
    """BT.2408: SDR's white is 203 nits. What the roll-off does not touch comes back as it was."""
    np.testing.assert_allclose(convert(grey(1.0), SDR, light), grey(white), atol=0.001)
    rgb = RNG.random((2000, 3)) * 0.4 + 0.2
    back = convert(convert(rgb, SDR, light), light, SDR)
    assert ciede2000(lab(back), lab(rgb)).max() < 0.5


def test_pq_and_hlg_meet() -> None:
    """The same light in the other transfer: diffuse white, grey and a colour; PQ over 1000 nits rolls off."""
    np.testing.assert_allclose(convert(grey(0.5807), PQ, HLG), grey(0.75), atol=0.001)
    np.testing.assert_allclose(convert(grey(0.75), HLG, PQ), grey(0.5807), atol=0.001)
    colour = pq_code(np.array([300.0, 40.0, 5.0]))
    np.testing.assert_allclose(convert(convert(colour, PQ, HLG), HLG, PQ), colour, atol=1e-6)
    bright = [convert(grey(float(pq_code(n))), PQ, HLG, 4000)[0] for n in (900, 2000, 4000)]
    assert bright[0] < bright[1] < bright[2] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("peak", [203.0, 600.0, 4000.0])
def test_the_metadata_s_peak_is_white(peak: float) -> None:
    """Whatever the footage reaches by its metadata becomes 100 %, and only that."""
    at, below = (convert(grey(float(pq_code(n))), PQ, SDR, peak)[0] for n in (peak, 0.9 * peak))
    assert at == pytest.approx(1.0, abs=1e-6)
    assert below < at - 1e-6


def test_nothing_is_done_where_nothing_differs() -> None:
    """The same light on both sides needs no map; matrix and range are another matter."""
    assert tone_between(PQ_TAGS, replace(PQ_TAGS, full_range=True)) is None
    assert tone_between(ColourTags(), HD_COLOUR) is None
    assert tone_between(ColourTags(matrix="smpte170m", primaries="smpte170m", full_range=True), HD_COLOUR) is None
    assert tone_between(PQ_TAGS, HD_COLOUR) is not None
    assert math.isclose(float(convert(grey(0.5), SDR, Light(transfer="sdr", wide=True))[0]), 0.5, abs_tol=1e-9)
