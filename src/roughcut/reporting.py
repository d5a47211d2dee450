"""The report beside the film: what was decided and why, and the proof that the film holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from roughcut.effects.looks import apply_look
from roughcut.effects.tone import tone_between
from roughcut.errors import InputError
from roughcut.media.decode import still
from roughcut.media.probe import probe
from roughcut.records import HD_COLOUR, U8, Analysis, Look, MediaInfo
from roughcut.records.effects import Cover
from roughcut.rendering import EditResult
from roughcut.report.data import FilmResult
from roughcut.report.write import write_report
from roughcut.timeline.plan import Plan


def report_paths(film: Path) -> tuple[Path, Path]:
    """`cut.report.html` and `cut.report.json` of `cut.mp4`."""
    return film.with_suffix(".report.html"), film.with_suffix(".report.json")


def reported(result: EditResult, analyses: Sequence[Analysis], analysing: float, recipe: dict[str, Any]) -> EditResult:
    """Write both reports; the result names them, and how long analysis (given, in seconds) and reporting took.

    Args:
        recipe: what the film was made from, for whoever asks later whether it is still the one wanted.
    """
    began = perf_counter()
    paths = report_paths(result.film)
    seconds = {"analysis and planning": analysing, **result.seconds}
    told = FilmResult(
        film=result.film, sync=result.proof.to_dict(), seconds=seconds, notes=result.remarks, recipe=recipe,
        size_bytes=result.film.stat().st_size, frames=result.proof.frames_found,
    )  # fmt: skip
    known = {a.media.path: a.media for a in analyses}
    still_at = _no_still if hides(result.plan) else partial(sdr_still, known=known)
    write_report(*paths, analyses, result.plan, told, still_at, _graded)
    return replace(result, reports=paths, seconds={**seconds, "report": perf_counter() - began})


def hides(plan: Plan) -> bool:
    """True where somebody's face is covered: then no picture of the footage may stand in the report."""
    return any(isinstance(e, Cover) for clip in plan.clips for e in clip.effects)


def _no_still(path: Path, t: Fraction) -> U8:
    raise InputError("faces are hidden", where=path)


def sdr_still(path: Path, t: Fraction, *, known: Mapping[Path, MediaInfo] | None = None) -> U8:
    """A still [h, w, 3] as an SDR display shows it: HDR is tone-mapped. Files that are not `known` are probed."""
    info = (known or {}).get(path) or probe(path)
    tone = tone_between(info.video.colour, HD_COLOUR, info.video.peak)
    rgb = still(info, t)
    return rgb if tone is None else tone(rgb).astype(np.uint8, copy=False)


def _graded(rgb: U8, look: Look) -> U8:
    return apply_look(rgb, look).astype(np.uint8, copy=False)
