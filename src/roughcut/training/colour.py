"""`roughcut train colour`: learn to undo camera faults, and to leave good pictures alone.

The loss is a colour difference between the corrected and the original picture in OKLab (Ottosson 2020), not a
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

from roughcut.networks.spatial import LUMA, TRANSFER, SpaceMapper, apply_controls, grid_gain
from roughcut.records import U8
from roughcut.spatial.mapper import INPUT_SIZE
from roughcut.training.export import check_equal, to_onnx, write_card
from roughcut.training.faults import FaultSettings, degrade
from roughcut.training.footage import Footage
from roughcut.training.manifest import read
from roughcut.training.material import load_footage
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput

VERSION = "1"
WIDTH, HEIGHT = INPUT_SIZE
VALIDATION_ROUNDS = 3  # faulty versions of every held-out picture
FACTS = {
    "description": "a small picture to colour sliders, their confidence and regional stops (effects/looks.py)",
    "input": "RGB, full range, non-linear, squashed to the size in `inputs`; any aspect",
}


@dataclass(frozen=True, kw_only=True)
class ColourSettings:
    """The `[task]` table."""

    batch: int = 64
    stills: float = 0.7
    """Share of photographs in a batch, the rest are frames of shots."""
    harm: float = 2.0
    """What a unit of harm costs, next to a unit of difference left."""
    clean: float = 0.28
    """Share of pictures without a fault."""


def oklab(rgb: Tensor) -> Tensor:
    """Display RGB [..., 3] in 0..1 to OKLab, scaled so that white has L = 100."""
    light = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)
    to_cones = rgb.new_tensor(
        ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
         (0.0883024619, 0.2817188376, 0.6299787005))
    )  # fmt: skip
    to_lab = rgb.new_tensor(
        ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
         (0.0259040371, 0.7827717662, -0.8086757660))
    )  # fmt: skip
    cones = (light @ to_cones.T).clamp(min=1e-5) ** (1 / 3)
    return 100 * cones @ to_lab.T


def difference(a: Tensor, b: Tensor) -> Tensor:
    """[N] mean OKLab distance of display pictures [N, P, 3]; colour counts twice, as the eye has it."""
    weights = a.new_tensor((1.0, 2.0, 2.0))
    apart = (oklab(a) - oklab(b)) * weights
    return torch.sqrt((apart * apart).sum(-1) + 1e-2).mean(1)


def corrected(rgb: Tensor, sliders: Tensor, grid: Tensor | None = None) -> Tensor:
    """Pictures [N, h, w, 3] under sliders [N, 8] and stops [N, 3, 4], as pixels [N, h * w, 3]."""
    pixels = apply_controls(rgb.flatten(1, 2), sliders)
    return pixels if grid is None else (pixels * grid_gain(grid, *rgb.shape[1:3])).clamp(0, 1)


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
        self._training = load_footage(manifest, "train", given.cache, given.progress)
        held_out = load_footage(manifest, "val", given.cache, given.progress)
        self._validation = self._validation_set(held_out)

    def network(self) -> nn.Module:
        """A fresh one."""
        return SpaceMapper()

    def batch(self, step: int) -> Batch:
        """Good pictures and faulty versions of them."""
        rng = np.random.default_rng((self._seed, step))
        pictures = [self._picture(self._training, rng) for _ in range(self.settings.batch)]
        return self._degraded(torch.stack(pictures), step)

    def _picture(self, footage: Footage, rng: np.random.Generator) -> Tensor:
        """[48, 64, 3] in 0..1: a crop of a photograph or of a frame, mirrored or not."""
        from_stills = bool(footage.stills) and (not footage.shots or rng.random() < self.settings.stills)
        kind = footage.stills if from_stills else footage.shots
        material = kind[int(rng.integers(len(kind)))]
        frame = material[int(rng.integers(len(material)))]
        height, width = frame.shape[:2]
        h, w = (round(side * rng.uniform(0.5, 1.0)) for side in (height, width))
        y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        part = frame[y : y + h, x : x + w]
        return _small(part[:, ::-1] if rng.random() < 0.5 else part)

    def _degraded(self, pictures: Tensor, step: int) -> Batch:
        draw = torch.Generator().manual_seed(self._seed * 1_000_003 + step)
        faulty, clean = degrade(pictures, self._faults, draw)
        return {"good": pictures, "faulty": faulty, "clean": clean}

    def _validation_set(self, footage: Footage) -> Batch:
        """Every held-out picture, whole, with a few fixed faults."""
        frames = [material[len(material) // 2] for material in (*footage.stills, *footage.shots)]
        pictures = torch.stack([_small(f) for f in frames for _ in range(VALIDATION_ROUNDS)])
        return self._degraded(pictures, -1 + 2**31)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Full, local and shrunk differences, and harm (see above)."""
        sliders, trust, grid = network.judge(batch["faulty"])  # type: ignore[operator]
        faulty, good = batch["faulty"][:, ::2, ::2], batch["good"][:, ::2, ::2].flatten(1, 2)  # a quarter says as much
        full = difference(corrected(faulty, sliders), good)
        local = difference(corrected(faulty, sliders.detach(), grid), good)
        shrunk = difference(
            corrected(faulty, sliders.detach() * trust[:, :1], grid.detach() * trust[:, 1, None, None]), good
        )
        harm = F.relu(shrunk - difference(faulty.flatten(1, 2), good))
        return (full + 0.5 * local + shrunk + self.settings.harm * harm).mean()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Mean OKLab difference left on held-out pictures, beside gray-world, and what was harmed."""
        faulty, good, clean = (self._validation[key] for key in ("faulty", "good", "clean"))
        sliders, trust, grid = network(faulty * 255)
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
        example = (self._validation["faulty"][:3] * 255).round().to(torch.uint8)
        axes = {name: {0: "n"} for name in ("pictures", "sliders", "confidence", "grid")}
        to_onnx(network, {"pictures": example}, path, outputs=["sliders", "confidence", "grid"], axes=axes)
        worst = check_equal(network, path, [{"pictures": example}, {"pictures": example[:1]}])
        write_card(path, version=VERSION, recipe=recipe, data=self._licences, difference=worst, **FACTS)
        return [path]


def _small(picture: U8) -> Tensor:
    """[h, w, 3] uint8 to [48, 64, 3] in 0..1, averaged over areas."""
    planes = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    return F.adaptive_avg_pool2d(planes, (HEIGHT, WIDTH))[0].permute(1, 2, 0)
