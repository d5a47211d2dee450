"""The report for machines: one JSON object with a schema name, exact times beside float seconds, and no NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from roughcut.planner.mood import stretches
from roughcut.records import F32, Analysis, Curve
from roughcut.timebase import TimeRange, format_time, fraction_text
from roughcut.timeline.metadata import to_plain
from roughcut.timeline.plan import Clip, Decision, Plan

Json = dict[str, Any]
SCHEMA = "roughcut.report.1"
SPEECH_STEP = Fraction(512, 16_000)
CURVE_POINTS = 1500


@dataclass(frozen=True, kw_only=True)
class FilmResult:
    """What rendering gave: the film, its measured proof, wall seconds by stage, and what it could not do."""

    film: Path
    sync: Json = field(default_factory=dict)
    """`media.proof.Proof.to_dict()`; {} where nothing was measured."""
    seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    recipe: Json = field(default_factory=dict)
    """What the film was made from: `wishes.recipe_of`."""
    size_bytes: int = 0
    frames: int | None = None
    """As found in the film; None: as the plan counts them."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One decision, for the table: what was done, where, why."""

    what: str
    place: str
    decision: Decision


def report_data(analyses: Sequence[Analysis], plan: Plan, result: FilmResult) -> Json:
    """Everything the page says, and the plan itself, as JSON values."""
    data: Json = finite(
        {
            "schema": SCHEMA,
            "film": {
                "path": str(result.film),
                "bytes": result.size_bytes,
                "duration": _time(plan.duration),
                "frames": plan.film_frames() if result.frames is None else result.frames,
                "spec": to_plain(plan.spec),
                "loudness_target": plan.loudness_target,
                "track": plan.track + 1,
            },
            "footage": [_footage(a) for a in analyses],
            "clips": _clips(plan),
            "joins": [
                to_plain(j) | {"film_time": _time(t), "metadata": None}
                for j, t in zip(plan.joins, plan.edges(), strict=True)
            ],
            "effects": to_plain(plan.effects),
            "dropped": [
                {"source": d.source, "range": _range(d.range), "decision": to_plain(d.decision)} for d in plan.dropped
            ],
            "sync": result.sync,
            "seconds": result.seconds,
            "recipe": result.recipe,
            "not_carried_over": not_carried_over(analyses, plan, result),
        }
    )
    return data


def _clips(plan: Plan) -> list[Json]:
    return [
        {
            "name": clip.name,
            "source": clip.source,
            "path": str(plan.source(clip).path),
            "range": _range(clip.range),
            "film_range": _range(TimeRange(start, end)),
            "decision": to_plain(clip.decision),
            "look": to_plain(clip.look),
            "look_decision": to_plain(clip.look_decision),
            "effects": to_plain(clip.effects),
        }
        for clip, (start, end) in zip(plan.clips, pairwise(plan.edges()), strict=True)
    ]


def _footage(analysis: Analysis) -> Json:
    times, timing = analysis.features.times, analysis.timing
    return {
        "media": to_plain(analysis.media),
        "duration": _time(analysis.media.video.duration),
        "shots": [{"range": _range(s.range), "frames": [s.first, s.stop]} for s in timing.shots],
        "transitions": [to_plain(t) | {"time": _time(times.time(t.end))} for t in timing.transitions],
        "speech": [{"range": _range(s.range), "probability": s.probability} for s in timing.speech],
        "curves": [_curve(c) for c in curves(analysis)],
        "mood": _mood(analysis),
        "models": analysis.models,
        "warnings": list(analysis.warnings),
    }


def _mood(analysis: Analysis) -> Json | None:
    """All four curves, and the stretches in words; None where nobody asked."""
    if analysis.mood is None:
        return None
    found = stretches(analysis.mood, analysis.features.times.range)
    return {
        "faces_read": analysis.mood.faces,
        "curves": [_curve(c) for c in analysis.mood.curves()],
        "stretches": [to_plain(s) | {"range": _range(s.range)} for s in found],
    }


def curves(analysis: Analysis) -> list[Curve]:
    """The score curves that the report draws: keep, speech, loudness (dBFS), and the mood where it was asked for; those
    without values are left out."""
    speech = Curve(
        name="speech",
        start=analysis.features.times.range.start if len(analysis.features.times) else Fraction(0),
        step=SPEECH_STEP,
        values=analysis.features.speech,
    )
    mood = () if analysis.mood is None else (analysis.mood.valence, analysis.mood.arousal)
    return [c for c in (analysis.timing.keep, speech, analysis.timing.loudness, *mood) if len(c.values)]


def decimated(values: F32, points: int = CURVE_POINTS) -> F32:
    """[M], M <= points: least and greatest value of each of M / 2 equal stretches; short curves stay as they are."""
    if len(values) <= points:
        return values
    parts = np.array_split(values, points // 2)
    return np.array([extreme for part in parts for extreme in (part.min(), part.max())], dtype=np.float32)


def _curve(curve: Curve) -> Json:
    values = decimated(curve.values)
    step = curve.step * len(curve.values) / len(values)
    return {
        "name": curve.name,
        "start": _time(curve.start),
        "step": _time(step),
        "values": [round(float(v), 4) for v in values],
    }


def rows(plan: Plan) -> list[Row]:
    """All decisions in the order of the film, then what was left out."""
    found: list[Row] = []
    edges, names = plan.edges(), {s.id: s.path.name for s in plan.sources}
    for i, join in enumerate(plan.joins):
        kind = "straight cut" if join.kind == "cut" else join.kind
        what = kind + (f", {float(join.duration):.2f} s" if join.duration else "")
        if join.kind != "cut" or 0 < i < len(plan.clips):
            found.append(Row(what=what, place=f"film {format_time(edges[i], digits=2)}", decision=join.decision))
        if i < len(plan.clips):
            found += _clip_rows(plan.clips[i], edges[i], names)
    found += [Row(what=e.name, place="the film", decision=e.decision) for e in plan.effects]
    return found + [
        Row(what="left out", place=_place(names[d.source], d.range), decision=d.decision) for d in plan.dropped
    ]


def _clip_rows(clip: Clip, start: Fraction, names: dict[str, str]) -> list[Row]:
    kept = Row(what="kept", place=_place(names[clip.source], clip.range), decision=clip.decision)
    place = f"film {format_time(start, digits=2)}"
    look = [] if clip.look_decision is None else [Row(what="look", place=place, decision=clip.look_decision)]
    return [kept, *look, *(Row(what=e.name, place=place, decision=e.decision) for e in clip.effects)]


def _place(name: str, span: TimeRange) -> str:
    return f"{name} {format_time(span.start, digits=2)} to {format_time(span.end, digits=2)}"


def not_carried_over(analyses: Sequence[Analysis], plan: Plan, result: FilmResult) -> list[str]:
    """What the footage had and the film has not, and everything that went less well than asked, in words."""
    several = len(analyses) > 1
    said = [
        f"{a.media.path.name}: {words}" if several else words
        for a in analyses
        for words in (*a.media.others, *a.media.warnings, *a.warnings)
    ]
    return list(dict.fromkeys([*said, *plan.notes, *result.notes]))


def finite(value: Any) -> Any:
    """The same JSON values with None for NaN and infinities, exact fractions as text."""
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, np.floating | np.integer):
        return finite(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return to_plain(value)


def _time(t: Fraction) -> Json:
    return {"exact": fraction_text(t), "seconds": float(t)}


def _range(span: TimeRange) -> Json:
    return {"start": _time(span.start), "end": _time(span.end)}
