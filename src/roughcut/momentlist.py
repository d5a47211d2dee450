"""`roughcut moments`: how much people would keep of a file, moment by moment, and a picture of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roughcut.media.stills import stills_at
from roughcut.records import Analysis
from roughcut.report.moment_chart import Marked, MomentChart, with_stills
from roughcut.report.time_chart import save_png
from roughcut.results import claim_png
from roughcut.timebase import fraction_text
from roughcut.timeline.plan import Clip, Plan


@dataclass(frozen=True, kw_only=True)
class MomentList:
    """A file's keep curve and the moments that `edit` would keep of it."""

    analysis: Analysis
    plan: Plan

    @property
    def moments(self) -> tuple[Clip, ...]:
        """In order of time; each carries its reason and its probability."""
        return self.plan.clips

    def importance(self, moment: Clip) -> float:
        """The mean of the keep curve over a moment, 0..1."""
        return self.analysis.timing.keep.mean(moment.range)

    def as_json(self) -> dict[str, Any]:
        """Times in seconds of the file's own clock."""
        keep = self.analysis.timing.keep
        return {
            "file": str(self.analysis.media.path),
            "start": float(self.analysis.features.times.range.start),
            "end": float(self.analysis.features.times.range.end),
            "keep": {
                "start": fraction_text(keep.start),
                "step": fraction_text(keep.step),
                "values": [round(float(v), 4) for v in keep.values],
            },
            "moments": [
                {
                    "start": float(moment.range.start),
                    "end": float(moment.range.end),
                    "importance": round(self.importance(moment), 4),
                    "reason": moment.decision.code,
                    "probability": round(moment.decision.probability, 4),
                    "words": moment.decision.words,
                }
                for moment in self.moments
            ],
            "notes": list(self.plan.notes),
        }


def plot(found: MomentList, path: Path, *, force: bool = False) -> Path:
    """Draw the keep curve with the kept moments and stills of the most important ones into a PNG file.

    Raises:
        OutputError: as `results.claim_png`. InputError: the file no longer decodes.
    """
    media, timing = found.analysis.media, found.analysis.timing
    claim_png(path, media.path, force=force)
    ranges = [(moment.range, found.importance(moment)) for moment in found.moments]
    chosen = with_stills(ranges)
    stills = dict(zip(chosen, stills_at(media, [ranges[i][0].middle for i in chosen]), strict=False))
    marked = [Marked(range=r, importance=v, still=stills.get(i)) for i, (r, v) in enumerate(ranges)]
    chart = MomentChart(found.analysis.features.times.range, timing.keep)
    return save_png(chart.draw(marked, [s.range.start for s in timing.shots], [s.range for s in timing.speech]), path)
