"""Looks: exact formulas, LUT, OpenColorIO, regional exposure, .cube files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from roughcut.effects.looks import (
    apply_controls,
    apply_grid,
    apply_look,
    apply_lut,
    bake,
    grid_field,
    read_cube,
    write_cube,
)
from roughcut.errors import InputError, OutputError, PlanError
from roughcut.networks import spatial
from roughcut.records import Look, LookControls

STRONG = LookControls(
    temperature=0.6, tint=-0.2, exposure=0.4, black=0.05, white=-0.1, gamma=0.3, contrast=0.3, saturation=0.25
)
SLIDERS = st.builds(
    lambda values: LookControls(**dict(zip(LookControls.names(), values, strict=True))),
    st.tuples(*[st.floats(-scale, scale) for scale in spatial.SCALES]),
)


def smooth(dtype: type, height: int = 90, width: int = 160) -> np.ndarray:
    """A picture [h, w, 3] of slow ramps over the whole range."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return (np.stack([x, y, 1 - x * y], axis=-1) * np.iinfo(dtype).max).astype(dtype)


@given(SLIDERS)
def test_numpy_is_torch(controls: LookControls) -> None:
    """Applying, training and baking mean the same map."""
    rgb = np.random.default_rng(1).random((50, 3))
    ours = apply_controls(rgb, controls)
    sliders = torch.tensor([controls.values()], dtype=torch.float64)
    theirs = spatial.apply_controls(torch.from_numpy(rgb)[None], sliders)[0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_sliders_are_the_records() -> None:
    """The network's sliders are the record's, in its order."""
    assert LookControls.names() == spatial.SLIDERS


@given(SLIDERS)
def test_greys_rise(controls: LookControls) -> None:
    """Whatever the sliders, a brighter grey never comes out darker in any channel before saturation mixes them."""
    ramp = np.linspace(0, 1, 100)[:, None].repeat(3, 1)
    out = apply_controls(ramp, replace(controls, saturation=0.0))
    assert (np.diff(out, axis=0) >= -1e-9).all()
    assert out.min() >= 0
    assert out.max() <= 1


def test_identity_touches_nothing() -> None:
    """All sliders 0: the formulas give the input, and a picture comes back as the very array."""
    rgb = np.random.default_rng(2).random((100, 3))
    np.testing.assert_allclose(apply_controls(rgb, LookControls()), rgb, atol=1e-12)
    picture = smooth(np.uint8)
    assert apply_look(picture, Look()) is picture
    assert apply_look(picture, Look(grid=((0.01, 0.0), (0.0, -0.02)))) is picture


@pytest.mark.parametrize(
    ("slider", "moves"),
    [
        ("temperature", lambda x: x[0] > x[2]),
        ("tint", lambda x: x[1] > x[0] and x[1] > x[2]),
        ("exposure", lambda x: x.min() > 0.5),
        ("black", lambda x: x.max() < 0.5),
        ("white", lambda x: x.max() < 0.5),
        ("gamma", lambda x: x.min() > 0.5),
    ],
)
def test_direction_of_sliders(slider: str, moves) -> None:  # type: ignore[no-untyped-def]
    """A positive slider moves middle grey the way its docstring says."""
    assert moves(apply_controls(np.full(3, 0.5), LookControls(**{slider: 0.2})))


def test_exposure_is_stops_of_light() -> None:
    """One stop doubles linear light (exponent 2.2)."""
    assert apply_controls(np.full(3, 0.3), LookControls(exposure=1.0)) ** 2.2 == pytest.approx(2 * 0.3**2.2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lut_follows_the_formulas(dtype: type) -> None:
    """OpenColorIO with the baked LUT stays near the exact map, at either depth, and leaves its input alone."""
    picture = smooth(dtype)
    before, top = picture.copy(), np.iinfo(dtype).max
    out = apply_look(picture, Look(controls=STRONG))
    error = np.abs(out / top - apply_controls(picture / top, STRONG)) * 255
    assert out.dtype == dtype
    assert error.mean() < 0.4
    assert error.max() < 6  # where the map clips inside a lattice cell
    np.testing.assert_array_equal(picture, before)


def test_identity_lut_is_exact() -> None:
    """Tetrahedral interpolation of the identity gives every 8-bit code back; a strided view is taken too."""
    picture = smooth(np.uint8)[:, ::2]
    np.testing.assert_array_equal(apply_lut(picture, bake(LookControls())), picture)


def test_grid_is_smooth_and_monotone() -> None:
    """The field reaches its cells, runs without steps, and keeps the order of codes at every place."""
    grid = ((0.4, -0.3, 0.0), (0.0, 0.2, -0.4))
    field = grid_field(grid, 120, 180)
    assert field[30, 30] == pytest.approx(0.4, abs=0.01)
    assert np.abs(np.diff(field, axis=1)).max() < 0.7 * 1.6 / 60
    dark, bright = (apply_grid(np.full((120, 180, 3), code, np.uint8), grid) for code in (100, 101))
    assert (bright >= dark).all()
    exact = np.minimum(100 * 2 ** (field / 2.2), 255)
    assert np.abs(dark[..., 0] - exact).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_flat_grid_is_exposure(dtype: type) -> None:
    """A grid of one value is an exposure of that many stops, within rounding."""
    picture = smooth(dtype) // 2
    scaled = np.minimum(picture * 2 ** (0.3 / 2.2), np.iinfo(dtype).max)
    assert np.abs(apply_grid(picture, ((0.3, 0.3),)) - scaled).max() < 0.51


@pytest.mark.parametrize("wrong", [{"exposure": 9.0}, {"contrast": float("nan")}, {"black": 0.5, "white": -0.5}])
def test_wild_sliders_are_refused(wrong: dict[str, float]) -> None:
    """A plan changed by hand may hold anything: the slider is named."""
    with pytest.raises(PlanError, match="look"):
        apply_look(smooth(np.uint8), Look(controls=LookControls(**wrong)))


def test_wild_grid_is_refused() -> None:
    """Regional stops have a limit."""
    with pytest.raises(PlanError, match=r"-2.0..2.0 stops"):
        apply_look(smooth(np.uint8), Look(grid=((50.0,),)))


def test_cube_round_trip(tmp_path: Path) -> None:
    """What is written reads back to six decimals, red fastest, and no temporary file stays."""
    lut = bake(STRONG, 5)
    write_cube(lut, tmp_path / "a.cube", title="é")
    np.testing.assert_allclose(read_cube(tmp_path / "a.cube"), lut, atol=1e-6)
    second = (tmp_path / "a.cube").read_text().splitlines()[3].split()
    np.testing.assert_allclose([float(v) for v in second], lut[1, 0, 0], atol=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["a.cube"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "not a 3D"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1 1", "not a 3D"),
        ("LUT_3D_SIZE 2\n0 0 0", "not whole"),
        ("LUT_3D_SIZE 500\n", "another size"),
        ("LUT_3D_SIZE 2\n" + "0 0\n" * 8, "three finite"),
        ("LUT_3D_SIZE 2\n" + "0 0 nan\n" * 8, "finite|numbers"),
        ("LUT_3D_SIZE 2\n" + "0 0 1\n" * 7 + "0 0", "numbers"),
        ("LUT_3D_SIZE 2\nDOMAIN_MAX 2 2 2\n" + "0 0 0\n" * 8, "another domain"),
    ],
)
def test_bad_cubes(tmp_path: Path, text: str, message: str) -> None:
    """Every kind of broken .cube gives one clear error that names the file."""
    path = tmp_path / "bad.cube"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_cube(path)
    assert "bad.cube" in str(caught.value)


def test_cube_files_that_cannot_be(tmp_path: Path) -> None:
    """Missing, huge, or not writable."""
    with pytest.raises(InputError, match="cannot be read"):
        read_cube(tmp_path / "none.cube")
    with (tmp_path / "huge.cube").open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(InputError, match="too large"):
        read_cube(tmp_path / "huge.cube")
    with pytest.raises(OutputError, match="cannot be written"):
        write_cube(bake(LookControls(), 2), tmp_path / "no" / "a.cube")
