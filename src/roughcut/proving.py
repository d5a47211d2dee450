"""The proof with the render's own colours: sources are compared under the tone curve and look that the film got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from roughcut.effects.chain import touches, treated
from roughcut.effects.film import FilmEffects
from roughcut.effects.looks import apply_look
from roughcut.effects.rgb import RgbPicture
from roughcut.effects.synthesizer import moment
from roughcut.effects.tone import tone_between
from roughcut.errors import ProofError
from roughcut.media.probe import probe
from roughcut.media.proof import Proof, Treat, measure, rejected
from roughcut.media.proof import verify as measure_all
from roughcut.media.proof.segments import small_size
from roughcut.records import U8, MediaInfo
from roughcut.synthesis import film_grid
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.otio import require_media
from roughcut.timeline.plan import Plan

__all__ = ["Proof", "proved", "said", "treatment", "verified"]
PROBLEMS_SAID = 5


def proved(film: Path, plan: Plan, grid: FrameGrid, *, name: Path | None = None) -> Proof:
    """Measure a film that was just written, under any name.

    A film that fails is kept as `cut.failed.mp4` beside its place `name`, so that it can be looked at and never be
    taken for the film.

    Raises:
        ProofError: it is not what was planned; says what failed, at which film time and in which clip.
    """
    name = name or film
    proof = measure(film, plan, grid, treat=treatment(plan, grid))
    if proof.problems:
        kept = film.replace(rejected(name))
        step = f"look at {kept.name}, and please report this with the timeline"
        raise ProofError(f"the film is not what was planned: {said(proof)}", where=name, next_step=step)
    return proof


def verified(film: Path, plan: Plan, *, whole: bool = True) -> Proof:
    """Measure any film beside a plan; `whole`: and decode every picture.

    Raises:
        InputError: the film does not open, or media of the plan are missing.
    """
    require_media(plan)
    grid, _ = film_grid(plan, {s.id: probe(s.path) for s in plan.used()})
    measured: Callable[..., Proof] = measure_all if whole else measure
    return measured(film, plan, grid, treat=treatment(plan, grid))


def said(proof: Proof) -> str:
    """The first problems in words."""
    rest = len(proof.problems) - PROBLEMS_SAID
    return "; ".join(proof.problems[:PROBLEMS_SAID]) + (f"; and {rest} more" if rest > 0 else "")


def treatment(plan: Plan, grid: FrameGrid) -> Treat:
    """What a render of the plan does to a source's small pictures; grain, filters and insets are left out."""
    over: list[FilmEffects] = []

    def treat(info: MediaInfo, i: int, n: int, rgb: U8) -> U8:
        clip = plan.clips[i]
        toned = tone_between(info.video.colour, plan.spec.colour, info.video.peak)
        if toned is not None:
            rgb = toned(rgb).astype(np.uint8, copy=False)
        if clip.look is not None and not clip.look.is_identity():
            rgb = apply_look(rgb, clip.look.at(grid.source_time(i, n))).astype(np.uint8, copy=False)
        if not touches(clip.effects) and not plan.effects:
            return rgb
        size = small_size(plan.spec)
        over[:] = over or [FilmEffects(plan, grid, None, size)]
        picture = treated(RgbPicture.of(rgb), clip.effects, replace(moment(plan, grid, i, n), size=size), None)
        return np.stack(over[0].laid(picture, n).planes(), -1).astype(np.uint8, copy=False)

    return treat
