"""What real footage and real faces are like, for `evaluation.mood_films`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roughcut import watching
from roughcut.errors import DataError
from roughcut.evaluation.expression import class_of
from roughcut.evaluation.mood_films import DRAWN, EXPRESSIONS, SCORES, Statistics, to_scores
from roughcut.features.expression import CLASSES, NEGATIVE, ExpressionReader, smile_and_sign
from roughcut.features.faces import FaceDetector
from roughcut.media.faults import quiet_ffmpeg
from roughcut.media.probe import probe
from roughcut.models import store
from roughcut.records import F32, Progress, no_progress
from roughcut.temporal.mood import COLUMNS, UNHEARD, measured
from roughcut.training.expression import mosaics
from roughcut.training.manifest import Manifest

F64 = NDArray[np.float64]
FACES_KEPT = 30  # of each expression
MOSAIC_FACES = 500
LEAST_WITHIN = 0.1  # clips are short, shots of films are not
NORMAL = np.array([0.0228, 0.1056, 0.2578, 0.5, 0.7422, 0.8944, 0.9772])  # of SCORES


def statistics_of(manifest: Manifest, progress: Progress = no_progress) -> Statistics:
    """Statistics of the clips and portraits of a manifest.

    Raises:
        DataError: it has no clips, no sound, or no portraits of an expression.
    """
    quiet_ffmpeg()
    clips = [clip for clip in manifest.clips if "material" in clip.labels]
    if not clips:
        raise DataError("no clip to take the spread of", where=manifest.path, allowed='"labels": {"material": "shot"}')
    measures = []
    for number, clip in enumerate(clips):
        progress("measuring clips", number, len(clips))
        seen = watching.watch(probe(clip.file), use_cache=True, progress=no_progress)
        measures.append(measured(seen.features, seen.transitions, None))
    return calibrated(measures, _expressions(manifest), where=manifest.path)


def calibrated(measures: Sequence[F32], faces: dict[str, list[list[float]]], where: object) -> Statistics:
    """Statistics of clips [N, 11] each, and of the answers to faces of each expression.

    Raises:
        DataError: a column or an expression that nobody has.
    """
    columns = {name: [_heard(name, m[:, COLUMNS.index(name)].astype(np.float64)) for m in measures] for name in DRAWN}
    known = {name: [c[np.isfinite(c)] for c in clips] for name, clips in columns.items()}
    empty = [name for name in DRAWN if sum(map(len, known[name])) < len(SCORES)]
    empty += [name for name in EXPRESSIONS if not faces.get(name)]
    if empty:
        raise DataError("nothing to take the spread of", where=where, got=", ".join(empty))
    quantiles = {name: _listed(np.quantile(np.concatenate(known[name]), NORMAL)) for name in DRAWN}
    scores = {name: [to_scores(c, quantiles[name]) for c in known[name]] for name in DRAWN}
    return Statistics(
        quantiles=quantiles,
        within={name: _within(scores[name]) for name in DRAWN},
        flow={name: _flow(scores[name]) for name in DRAWN},
        together=[_listed(row) for row in _together(columns, quantiles)],
        faces={name: [_listed(np.array(pair)) for pair in _spread_out(faces[name])] for name in EXPRESSIONS},
    )


def _heard(name: str, values: F64) -> F64:
    """Tracks that hold nothing say nothing of sound."""
    return np.where(values > UNHEARD, values, np.nan) if name == "loudness" else values


def _within(clips: Sequence[F64]) -> float:
    long = [c for c in clips if len(c) > 3]
    whole, apart = np.concatenate(long), np.concatenate([c - c.mean() for c in long])
    return round(float(np.clip(apart.var() / max(whole.var(), 1e-6), LEAST_WITHIN, 1)), 4)


def _flow(clips: Sequence[F64]) -> float:
    apart = [c - c.mean() for c in clips if len(c) > 8]
    if not apart:
        return 0.5
    power = sum(float((c * c).sum()) for c in apart)
    return round(float(np.clip(sum(float((c[1:] * c[:-1]).sum()) for c in apart) / max(power, 1e-6), 0, 0.95)), 4)


def _together(columns: dict[str, list[F64]], quantiles: dict[str, list[float]]) -> F64:
    z = np.stack([to_scores(np.concatenate(columns[name]), quantiles[name]) for name in DRAWN], 1)
    found = np.eye(len(DRAWN))
    for i in range(len(DRAWN)):
        for j in range(i):
            both = np.isfinite(z[:, i]) & np.isfinite(z[:, j])
            if both.sum() > 8:
                found[i, j] = found[j, i] = 0.9 * np.corrcoef(z[both, i], z[both, j])[0, 1]
    return found


def _expressions(manifest: Manifest) -> dict[str, list[list[float]]]:
    """What the network makes of faces that it has not learned from: portraits, and of FER-2013's faces the negative
    ones, which portraits hardly have."""
    reader, detector = ExpressionReader(), FaceDetector()
    found: dict[str, list[list[float]]] = {name: [] for name in EXPRESSIONS}
    for clip in manifest.clips:
        if clip.part() != "val" or "expression" not in clip.labels:
            continue
        kind = CLASSES[class_of(str(clip.labels["expression"]), manifest.where(clip))]
        if kind not in ("happy", "neutral"):
            continue
        with Image.open(clip.file) as picture:
            rgb = np.asarray(picture.convert("RGB"))
        signs = reader(rgb, detector(rgb))
        if signs.count:
            found[kind].append([signs.valence, signs.smile])
    faces, labels = mosaics(manifest, "val")
    chosen = np.flatnonzero(np.isin(labels, [CLASSES.index(name) for name in NEGATIVE]))[::2][:MOSAIC_FACES]
    smiles, valences = smile_and_sign(store.load("expression").run(faces=faces[chosen])["logits"])
    found["negative"] = np.stack([valences, smiles], 1).tolist()
    return found


def _spread_out(pairs: list[list[float]]) -> list[list[float]]:
    """At most `FACES_KEPT` of them, evenly chosen by valence."""
    ordered = sorted(pairs)
    at = np.unique(np.linspace(0, len(ordered) - 1, min(FACES_KEPT, len(ordered))).round().astype(int))
    return [ordered[i] for i in at]


def _listed(values: F64) -> list[float]:
    return [round(float(v), 4) for v in values]
