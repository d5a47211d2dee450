"""The task `moments`: learn what people would keep from films as rows of meaning, to be run on rows of pictures.

People scored 75 films of which captions are known but few pictures. So importance is learned where captions lie, and a
linear bridge, learned from the few pictures that have a caption, takes picture embeddings there:

    caption  --CaptionSpace-->  row of meaning  \\
                                                  MomentNetwork  -->  keep, accent, lull
    picture  --FrameEncoder, Bridge-->  row     /

With `fold` set, the films of that published test fold are kept out of everything (space, bridge, network, choices);
`training.folds` does this for all folds and leaves what each method says of them for `roughcut evaluate moments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from roughcut.errors import DataError
from roughcut.evaluation.annotations import LabelledFilm
from roughcut.models import store
from roughcut.networks.heads import TagHead
from roughcut.networks.moments import MomentNetwork, PictureMoments
from roughcut.records import F32
from roughcut.temporal.mapper import sigmoid
from roughcut.temporal.moments import HEADS, NEAR_ROWS, PARTS, ROW_STEP, WIDE_ROWS, fused
from roughcut.training import export
from roughcut.training.captions import CaptionSpace
from roughcut.training.importance import Bridge, Ridge, Stream, caption_stream, picture_stream
from roughcut.training.manifest import read
from roughcut.training.moment_films import Pictures, held_out, read_films, read_pictures
from roughcut.training.moment_methods import best_strength, both_ways, rho, spread, spread_ridge, unlearned
from roughcut.training.sentences import shared_encoder
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput

VERSION = "2"
TARGETS = (0, 2, 3)  # columns of `Stream.targets` by head
LEAST_DEVIATION = 0.05  # of keep within a film; below it pictures tell nothing that should be spread


@dataclass(frozen=True, kw_only=True)
class MomentOptions:
    """The `[task]` table."""

    fold: int | None = None
    """Which csta test fold to keep out; None learns from all films"""
    validation: float = 0.2
    """Share of the films left that decides when to stop; 0 learns from all and stops at the last step"""
    words: int = 64
    sentences: int = 128
    """K, the caption space's dimensions: of words, and of a sentence encoder's rows (0 does without one)"""
    hidden: int = 32
    layers: int = 2
    dropout: float = 0.5
    noise: float = 0.05
    """Standard deviation added to every number of a row"""
    hidden_rows: float = 0.1
    """Share of rows whose own meaning is replaced by the film's"""
    pictures: float = 0.2
    """Share of training windows that see a film through its pictures"""
    rows: int = 192
    batch: int = 16
    ridge: float = 3.0
    """Strength of the ridge regressions the heads begin as, in mean variances"""
    bridge: float = 3.0
    """Ridge strength of the bridge, in mean variances"""


