"""The task `shots`: find every change of shot, hard or gradual, and name its kind, on films synthesised on the fly."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from roughcut.evaluation.baselines import BASELINES, threshold_transitions
from roughcut.evaluation.metrics import ShotScore, score_shots
from roughcut.networks.heads import ClassifyHead, TagHead
from roughcut.networks.shots import CONTEXT, TAGS, ShotConfig, ShotNetwork
from roughcut.records import F32, U8, Transition
from roughcut.temporal.mapper import sigmoid
from roughcut.temporal.shots import KINDS, Thresholds, find_transitions
from roughcut.training import export, manifest
from roughcut.training.material import load_footage
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput
from roughcut.training.transitions import Film, Mix, label_rows, synthesise

VERSION = "1"
NO_KIND = 255
_VALIDATION_SEED = 90_210  # the validation films are the same for every training seed


@dataclass(frozen=True, kw_only=True)
class ShotOptions:
    """The `[task]` table."""

    batch: int = 8
    frames: int = 128
    """Length of a training film"""
    embedding: int = 32
    channels: tuple[int, int, int] = (16, 32, 48)
    hidden: int = 64
    layers: int = 2
    positive: float = 3.0
    """How much more a positive step weighs than a negative one"""
    kind_share: float = 0.1
    """Weight of the loss of the kinds beside that of the tags"""
    validation_films: int = 32
    validation_frames: int = 640


@dataclass(frozen=True)
class _Guess:
    """The network's answer for a film: cut [T], gradual [T] probabilities, kind [T, 5] logits."""

    cut: F32
    gradual: F32
    kind: F32


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

    def network(self) -> ShotNetwork:
        """A fresh network of the configured size."""
        o = self.options
        return ShotNetwork(ShotConfig(embedding=o.embedding, channels=o.channels, hidden=o.hidden, layers=o.layers))

    def batch(self, step: int) -> Batch:
        """`batch` new films: thumbs, tags, kind, weight. A batch is busy or calm as a whole."""
        rng = np.random.default_rng([self.seed, step])
        films = [synthesise(rng, self.footage, self.options.frames, _draw_mix(rng)) for _ in range(self.options.batch)]
        labels = [label_rows(film.transitions, self.options.frames, KINDS) for film in films]
        tags, kind, weight = (torch.from_numpy(np.stack(column)) for column in zip(*labels, strict=True))
        return {
            "thumbs": torch.from_numpy(np.stack([film.thumbs for film in films])),
            "tags": tags,
            "kind": kind.long(),
            "weight": weight,
        }

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Tags on every step, kinds on the steps of a transition."""
        logits = network(batch["thumbs"])
        weight = batch["weight"][..., None] * (1 + (self.options.positive - 1) * batch["tags"])
        tags = TagHead.loss(logits["change"], batch["tags"], weight)
        steps = logits["kind"].flatten(0, 1)[:, None]
        kind, counts = batch["kind"].flatten(), batch["weight"].flatten() > 0
        named = (kind != NO_KIND) & counts
        kinds = ClassifyHead.loss(steps, kind.where(named, torch.zeros_like(kind)), named[:, None])
        return tags + self.options.kind_share * kinds

    def validate(self, network: nn.Module) -> dict[str, float]:
        """F1 at the best thresholds and average precision, on films of material never trained on."""
        films = self._validation()
        guesses = [_guess(network, film.thumbs) for film in films]
        thresholds = _tune(guesses, films)
        total = _score(guesses, films, thresholds)
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
            common = {"task": "shots", "contract": _CONTRACT, "torch_onnx_difference": differences[path], **facts}
            export.write_card(path, version=VERSION, recipe=recipe, data=self.manifest.licences(), **common)
        return [frames, mapper]

    def _facts(self, network: ShotNetwork) -> dict[str, Any]:
        """What the run time needs to know: the stream's sizes, the heads, the thresholds; and the baselines'."""
        films = self._validation()
        with torch.inference_mode():
            guesses = [_guess(network, film.thumbs) for film in films]
        trunk = network.mapper.trunk.config
        return {
            "stream": {"block": trunk.block, "lookahead": trunk.lookahead, "context": CONTEXT},
            "heads": {
                "change": {"kind": "tag", "columns": list(TAGS)},
                "kind": {"kind": "classify", "columns": list(KINDS)},
            },
            "thresholds": asdict(_tune(guesses, films)),
            "baselines": {name: _tune_baseline(name, films) for name in BASELINES},
        }

    def _validation(self) -> list[Film]:
        """The same films for every call; calmer than the training ones, as real films are."""
        if not self._films:
            o, calm = self.options, Mix(shortest=4, longest=300)
            rngs = [np.random.default_rng([_VALIDATION_SEED, i]) for i in range(o.validation_films)]
            self._films = [synthesise(rng, self.held_out, o.validation_frames, calm) for rng in rngs]
        return self._films


_CONTRACT = {
    "picture": "RGB of every frame, area-averaged to 48x27, full-range non-linear, uint8",
    "rate": "every frame, in presentation order",
}


def _draw_mix(rng: np.random.Generator) -> Mix:
    """Films from frantic to calm, with few or many disturbances."""
    longest = int(rng.choice([40, 120, 250, 500]))
    return Mix(longest=longest, shortest=2 if longest < 250 else 6, disturbed=float(rng.uniform(0.3, 0.9)))


def _guess(network: nn.Module, thumbs: U8) -> _Guess:
    logits = network(torch.from_numpy(thumbs)[None])
    change = sigmoid(logits["change"][0].numpy())
    return _Guess(change[:, 0], change[:, 1], logits["kind"][0].numpy())


def _score(guesses: Sequence[_Guess], films: Sequence[Film], thresholds: Thresholds) -> ShotScore:
    found = [find_transitions(g.cut, g.gradual, g.kind, thresholds) for g in guesses]
    return _total(found, films)


def _total(found: Sequence[Sequence[Transition]], films: Sequence[Film]) -> ShotScore:
    """Scores added up; transitions that run over a film's ends are don't-care."""
    total = ShotScore()
    for predicted, film in zip(found, films, strict=True):
        last = len(film.thumbs) - 1
        whole = [t for t in film.transitions if t.start >= 0 and t.end <= last]
        edges = [t for t in film.transitions if not (t.start >= 0 and t.end <= last)]
        total += score_shots(predicted, whole, edges)
    return total


def _tune(guesses: Sequence[_Guess], films: Sequence[Film]) -> Thresholds:
    """Coordinate search for the best F1: cut first, then the two of the gradual ones."""
    best = Thresholds()
    cuts = [replace(best, cut=c) for c in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]
    best = max(cuts, key=lambda t: _score(guesses, films, t).f1)
    levels = itertools.product((0.3, 0.4, 0.5, 0.6, 0.7, 0.8), (0.15, 0.25, 0.35))
    graduals = [replace(best, gradual_high=high, gradual_low=low) for high, low in levels]
    return max(graduals, key=lambda t: _score(guesses, films, t).f1)


def _tune_baseline(name: str, films: Sequence[Film]) -> dict[str, float]:
    """The threshold of a baseline with the best F1 on the very films that tune the network's."""
    scores = [BASELINES[name](film.thumbs) for film in films]
    levels = np.quantile(np.concatenate(scores), np.linspace(0.5, 0.999, 60))
    f1 = [_total([threshold_transitions(s, level) for s in scores], films).f1 for level in levels]
    best = int(np.argmax(f1))
    return {"threshold": float(levels[best]), "validation_f1": f1[best]}
