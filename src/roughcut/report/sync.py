"""The sync proof on the page: streams, joins, and the first and last frame of every segment."""

from __future__ import annotations

from html import escape
from typing import Any

from roughcut.report.markup import section, table, tile
from roughcut.timebase import format_time

Json = dict[str, Any]
ROWS_SHOWN = 500
_WORDS = {
    "copied": "the planned frame, bit for bit",
    "matches": "the planned frame",
    "still": "the planned picture; its neighbours look the same",
    "flat": "as planned; too plain to tell neighbours apart",
    "shifted": "a neighbour of the planned frame",
    "differs": "another picture",
    "missing": "not there",
    "damaged": "the footage is damaged here",
}
_GOOD = ("copied", "matches", "still", "flat", "damaged")


def worst_offset(sync: Json) -> float:
    """The greatest distance of sound and picture at a join, seconds: by ear where measured, else by timestamps."""
    offsets = (j["offset"] if j["heard"] is None else max(j["offset"], j["heard"], key=abs) for j in sync["joins"])
    return max(map(abs, offsets), default=0.0)


def sync_tile(sync: Json) -> str:
    """The verdict among the headline figures."""
    if not sync:
        return tile("not measured", "sync")
    if sync["ok"]:
        return tile("in sync", f"proved; worst join {worst_offset(sync) * 1000:.1f} ms", "good")
    return tile("problems", "; ".join(sync["problems"]), "bad")


def sync_section(sync: Json) -> str:
    """The whole proof; nothing where nothing was measured."""
    if not sync:
        return ""
    streams = table(["stream", "planned", "found", "planned", "found", ""], [_stream(s) for s in sync["streams"]])
    facts = table(["", "found"], _facts(sync))
    joins = sync["joins"]
    ears = table(["join at", "track", "sound late by timestamps", "by ear"], [_join(j) for j in joins[:ROWS_SHOWN]])
    segments = table(
        ["clip", "film", "first frame", "last frame"], [_segment(s) for s in sync["segments"][:ROWS_SHOWN]]
    )
    lead = (
        "Measured from the finished file, not assumed from the plan: every packet counted, all sound decoded and laid "
        "over the source's, the outermost frames of every segment compared with the source."
    )
    problems = _list(sync["problems"], "bad") + _list(sync["differs"]) + _list(sync["warnings"])
    body = f'{problems}{streams}<div class="two">{facts}{ears if joins else ""}</div>{segments}'
    return section("Sync proof", lead, body)


def _list(said: list[str], kind: str = "") -> str:
    items = "".join(f'<li class="{kind}">{escape(words)}</li>' for words in said)
    return f"<ul>{items}</ul>" if items else ""


def _stream(s: Json) -> list[str]:
    expected, found = s["expected"], s["found"]
    unit = "frames" if s["kind"] == "video" else "samples"
    same = expected["count"] == found["count"]
    verdict = '<span class="good">as planned</span>' if same else '<span class="bad">differs</span>'
    return [
        escape(s["words"]),
        f"{expected['count']} {unit}",
        f"{found['count']} {unit}",
        f"{expected['seconds']:.3f} s",
        f"{found['seconds']:.3f} s",
        verdict,
    ]


def _facts(sync: Json) -> list[list[str]]:
    colour = ", ".join(f"{k} {v}" for k, v in sync["colour"].items() if v is not None) or "none"
    tags = "; ".join(f"{k}: {v}" for k, v in sync["tags"].items()) or "none"
    beside = f"{sync['subtitles']} and {sync['chapters']}"
    return [
        ["size and rate", escape(f"{sync['size'][0]} × {sync['size'][1]} at {sync['rate']}")],
        ["colour tags", escape(colour)],
        ["subtitle tracks and chapters", beside],
        ["tags", escape(tags)],
    ]


def _join(j: Json) -> list[str]:
    heard = escape(j["note"] or "not measurable") if j["heard"] is None else f"{j['heard'] * 1000:+.1f} ms"
    return [
        format_time(j["film_time"]["seconds"], digits=2), str(j["track"]), f"{j['offset'] * 1000:+.2f} ms", heard,
    ]  # fmt: skip


def _segment(s: Json) -> list[str]:
    start = format_time(s["film_range"]["start"]["seconds"], digits=2)
    return [f"{s['clip']} {escape(s['name'])}", start, _match(s["first"]), _match(s["last"])]


def _match(m: Json | None) -> str:
    if m is None:
        return '<span class="soft">inside a transition</span>'
    kind = "good" if m["likeness"] in _GOOD else "bad"
    bits = "" if m["bits"] is None else f" <small>{m['bits']} of 64 bits differ</small>"
    return f'<span class="{kind}">{_WORDS[m["likeness"]]}</span>{bits}'
