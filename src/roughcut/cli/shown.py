"""Results as people and machines read them."""

from __future__ import annotations

import csv
import sys
from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice, takewhile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from roughcut.cli import display
from roughcut.errors import OptionError
from roughcut.records import (
    PRESETS,
    Analysis,
    AudioStream,
    FrameTimes,
    MediaInfo,
    Progress,
    Shot,
    SubtitleStream,
    Transition,
    VideoStream,
)
from roughcut.timebase import format_time, fraction_text
from roughcut.timeline.plan import Plan

if TYPE_CHECKING:
    from roughcut.rendering import EditResult
    from roughcut.shotlist import ShotList
    from roughcut.training.run import TrainResult


def media(info: MediaInfo, *, as_json: bool) -> None:
    """A file's description."""
    if as_json:
        display.say_json(media_json(info))
        return
    display.say(f"{info.path}: {info.container}, {format_time(info.duration)}, {info.size_bytes:,} bytes")
    rows = [("video", _video_words(info.video)), *(("audio", _audio_words(a)) for a in info.audio)]
    rows += [("subtitles", _subtitle_words(s)) for s in info.subtitles]
    if info.chapters:
        rows.append(("chapters", f"{len(info.chapters)}: {', '.join(c.title or '-' for c in info.chapters)}"))
    display.table(("stream", "what"), [*rows, *(("other", words) for words in info.others)])
    for warning in info.warnings:
        display.note(warning)


def _video_words(v: VideoStream) -> str:
    turned = f", turned {v.rotation} degrees" if v.rotation else ""
    rate = f"{fraction_text(v.rate)} frames/s{' (variable)' if v.variable else ''}"
    colour = f"{v.colour.matrix or 'untagged'}, {v.bit_depth} bit"
    return f"{v.codec} {v.width}x{v.height}{turned}, {rate}, starts at {format_time(v.start)}, {colour}"


def _audio_words(a: AudioStream) -> str:
    return f"{a.codec} {a.rate} Hz {a.layout}, starts at {format_time(a.start)}, {a.language or 'no language'}"


def _subtitle_words(s: SubtitleStream) -> str:
    flags = [word for word, holds in (("default", s.default), ("forced", s.forced)) if holds]
    return ", ".join(filter(None, (s.codec, s.language or "no language", s.title, *flags)))


def media_json(info: MediaInfo) -> dict[str, Any]:
    """The file's description with exact times as rational strings."""
    v = info.video
    return {
        "file": str(info.path),
        "container": info.container,
        "bytes": info.size_bytes,
        "digest": info.digest,
        "duration": fraction_text(info.duration),
        "video": {
            **{
                k: getattr(v, k) for k in ("codec", "width", "height", "rotation", "variable", "pixel_format", "frames")
            },
            **{k: fraction_text(getattr(v, k)) for k in ("rate", "time_base", "start", "duration", "sample_aspect")},
            "bit_depth": v.bit_depth,
            "colour": vars(v.colour),
        },
        "audio": [
            {
                **{k: getattr(a, k) for k in ("codec", "rate", "channels", "layout", "language")},
                **{k: fraction_text(getattr(a, k)) for k in ("start", "duration")},
            }
            for a in info.audio
        ],
        "subtitles": [vars(s) for s in info.subtitles],
        "chapters": [
            {"start": fraction_text(c.start), "end": fraction_text(c.end), "title": c.title} for c in info.chapters
        ],
        "others": list(info.others),
        "tags": info.tags,
        "warnings": list(info.warnings),
    }


def shots_json(
    info: MediaInfo, times: FrameTimes, transitions: Sequence[Transition], shots: Sequence[Shot]
) -> dict[str, Any]:
    """Shot boundaries: frames counted from 0 as they are decoded, times in seconds of the file's own clock."""
    return {
        "fps": fraction_text(info.video.rate),
        "frames": len(times),
        "transitions": [
            {
                "type": t.kind,
                "start": t.start,
                "end": t.end,
                "start_time": float(times.time(t.start)),
                "end_time": float(times.time(t.end)),
                "probability": round(t.probability, 4),
            }
            for t in transitions
        ],
        "shots": [
            {"first": s.first, "stop": s.stop, "start_time": float(s.range.start), "end_time": float(s.range.end)}
            for s in shots
        ],
    }


def shots(
    found: ShotList, written: Sequence[tuple[str, Sequence[Path]]] = (), *, as_json: bool, as_csv: bool, quiet: bool
) -> None:
    """Shot boundaries, and how many files of which kind were written."""
    listed = shots_json(found.media, found.times, found.transitions, found.shots)
    if as_json:
        display.say_json(listed)
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, ["first", "stop", "start_time", "end_time"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed["shots"])
    else:
        rows = [
            (t.kind, t.start, t.end, format_time(found.times.time(t.end)), f"{t.probability:.2f}")
            for t in found.transitions
        ]
        display.table(("transition", "last old frame", "first new frame", "new shot at", "probability"), rows)
        display.say(f"{len(found.shots)} shots in {len(found.times)} frames")
        for what, paths in written:
            display.say(f"{len(paths)} {what} in {paths[0].parent}")
    if not quiet:
        for warning in found.warnings:
            display.note(warning)