class MomentTask:
    """Importance and effect timing as a task of the common loop."""

    name = "moments"

    def __init__(self, given: TaskInput) -> None:
        self.options = settings(MomentOptions, given.options, where="[task]")
        self._seed = given.seed
        self.manifest = read(given.data)
        films, test = read_films(self.manifest, self.options.fold)
        learned = {name: film for name, film in films.items() if name not in test}
        self.space = _space([c for film in learned.values() for c in film.captions], self.options)
        pictures = read_pictures(self.manifest, films)
        self.bridge = _fit_bridge({n: p for n, p in pictures.items() if n in learned}, learned, self)
        validation = held_out(sorted(learned), self.options.validation, self.options.fold)
        self.captioned = {name: caption_stream(film, self.space) for name, film in films.items()}
        self.pictured = {n: picture_stream(films[n], p.steps, p.embeddings, self.bridge) for n, p in pictures.items()}
        self.steps = {name: p.steps for name, p in pictures.items()}
        self.films, self.test = films, sorted(test)
        # SumMe's labels contradict TVSum's, and 25 films are too few to learn their own
        self.training = [n for n in sorted(learned) if n not in validation and n.startswith("tvsum")]
        self.validation = sorted(validation) or sorted(learned)
        if not self.training:
            raise DataError("no film to learn from", where=self.manifest.path, allowed="films of TVSum beside the test")

    def network(self) -> MomentNetwork:
        """A network on rows of meaning whose heads begin as ridge regressions on the training films."""
        o = self.options
        network = MomentNetwork(o.words + o.sentences, HEADS, hidden=o.hidden, layers=o.layers, dropout=o.dropout)
        streams = [self.captioned[name] for name in self.training]
        for column, head in enumerate(HEADS):
            ridge = Ridge(streams, o.ridge, TARGETS[column])
            share = ridge.share if head != "keep" else 0.5
            if not 0 < share < 1:
                raise DataError(f"the labels have one class of {head} only", where=self.manifest.path, got=share)
            slope = 1.0 if head == "keep" else 1 / (share * (1 - share))  # of the logit, where the head begins
            bias = float(np.log(share / (1 - share))) - slope * ridge.middle
            network.start_linear(head, torch.from_numpy(slope * ridge.weights).float(), bias)
        return network

    def batch(self, step: int) -> Batch:
        """Windows of `rows` rows from random films at a random pace, with noise."""
        rng = np.random.default_rng((self._seed, step))
        windows = [_window(self._draw(rng), self.options.rows, rng) for _ in range(self.options.batch)]
        rows, targets, weights = (np.stack(parts) for parts in zip(*windows, strict=True))
        rows = rows + rng.normal(0, self.options.noise, rows.shape).astype(np.float32)
        blind, k = rng.random(rows.shape[:2]) < self.options.hidden_rows, rows.shape[2] // PARTS
        rows[blind, :k] = rows[blind, -k:]
        arrays = {"rows": rows, "targets": targets, "weights": weights}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """keep: 1 - correlation within each window, and cross entropy with the rank; accent, lull: cross entropy."""
        logits, targets, weights = network(batch["rows"]), batch["targets"], batch["weights"]
        order = 1 - correlation(logits["keep"][..., 0], targets[..., 0], weights).mean()
        tags = [TagHead.loss(logits[h], targets[..., i : i + 1], weights[..., None]) for i, h in enumerate(HEADS, 1)]
        return order + 0.5 * torch.stack(tags).sum()

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Spearman's rho with people on the validation films, of what is shown; average precision of timing."""
        answers = {name: _answers(network, self.captioned[name]) for name in self.validation}
        each = {name: rho(answer["keep"], self.films[name]) for name, answer in answers.items()}
        parts = {
            f"{part}_rho": float(np.mean([v for name, v in each.items() if name.startswith(part)] or [0.0]))
            for part in ("tvsum", "summe")
        }
        return {"score": parts["tvsum_rho"], **parts, **self._timing(answers)}

    def timing(self, network: nn.Module) -> dict[str, float]:
        """Average precision of the timing heads on the test films, beside the share of rows they are true for."""
        return self._timing({name: _answers(network, self.captioned[name]) for name in self.test})

    def _timing(self, answers: dict[str, dict[str, F32]]) -> dict[str, float]:
        found = {}
        for column, head in enumerate(HEADS[1:], 2):
            given = torch.from_numpy(np.concatenate([answer[head] for answer in answers.values()]))
            wanted = torch.from_numpy(np.concatenate([self.captioned[name].targets[:, column] for name in answers]))
            found[f"{head}_ap"], found[f"{head}_share"] = TagHead.metric(given, wanted), float(wanted.mean())
        return found

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """`moments.onnx` and its card.

        What pictures tell is weak beside what captions tell, so `keep` comes out near one half; its logits are spread
        to a median of 0 and a deviation of 1 within a film. The order, all that was learned, is not touched.
        """
        assert isinstance(network, MomentNetwork)
        path = folder / "moments.onnx"
        seen = [self.pictured[name] for name in self.training if name in self.pictured]
        keep = [_answers(network, stream)["keep"] for stream in seen]
        deviation = float(np.mean([film.std() for film in keep]))
        network.spread("keep", float(np.median(np.concatenate(keep))), 1 / max(deviation, LEAST_DEVIATION))
        bridged = PictureMoments(network, torch.from_numpy(self.bridge.weight), torch.from_numpy(self.bridge.offset))
        columns = PARTS * len(self.bridge.weight)
        difference = export.export_stream(bridged, path, columns=columns)
        facts = {
            "description": "embeddings of a film to what is worth keeping, accents and lulls",
            "task": "moments",
            "torch_onnx_difference": difference,
            "quantiles": _quantiles(network, seen),
            **_facts(network),
        }
        data = ["TVSum and SumMe annotations with captions; 796 of their frames", *self.manifest.licences()]
        export.write_card(path, version=VERSION, recipe=recipe, data=data, **facts)
        return [path]

    def predictions(self, network: nn.Module) -> dict[str, Any]:
        """What every method says of the fold's test films: all rows through captions, key frames through pictures."""
        learned = {name: self.captioned[name] for name in self.training}
        strength, training = best_strength(learned, self.films, self._seed), list(learned.values())
        methods = {
            **both_ways("network", spread(lambda s: _answers(network, s)["keep"], training)),
            **both_ways("ridge", spread_ridge(training, strength)),
            **unlearned(),
        }
        pictured = [name for name in self.test if name in self.pictured]
        return {
            "fold": self.options.fold,
            "ridge": strength,
            "captions": {m: {n: _listed(say(self.captioned[n])) for n in self.test} for m, say in methods.items()},
            "pictures": {
                m: {n: _listed(say(self.pictured[n])[self.steps[n]]) for n in pictured} for m, say in methods.items()
            },
            "steps": {name: self.steps[name] for name in pictured},
        }

    def _draw(self, rng: np.random.Generator) -> Stream:
        seen = self.pictured if rng.random() < self.options.pictures else self.captioned
        names = [n for n in self.training if n in seen] or self.training
        name = names[int(rng.integers(len(names)))]
        return seen.get(name, self.captioned[name])


