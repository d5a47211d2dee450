"""`roughcut train restoration`: what denoising and sharpening would gain, from patches in full resolution.

Gains are learned as their lower quartile (the pinball loss of Koenker and Bassett 1978): what is promised is won in
three cases of four, so that doubt by itself leaves a picture alone. Whether anything is won is learned beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from roughcut.networks.restoration import GAIN_SCALE, RestorationNetwork
from roughcut.spatial.restoration import DENOISE, PATCH, SHARPEN, WORTH
from roughcut.training.export import check_equal, to_onnx, write_card
from roughcut.training.manifest import read
from roughcut.training.restoration_pairs import Pairs, load_pairs
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput

VERSION = "1"
PART = 128  # pixels: side of what a step looks at of each patch
DEEPEST = -0.1  # SSIM: how much worse than this a pair of strengths is does not matter
FACTS = {
    "description": "a full-size patch of light to the lower quartile of the SSIM that denoising and sharpening gain",
    "input": "luma, full range, patches in the picture's own resolution",
    "denoise": list(DENOISE),
    "sharpen": list(SHARPEN),
}


@dataclass(frozen=True, kw_only=True)
class RestorationSettings:
    """The `[task]` table."""

    batch: int = 24
    rounds: int = 5
    """Patches of every photograph."""
    clean: float = 0.3
    """Share of patches to which nothing is done."""
    quantile: float = 0.25
    """Of the gain, that the network learns."""
    chance: float = 0.02
    """Weight of the probabilities' cross entropy."""


class RestorationTask:
    """Strengths of denoise and sharpen as a task of the common loop."""

    name = "restoration"

    def __init__(self, given: TaskInput) -> None:
        self.settings = settings(RestorationSettings, given.options, where="task")
        self._seed = given.seed
        manifest = read(given.data)
        self._licences = manifest.licences()
        rounds, clean = self.settings.rounds, self.settings.clean
        self._training, self._validation = (
            load_pairs(manifest, split, rounds, clean, given.seed, given.cache, given.progress)
            for split in ("train", "val")
        )

    def network(self) -> nn.Module:
        """A fresh one."""
        return RestorationNetwork()

    def batch(self, step: int) -> Batch:
        """Parts of patches, turned and mirrored, which no gain depends on."""
        rng = np.random.default_rng((self._seed, step))
        chosen = rng.choice(len(self._training.patches), self.settings.batch)
        patches = self._training.patches[chosen]
        y, x = rng.integers(PATCH - PART + 1, size=2).tolist()
        patches = patches[:, y : y + PART, x : x + PART]
        patches = patches[:, :: rng.choice((1, -1)), :: rng.choice((1, -1))]
        if rng.random() < 0.5:
            patches = patches.swapaxes(1, 2)
        return _batch(patches, self._training.gains[chosen])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Pinball loss of the gains, cross entropy of there being one."""
        gain, logits = network.judge(batch["patches"])  # type: ignore[operator]
        wanted = batch["gains"].clamp(min=DEEPEST)
        apart = (wanted - gain) / GAIN_SCALE
        pinball = torch.maximum(self.settings.quantile * apart, (self.settings.quantile - 1) * apart).mean()
        won = F.binary_cross_entropy_with_logits(logits, (batch["gains"] > 0).float())
        return pinball + self.settings.chance * won

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Mean SSIM gained on faulty patches and lost on clean ones by the chosen strengths; harm costs double."""
        pairs = self._validation
        found = torch.cat([network(part)[0] for part in torch.split(torch.from_numpy(pairs.patches), 64)]).numpy()
        won = chosen_gains(pairs, found)
        faulty, clean = won[~pairs.clean], won[pairs.clean]
        best = pairs.gains[~pairs.clean].max((1, 2))
        return {
            "score": float(np.mean(won + np.minimum(won, 0))),
            "gain": float(faulty.mean()),
            "gain_at_best": float(best.mean()),
            "gain_fixed": float(pairs.gains[~pairs.clean][:, 2, 1].mean()),
            "clean_lost": float(-clean.mean()),
            "clean_lost_fixed": float(-pairs.gains[pairs.clean][:, 2, 1].mean()),
            "harmed": float((won < -0.002).mean()),
        }

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """`restoration.onnx` and its card."""
        path = folder / "restoration.onnx"
        network = network.eval()
        example = torch.from_numpy(self._validation.patches[:3])
        axes = {
            "patches": {0: "n", 1: "height", 2: "width"},
            "gain": {0: "n"},
            "probability": {0: "n"},
        }
        to_onnx(network, {"patches": example}, path, outputs=["gain", "probability"], axes=axes)
        worst = check_equal(network, path, [{"patches": example}, {"patches": example[:1, :120, :160].contiguous()}])
        write_card(path, version=VERSION, recipe=recipe, data=self._licences, difference=worst, **FACTS)
        return [path]


def chosen_gains(pairs: Pairs, found: np.ndarray) -> np.ndarray:
    """[N] SSIM won where each patch takes the strengths that `found` [N, 6, 4] promises most for."""
    flat, true = found.reshape(len(found), -1), pairs.gains.reshape(len(found), -1)
    best = flat.argmax(1)
    rows = np.arange(len(flat))
    return np.where(flat[rows, best] >= WORTH, true[rows, best], 0.0)


def _batch(patches: np.ndarray, gains: np.ndarray) -> Batch:
    return {"patches": torch.from_numpy(np.ascontiguousarray(patches)), "gains": torch.from_numpy(gains)}
