"""The sheet of people: one offline page with a picture of each face that was followed, on which they can be named.

Names stay in the page until its button saves them as `people.json`, which `--people` reads. The page holds pictures of
faces, so it is written only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from roughcut.planner.covers import is_sure
from roughcut.records import U8
from roughcut.records.faces import FaceTrack
from roughcut.report.markup import section
from roughcut.report.pictures import jpeg_uri
from roughcut.timebase import format_time

SIDE, QUALITY = 160, 80
SAVE = """
const fields = [...document.querySelectorAll("input[data-track]")];
document.querySelector("button").onclick = () => {
  const named = fields.filter(f => f.value.trim()).map(f => [f.dataset.track, f.value.trim()]);
  const text = JSON.stringify({tracks: Object.fromEntries(named)}, null, 1) + "\\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
  link.download = "people.json";
  link.click();
};
"""


def people_page(film: str, tracks: Sequence[FaceTrack], faces: Mapping[int, U8], names: Mapping[int, str]) -> str:
    """The page.

    Args:
        faces: track number -> a picture of it, [h, w, 3]; those missing go without.
        names: track number -> name, as far as they are known.
    """
    style = (files("roughcut.report") / "style.css").read_text(encoding="utf-8")
    sure, unsure = ([t for t in tracks if is_sure(t) is which] for which in (True, False))
    parts = [
        _sheet("Followed", "One face in one shot each: equal names make one person of them.", sure, faces, names),
        _sheet("Uncertain", "Too few or doubtful looks to say whose they are: always covered.", unsure, faces, names),
    ]
    body = (
        f'<header><div class="kind">roughcut faces</div><h1>{escape(film)}</h1>'
        f'<p class="lead">{len(tracks)} faces followed. Name them, save the list, and give it to '
        "<code>--people people.json</code>. The page sends nothing anywhere.</p>"
        '<button type="button">Save people.json</button></header>' + "".join(parts)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(film)}: faces</title><style>{style}</style></head>"
        f"<body><main>{body}</main><script>{SAVE}</script></body></html>\n"
    )


def _sheet(
    title: str, lead: str, tracks: Sequence[FaceTrack], faces: Mapping[int, U8], names: Mapping[int, str]
) -> str:
    if not tracks:
        return ""
    cards = "".join(_card(track, faces.get(track.number), names.get(track.number, "")) for track in tracks)
    return section(title, lead, f'<div class="strip people">{cards}</div>')


def _card(track: FaceTrack, face: U8 | None, name: str) -> str:
    picture = '<div class="blank"></div>' if face is None else f'<img alt="" src="{jpeg_uri(face, SIDE, QUALITY)}">'
    when = f"{format_time(track.times[0], digits=1)} to {format_time(track.times[-1], digits=1)}"
    found = int((track.scores > 0).sum())
    return (
        f'<figure class="moment">{picture}<figcaption class="text">'
        f'<div class="head"><b>{track.number}</b><span class="soft">{track.score:.0%} sure, {found} looks</span></div>'
        f'<span class="why">{escape(when)}</span>'
        f'<input data-track="{track.number}" value="{escape(name, quote=True)}" placeholder="name" '
        f'aria-label="name of face {track.number}"></figcaption></figure>'
    )


def people_json(film: str, tracks: Sequence[FaceTrack], names: Mapping[int, str]) -> dict[str, object]:
    """The same for machines: seconds, and boxes as shares of the upright picture."""
    listed = []
    for track in tracks:
        rows = zip(track.times, track.boxes.tolist(), track.scores.tolist(), strict=True)
        looks = [{"time": float(t), "box": [round(v, 4) for v in b], "score": round(score, 4)} for t, b, score in rows]
        listed.append({
            "number": track.number, "name": names.get(track.number), "sure": is_sure(track),
            "score": round(track.score, 4), "start": float(track.within.start), "end": float(track.within.end),
            "looks": looks,
        })  # fmt: skip
    return {"file": film, "faces": listed}
