"""The task `shots`: find every change of shot, hard or gradual, and name its kind, on films synthesised on the fly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from roughcut.evaluation.baselines import BASELINES, threshold_transitions
from roughcut.evaluation.metrics import ShotScore, score_shots
from roughcut.networks.heads import ClassifyHead, TagHead
from roughcut.networks.shots import CONTEXT, TAGS, ShotConfig, ShotNetwork
from roughcut.records import F32, U8, Transition
from roughcut.temporal.light import changes_of_light
from roughcut.temporal.mapper import sigmoid
from roughcut.temporal.shots import KINDS, Thresholds, find_transitions
from roughcut.training import export, manifest
from roughcut.training.material import load_footage
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput
from roughcut.training.transitions import Film, Mix, extent_rows, label_rows, synthesise, turned

VERSION = "3"
NO_KIND = 255
AROUND = 10  # clean frames on either side of a transition that weigh as much: where one ends and another begins
_LEVELS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_LOWS = (0.15, 0.25, 0.35, 0.5)
_VALIDATION_SEED = 90_210  # the validation films are the same for every training seed


@dataclass(frozen=True, kw_only=True)
class ShotOptions:
    """The `[task]` table."""

    batch: int = 8
    frames: int = 128
    """Length of a training film"""
    embedding: int = 32
    channels: tuple[int, int, int] = (24, 40, 56)
    hidden: int = 96
    layers: int = 2
    positive: float = 3.0
    """How much more a positive step, or one of the clean frames around it, weighs than others"""
    kind_share: float = 0.2
    """Weight of the loss of the kinds beside that of the tags"""
    extent_share: float = 0.2
    """Weight of the loss of the extents beside that of the tags"""
    validation_films: int = 32
    validation_frames: int = 640


@dataclass(frozen=True)
class Guess:
    """The network's answer for a film: cut [T], gradual [T] probabilities, kind [T, 5] logits, extent [T] in 0..1."""

    cut: F32
    gradual: F32
    kind: F32
    extent: F32

    def transitions(self, thresholds: Thresholds) -> tuple[Transition, ...]:
        """What is found at these thresholds."""
        return find_transitions(self.cut, self.gradual, self.kind, self.extent, thresholds)


