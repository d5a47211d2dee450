"""The report beside the film: what was decided and why, and the proof that the film holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from roughcut.records import Analysis
from roughcut.rendering import EditResult


def report_paths(film: Path) -> tuple[Path, Path]:
    """`cut.report.html` and `cut.report.json` of `cut.mp4`."""
    return film.with_suffix(".report.html"), film.with_suffix(".report.json")


def reported(result: EditResult, analyses: Sequence[Analysis], analysing: float) -> EditResult:
    return replace(result, seconds={"analysis and planning": analysing, **result.seconds})
