"""`roughcut train colour`: learn to undo camera faults, and to leave good pictures alone.

The loss is a colour difference between the corrected and the original picture as people see it (CIE94), not a
distance between sliders: many sliders make one picture. It is taken three times:

    full     every slider as predicted                      teaches the sliders
    local    the same sliders held fixed, regional stops    teaches the regions
    shrunk   all held fixed, times their confidences        teaches the confidences: harm done to a picture costs
                                                            more than help is worth
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from roughcut.networks.colour_difference import difference
from roughcut.networks.spatial import (
    BINS,
    LUMA,
    REACH,
    TRANSFER,
    SpaceMapper,
    apply_controls,
    chroma,
    grid_gain,
    soft_bins,
)
from roughcut.training.colour_pool import LIGHTS, Pool, load_pool
from roughcut.training.export import check_equal, to_onnx, write_card
from roughcut.training.faults import FaultSettings, degrade
from roughcut.training.manifest import read
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput

VERSION = "2"
VALIDATION_ROUNDS = 3  # faulty versions of every held-out picture
FACTS = {
    "description": "a small picture to colour sliders, their confidence and regional stops (effects/looks.py)",
    "input": "RGB, full range, non-linear, squashed to the size in `inputs`; any aspect; and the encoder's row of it",
}


@dataclass(frozen=True, kw_only=True)
class ColourSettings:
    """The `[task]` table."""

    batch: int = 64
    crops: int = 8
    """Parts of each photograph to learn from; of other pictures fewer."""
    white: float = 0.3
    """What a nat of not knowing where white lies costs."""
    harm: float = 1.0
    """What a unit of harm costs, next to a unit of difference left."""
    clean: float = 0.28
    """Share of pictures without a fault."""


def corrected(rgb: Tensor, sliders: Tensor, grid: Tensor | None = None) -> Tensor:
    """Pictures [N, h, w, 3] under sliders [N, 8] and stops [N, 3, 4], as pixels [N, h * w, 3]."""
    pixels = apply_controls(rgb.flatten(1, 2), sliders)
    return pixels if grid is None else (pixels * grid_gain(grid, *rgb.shape[1:3])).clamp(0, 1)


def missed_white(logits: Tensor, faulty: Tensor, good: Tensor) -> Tensor:
    """[N] cross entropy of a plane of logits and the cast: how far chroma moved from the right picture to the faulty
    one, where neither is dark, clipped or colourful."""
    (u, v), (right_u, right_v) = chroma(faulty), chroma(good)
    sure = ((faulty.amin(-1) - 0.05) * 20).clamp(0, 1) * ((0.98 - torch.maximum(faulty, good).amax(-1)) * 20).clamp(
        0, 1
    )
    weights = (sure * torch.exp(-2 * (right_u**2 + right_v**2))).flatten(1) + 1e-6
    weights = weights / weights.sum(1, keepdim=True)
    at = [((x - y).flatten(1) * weights).sum(1, keepdim=True) for x, y in ((u, right_u), (v, right_v))]
    rows, columns = (soft_bins(x, -REACH, REACH, BINS)[:, 0] for x in at)
    target = (rows[:, :, None] * columns[:, None]).flatten(1)
    return -(target * torch.log_softmax(logits.flatten(1), dim=1)).sum(1)


def gray_world(rgb: Tensor) -> Tensor:
    """The simple baseline [N, h, w, 3]: channel means made equal in linear light, luminance kept."""
    light = rgb**TRANSFER
    means = light.mean((1, 2), keepdim=True)
    gains = means.mean(-1, keepdim=True) / means.clamp(min=1e-4)
    gains = gains / (gains * gains.new_tensor(LUMA)).sum(-1, keepdim=True)
    return (light * gains).clamp(0, 1) ** (1 / TRANSFER)


class ColourTask:
    """Self-supervised colour correction as a task of the common loop."""

    name = "colour"

    def __init__(self, given: TaskInput) -> None:
        self.settings = settings(ColourSettings, given.options, where="task")
        self._seed = given.seed
        manifest = read(given.data)
        self._licences = manifest.licences()
        self._faults = FaultSettings(clean=self.settings.clean)
        crops, cache = self.settings.crops, given.cache
        self._training = load_pool(manifest, "train", crops, given.seed, cache, given.progress)
        self._validation = self._validation_set(load_pool(manifest, "val", 1, given.seed, cache, given.progress))

    def network(self) -> nn.Module:
        """A fresh one."""
        return SpaceMapper()

    def batch(self, step: int) -> Batch:
        """Good pictures and faulty versions of them, half of them mirrored."""
        rng = np.random.default_rng((self._seed, step))
        pool, count = self._training, self.settings.batch
        drawn = rng.integers(len(pool.good), size=count)
        good = pool.good[drawn]
        good[: count // 2] = good[: count // 2, :, ::-1]
        rows = pool.rows[drawn, rng.integers(LIGHTS, size=count)]
        return self._degraded(torch.from_numpy(good).float() / 255, torch.from_numpy(rows), step)

    def _degraded(self, good: Tensor, rows: Tensor, step: int) -> Batch:
        draw = torch.Generator().manual_seed(self._seed * 1_000_003 + step)
        faulty, right, clean = degrade(good, self._faults, draw)
        return {"good": right, "faulty": faulty, "clean": clean, "rows": rows}

    def _validation_set(self, pool: Pool) -> Batch:
        """Every held-out picture, whole, with a few fixed faults."""
        good = torch.from_numpy(pool.good).float().repeat_interleave(VALIDATION_ROUNDS, 0) / 255
        rows = torch.from_numpy(pool.rows[:, :VALIDATION_ROUNDS]).flatten(0, 1)
        return self._degraded(good, rows, -1 + 2**31)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Full, local and shrunk differences, harm, and where white lies (see above)."""
        sliders, trust, grid, logits = network.judge(batch["faulty"], batch["rows"])  # type: ignore[operator]
        faulty, good = batch["faulty"][:, ::2, ::2], batch["good"][:, ::2, ::2].flatten(1, 2)  # a quarter says as much
        full = difference(corrected(faulty, sliders), good)
        local = difference(corrected(faulty, sliders.detach(), grid), good)
        shrunk = difference(
            corrected(faulty, sliders.detach() * trust[:, :1], grid.detach() * trust[:, 1, None, None]), good
        )
        harm = F.relu(shrunk - difference(faulty.flatten(1, 2), good))
        white = missed_white(logits, batch["faulty"], batch["good"])
        return (full + 0.5 * local + shrunk + self.settings.harm * harm + self.settings.white * white).mean()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Mean OKLab difference left on held-out pictures, beside gray-world, and what was harmed."""
        faulty, good, clean = (self._validation[key] for key in ("faulty", "good", "clean"))
        sliders, trust, grid = network(faulty * 255, self._validation["rows"])
        target = good.flatten(1, 2)
        before = difference(faulty.flatten(1, 2), target)
        after = difference(corrected(faulty, sliders * trust[:, None], grid), target)
        gray = difference(gray_world(faulty).flatten(1, 2), target)
        touched = difference(corrected(faulty, sliders * trust[:, None], grid), faulty.flatten(1, 2))
        return {
            "score": -float(after.mean() + (after - before).clamp(min=0).mean()),
            "before": float(before[~clean].mean()),
            "after": float(after[~clean].mean()),
            "gray_world": float(gray[~clean].mean()),
            "clean_changed": float(touched[clean].mean()),
            "harmed": float((after > before + 0.5).float().mean()),
            "harmed_by_gray_world": float((gray > before + 0.5).float().mean()),
        }

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """`colour.onnx` and its card."""
        path = folder / "colour.onnx"
        network = network.eval()
        held = self._validation
        example = {"pictures": (held["faulty"][:3] * 255).round().to(torch.uint8), "rows": held["rows"][:3]}
        axes = {name: {0: "n"} for name in ("pictures", "rows", "sliders", "confidence", "grid")}
        to_onnx(network, example, path, outputs=["sliders", "confidence", "grid"], axes=axes)
        worst = check_equal(network, path, [example, {name: held[:1] for name, held in example.items()}])
        write_card(path, version=VERSION, recipe=recipe, data=self._licences, difference=worst, **FACTS)
        return [path]
