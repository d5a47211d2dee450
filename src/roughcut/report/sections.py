"""The drawn parts of the page: the film as a bar, the score curves, the looks before and after."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from roughcut.records import Analysis, Curve, Look
from roughcut.report.charts import curve_lane, film_map
from roughcut.report.data import curves
from roughcut.report.markup import card, section, slider
from roughcut.report.pictures import Album, ApplyLook
from roughcut.timebase import TimeRange, format_time
from roughcut.timeline.plan import Clip, Plan

_LANES = {
    "keep": ("what people would keep", "0 to 1"),
    "speech": ("speech", "probability, 0 to 1"),
    "loudness": ("loudness", "-60 to 0 dBFS"),
    "valence": ("mood: valence", "unpleasant -1 to pleasant 1"),
    "arousal": ("mood: arousal", "quiet -1 to excited 1"),
}
_LEGEND = (
    '<div class="legend"><span><i class="k"></i>kept in the film, cuts at its edges</span>'
    '<span><i class="t"></i>change of shot</span></div>'
)


def map_with_axis(plan: Plan) -> str:
    """The film as a bar of its clips, with times below."""
    return film_map(plan) + _axis(TimeRange(plan.edges()[0], plan.edges()[-1]))


def _axis(span: TimeRange) -> str:
    marks = [span.start + span.duration * i / 4 for i in range(5)]
    return f'<div class="axis num">{"".join(f"<span>{format_time(t, digits=0)}</span>" for t in marks)}</div>'


def curves_section(analyses: Sequence[Analysis], plan: Plan) -> str:
    """A card per file with its curves over the footage's own time."""
    cards = "".join(_file_card(a, plan) for a in analyses)
    return section(
        "Scores over the footage", "What the networks heard and saw, and what was made of it.", _LEGEND + cards
    )


def _file_card(analysis: Analysis, plan: Plan) -> str:
    times = analysis.features.times
    span = times.range if len(times) else analysis.media.range
    ids = {s.id for s in plan.sources if s.path.absolute() == analysis.media.path.absolute()}
    kept = [c.range for c in plan.clips if c.source in ids]
    changes = [times.time(t.end) for t in analysis.timing.transitions]
    lanes = [_lane_name(c) + curve_lane(c, span, kept, changes) for c in curves(analysis)]
    return card(f"<h3>{escape(analysis.media.path.name)}</h3>{''.join(lanes)}{_axis(span)}")


def _lane_name(curve: Curve) -> str:
    words, unit = _LANES.get(curve.name, (curve.name, ""))
    return f'<div class="lane-name"><span>{escape(words)}</span><span>{escape(unit)}</span></div>'


def looks_section(plan: Plan, album: Album, apply_look: ApplyLook, shown: int) -> str:
    """Before and after of the strongest different looks."""
    graded = [c for c in plan.clips if _strength(c) > 0.01]
    if not graded:
        return ""
    different = list({(c.source, c.look): c for c in sorted(graded, key=_strength)}.values())
    chosen = sorted(different, key=_strength, reverse=True)[:shown]
    cards = "".join(_look_card(clip, plan, album, apply_look) for clip in plan.clips if clip in chosen)
    lead = f"{len(graded)} of {len(plan.clips)} moments are corrected." + (
        f" The {len(chosen)} strongest corrections:" if len(different) > len(chosen) else ""
    )
    return section("Looks", lead, cards)


def _strength(clip: Clip) -> float:
    if clip.look is None:
        return 0.0
    regional = max((abs(v) for row in clip.look.grid or () for v in row), default=0.0)
    liked = 0.0 if clip.look.match is None else clip.look.match.strength
    every = (clip.look.controls, *(key.controls for key in clip.look.keys))
    return max(sum(abs(v) for v in controls.values()) for controls in every) + regional + liked


def _look_card(clip: Clip, plan: Plan, album: Album, apply_look: ApplyLook) -> str:
    look, source = (clip.look or Look()).at(clip.range.middle), plan.source(clip)
    before = album.raw(source.path, clip.range.middle)
    pictures = ""
    if before is not None:
        after = apply_look(before, look)
        pictures = _figure(album.uri(before), "as filmed") + _figure(album.uri(after), "graded")
    regional = (
        "" if look.grid is None else '<span>regions</span><span class="soft">exposure by region</span><span></span>'
    )
    sliders = "".join(slider(n, v) for n, v in zip(look.controls.names(), look.controls.values(), strict=True))
    sure = f'<span>confidence</span><span></span><span class="num">{look.confidence:.2f}</span>'
    why = clip.look_decision.words if clip.look_decision else ""
    place = f"{clip.name or source.path.name} {format_time(clip.range.middle, digits=1)}"
    title = f"<h3>{escape(place)} <small>{escape(why)}</small></h3>"
    return card(f'{title}<div class="look">{pictures}<div class="sliders">{sliders}{regional}{sure}</div></div>')


def _figure(uri: str, words: str) -> str:
    return f'<figure><img loading="lazy" alt="{words}" src="{uri}"><figcaption>{words}</figcaption></figure>'