class ShotTask:
    """Synthesised films in, tags and kinds out. See `training.tasks.Task`."""

    name = "shots"

    def __init__(self, parts: TaskInput) -> None:
        """Raises DataError where the manifest is wrong or leaves nothing to train or validate on."""
        self.options = settings(ShotOptions, parts.options, where="[task]")
        self.seed = parts.seed
        self.manifest = manifest.read(parts.data)
        self.footage = load_footage(self.manifest, "train", parts.cache, parts.progress)
        self.held_out = load_footage(self.manifest, "val", parts.cache, parts.progress)
        self._films: list[Film] = []
        self._latest: tuple[int, list[Film]] = (-1, [])

    def network(self) -> ShotNetwork:
        """A fresh network of the configured size."""
        o = self.options
        return ShotNetwork(ShotConfig(embedding=o.embedding, channels=o.channels, hidden=o.hidden, layers=o.layers))

    def batch(self, step: int) -> Batch:
        """`batch` new films: thumbs, tags, kind, extent, weight. Every second batch is the one before, turned."""
        films = self._drawn(step // 2)
        if step % 2:
            films = [turned(film) for film in films]
        labels = [label_rows(film.transitions, self.options.frames, KINDS, film.ignored) for film in films]
        extents = [extent_rows(film.transitions, self.options.frames) for film in films]
        tags, kind, weight = (torch.from_numpy(np.stack(column)) for column in zip(*labels, strict=True))
        return {
            "thumbs": torch.from_numpy(np.stack([film.thumbs for film in films])),
            "tags": tags,
            "kind": kind.long(),
            "extent": torch.from_numpy(np.stack(extents)),
            "weight": weight,
        }

    def _drawn(self, number: int) -> list[Film]:
        if self._latest[0] != number:
            rng, o = np.random.default_rng([self.seed, number]), self.options
            films = [synthesise(rng, self.footage, o.frames, _draw_mix(rng)) for _ in range(o.batch)]
            self._latest = number, films
        return self._latest[1]

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Tags on every step; kinds and extents on the steps of a transition."""
        logits = network(batch["thumbs"])
        near = F.max_pool1d(batch["tags"].transpose(1, 2), 2 * AROUND + 1, stride=1, padding=AROUND).transpose(1, 2)
        weight = batch["weight"][..., None] * (1 + (self.options.positive - 1) * near)
        tags = TagHead.loss(logits["change"], batch["tags"], weight)
        steps = logits["kind"].flatten(0, 1)[:, None]
        kind, counts = batch["kind"].flatten(), batch["weight"].flatten() > 0
        named = (kind != NO_KIND) & counts
        kinds = ClassifyHead.loss(steps, kind.where(named, torch.zeros_like(kind)), named[:, None])
        inside = batch["weight"][..., None] * batch["tags"][..., 1:]
        extents = TagHead.loss(logits["extent"], batch["extent"][..., None], inside)
        return tags + self.options.kind_share * kinds + self.options.extent_share * extents

    def validate(self, network: nn.Module) -> dict[str, float]:
        """F1 at the best thresholds and average precision, on films of material never trained on."""
        films = self.validation_films()
        guesses = [_guess(network, film.thumbs) for film in films]
        thresholds = tune(guesses, films)
        total = score_guesses(guesses, films, thresholds)
        tags = [label_rows(film.transitions, len(film.thumbs), KINDS)[0] for film in films]
        scores = {"score": total.f1, "f1": total.f1, "precision": total.precision, "recall": total.recall}
        scores["right_kind"] = total.right_kind / max(total.hits, 1)
        for column, name in enumerate(TAGS):
            given = np.concatenate([getattr(guess, name) for guess in guesses])
            wanted = np.concatenate([t[:, column] for t in tags])
            scores[f"{name}_ap"] = TagHead.metric(torch.from_numpy(given), torch.from_numpy(wanted))
        return scores

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """`shots_frames.onnx` (thumbs to descriptors) and `shots.onnx` (descriptors to logits), with cards."""
        assert isinstance(network, ShotNetwork)
        frames, mapper = folder / "shots_frames.onnx", folder / "shots.onnx"
        example = {"thumbs": torch.randint(0, 256, (5, 27, 48, 3), dtype=torch.uint8)}
        axes = {"thumbs": {0: "frames"}, "descriptors": {0: "frames"}}
        export.to_onnx(network.frames, example, frames, outputs=["descriptors"], axes=axes)
        cases = [example, {"thumbs": example["thumbs"][:1]}]
        differences = {
            frames: export.check_equal(network.frames.eval(), frames, cases),
            mapper: export.export_stream(network.mapper, mapper, context=CONTEXT, columns=network.frames.width),
        }
        for path, facts in ((frames, {}), (mapper, self._facts(network))):
            common = {"description": DESCRIPTIONS[path.stem], "task": "shots", "contract": _CONTRACT, **facts}
            export.write_card(
                path, version=VERSION, recipe=recipe, data=self.manifest.licences(),
                torch_onnx_difference=differences[path], **common,
            )  # fmt: skip
        return [frames, mapper]

    def _facts(self, network: ShotNetwork) -> dict[str, Any]:
        """What the run time needs to know: the stream's sizes, the heads, the thresholds; and the baselines'."""
        films = self.validation_films()
        with torch.inference_mode():
            guesses = [_guess(network, film.thumbs) for film in films]
        trunk = network.mapper.trunk.config
        return {
            "stream": {"block": trunk.block, "lookahead": trunk.lookahead, "context": CONTEXT},
            "heads": {
                "change": {"kind": "tag", "columns": list(TAGS)},
                "kind": {"kind": "classify", "columns": list(KINDS)},
                "extent": {"kind": "tag", "columns": ["extent"]},
            },
            "thresholds": asdict(tune(guesses, films)),
            "baselines": {name: _tune_baseline(name, films) for name in BASELINES},
        }

    def validation_films(self) -> list[Film]:
        """The same films for every call; calmer than the training ones, as real films are."""
        if not self._films:
            o, calm = self.options, Mix(shortest=4, longest=300)
            rngs = [np.random.default_rng([_VALIDATION_SEED, i]) for i in range(o.validation_films)]
            self._films = [synthesise(rng, self.held_out, o.validation_frames, calm) for rng in rngs]
        return self._films


DESCRIPTIONS = {
    "shots_frames": "small frames to rows that tell them apart, for `shots`",
    "shots": "rows about frames to cuts, gradual transitions, their kinds and extents",
}
_CONTRACT = {
    "picture": "RGB of every frame, area-averaged to 48x27, full-range non-linear, uint8",
    "rate": "every frame, in presentation order",
}


def _draw_mix(rng: np.random.Generator) -> Mix:
    """Films from frantic to calm, with few or many disturbances."""
    longest = int(rng.choice([50, 140, 300, 600]))
    return Mix(longest=longest, shortest=2 if longest < 250 else 6, disturbed=float(rng.uniform(0.3, 0.9)))


def _guess(network: nn.Module, thumbs: U8) -> Guess:
    logits = network(torch.from_numpy(thumbs)[None])
    change = sigmoid(logits["change"][0].numpy())
    extent = sigmoid(logits["extent"][0, :, 0].numpy())
    cut = np.where(changes_of_light(thumbs, thumbs[:0]), np.float32(0), change[:, 0])
    return Guess(cut, change[:, 1], logits["kind"][0].numpy(), extent)


def score_guesses(guesses: Sequence[Guess], films: Sequence[Film], thresholds: Thresholds) -> ShotScore:
    """The guesses beside the films' truth, at these thresholds."""
    return _total([guess.transitions(thresholds) for guess in guesses], films)


def _total(found: Sequence[Sequence[Transition]], films: Sequence[Film]) -> ShotScore:
    """Scores added up; transitions that run over a film's ends are don't-care."""
    total = ShotScore()
    for predicted, film in zip(found, films, strict=True):
        last = len(film.thumbs) - 1
        whole = [t for t in film.transitions if t.start >= 0 and t.end <= last]
        edges = [t for t in film.transitions if not (t.start >= 0 and t.end <= last)]
        edges += film.ignored
        total += score_shots(predicted, whole, edges)
    return total


def tune(guesses: Sequence[Guess], films: Sequence[Film]) -> Thresholds:
    """First the cuts' threshold, then the two of the gradual ones: where F1 is best with its neighbours counted in.

    A single best value sits on the luck of a few films; a plateau does not.
    """
    best = Thresholds()
    row = np.array([score_guesses(guesses, films, replace(best, cut=c)).f1 for c in _LEVELS])
    best = replace(best, cut=_LEVELS[int(_with_neighbours(row[:, None]).argmax())])
    grid = [
        [score_guesses(guesses, films, replace(best, gradual_high=h, gradual_low=w)).f1 for w in _LOWS] for h in _LEVELS
    ]
    high, low = np.unravel_index(int(_with_neighbours(np.array(grid)).argmax()), (len(_LEVELS), len(_LOWS)))
    return replace(best, gradual_high=_LEVELS[high], gradual_low=_LOWS[low])


def _with_neighbours(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, m] means over the 3x3 places around each, edges repeated."""
    padded = np.pad(scores, 1, mode="edge")
    n, m = scores.shape
    places = [padded[i : i + n, j : j + m] for i in range(3) for j in range(3)]
    return np.asarray(np.mean(places, axis=0), np.float64)


def _tune_baseline(name: str, films: Sequence[Film]) -> dict[str, float]:
    """The threshold of a baseline with the best F1 on the very films that tune the network's."""
    scores = [BASELINES[name](film.thumbs) for film in films]
    levels = np.quantile(np.concatenate(scores), np.linspace(0.5, 0.999, 60))
    f1 = [_total([threshold_transitions(s, level) for s in scores], films).f1 for level in levels]
    best = int(np.argmax(f1))
    return {"threshold": float(levels[best]), "validation_f1": f1[best]}
