"""The task `mood`: valence and arousal, learned from films that were drawn with a mood (`evaluation.mood_films`).

The manifest names real clips and portraits; nothing but their spread is learned from them (`mood_statistics`), which
then stands in the card, so that the films a network was measured on can be drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from roughcut.evaluation.mood import concordance
from roughcut.evaluation.mood_films import DrawnFilm, drawn_film, drawn_films
from roughcut.networks.mood import MoodNetwork
from roughcut.temporal.mood import ABSOLUTE, COLUMNS, HEADS, MASKS, RELATIVE, network_rows
from roughcut.training import export
from roughcut.training.manifest import read
from roughcut.training.mood_statistics import statistics_of
from roughcut.training.settings import settings
from roughcut.training.tasks import Batch, Recipe, TaskInput

VERSION = "1"
NEEDS = {"valence": 1, "smile": 1, "size": 1, "faces": 0, "loudness": 2, "centroid": 2, "speech": 2, "pace": 3}
"""Column -> the mask (of `MASKS`) without which it means nothing."""
CENTRES = {"valence": (0, 0.6), "smile": (0.4, 0.4), "faces": (0.7, 0.7), "size": (0.2, 0.15), "pace": (-1.4, 0.8),
           "speech": (0.4, 0.4)}  # fmt: skip
"""Middle and deviation of absolute columns that are not drawn from real quantiles."""
LENGTHS = (12, 40, 80, 160, 240)
MOST_FILMS = 3  # times `batch`, where films are short
VALIDATION = 9_000_001
"""Added to the seed: films that are never trained on."""


@dataclass(frozen=True, kw_only=True)
class MoodOptions:
    """The `[task]` table."""

    hidden: int = 48
    layers: int = 2
    dropout: float = 0.1
    batch: int = 16
    films: int = 96
    """Held-out films that choose the best step"""
    within: float = 0.0
    """Weight of the concordance of what is beside each film's mean"""
    doubt: float = 0.3
    """Weight of the likelihood that teaches the doubt"""


class MoodTask:
    """Moods as a task of the common loop."""

    name = "mood"

    def __init__(self, given: TaskInput) -> None:
        self.options = settings(MoodOptions, given.options, where="[task]")
        self._seed = given.seed
        self.manifest = read(given.data)
        self.statistics = statistics_of(self.manifest, given.progress)
        self.validation = list(drawn_films(self.statistics, given.seed + VALIDATION, self.options.films))
        every = np.concatenate([film.mood for film in self.validation])
        self.variance = {head: float(every[:, k].var()) for k, head in enumerate(HEADS)}

    def network(self) -> MoodNetwork:
        """A fresh one, its absolute columns standardised by the spread of real clips."""
        drawn = {name: (q[3], max((q[5] - q[1]) / 2.5, 1e-3)) for name, q in self.statistics.quantiles.items()}
        spread = [(CENTRES | drawn)[COLUMNS[k]] for k in ABSOLUTE]
        needs = [NEEDS.get(COLUMNS[k], -1) for k in (*ABSOLUTE, *RELATIVE)]
        o, (centre, scale) = self.options, zip(*spread, strict=True)
        return MoodNetwork(centre, scale, needs, heads=HEADS, hidden=o.hidden, layers=o.layers, dropout=o.dropout)

    def batch(self, step: int) -> Batch:
        """Films of one length."""
        rng = np.random.default_rng((self._seed, step))
        rows = LENGTHS[int(rng.integers(len(LENGTHS)))]
        count = self.options.batch * min(LENGTHS[-1] / rows / 2, MOST_FILMS)
        films = [drawn_film(self.statistics, rng, rows) for _ in range(int(count))]
        return {
            "rows": torch.from_numpy(np.stack([network_rows(film.measures) for film in films])),
            "mood": torch.from_numpy(np.stack([film.mood for film in films])),
        }

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """1 - concordance over the batch and within each film, and the likelihood of the error that is left."""
        told = network(batch["rows"])
        parts = []
        for k, head in enumerate(HEADS):
            value, doubt, wanted = told[head][..., 0], told[head][..., 1], batch["mood"][..., k]
            error = (value.detach() - wanted) ** 2
            likelihood = 0.5 * (doubt + error * torch.exp(-doubt)).mean()
            beside = [x - x.mean(1, keepdim=True) for x in (value, wanted)]
            parts.append(1 - agreement(value, wanted) + self.options.within * (1 - agreement(*beside)))
            parts.append(self.options.doubt * likelihood)
        return torch.stack(parts).sum()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Concordance on the held-out films, and how well the doubt is known."""
        told = [_answers(network, film) for film in self.validation]
        wanted = np.concatenate([film.mood for film in self.validation])
        given = np.concatenate(told)
        scores = {f"{h}_ccc": concordance(given[:, k, 0], wanted[:, k]) for k, h in enumerate(HEADS)}
        errors = (given[..., 0] - wanted) ** 2
        calibration = {
            f"{h}_error_over_expected": float(errors[:, k].mean() / np.exp(given[:, k, 1]).mean())
            for k, h in enumerate(HEADS)
        }
        return {"score": float(np.mean(list(scores.values()))), **scores, **calibration}

    def export(self, network: nn.Module, folder: Path, recipe: Recipe) -> list[Path]:
        """`mood.onnx` and its card."""
        assert isinstance(network, MoodNetwork)
        path = folder / "mood.onnx"
        columns = len(ABSOLUTE) + len(RELATIVE) + len(MASKS)
        difference = export.export_stream(network, path, columns=columns)
        facts = {
            "description": "what is seen and heard at 2 Hz to the mood of a film: valence, arousal, how sure",
            "task": "mood",
            "torch_onnx_difference": difference,
            "variance": {head: round(v, 5) for head, v in self.variance.items()},
            **_facts(network),
            "statistics": self.statistics.as_json(),
        }
        data = ["films drawn by chance with the spread of real footage and faces", *self.manifest.licences()]
        export.write_card(path, version=VERSION, recipe=recipe, data=data, **facts)
        return [path]


def agreement(a: Tensor, b: Tensor) -> Tensor:
    """Lin's concordance correlation coefficient of all values of two tensors of one shape."""
    x, y = a - a.mean(), b - b.mean()
    return 2 * (x * y).mean() / ((x * x).mean() + (y * y).mean() + (a.mean() - b.mean()) ** 2).clamp(min=1e-6)


def _answers(network: nn.Module, film: DrawnFilm) -> Any:
    """[N, 2, 2] rows, heads, value and doubt."""
    told = network(torch.from_numpy(network_rows(film.measures))[None])
    return np.stack([told[head][0].numpy() for head in HEADS], 1)


def _facts(network: MoodNetwork) -> dict[str, Any]:
    trunk = network.trunk.config
    return {
        "stream": {"block": trunk.block, "lookahead": trunk.lookahead, "context": 0},
        "heads": {name: {"kind": "value", "columns": ["value", "log variance of its error"]} for name in HEADS},
        "contract": {
            "absolute": [COLUMNS[k] for k in ABSOLUTE],
            "beside the film's median": [COLUMNS[k] for k in RELATIVE],
            "known": list(MASKS),
        },
    }
