"""`roughcut train encoder`: distil the ImageNet teacher into a FrameEncoder that runs fast on one CPU thread.

    one crop of a picture --224x224-------> teacher --1280--> principal axes, unit length --> target [D]
                          --encoder size--> FrameEncoder ------------------------------------> row    [D]

The student starts with the teacher's weights and its principal axes as its last layer, and learns to give at its own
small size the direction the teacher gives at 224 (feature distillation by cosine). What counts is whether neighbours
stay neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageEnhance, ImageFilter
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from roughcut.errors import DataError
from roughcut.features.frames import ENCODER_SIZE
from roughcut.networks.encoder import FrameEncoder, Teacher
from roughcut.records import PICTURE_SIDE, U8, Progress
from roughcut.training.export import check_equal, to_onnx, write_card
from roughcut.training.manifest import Manifest, Split, read
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput

TEACHER_SIZE = (224, 224)
VERSION = "1"
AXES = ("pictures", "embedding")
FACTS = {
    "description": "pictures to rows of unit length; nearness is their dot product",
    "input": "RGB, full range, non-linear, squashed to the size in `inputs`; any aspect",
    "weights": "stored as float16, computed in float32",
    "initialised_from": "MobileNetV2 1.0/224 trained on ImageNet by Google (Coral test data, Apache-2.0), adapted here",
}


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """The `[task]` table."""

    rows: int = 128
    """D, the length of an embedding."""
    batch: int = 32
    neighbours: int = 5
    """How many nearest neighbours validation compares."""


def find_teacher(manifest: Manifest) -> Teacher:
    """The network named by the manifest's one line with `"labels": {"material": "teacher"}`.

    Raises:
        DataError: there is not exactly one, or it is not a MobileNetV2.
    """
    lines = [clip for clip in manifest.clips if clip.labels.get("material") == "teacher"]
    if len(lines) != 1:
        raise DataError("the manifest names one teacher", where=manifest.path, got=len(lines), allowed=1)
    try:
        return Teacher(load_file(lines[0].file)).eval()
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise DataError("not the weights of a MobileNetV2", where=manifest.where(lines[0]), got=error) from error


def find_pictures(manifest: Manifest, split: Split) -> list[Path]:
    """The pictures of one split.

    Raises:
        DataError: there are fewer than eight, too few to have neighbours.
    """
    found = [clip.file for clip in manifest.of(split) if clip.labels.get("material") in ("still", "frame")]
    if len(found) < 8:
        raise DataError("too few pictures", where=f"{manifest.path} ({split})", got=len(found), allowed="8 or more")
    return found


def load_picture(path: Path) -> Image.Image:
    """The picture in RGB, its longest side PICTURE_SIDE as the decode pass gives it.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with Image.open(path) as file:
            file.draft("RGB", (PICTURE_SIDE, PICTURE_SIDE))
            picture = file.convert("RGB")
    except OSError as error:
        raise DataError("a training picture cannot be read", where=path, got=error) from error
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BILINEAR)
    return picture


def augmented(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A crop of a sixth of the area or more, mirrored or not, with other light and colour, at times soft."""
    width, height = picture.size
    w, h = (round(side * rng.uniform(0.4, 1.0)) for side in (width, height))
    x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    out = picture.crop((x, y, x + w, y + h))
    if rng.random() < 0.5:
        out = out.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        out = change(out).enhance(float(np.exp(rng.normal(0, 0.2))))
    return out.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.5)))) if rng.random() < 0.1 else out


def mixed(one: Image.Image, other: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Half the time `one` alone, else with `other` shining through by up to a half: pictures nobody took.

    A teacher can be asked about anything, so mixing is new data ("function matching", Beyer et al. 2022).
    """
    if rng.random() < 0.5:
        return one
    return Image.blend(one, other.resize(one.size, Image.Resampling.BILINEAR), float(rng.uniform(0, 0.5)))


def squashed(picture: Image.Image, size: tuple[int, int]) -> U8:
    """[h, w, 3] at (width, height), whatever the aspect."""
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR))


