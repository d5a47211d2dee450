"""`roughcut train faces`: a detector that learns from a teacher (YuNet) which sees a better picture than it does.

Every cell's answers are matched, so no rule is needed which cell is to find which face: the probabilities by cross
entropy, boxes and points where the teacher is sure of a face, weighted by how sure it is. The network starts from the
teacher's own weights, which its layout allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import numpy_helper
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from roughcut.errors import DataError, InputError
from roughcut.evaluation.faces import LOWEST, Truth, judge
from roughcut.features.faces import COLUMNS, LONG_SIDE, FaceDetector, decoded, distinct
from roughcut.media.probe import probe
from roughcut.media.rgb import read_timed_rgb
from roughcut.networks.faces import STRIDES, FaceNetwork, Unit
from roughcut.records import U8
from roughcut.records.faces import Faces
from roughcut.training.encoder import halve_weights
from roughcut.training.export import check_equal, to_onnx, write_card
from roughcut.training.face_scenes import Cutting, cut, disturbed, scene
from roughcut.training.manifest import Clip, Manifest, read
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput

VERSION = "1"
FACTS = {
    "description": "faces of a picture, cell by cell, for strides 8, 16 and 32: two probabilities, box, five points",
    "input": "RGB uint8, full range, longer side 640, padded with black to multiples of 32",
    "start": "YuNet's weights (Apache-2.0), in a layout with one convolution for all answers",
    "weights": "stored as float16, computed in float32",
}
LARGEST = 480  # pixels: longer side of a picture that is kept in memory
FRAMES_APART, FIRST_FRAME = 40, 5  # of a film
SURE, DOUBTFUL, NO_FACE = 0.6, 0.3, 0.2
CHOOSING = 32  # scenes of a validation


@dataclass(frozen=True, kw_only=True)
class FaceSettings:
    """The `[task]` table."""

    batch: int = 12
    side: int = 320
    """Pixels of a scene; a multiple of 32."""
    boxes: float = 2.0
    """Weight of boxes and points beside the probabilities."""


@dataclass(frozen=True)
class Material:
    """What scenes are made of."""

    peopled: list[Image.Image]
    empty: list[Image.Image]
    cuttings: list[Cutting]


class FaceTask:
    """Detection as a task of the common loop."""

    name = "faces"

    def __init__(self, given: TaskInput) -> None:
        self.settings = settings(FaceSettings, given.options, where="task")
        self._seed = given.seed
        manifest = read(given.data)
        self._licences = manifest.licences()
        self._teacher = teacher_of(manifest)
        self._session = ort.InferenceSession(str(self._teacher), providers=["CPUExecutionProvider"])
        detector = FaceDetector(self._teacher)
        self._material = {split: _material(manifest, split, detector, given) for split in ("train", "val")}
        self._choosing = [self._scene("val", np.random.default_rng((7, i)), LONG_SIDE) for i in range(CHOOSING)]
        self._truths = [_truth(detector(np.asarray(clean), DOUBTFUL)) for clean, _ in self._choosing]

    def network(self) -> nn.Module:
        """One that answers as the teacher does."""
        return from_teacher(self._teacher)

    def batch(self, step: int) -> Batch:
        """Disturbed scenes, and what the teacher says of the clean ones."""
        rng = np.random.default_rng((self._seed, step))
        pairs = [self._scene("train", rng, self.settings.side) for _ in range(self.settings.batch)]
        clean = np.stack([np.asarray(picture) for picture, _ in pairs])
        return {"pictures": torch.from_numpy(np.stack([seen for _, seen in pairs])), **self._said(clean)}

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Cross entropy of every cell, and distances of boxes and points (in cells), over the faces in the batch."""
        answers = torch.cat(network(batch["pictures"]), 1)
        wanted = torch.cat([batch[f"stride_{s}"] for s in STRIDES], 1)
        sure = (wanted[..., 0] * wanted[..., 1]).sqrt()
        faces = sure.sum().clamp(min=1)
        weights = torch.stack([wanted[..., 1], torch.ones_like(sure)], -1)  # the class says nothing where no object is
        unsure = F.binary_cross_entropy_with_logits(answers[..., :2], wanted[..., :2], weights, reduction="sum")
        apart = F.smooth_l1_loss(answers[..., 2:], wanted[..., 2:], reduction="none", beta=0.2).mean(2)
        near = sure * (sure >= DOUBTFUL)
        return unsure / faces + self.settings.boxes * (apart * near).sum() / near.sum().clamp(min=1)

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Average precision on held-out scenes, disturbed and clean; truth: what the teacher says of the clean one."""
        teacher = FaceDetector(self._teacher)
        scales = [1.0] * len(self._choosing)
        scores = {}
        for name, pictures in (
            ("disturbed", [seen for _, seen in self._choosing]),
            ("clean", [np.asarray(clean) for clean, _ in self._choosing]),
        ):
            ours = judge([found_by(network, p) for p in pictures], self._truths, scales)
            scores[f"{name}_ap"], scores[f"{name}_recall"] = float(ours.ap or 0), float(ours.recall or 0)
            theirs = judge([teacher(p, LOWEST) for p in pictures], self._truths, scales)
            scores[f"teacher_{name}_ap"], scores[f"teacher_{name}_recall"] = theirs.ap or 0.0, theirs.recall or 0.0
        return {"score": (scores["disturbed_ap"] + scores["clean_ap"]) / 2, **scores}

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """`faces.onnx` and its card, weights kept as float16."""
        path = folder / "faces.onnx"
        network = network.eval()
        with torch.no_grad():
            for weight in network.parameters():
                weight.copy_(weight.half())
        outputs = [f"stride_{s}" for s in STRIDES]
        example = torch.from_numpy(np.stack([seen for _, seen in self._choosing[:2]]))
        axes = {"pictures": {0: "n", 1: "height", 2: "width"}, **{name: {0: "n", 1: "cells"} for name in outputs}}
        to_onnx(network, {"pictures": example}, path, outputs=outputs, axes=axes)
        halve_weights(path)
        worst = check_equal(network, path, [{"pictures": example}, {"pictures": example[:1, :96, :160]}])
        write_card(path, version=VERSION, recipe=recipe, data=self._licences, torch_onnx_difference=worst, **FACTS)
        return [path]

    def _scene(self, split: str, rng: np.random.Generator, side: int) -> tuple[Image.Image, U8]:
        """A clean scene of side x side pixels, and as the network sees it."""
        material = self._material[split]
        clean, covered = scene(rng, material.peopled, material.empty, material.cuttings, side)
        return clean, disturbed(covered, rng)

    def _said(self, clean: U8) -> dict[str, Tensor]:
        """The teacher's cells [N, cells, 16] by stride."""
        names = [f"{column}_{stride}" for stride in STRIDES for column in COLUMNS]
        fed = np.ascontiguousarray(clean[..., ::-1].transpose(0, 3, 1, 2), dtype=np.float32)  # it was trained on BGR
        said = dict(zip(names, self._session.run(names, {self._session.get_inputs()[0].name: fed}), strict=True))
        joined = {s: np.concatenate([said[f"{column}_{s}"] for column in COLUMNS], 2) for s in STRIDES}
        for rows in joined.values():
            rows[..., :2] = rows[..., :2].clip(0, 1)
        return {f"stride_{s}": torch.from_numpy(rows) for s, rows in joined.items()}


