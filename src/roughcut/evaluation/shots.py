"""`roughcut evaluate shots --data DIR`: the shot network beside its baselines on films whose transitions are known.

The folder holds films and a truth `FILM.json` beside each:

    {"frames": 325, "transitions": [{"type": "cut", "start": 201, "end": 202}, ...]}

`start` is the last clean frame of the old shot, `end` the first clean one of the new. Entries marked `doubtful` or
`edge` are don't-care: found or not, they count for nothing. `sub` may name a style, such as `jump`, that is
also counted by itself.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from roughcut.errors import DataError, ModelError
from roughcut.evaluation.baselines import BASELINES, threshold_transitions
from roughcut.evaluation.metrics import ShotScore, match, score_shots
from roughcut.media.probe import probe
from roughcut.media.scan import scan
from roughcut.models import store
from roughcut.models.store import Model
from roughcut.records import Progress, Transition, no_progress
from roughcut.temporal.shots import KINDS, ShotMapper

NETWORK = "network"


@dataclass(frozen=True)
class FilmTruth:
    """What is known of a film; `ignored` are the don't-care entries."""

    path: Path
    frames: int
    transitions: tuple[Transition, ...]
    ignored: tuple[Transition, ...]
    subs: tuple[str, ...] = ()
    """The style of each transition, `` where none is told."""


@dataclass(kw_only=True)
class MethodResult:
    """One method over all films."""

    score: ShotScore = field(default_factory=ShotScore)
    found: Counter[str] = field(default_factory=Counter)
    """Truths found, by kind."""
    found_subs: Counter[str] = field(default_factory=Counter)
    """Truths found, by style."""
    films: dict[str, ShotScore] = field(default_factory=dict)

    def add(self, film: FilmTruth, predicted: Sequence[Transition]) -> None:
        """Count one film in."""
        score = score_shots(predicted, film.transitions, film.ignored)
        self.films[film.path.name] = score
        self.score += score
        pairs = match(predicted, film.transitions)
        self.found.update(t.kind for _, t in pairs)
        subs = dict(zip(film.transitions, film.subs, strict=True))
        self.found_subs.update(subs[t] for _, t in pairs if subs[t])


@dataclass(frozen=True, kw_only=True)
class ShotReport:
    """Every method's figures, and what the network cost."""

    methods: Mapping[str, MethodResult]
    truths: Mapping[str, int]
    """Transitions to be found, by kind."""
    subs: Mapping[str, int]
    """Those with a style, by style."""
    minutes: float
    """Of film"""
    frames: int
    frames_per_cpu_second: float
    """Of the network alone, without decoding."""

    def table(self) -> str:
        """One row per method: F1, precision, recall, then found of each kind."""
        kinds = [kind for kind in KINDS if self.truths.get(kind)]
        head = f"{'method':<22}{'F1':>7}{'prec.':>7}{'recall':>8}" + "".join(f"{k:>10}" for k in kinds)
        lines = [f"{head}    right kind  false/min"]
        lines += [self._row(name, result, kinds) for name, result in self.methods.items()]
        if self.subs:
            found = self.methods[NETWORK].found_subs
            styles = (f"{name} {found[name]}/{count}" for name, count in sorted(self.subs.items()))
            lines.append(f"found by the network, by style: {', '.join(styles)}")
        lines.append(f"{self.frames} frames; network: {self.frames_per_cpu_second:,.0f} frames per CPU-second")
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """The same for machines, film by film."""
        return {
            "frames": self.frames,
            "frames_per_cpu_second": round(self.frames_per_cpu_second, 1),
            "truths": dict(self.truths),
            "styles": dict(self.subs),
            "minutes": round(self.minutes, 3),
            "methods": {
                name: {
                    **_figures(result.score),
                    "found": dict(result.found),
                    "found_styles": dict(result.found_subs),
                    "films": {film: _figures(score) for film, score in result.films.items()},
                }
                for name, result in self.methods.items()
            },
        }

    def _row(self, name: str, result: MethodResult, kinds: Sequence[str]) -> str:
        score = result.score
        found = "".join(f"{f'{result.found[kind]}/{self.truths[kind]}':>10}" for kind in kinds)
        right = f"{score.right_kind}/{score.hits} {score.right_kind / max(score.hits, 1):.3f}"
        false = (score.predicted - score.hits) / max(self.minutes, 1e-9)
        figures = f"{score.f1:>7.3f}{score.precision:>7.3f}{score.recall:>8.3f}"
        return f"{name:<22}{figures}{found}{right:>14}{false:>11.2f}"


