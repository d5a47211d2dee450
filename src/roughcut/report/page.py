"""The report for people: one HTML page without scripts or outside requests. Everything from files is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape
from importlib.resources import files

from roughcut.records import Analysis
from roughcut.report.data import FilmResult, not_carried_over, rows
from roughcut.report.markup import card, moment, section, table, tile
from roughcut.report.pictures import Album, ApplyLook, Still
from roughcut.report.sections import curves_section, looks_section, map_with_axis
from roughcut.report.sync import sync_section, sync_tile
from roughcut.timebase import format_time
from roughcut.timeline.plan import Plan

STRIP_BUDGET, DROPPED_BUDGET, LOOKS_BUDGET = 1_500_000, 250_000, 700_000
DROPPED_SHOWN, LOOKS_SHOWN, ROWS_SHOWN = 12, 6, 500


def page(analyses: Sequence[Analysis], plan: Plan, result: FilmResult, still: Still, apply_look: ApplyLook) -> str:
    """The whole page; about 3 MB at most (see the budgets above)."""
    sections = [
        _header(analyses, plan, result),
        _kept(plan, Album(still, budget=STRIP_BUDGET, width=240, quality=66)),
        curves_section(analyses, plan),
        looks_section(plan, Album(still, budget=LOOKS_BUDGET, width=560), apply_look, LOOKS_SHOWN),
        _dropped(plan, Album(still, budget=DROPPED_BUDGET, width=240, quality=60)),
        _decisions(plan),
        sync_section(result.sync),
        _losses(analyses, plan, result),
        _provenance(analyses, result),
    ]
    style = (files("roughcut.report") / "style.css").read_text(encoding="utf-8")
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(result.film.name)}: roughcut report</title><style>{style}</style></head>"
    )
    foot = "<footer>Made by roughcut. The timeline beside this file opens in other editing programs.</footer>"
    return f"{head}<body><main>{''.join(sections)}{foot}</main></body></html>\n"


def _header(analyses: Sequence[Analysis], plan: Plan, result: FilmResult) -> str:
    footage = sum((a.media.video.duration for a in analyses), Fraction(0))
    share = f"{float(plan.duration / footage):.0%} of the footage" if footage else "the film"
    spec, shots = plan.spec, sum(len(a.timing.shots) for a in analyses)
    files_word = "1 file" if len(analyses) == 1 else f"{len(analyses)} files"
    tiles = [
        tile(format_time(footage, digits=0), f"footage in {files_word}"),
        tile(format_time(plan.duration, digits=0), f"film, {share}"),
        tile(str(shots), "shots found"),
        tile(str(len(plan.clips)), "moments kept"),
        sync_tile(result.sync),
    ]
    names = ", ".join(escape(a.media.path.name) for a in analyses)
    rate = f"{float(spec.rate):.3f}".rstrip("0").rstrip(".")
    return (
        '<header><div class="kind">roughcut report</div>'
        f"<h1>{escape(result.film.name)}</h1>"
        f'<p class="lead">{spec.width} × {spec.height}, {rate} frames a second, from {names}</p>'
        f'<div class="tiles">{"".join(tiles)}</div></header>' + map_with_axis(plan)
    )


def _kept(plan: Plan, album: Album) -> str:
    cards = []
    for clip, join, start in zip(plan.clips, plan.joins, plan.edges(), strict=False):
        source = plan.source(clip)
        label = "" if join.kind == "cut" else f"{join.kind} in, {float(join.duration):.1f} s"
        cards.append(
            moment(
                picture=album.picture(source.path, clip.range.middle),
                time=format_time(start, digits=1),
                length=f"{float(clip.range.duration):.1f} s",
                place=f"{clip.name or source.path.name} {format_time(clip.range.start, digits=1)}",
                decision=clip.decision,
                join=label,
            )
        )
    return section("Kept", "The film in order: where each moment stands in it, and why it was kept.", _strip(cards))


def _dropped(plan: Plan, album: Album) -> str:
    if not plan.dropped:
        return ""
    longest = sorted(plan.dropped, key=lambda d: -d.range.duration)[:DROPPED_SHOWN]
    paths = {s.id: s.path for s in plan.sources}
    cards = [
        moment(
            picture=album.picture(paths[d.source], d.range.middle),
            time=format_time(d.range.start, digits=1),
            length=f"{float(d.range.duration):.1f} s",
            place=paths[d.source].name,
            decision=d.decision,
        )
        for d in plan.dropped
        if d in longest
    ]
    total = sum((d.range.duration for d in plan.dropped), Fraction(0))
    rest = len(plan.dropped) - len(cards)
    more = f" The {len(cards)} longest are shown; {rest} more are in the table below." if rest else ""
    lead = f"{len(plan.dropped)} stretches, {format_time(total, digits=1)} together.{more}"
    return section("Left out", lead, f'<div class="dropped">{_strip(cards)}</div>')


def _strip(cards: list[str]) -> str:
    return f'<div class="strip">{"".join(cards)}</div>'


def _decisions(plan: Plan) -> str:
    found = rows(plan)
    body = [
        [
            escape(r.what),
            f'<td class="place num">{escape(r.place)}</td>',
            f'<td class="wide">{escape(r.decision.words)}</td>',
            f"<code>{escape(r.decision.code)}</code>",
            f'<td class="num">{r.decision.probability:.2f}</td>',
        ]
        for r in found[:ROWS_SHOWN]
    ]
    rest = len(found) - len(body)
    lead = "Every choice with its reason and how sure the networks were." + (
        f" The first {len(body)} of {len(found)}; all are in the JSON report." if rest else ""
    )
    return section("Decisions", lead, table(["what", "where", "why", "code", "probability"], body))


def _losses(analyses: Sequence[Analysis], plan: Plan, result: FilmResult) -> str:
    said = not_carried_over(analyses, plan, result)
    items = "".join(f"<li>{escape(words)}</li>" for words in said)
    body = (
        f"<ul>{items}</ul>"
        if said
        else "<p>Nothing: all that the footage holds and the plan asks for is in the film.</p>"
    )
    return section("Remarks", "On the edit, and what was not carried over from the footage.", card(body))


def _provenance(analyses: Sequence[Analysis], result: FilmResult) -> str:
    models = {name: version for a in analyses for name, version in a.models.items()}
    versions = [[escape(name), escape(version)] for name, version in models.items()]
    total = sum(result.seconds.values())
    times = [[escape(stage), f"{seconds:.1f} s"] for stage, seconds in result.seconds.items()]
    times.append(["<b>together</b>", f"<b>{total:.1f} s</b>"])
    tables = (table(["network", "version"], versions) if versions else "") + table(["stage", "took"], times)
    return section("How it was made", "", f'<div class="two">{tables}</div>')