def analysis_json(found: Analysis) -> dict[str, Any]:
    """X, U and V as curves, stretches and sliders."""
    timing = found.timing
    curves = (timing.keep, timing.accent, timing.lull, timing.loudness)
    return {
        "media": media_json(found.media),
        **shots_json(found.media, found.features.times, timing.transitions, timing.shots),
        "curves": {
            c.name: {
                "start": fraction_text(c.start),
                "step": fraction_text(c.step),
                "values": [round(float(v), 4) for v in c.values],
            }
            for c in curves
        },
        "speech": [
            {"start": float(s.range.start), "end": float(s.range.end), "probability": round(s.probability, 4)}
            for s in timing.speech
        ],
        "looks": [
            {
                **{
                    name: round(value, 4)
                    for name, value in zip(look.controls.names(), look.controls.values(), strict=True)
                },
                "confidence": round(look.confidence, 4),
                "grid": look.grid,
            }
            for look in found.looks
        ],
        "track": found.track + 1 if found.media.audio else None,
        "models": found.models,
        "warnings": list(found.warnings),
    }


def analysis(found: Analysis, *, as_json: bool, quiet: bool) -> None:
    """What the networks made of a file, shot by shot."""
    if as_json:
        display.say_json(analysis_json(found))
        return
    timing = found.timing
    rows = [
        (
            i + 1,
            format_time(shot.range.start),
            f"{float(shot.range.duration):.2f} s",
            f"{timing.keep.mean(shot.range):.2f}",
            f"{_spoken(found, i):.0%}",
            _look_words(found, i),
        )
        for i, shot in enumerate(timing.shots)
    ]
    display.table(("shot", "start", "length", "importance", "speech", "look"), rows)
    if not quiet:
        for warning in found.warnings:
            display.note(warning)


def _spoken(found: Analysis, i: int) -> float:
    shot, speech = found.timing.shots[i].range, found.timing.speech
    first = bisect_right(speech, shot.start, key=lambda s: s.range.end)
    near = takewhile(lambda s: s.range.start < shot.end, islice(speech, first, None))
    parts = (shot.intersect(s.range) for s in near)
    return float(sum(p.duration for p in parts if p is not None) / shot.duration)


def _look_words(found: Analysis, i: int) -> str:
    controls = found.looks[i].controls
    moved = [(n, v) for n, v in zip(controls.names(), controls.values(), strict=True) if abs(v) >= 0.02]
    return ", ".join(f"{n} {v:+.2f}" for n, v in moved) or "as it is"


def plan(made: Plan, timeline: Path | None, *, as_json: bool, quiet: bool) -> None:
    """The decisions of a plan, and where it was written."""
    if as_json:
        display.say_json(plan_json(made, timeline))
        return
    rows = [
        (i + 1, clip.name, str(clip.range), made.joins[i].kind, f"{clip.decision.probability:.2f}", clip.decision.words)
        for i, clip in enumerate(made.clips)
    ]
    display.table(("clip", "from", "range", "joined by", "p", "why"), rows)
    display.say(f"{len(made.clips)} clips, {format_time(made.film_frames() / made.spec.rate)} of film")
    if timeline is not None:
        display.say(f"timeline  {timeline}")
    if not quiet:
        for words in made.notes:
            display.note(words)


def plan_json(made: Plan, timeline: Path | None) -> dict[str, Any]:
    """The decisions of a plan."""
    from roughcut.synthesis import frames_of

    return {
        "timeline": None if timeline is None else str(timeline),
        "frames": frames_of(made),
        "rate": fraction_text(made.spec.rate),
        "clips": [
            {
                "file": str(made.source(clip).path),
                "start": fraction_text(clip.range.start),
                "end": fraction_text(clip.range.end),
                "join": made.joins[i].kind,
                **vars(clip.decision),
            }
            for i, clip in enumerate(made.clips)
        ],
        "dropped": [
            {"source": d.source, "start": float(d.range.start), "end": float(d.range.end), **vars(d.decision)}
            for d in made.dropped
        ],
        "notes": list(made.notes),
    }


def result(made: EditResult, *, as_json: bool, quiet: bool) -> None:
    """Where the film, the timeline and the report lie, and whether the film is what was planned."""
    if as_json:
        display.say_json(made.json())
        return
    for name, path in made.files():
        display.say(f"{name:<9} {path}")
    display.say(made.verdict())
    if not quiet:
        for words in made.notes():
            display.note(words)


def presets(*, as_json: bool) -> None:
    """All presets with what they are good for."""
    if as_json:
        display.say_json({name: vars(preset) for name, preset in PRESETS.items()})
        return
    rows = [
        (name, p.codec, p.crf if p.codec != "prores" else "-", p.speed if p.codec != "prores" else "-", p.words)
        for name, p in PRESETS.items()
    ]
    display.table(("preset", "codec", "crf", "speed", "what it is good for"), rows)


def trained(made: TrainResult, *, as_json: bool) -> None:
    """What a training left behind."""
    if as_json:
        display.say_json({"task": made.task, "out": str(made.out), "steps": made.steps, "ended": made.ended,
                          "models": [str(m) for m in made.models], "scores": made.scores})  # fmt: skip
        return
    display.say(f"{made.task}: {made.ended} after {made.steps} steps, {made.wall_seconds:.0f} s")
    display.table(("score", "value"), [(name, f"{value:.4f}") for name, value in made.scores.items()])
    for path in made.models:
        display.say(f"network   {path}")


def training_room() -> ModuleType:
    """`roughcut.training.run`, or an error that says what to install."""
    try:
        from roughcut.training import run
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from None
    return run


def evaluation_room() -> ModuleType:
    """`roughcut.evaluation.run`, or an error that says what to install."""
    try:
        from roughcut.evaluation import run
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from None
    return run


def moment_folds(data: Path, place: Path, progress: Progress) -> Path:
    """The folder of predictions for films that the shipped network has learned from: trained anew, fold by fold."""
    training_room()
    from roughcut.training.folds import predict_folds

    return predict_folds(data, place, progress)


def _extra_missing(error: ModuleNotFoundError) -> OptionError:
    return OptionError(
        "this command needs the training extra", where=error.name, next_step='install it: pip install "roughcut[train]"'
    )