def evaluate_shots(
    data: Path, *, models: Path | None = None, progress: Progress = no_progress, **options: Any
) -> ShotReport:
    """Measure the shipped networks (or those in the folder `models`) and the baselines on a folder of films.

    Raises:
        DataError: no film with a truth in the folder, or a truth is wrong. InputError: a film cannot be read.
    """
    films = read_truths(data)
    frames_net, mapper_net = _networks(models)
    results = {name: MethodResult() for name in (NETWORK, *BASELINES)}
    cost, frames, minutes = 0.0, 0, 0.0
    for done, film in enumerate(films, 1):
        info = probe(film.path)
        thumbs = np.concatenate([batch.thumbs for batch in scan(info, picture_rate=None, track=None)])
        _check_length(film, len(thumbs))
        minutes += float(info.duration) / 60
        before = time.process_time()
        mapper = ShotMapper(frames_net, mapper_net)
        mapper.push(thumbs)
        results[NETWORK].add(film, mapper.finish().transitions)
        cost, frames = cost + time.process_time() - before, frames + len(thumbs)
        for name, measure in BASELINES.items():
            threshold = mapper_net.card["baselines"][name]["threshold"]
            results[name].add(film, threshold_transitions(measure(thumbs), threshold))
        progress("evaluating shots", done, len(films))
    truths: Counter[str] = Counter(t.kind for film in films for t in film.transitions)
    subs = Counter(sub for film in films for sub in film.subs if sub)
    return ShotReport(
        methods=results, truths=truths, subs=subs, minutes=minutes, frames=frames,
        frames_per_cpu_second=frames / max(cost, 1e-9),
    )  # fmt: skip


def read_truths(folder: Path) -> list[FilmTruth]:
    """Every film of a folder that has a truth beside it, by name.

    Raises:
        DataError: there is none, or one is wrong.
    """
    found = [path for path in sorted(folder.glob("*.json")) if path.with_suffix("").is_file()]
    if not found:
        raise DataError("no film with a truth beside it", where=folder, allowed="FILM and FILM.json")
    return [_truth(path) for path in found]


def _truth(path: Path) -> FilmTruth:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        frames = int(told["frames"])
        entries = [
            (_transition(entry), bool(entry.get("doubtful") or entry.get("edge")), str(entry.get("sub") or ""))
            for entry in told["transitions"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "the truth cannot be read", where=path, got=error, allowed='{"frames", "transitions"}'
        ) from error
    beyond = next((t for t, _, _ in entries if t.end >= frames), None)
    if beyond is not None:
        raise DataError("a label lies beyond the film", where=path, got=beyond.end, allowed=f"frames 0..{frames - 1}")
    return FilmTruth(
        path=path.with_suffix(""),
        frames=frames,
        transitions=tuple(t for t, ignored, _ in entries if not ignored),
        ignored=tuple(t for t, ignored, _ in entries if ignored),
        subs=tuple(sub for _, ignored, sub in entries if not ignored),
    )


def _transition(entry: Mapping[str, Any]) -> Transition:
    if entry["type"] not in KINDS:
        raise ValueError(f"type {entry['type']!r}, allowed: {', '.join(KINDS)}")
    return Transition(kind=entry["type"], start=int(entry["start"]), end=int(entry["end"]), probability=1.0)


def _networks(models: Path | None) -> tuple[Model, Model]:
    if models is None:
        return store.load("shots_frames"), store.load("shots")
    if not models.is_dir():
        raise ModelError("no such folder of networks", where=models, next_step="give the run's folder")
    return store.load_path(models / "shots_frames.onnx"), store.load_path(models / "shots.onnx")


def _check_length(film: FilmTruth, frames: int) -> None:
    if frames != film.frames:
        raise DataError(
            "the truth counts other frames than the film has", where=film.path, got=film.frames, allowed=frames
        )


def _figures(score: ShotScore) -> dict[str, float]:
    return {
        "f1": round(score.f1, 4),
        "precision": round(score.precision, 4),
        "recall": round(score.recall, 4),
        "hits": score.hits,
        "predicted": score.predicted,
        "truths": score.truths,
        "right_kind": score.right_kind,
    }