def from_teacher(path: Path) -> FaceNetwork:
    """A network with the weights of YuNet's ONNX file: its convolutions, in the order in which they are computed.

    Raises:
        DataError: it is another network.
    """
    graph = onnx.load(path).graph
    held = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    convolutions = [(held[n.input[1]], held[n.input[2]]) for n in graph.node if n.op_type == "Conv"]
    network = FaceNetwork()
    ordered = [network.stem, network.first, network.stages, *(network.lateral[i] for i in (2, 1, 0)), network.shared]
    layers = [m for part in ordered for m in part.modules() if isinstance(m, nn.Conv2d)]
    try:
        for layer, (weight, bias) in zip(layers, convolutions, strict=False):
            _fill(layer, weight[:, [2, 1, 0]] if layer is network.stem else weight, bias)  # BGR to RGB
        _fill_heads(network.heads, convolutions[len(layers) :])
    except (RuntimeError, IndexError) as error:
        raise DataError("not the teacher that is known here", where=path, got=error, allowed="YuNet n") from error
    return network


def _fill_heads(heads: nn.ModuleList, convolutions: Sequence[tuple[Tensor, Tensor]]) -> None:
    """Each answer's two convolutions stand level by level, in the order class, box, object, points."""
    order = ("cls", "bbox", "obj", "kps")
    for level, head in enumerate(heads):
        branch = {name: convolutions[(i * len(heads) + level) * 2 :][:2] for i, name in enumerate(order)}
        assert isinstance(head, Unit)
        for number, layer in enumerate((head.mix, head.place)):
            weight, bias = (torch.cat([branch[name][number][part] for name in COLUMNS]) for part in (0, 1))
            _fill(layer, weight, bias)