def correlation(ours: Tensor, theirs: Tensor, weights: Tensor) -> Tensor:
    """[N] Pearson correlation of [N, T] values under [N, T] weights."""
    total = weights.sum(1, keepdim=True).clamp(min=1e-6)
    a, b = (v - (v * weights).sum(1, keepdim=True) / total for v in (ours, theirs))
    norms = ((a * a * weights).sum(1) * (b * b * weights).sum(1)).clamp(min=1e-6).sqrt()
    return (a * b * weights).sum(1) / norms


def _window(stream: Stream, rows: int, rng: np.random.Generator) -> tuple[F32, F32, F32]:
    """`rows` rows of a film played at 0.6 to 1.6 of its pace; short films hold their last row, which then weighs 0."""
    count = len(stream.rows)
    first = int(rng.integers(0, max(count - rows, 0) + 1))
    at = first + np.arange(rows) * float(np.exp(rng.uniform(np.log(0.6), np.log(1.6))))
    weights = stream.weights[np.minimum(at.astype(np.int64), count - 1)] * (at < count)
    at = np.minimum(at.astype(np.int64), count - 1)
    return stream.rows[at], stream.targets[at], weights.astype(np.float32)


@torch.no_grad()
def _answers(network: nn.Module, stream: Stream) -> dict[str, F32]:
    """Head -> [T] logits of a whole film."""
    logits = network(torch.from_numpy(stream.rows)[None])
    return {name: value[0, :, 0].numpy() for name, value in logits.items()}


def _listed(values: F32) -> list[float]:
    return [round(float(v), 5) for v in values]


def _space(captions: Sequence[str], options: MomentOptions) -> CaptionSpace:
    encode = shared_encoder() if options.sentences else None
    return CaptionSpace.fit(captions, options.words, options.sentences, encode)


def _fit_bridge(pictures: dict[str, Pictures], films: dict[str, LabelledFilm], task: MomentTask) -> Bridge:
    if not pictures:
        raise DataError("no pictures to tie captions to", where=task.manifest.path, allowed='"labels": {"film": ...}')
    meanings = {n: task.space.embed([films[n].captions[step] for step in p.steps]) for n, p in pictures.items()}
    return Bridge.fit(
        np.concatenate([side for p in pictures.values() for side in (p.embeddings, p.mirrored)]),
        np.concatenate([rows for n in pictures for rows in (meanings[n], meanings[n])]),
        [n for n, p in pictures.items() for _ in range(2 * len(p.steps))],
        task.options.bridge,
    )


def _quantiles(network: MomentNetwork, seen: Sequence[Stream]) -> dict[str, list[float]]:
    """Head -> its probability at the 5th, 50th and 95th of a hundred rows of films seen through pictures."""
    answers = [_answers(network, stream) for stream in seen]
    for answer, stream in zip(answers, seen, strict=True):
        answer["keep"] = fused(answer["keep"], stream.likeness)
    joined = {name: sigmoid(np.concatenate([answer[name] for answer in answers])) for name in HEADS}
    return {name: _listed(np.quantile(values, (0.05, 0.5, 0.95))) for name, values in joined.items()}


def _facts(network: MomentNetwork) -> dict[str, Any]:
    trunk = network.trunk.config
    return {
        "stream": {"block": trunk.block, "lookahead": trunk.lookahead, "context": 0},
        "heads": {name: {"kind": "tag", "columns": [name]} for name in HEADS},
        "contract": {
            "rows": f"embedding per {ROW_STEP} s | mean of {NEAR_ROWS} before | of {NEAR_ROWS} after | of {WIDE_ROWS} "
            "on either side | of the film",
            "encoder": store.load("encoder").version,
        },
    }
