"""`roughcut train expression`: seven expressions from grey faces of 48x48, FER-2013's, and from portraits.

Portraits are pictures from elsewhere, cropped by a detector, which is how the network is used; each person is in one
split only. Two kinds of validation: every second face of FER's validation part, and the portraits to choose by. The
other half of FER's and the portraits of the split `test` are never looked at in choosing; the scores of them are in
the card as `test_*`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from roughcut.errors import DataError
from roughcut.evaluation.expression import Labels, class_of, judge
from roughcut.features.expression import CLASSES, SIZE, square_crop
from roughcut.features.faces import FaceDetector
from roughcut.networks.expression import ExpressionNetwork
from roughcut.records import U8
from roughcut.training.encoder import halve_weights
from roughcut.training.export import check_equal, to_onnx, write_card
from roughcut.training.manifest import Clip, Manifest, read
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput

VERSION = "1"
FACTS = {
    "description": "a cropped grey face to seven expressions; relied on for smiles and the sign of valence only",
    "input": "grey, full range, the square around a face",
    "classes": list(CLASSES),
    "weights": "stored as float16, computed in float32",
}
Faces = tuple[U8, Labels]
"""[N, 48, 48] and [N]"""


@dataclass(frozen=True, kw_only=True)
class ExpressionSettings:
    """The `[task]` table."""

    batch: int = 128
    smoothing: float = 0.1
    """Label smoothing: people agree with FER's labels for about 65 % of the faces (Goodfellow et al. 2013)."""
    balance: float = 0.5
    """Classes are drawn in proportion to their count to the power of 1 - balance."""
    dropout: float = 0.3
    mixup: float = 0.3
    """Share of batches in which each face is blended with another."""
    portraits: float = 0.0
    """Share of the faces drawn that are portraits, as often each; for manifests with portraits to train on."""


class ExpressionTask:
    """Expressions as a task of the common loop."""

    name = "expression"

    def __init__(self, given: TaskInput) -> None:
        self.settings = settings(ExpressionSettings, given.options, where="task")
        self._seed = given.seed
        manifest = read(given.data)
        self._licences = manifest.licences()
        self._faces, self._labels, self._chances = self._training(manifest)
        held_out, labels = mosaics(manifest, "val")
        self._parts = {"": (held_out[::2], labels[::2]), "test_": (held_out[1::2], labels[1::2])}
        for split, name in (("val", "portraits_"), ("test", "test_portraits_")):
            self._parts |= _portraits(manifest, split, name)

    def _training(self, manifest: Manifest) -> tuple[U8, Labels, NDArray[np.float64]]:
        """Faces [N, 48, 48], labels [N] and the chance of each to be drawn [N]."""
        faces, labels = mosaics(manifest, "train")
        counts = np.bincount(labels, minlength=len(CLASSES)).clip(1)
        chances = counts[labels].astype(float) ** -self.settings.balance
        share = self.settings.portraits
        if not share:
            return faces, labels, chances / chances.sum()
        found = _portraits(manifest, "train", "").get("")
        if found is None:
            raise DataError("no portrait to train on", where=manifest.path, allowed="[task] portraits = 0")
        each = np.full(len(found[1]), share / len(found[1]))
        chances = np.concatenate([chances / chances.sum() * (1 - share), each])
        return np.concatenate([faces, found[0]]), np.concatenate([labels, found[1]]), chances

    def network(self) -> nn.Module:
        """A fresh one."""
        return ExpressionNetwork(len(CLASSES), self.settings.dropout)

    def batch(self, step: int) -> Batch:
        """Disturbed faces and their smoothed labels."""
        rng = np.random.default_rng((self._seed, step))
        draw = torch.Generator().manual_seed(self._seed * 1_000_003 + step)
        chosen = rng.choice(len(self._labels), self.settings.batch, p=self._chances)
        faces = disturbed(torch.from_numpy(self._faces[chosen]).float(), draw)
        wanted = F.one_hot(torch.from_numpy(self._labels[chosen]), len(CLASSES)).float()
        wanted = wanted * (1 - self.settings.smoothing) + self.settings.smoothing / len(CLASSES)
        if rng.random() < self.settings.mixup:
            share, order = float(rng.beta(0.4, 0.4)), torch.from_numpy(rng.permutation(len(faces)))
            faces, wanted = (share * x + (1 - share) * x[order] for x in (faces, wanted))
        return {"faces": faces, "wanted": wanted}

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Cross entropy."""
        return F.cross_entropy(network(batch["faces"]), batch["wanted"])

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Every part's accuracy and areas; `score` is the accuracy over all faces that may choose."""
        scores: dict[str, float] = {}
        right = faces_seen = 0.0
        for name, (faces, labels) in self._parts.items():
            logits = torch.cat([network(part) for part in torch.split(torch.from_numpy(faces), 256)]).numpy()
            report = judge(logits, labels)
            scores[f"{name}accuracy"] = report.accuracy
            for key, area in (("smile_auc", report.smile_auc), ("valence_auc", report.valence_auc)):
                scores |= {} if area is None else {f"{name}{key}": area}
            if not name.startswith("test_"):
                right, faces_seen = right + report.accuracy * len(labels), faces_seen + len(labels)
        return {"score": right / faces_seen, **scores}

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """`expression.onnx` and its card, batch norm folded in, weights kept as float16."""
        path = folder / "expression.onnx"
        network = folded(network.eval())
        with torch.no_grad():
            for weight in network.parameters():
                weight.copy_(weight.half())
        example = torch.from_numpy(self._parts[""][0][:3])
        axes = {name: {0: "n"} for name in ("faces", "logits")}
        to_onnx(network, {"faces": example}, path, outputs=["logits"], axes=axes)
        halve_weights(path)
        worst = check_equal(network, path, [{"faces": example}, {"faces": example[:1]}])
        write_card(path, version=VERSION, recipe=recipe, data=self._licences, torch_onnx_difference=worst, **FACTS)
        return [path]