def _fill(layer: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    layer.load_state_dict({"weight": weight, "bias": bias})


@torch.no_grad()
def found_by(network: nn.Module, picture: U8) -> Faces:
    """The faces a network in `eval` finds in [h, w, 3], sides multiples of 32, at any score that counts."""
    answers = [rows[0].numpy() for rows in network(torch.from_numpy(picture[None].copy()))]
    parts = [decoded(r, s, picture.shape[1] // s, LOWEST) for r, s in zip(answers, STRIDES, strict=True)]
    boxes, scores, points = (np.concatenate(part) for part in zip(*parts, strict=True))
    keep = distinct(boxes, scores)
    return Faces(boxes=boxes[keep], scores=scores[keep], points=points[keep])


def _truth(faces: Faces) -> Truth:
    sure = faces.scores >= SURE
    return Truth(boxes=faces.boxes[sure], ignore=faces.boxes[~sure])


def teacher_of(manifest: Manifest) -> Path:
    found = [clip.file for clip in manifest.clips if clip.labels.get("material") == "teacher"]
    if len(found) != 1:
        raise DataError("one teacher is needed", where=manifest.path, got=len(found), next_step="prepare it again")
    return found[0]


def _material(manifest: Manifest, split: str, detector: FaceDetector, given: TaskInput) -> Material:
    """Pictures of a split, parted by the teacher into those with faces and those without; heads cut from portraits."""
    found = Material([], [], [])
    clips = [c for c in manifest.clips if c.part() == split and c.labels.get("material") != "teacher"]
    for number, clip in enumerate(clips):
        given.progress(f"asking the teacher ({split})", number, len(clips))
        for picture in _pictures(manifest, clip):
            faces = detector(np.asarray(picture), NO_FACE)
            (found.peopled if len(faces) else found.empty).append(picture)
            if clip.labels["material"] == "portrait" and len(faces) and faces.scores[0] >= SURE:
                found.cuttings.append(cut(picture, faces.boxes[0]))
    if not all((found.peopled, found.empty, found.cuttings)):
        raise DataError("needs pictures with faces, without faces, and portraits", where=manifest.path, got=split)
    return found


def _pictures(manifest: Manifest, clip: Clip) -> Iterator[Image.Image]:
    """The picture of a clip, or one in forty of a film's."""
    try:
        if clip.labels["material"] == "shot":
            info = probe(clip.file)
            size = info.video.width, info.video.height
            frames = read_timed_rgb(info, *size, wanted=lambda number, _: number % FRAMES_APART == FIRST_FRAME)
            pictures = [Image.fromarray(rgb) for _, rgb in frames]
        else:
            pictures = [Image.open(clip.file).convert("RGB")]
    except (OSError, InputError) as error:
        raise DataError("the picture cannot be read", where=manifest.where(clip), got=error) from error
    for picture in pictures:
        picture.thumbnail((LARGEST, LARGEST), Image.Resampling.BILINEAR)
        yield picture
