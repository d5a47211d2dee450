"""The planner: probabilities become decisions, each with a reason.

U, V -> what to keep (speech or highlights) -> pieces -> joins -> looks -> clips on the film's grid -> Plan
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

from roughcut.errors import OptionError, PlanError
from roughcut.planner.colour import graded, looks_of, softened
from roughcut.planner.film import film_source, film_spec, heard, light_notes, track_notes
from roughcut.planner.flourish import flourished
from roughcut.planner.highlights import highlight_pieces
from roughcut.planner.joins import blend_looks, choose_joins
from roughcut.planner.mood import mood_notes
from roughcut.planner.options import Keep, PlanOptions
from roughcut.planner.pieces import Footage, Piece, dropped_from, split_by_shot, territories, to_clips
from roughcut.planner.speech import speech_pieces, speech_share
from roughcut.records import U8
from roughcut.timebase import TimeRange, format_time
from roughcut.timeline.plan import Clip, Decision, Plan

MOSTLY_SPEECH = 0.4  # footage whose sentences fill this share of its time is a talk

DEAD_AIR = Decision(code="dead_air", words="nobody speaks here")
LESS_WANTED = Decision(code="over_budget", words="less wanted than what was kept")
ALL = Decision(code="all", words="kept, as asked")

__all__ = ["PlanOptions", "make_plan"]


def make_plan(footage: Footage, options: PlanOptions, *, name: str = "roughcut", reference: U8 | None = None) -> Plan:
    """The edit of one or more analysed files into one film, in the order given.

    Args:
        reference: pictures [N, h, w, 3] of `options.like`, where that is no `.cube`.

    Raises:
        OptionError: the target is longer than the footage. PlanError: there is nothing to keep.
    """
    _check_target(footage, options.target)
    keep, notes = _what_to_keep(footage, options.keep)
    pieces = _pieces(footage, keep, options)
    if not pieces:
        raise PlanError("nothing worth keeping was found", where=name, next_step="try --keep all or a longer --target")
    spec, main = film_spec(footage, pieces, options), heard(footage, pieces)
    trimmed, joins = choose_joins(
        pieces, footage, spec.rate, options.transitions, talk=keep == "speech", rich=options.effects == "rich"
    )
    looks = [None] * len(trimmed) if spec.colour.is_hdr else looks_of(trimmed, footage, options, reference)
    joins = blend_looks(joins, trimmed, looks, footage, spec.rate)
    own = [softened(footage[p.source].looks[p.shot], options.look_strength) for p in trimmed]
    laid = to_clips(trimmed, footage, spec.rate)
    clips = [graded(*one) for one in zip(laid, looks, own, strict=True)]
    clips = flourished(_inside(clips, options.target, spec.rate), trimmed, footage, spec.rate, options.effects)
    why = DEAD_AIR if keep == "speech" and options.target is None else LESS_WANTED
    return Plan(
        sources=tuple(film_source(i, a.media, a.features.times.range) for i, a in enumerate(footage)),
        clips=tuple(clips),
        joins=tuple(joins),
        spec=spec,
        dropped=tuple(dropped_from(trimmed, footage, why)),
        track=main.track,
        name=name,
        notes=(
            *notes,
            *mood_notes(footage, options.mood, chooses=keep == "highlights" or options.target is not None),
            *track_notes(main),
            *light_notes(footage, pieces, spec, sdr=options.sdr),
        ),
    )


def _check_target(footage: Footage, target: Fraction | None) -> None:
    total = sum((a.features.times.range.duration for a in footage), Fraction(0))
    if target is not None and target > total:
        raise OptionError(
            "the target is longer than the footage",
            where="--target",
            got=format_time(target),
            allowed=f"up to {format_time(total)}",
            next_step="ask for less, or leave --target out",
        )


def _what_to_keep(footage: Footage, wish: Keep) -> tuple[Keep, tuple[str, ...]]:
    """The way of choosing, and a note that says how it was come by."""
    if wish == "speech" and not any(a.timing.speech for a in footage):
        return "highlights", ("no speech was found, so the best moments were kept instead",)
    if wish != "auto":
        return wish, ()
    share = speech_share(footage)
    keep: Keep = "speech" if share >= MOSTLY_SPEECH else "highlights"
    what = "a talk, so whole sentences were kept" if keep == "speech" else "no talk, so the best moments were kept"
    return keep, (f"{share:.0%} of the footage is speech: {what}",)


def _pieces(footage: Footage, keep: Keep, options: PlanOptions) -> list[Piece]:
    target, mood = options.target, options.mood
    best = partial(highlight_pieces, footage, target, mood, by_faces=options.follows_faces)
    if keep == "speech":
        return speech_pieces(footage, target, mood) or best()
    if keep == "highlights" or target is not None:
        return best()
    return [p for i, a in enumerate(footage) for p in split_by_shot(i, territories(a), [(a.features.times.range, ALL)])]


def _inside(clips: Sequence[Clip], target: Fraction | None, rate: Fraction) -> list[Clip]:
    """The clips, the last one shortened by the few frames that rounding to the film's grid may have added."""
    kept = list(clips)
    if target is None:
        return kept
    over = sum((c.range.duration for c in kept), Fraction(0)) - int(target * rate) / rate
    if over > 0:
        last = kept[-1].range
        kept[-1] = replace(kept[-1], range=TimeRange(last.start, max(last.end - over, last.start + 1 / rate)))
    return kept