def disturbed(faces: Tensor, draw: torch.Generator) -> Tensor:
    """Faces [N, 48, 48] in 0..255 as other cameras and detectors would give them: moved, turned, scaled, mirrored,
    another gamma, softened, noisy, partly covered."""
    n = len(faces)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(shape or (n, 1, 1), generator=draw) * (high - low) + low

    angle, scale = uniform(-0.3, 0.3, n), uniform(0.8, 1.2, n)
    mirror = torch.where(uniform(0, 1, n) < 0.5, -1.0, 1.0)
    c, s = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [c * mirror, -s, uniform(-0.16, 0.16, n), s * mirror, c, uniform(-0.16, 0.16, n)]
    grid = F.affine_grid(torch.stack(rows, 1).view(n, 2, 3), [n, 1, SIZE, SIZE], align_corners=False)
    moved = F.grid_sample(faces[:, None], grid, padding_mode="border", align_corners=False)
    soft = F.avg_pool2d(F.pad(moved, (1, 1, 1, 1), mode="replicate"), 3, 1)[:, 0]
    out = torch.lerp(moved[:, 0], soft, uniform(0, 1) * (uniform(0, 1) < 0.5))
    out = 255 * torch.pow((out / 255).clamp(0, 1), torch.exp(uniform(-0.6, 0.6)))
    out = out + torch.randn(out.shape, generator=draw) * uniform(0, 12) * (uniform(0, 1) < 0.5)
    return torch.where(_covered(n, uniform), uniform(0, 255), out).clamp(0, 255)


def _covered(n: int, uniform: Callable[..., Tensor]) -> Tensor:
    """[N, 48, 48]: a box of up to a third of each side, in three faces of ten."""
    place = torch.arange(SIZE, dtype=torch.float32)
    x, y, w, h = (uniform(0, SIZE, n, 1), uniform(0, SIZE, n, 1), uniform(3, 8, n, 1), uniform(3, 8, n, 1))
    box = ((place - y).abs() < h)[:, :, None] & ((place - x).abs() < w)[:, None, :]
    return box & (uniform(0, 1) < 0.3)


def folded(network: nn.Module) -> nn.Module:
    """The network with every batch norm folded into the convolution before it."""
    for part in list(network.modules()):
        if not isinstance(part, nn.Sequential):
            continue
        for i in range(len(part) - 1):
            conv, norm = part[i], part[i + 1]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                part[i], part[i + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return network


def mosaics(manifest: Manifest, split: str) -> Faces:
    """All faces of a split's mosaics."""
    clips = [clip for clip in manifest.clips if clip.part() == split and "first" in clip.labels]
    if not clips:
        raise DataError("no mosaic of faces", where=manifest.path, got=f"split {split}", next_step="prepare it again")
    parts = [_mosaic(manifest, clip) for clip in clips]
    return np.concatenate([faces for faces, _ in parts]), np.concatenate([labels for _, labels in parts])


def _mosaic(manifest: Manifest, clip: Clip) -> Faces:
    where = manifest.where(clip)
    try:
        lines = (clip.file.parent / str(clip.labels["labels"])).read_text(encoding="utf-8").split()
        labels = np.array([int(line) for line in lines[int(clip.labels["first"]) :]], np.int64)
        picture = np.asarray(Image.open(clip.file).convert("L"))
    except (OSError, ValueError, KeyError) as error:
        raise DataError("the mosaic cannot be read", where=where, got=error) from error
    rows, columns = picture.shape[0] // SIZE, picture.shape[1] // SIZE
    faces = picture[: rows * SIZE, : columns * SIZE].reshape(rows, SIZE, columns, SIZE).swapaxes(1, 2)
    labels = labels[: rows * columns]
    if not len(labels) or labels.min() < 0 or labels.max() >= len(CLASSES):
        raise DataError("labels do not fit", where=where, allowed=f"0 to {len(CLASSES) - 1}, one a face")
    return faces.reshape(-1, SIZE, SIZE)[: len(labels)], labels


def _portraits(manifest: Manifest, split: str, name: str) -> dict[str, Faces]:
    """The faces the teacher finds in a split's portraits; nothing where there are none."""
    clips = [clip for clip in manifest.clips if clip.part() == split and "expression" in clip.labels]
    if not clips:
        return {}
    detector = FaceDetector(clips[0].file.parent / str(clips[0].labels["teacher"]))
    faces, labels = [], []
    for clip in clips:
        with Image.open(clip.file) as picture:
            found = detector(np.asarray(picture.convert("RGB")))
            if len(found):
                faces.append(square_crop(picture, found.boxes[0], SIZE))
                labels.append(class_of(str(clip.labels["expression"]), manifest.where(clip)))
    return {name: (np.stack(faces), np.array(labels, np.int64))} if faces else {}
