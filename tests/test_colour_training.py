"""The colour task: Lab is the standard's, a cast is a shift that balancing takes back, bars belong to the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from roughcut.errors import DataError
from roughcut.evaluation import delta_e
from roughcut.networks.colour_difference import difference, lab
from roughcut.networks.spatial import BINS, REACH, balance_of, balanced, cast_histograms, chroma, place
from roughcut.records import no_progress
from roughcut.training.colour import missed_white
from roughcut.training.colour_pool import LIGHTS, load_pool
from roughcut.training.faults import FaultSettings, degrade
from roughcut.training.manifest import read


def greys(levels: int = 48) -> torch.Tensor:
    """[1, 48, 64, 3] from dark to light grey."""
    return torch.linspace(0.2, 0.6, levels)[None, :, None, None].expand(1, levels, 64, 3).clone()


def test_lab_is_the_standards() -> None:
    """The differentiable Lab equals the one that `evaluate` measures with; equal pictures differ by nothing much."""
    rgb = torch.rand(500, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(lab(rgb), torch.from_numpy(delta_e.lab(rgb.numpy())).float(), atol=2e-3, rtol=1e-3)
    assert float(difference(rgb[None], rgb[None])) < 0.2


@pytest.mark.parametrize("gains", [(1.3, 1.0, 0.7), (0.8, 1.0, 1.2), (1.0, 0.85, 1.0)])
def test_a_cast_is_taken_back(gains: tuple[float, float, float]) -> None:
    """Grey under a cast lies at one place of the chroma plane; balancing by that place gives grey again."""
    faulty = greys() * torch.tensor(gains)
    u, v = (x.mean() for x in chroma(faulty))
    temperature, tint = balance_of(torch.stack([u, v])[None])[0]
    mended = balanced(faulty, temperature[None], tint[None])
    assert (mended.amax(-1) - mended.amin(-1)).max() < 0.03


def test_white_is_missed_least_where_it_lies() -> None:
    """The cross entropy is least for a plane that peaks at the cast, and greatest for one that rules it out."""
    good = greys()
    faulty = good * torch.tensor((1.3, 1.0, 0.7))
    at = torch.stack([(x - y).mean() for x, y in zip(chroma(faulty), chroma(good), strict=True)])
    cell = ((at / REACH + 1) / 2 * (BINS - 1)).round().long()
    planes = torch.zeros(3, BINS, BINS)
    planes[0, cell[0], cell[1]], planes[2, cell[0], cell[1]] = 5.0, -5.0
    right, unsure, wrong = missed_white(planes, faulty.expand(3, -1, -1, -1), good.expand(3, -1, -1, -1))
    assert right < unsure < wrong
    mean, spread = place(20 * planes[:1])
    assert (mean[0] - at).abs().max() < 2 * REACH / BINS
    assert spread[0, 2] > 0.99


def test_histograms_move_with_the_cast() -> None:
    """A cast of whole bins moves a bright picture's histograms by as many, whatever it shows."""
    draw = torch.Generator().manual_seed(1)
    picture = 0.3 + 0.2 * torch.rand(1, 24, 32, 3, generator=draw)
    bin_width = 2 * REACH / (BINS - 1)
    redder = picture.clone()
    redder[..., 0] = (picture[..., 0] + 0.02) * 2 ** (-2 * bin_width) - 0.02  # red falls: green over red rises
    before, after = ((cast_histograms(x)[0] ** 2).sum(0).sum(1) for x in (picture, redder))
    centre = torch.arange(BINS, dtype=torch.float32)
    moved = (centre * after).sum() / after.sum() - (centre * before).sum() / before.sum()
    assert float(moved) == pytest.approx(2, abs=0.15)


def test_bars_and_titles_are_no_fault() -> None:
    """Of a picture drawn as clean, what should come out has the same bars and titles as what goes in."""
    good = torch.full((400, 48, 64, 3), 0.5)
    faulty, right, clean = degrade(good, FaultSettings(clean=1.0), torch.Generator().manual_seed(2))
    assert bool(clean.all())
    assert int((right == 0).flatten(1).any(1).sum()) > 10
    assert int((right == 1).flatten(1).any(1).sum()) > 5
    assert float(((faulty - right).abs().amax(-1) > 0.2).float().mean()) < 0.01  # specks alone


def test_pool(tmp_path: Path) -> None:
    """Parts of every picture with their rows, the same when asked again; nothing to learn from is said."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    for name in ("a", "b"):
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    lines = [
        f'{{"file": "{n}.png", "labels": {{"material": "still"}}, "split": "train", "licence": "CC0"}}' for n in "ab"
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(lines))
    manifest = read(tmp_path / "m.jsonl")
    once, again = (load_pool(manifest, "train", 2, 0, tmp_path / "cache", no_progress) for _ in range(2))
    assert once.good.shape == (4, 48, 64, 3)
    assert once.rows.shape == (4, LIGHTS, 128)
    np.testing.assert_array_equal(once.good, again.good)
    np.testing.assert_array_equal(once.rows, again.rows)
    np.testing.assert_allclose(np.linalg.norm(once.rows, axis=-1), 1, atol=1e-4)
    with pytest.raises(DataError, match="no picture to learn from"):
        load_pool(manifest, "test", 2, 0, tmp_path / "cache", no_progress)
