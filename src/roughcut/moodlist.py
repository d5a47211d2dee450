"""`roughcut mood`: how a film is likely to be felt over time, and a picture of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from roughcut.expressions import read_expressions
from roughcut.features.faces import FaceDetector
from roughcut.media.faults import quiet_ffmpeg
from roughcut.media.probe import probe
from roughcut.media.stills import stills_at
from roughcut.media.track import heard_track
from roughcut.planner.mood import Stretch, stretches
from roughcut.records import Curve, FrameTimes, MediaInfo, Mood, Progress, Transition, no_progress
from roughcut.report.mood_chart import MoodChart, longest
from roughcut.report.time_chart import save_png
from roughcut.results import claim_png
from roughcut.temporal.mood import MoodMapper
from roughcut.temporal.shots import shots_from
from roughcut.timebase import fraction_text
from roughcut.watching import Seen, watch


@dataclass(frozen=True, kw_only=True)
class MoodList:
    """The mood of a file, and its stretches in words."""

    media: MediaInfo
    times: FrameTimes
    transitions: tuple[Transition, ...]
    mood: Mood
    stretches: tuple[Stretch, ...]
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Times in seconds of the file's own clock, exact as text."""
        return {
            "file": str(self.media.path),
            "start": fraction_text(self.times.range.start),
            "end": fraction_text(self.times.range.end),
            "faces_read": self.mood.faces,
            "curves": {curve.name: _curve_json(curve) for curve in self.mood.curves()},
            "stretches": [
                {
                    "start": fraction_text(s.range.start),
                    "end": fraction_text(s.range.end),
                    "mood": s.word,
                    "valence": round(s.valence, 4),
                    "arousal": round(s.arousal, 4),
                    "confidence": round(s.confidence, 4),
                }
                for s in self.stretches
            ],
            "warnings": list(self.warnings),
        }


def _curve_json(curve: Curve) -> dict[str, Any]:
    return {
        "start": fraction_text(curve.start),
        "step": fraction_text(curve.step),
        "values": [round(float(v), 4) for v in curve.values],
    }


def mood(
    path: Path | str,
    *,
    expressions: bool = True,
    detector: Path | str | None = None,
    track: str | int | None = None,
    cache: bool = True,
    progress: Progress = no_progress,
) -> MoodList:
    """How a file is likely to be felt over time, and nothing else of it.

    Args:
        expressions: read faces for it; without, no face is looked for, and pictures and sound alone tell.
        detector: an ONNX file that finds them, in place of the shipped network.
        track: the sound track to listen to, a number from 1 or a language; None takes the file's default.

    Raises:
        InputError: the file is no usable footage. ModelError: a network is missing or fails.
        OptionError: the file has no such track.
    """
    quiet_ffmpeg()
    eye = FaceDetector(None if detector is None else Path(detector)) if expressions else None
    info = probe(Path(path))
    seen = watch(info, track=heard_track(info, track), use_cache=cache, progress=progress)
    felt, times = mood_of(info, seen, detector=eye, cache=cache, progress=progress), seen.features.times
    return MoodList(
        media=info,
        times=times,
        transitions=seen.transitions,
        mood=felt,
        stretches=tuple(stretches(felt, times.range)),
        warnings=(*info.warnings, *seen.losses),
    )


def mood_of(info: MediaInfo, seen: Seen, *, detector: FaceDetector | None, cache: bool, progress: Progress) -> Mood:
    """The mood of what was seen; faces are read in a pass of their own, where a `detector` is given."""
    looks = None
    if detector is not None:
        looks = read_expressions(info, detector=detector, use_cache=cache, progress=progress)
    return MoodMapper().map(seen.features, seen.transitions, looks)


def mood_networks(mood: Mood | None) -> tuple[str, ...]:
    """The shipped networks that had a part in it."""
    if mood is None:
        return ()
    return ("mood", "expression") if mood.faces else ("mood",)


def plot(found: MoodList, path: Path, *, force: bool = False) -> Path:
    """Draw both curves with their doubt, the stretches, and stills of the longest into a PNG file.

    Raises:
        OutputError: as `results.claim_png`. InputError: the file no longer decodes.
    """
    claim_png(path, found.media.path, force=force)
    chosen = longest(found.stretches)
    middles: list[Fraction] = [found.stretches[i].range.middle for i in chosen]
    stills = dict(zip(chosen, stills_at(found.media, middles), strict=False))
    shots = [shot.range.start for shot in shots_from(found.transitions, found.times)]
    return save_png(MoodChart(found.times.range, found.mood).draw(found.stretches, shots, stills), path)