def principal_axes(features: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Mean [C] and the `rows` strongest principal axes [C, rows] of [N, C] features."""
    mean = features.mean(0)
    _, _, axes = torch.linalg.svd((features - mean).double(), full_matrices=False)
    return mean, axes[:rows].T.float()


def neighbour_recall(ours: Tensor, theirs: Tensor, k: int) -> float:
    """Share of each picture's k nearest others (cosine, [N, *] rows) that both embeddings agree on."""
    found = []
    for rows in (ours, theirs):
        unit = nn.functional.normalize(rows, dim=-1)
        near = (unit @ unit.T).fill_diagonal_(-2)
        found.append(torch.zeros_like(near).scatter_(1, near.topk(k).indices, 1.0))
    return float((found[0] * found[1]).sum(1).mean() / k)


def colour_histograms(pictures: U8, bins: int = 4) -> Tensor:
    """The simple baseline: [N, bins^3] square roots of RGB histograms, centred."""
    codes = (pictures.reshape(len(pictures), -1, 3) // (256 // bins)).astype(np.int64) @ [bins * bins, bins, 1]
    counts = np.stack([np.bincount(c, minlength=bins**3) for c in codes])
    roots = np.sqrt(counts / counts.sum(1, keepdims=True))
    return torch.from_numpy(roots - roots.mean(0)).float()


def halve_weights(path: Path, smallest: int = 256) -> None:
    """Store an ONNX file's float32 weights of `smallest` or more numbers as float16, cast back when it is loaded."""
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= smallest:
            half = f"{tensor.name}.half"
            casts.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    temporary = path.with_name(path.name + ".part")
    onnx.save(model, temporary)
    temporary.replace(path)


class EncoderTask:
    """Distillation as a task of the common loop."""

    name = "encoder"

    def __init__(self, given: TaskInput) -> None:
        self.settings = settings(EncoderSettings, given.options, where="task")
        self._seed = given.seed
        manifest = read(given.data)
        self._licences = manifest.licences()
        self.training, self.validation = find_pictures(manifest, "train"), find_pictures(manifest, "val")
        self.teacher = find_teacher(manifest)
        known = self._teach(self.training, given.progress)
        self.mean, self.axes = principal_axes(known, self.settings.rows)
        self._validation_targets = self._teach(self.validation, given.progress) - self.mean
        self._validation_inputs = np.stack([squashed(load_picture(p), ENCODER_SIZE) for p in self.validation])

    def network(self) -> FrameEncoder:
        """The student as it starts: the teacher's convolutions and principal axes."""
        student = FrameEncoder(self.settings.rows)
        student.backbone.load_state_dict(self.teacher.backbone.state_dict())
        student.project_onto(self.mean, self.axes)
        return student

    def batch(self, step: int) -> Batch:
        """Augmented pictures at the encoder's size, and the teacher's directions for them."""
        rng = np.random.default_rng((self._seed, step))
        chosen = rng.integers(0, len(self.training), self.settings.batch)
        seen = [augmented(load_picture(self.training[i]), rng) for i in chosen]
        views = [mixed(one, other, rng) for one, other in zip(seen, seen[1:] + seen[:1], strict=True)]
        targets = self.target(torch.from_numpy(np.stack([squashed(v, TEACHER_SIZE) for v in views])))
        return {"pictures": torch.from_numpy(np.stack([squashed(v, ENCODER_SIZE) for v in views])), "targets": targets}

    @torch.no_grad()
    def target(self, pictures: Tensor) -> Tensor:
        """[N, 224, 224, 3] to the teacher's unit directions [N, D]."""
        return nn.functional.normalize((self.teacher(pictures) - self.mean) @ self.axes, dim=-1)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Mean of 1 - cosine."""
        rows: Tensor = network(batch["pictures"])
        return 1 - (rows * batch["targets"]).sum(-1).mean()

    def validate(self, network: nn.Module) -> dict[str, float]:
        """On held-out pictures: how many of the teacher's nearest neighbours are ours too, beside colour histograms."""
        ours = torch.cat([network(torch.from_numpy(part)) for part in _runs(self._validation_inputs)])
        recall = neighbour_recall(ours, self._validation_targets, self.settings.neighbours)
        baseline = colour_histograms(self._validation_inputs)
        agreement = nn.functional.cosine_similarity(ours, self._validation_targets @ self.axes).mean()
        return {
            "score": recall,
            "neighbour_recall": recall,
            "histogram_recall": neighbour_recall(baseline, self._validation_targets, self.settings.neighbours),
            "cosine": float(agreement),
            "pictures": float(len(ours)),
        }

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """`encoder.onnx` and its card, weights kept as float16."""
        path = folder / "encoder.onnx"
        network = network.eval()
        example = torch.from_numpy(self._validation_inputs[:3])
        with torch.no_grad():
            for weight in network.parameters():
                weight.copy_(weight.half())
        to_onnx(network, {"pictures": example}, path, outputs=["embedding"], axes={key: {0: "n"} for key in AXES})
        halve_weights(path)
        worst = check_equal(network, path, [{"pictures": example}, {"pictures": example[:1]}])
        write_card(path, version=VERSION, recipe=recipe, data=self._licences, difference=worst, **FACTS)
        return [path]

    @torch.no_grad()
    def _teach(self, pictures: list[Path], progress: Progress) -> Tensor:
        features = []
        for at in range(0, len(pictures), 16):
            progress("asking the teacher", at, len(pictures))
            part = np.stack([squashed(load_picture(p), TEACHER_SIZE) for p in pictures[at : at + 16]])
            features.append(self.teacher(torch.from_numpy(part)))
        return torch.cat(features)


def _runs(pictures: U8, size: int = 32) -> Iterator[U8]:
    for at in range(0, len(pictures), size):
        yield pictures[at : at + size]
