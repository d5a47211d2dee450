"""The report: one safe, small, offline page, and the same for machines with exact times and no NaN."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from report_fixtures import PROOF, analysis, darker, grey, plan, result, stream_found
from roughcut.errors import InputError, OutputError
from roughcut.records import U8
from roughcut.report import FilmResult, write_report
from roughcut.report.data import CURVE_POINTS, decimated, finite
from roughcut.timebase import parse_time
from roughcut.timeline.plan import Decision, Plan

EVIL = Path("/footage/日本 <script>alert(1)<\\script> \"x\" 'y' & z.mp4")
VOID = {"meta", "img", "br", "rect", "path", "polygon", "polyline", "link"}


class Page(HTMLParser):
    """Collects tags, addresses and text, and checks that tags close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "action", "data")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self._open and self._open[-1] != "style" else ""


def written(tmp_path: Path, edit: Plan, footage: list[Any], outcome: FilmResult, still: Any = grey) -> tuple[str, Any]:
    html, data = tmp_path / "cut.report.html", tmp_path / "cut.report.json"
    write_report(html, data, footage, edit, outcome, still, darker)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.report.html", "cut.report.json"]
    return html.read_text(encoding="utf-8"), json.loads(data.read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_the_page_says_what_was_done(tmp_path: Path) -> None:
    """Figures, reasons, losses, models and times of a small edit stand on the page, in well-formed HTML."""
    path = Path("/footage/talk.mp4")
    html, _ = written(tmp_path, plan([path]), [analysis(path)], result(tmp_path / "cut.mp4"))
    page = Page(html)
    for words in (
        "0:02:00", "0:00:24", "20% of the footage", "in sync", "worst join 8.1 ms", "stream 2: timecode",
        "chapters 1 to 3", "moments", "analysis", "12.2 s", "<b>cut</b>", "Too blue and dark", "over_budget",
        "dissolve in, 0.8 s", "+0.65", "600", "1152000",
    ):  # fmt: skip
        assert words in page.text, words
    assert page.tags.count("figure") == 4 + 4 + 2


def test_the_page_is_alone_and_safe(tmp_path: Path) -> None:
    """No script, no address but embedded pictures; names with markup are text."""
    edit = replace(plan([EVIL]), notes=("<img src=x onerror=alert(1)>",), name="<svg onload=alert(1)>")
    edit = edit.with_clips(
        tuple(replace(c, name="</span><script>", decision=Decision(code="<a>", words="\"'><b>")) for c in edit.clips)
    )
    outcome = replace(result(tmp_path / "<i>.mp4"), seconds={"<u>": 1.0})
    html, _ = written(tmp_path, edit, [analysis(EVIL)], outcome)
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "a", "u"} & set(page.tags)
    assert all(a.startswith("data:image/jpeg;base64,") for a in page.addresses)
    assert "url(" not in html
    assert "@import" not in html
    assert " onerror=" not in re.sub(r"&lt;.*?&gt;", "", html)
    assert EVIL.name in page.text


def test_pictures_are_small_jpegs(tmp_path: Path) -> None:
    """Thumbnails decode, are at most 240 wide, and the look's pair differs by the look."""
    path = Path("/footage/talk.mp4")
    html, _ = written(tmp_path, plan([path]), [analysis(path)], result(tmp_path / "cut.mp4"))
    pictures = [Image.open(io.BytesIO(b64decode(a.split(",")[1]))) for a in Page(html).addresses]
    assert {p.size for p in pictures} == {(240, 135), (320, 180)}
    before, after = (np.asarray(p, float).mean() for p in pictures if p.size == (320, 180) and pictures.index(p) < 6)
    assert after == pytest.approx(before / 2, abs=2)


def test_a_page_of_200_clips_stays_small(tmp_path: Path) -> None:
    """200 clips of the noisiest pictures there are stay under 3 MB; all of them are named, in the JSON too."""
    paths = [Path(f"/footage/{i}.mp4") for i in range(4)]
    edit = plan(paths, clips_per_source=50)
    html, data = written(tmp_path, edit, [analysis(p) for p in paths], result(tmp_path / "cut.mp4"))
    assert len(html.encode()) < 3_000_000
    assert html.count('<figure class="moment">') == 200 + 12
    assert "188 more are in the table below" in html
    assert len(data["clips"]) == 200


def test_unreadable_pictures_leave_blanks(tmp_path: Path) -> None:
    """Where a file gives no picture any more, the page is written without it."""

    def gone(path: Path, t: Fraction) -> U8:
        raise InputError("no such file", where=path)

    path = Path("/footage/talk.mp4")
    html, _ = written(tmp_path, plan([path]), [analysis(path)], result(tmp_path / "cut.mp4"), still=gone)
    assert html.count('class="blank"') == 8
    assert Page(html).addresses == []


def test_a_failed_proof_is_plain_to_see(tmp_path: Path) -> None:
    """Problems are the headline, and the differing numbers are marked."""
    path = Path("/footage/talk.mp4")
    proof = PROOF | {"ok": False, "problems": ["599 frames <found>"]}
    proof["streams"] = [stream_found("video", 0, "h264", 600) | {"found": {"count": 599, "seconds": 23.96}}]
    html, _ = written(tmp_path, plan([path]), [analysis(path)], FilmResult(film=tmp_path / "c.mp4", sync=proof))
    assert "599 frames &lt;found&gt;" in html
    assert "differs" in html
    assert "in sync" not in Page(html).text


def test_silent_footage_and_no_proof(tmp_path: Path) -> None:
    """Without sound, speech, looks, drops and proof the page still stands, without their parts."""
    path = Path("/footage/talk.mp4")
    seen = analysis(path)
    empty = np.zeros(0, np.float32)
    timing = replace(seen.timing, loudness=replace(seen.timing.loudness, values=empty), speech=())
    seen = replace(seen, features=replace(seen.features, speech=empty), timing=timing)
    edit = replace(plan([path]), dropped=())
    edit = edit.with_clips(tuple(replace(c, look=None, look_decision=None) for c in edit.clips))
    html, data = written(tmp_path, edit, [seen], FilmResult(film=tmp_path / "cut.mp4"))
    assert [c["name"] for c in data["footage"][0]["curves"]] == ["keep"]
    assert "not measured" in html
    assert "Left out" not in html
    assert "<h2>Looks" not in html


def test_the_json_is_exact(tmp_path: Path) -> None:
    """Times stand as fractions and as floats that agree; schema, plan and proof are all there."""
    path = Path("/footage/talk.mp4")
    edit = plan([path])
    _, data = written(tmp_path, edit, [analysis(path)], result(tmp_path / "cut.mp4"))
    assert data["schema"] == "roughcut.report.1"
    assert Fraction(data["film"]["duration"]["exact"]) == edit.duration
    assert data["sync"] == PROOF
    for clip, told in zip(edit.clips, data["clips"], strict=True):
        assert Fraction(told["range"]["start"]["exact"]) == clip.range.start
        assert told["range"]["end"]["seconds"] == float(clip.range.end)
    assert len(data["joins"]) == len(edit.joins)
    assert data["not_carried_over"] == ["stream 2: timecode", "chapters 1 to 3"]


def test_no_nan_reaches_the_files(tmp_path: Path) -> None:
    """NaN and infinities in curves and figures become null in JSON and leave the drawing whole."""
    path = Path("/footage/talk.mp4")
    seen = analysis(path)
    values = seen.timing.loudness.values.copy()
    values[::7] = -np.inf
    values[1::7] = np.nan
    seen = replace(seen, timing=replace(seen.timing, loudness=replace(seen.timing.loudness, values=values)))
    outcome = replace(result(tmp_path / "cut.mp4"), seconds={"x": float("nan")})
    html, data = written(tmp_path, plan([path]), [seen], outcome)
    assert data["seconds"] == {"x": None}
    assert None in data["footage"][0]["curves"][2]["values"]
    points = re.findall(r'points="([^"]*)"', html)
    assert not any("nan" in p or "inf" in p for p in points)


@given(values=st.lists(st.floats(-60, 1, width=32), max_size=5000), points=st.sampled_from([2, 10, CURVE_POINTS]))
def test_decimation_keeps_extremes(values: list[float], points: int) -> None:
    """However few points, the greatest and least values stay, in a bounded number."""
    curve = np.array(values, np.float32)
    few = decimated(curve, points)
    assert len(few) <= max(points, min(len(curve), points))
    if len(curve):
        assert (few.min(), few.max()) == (curve.min(), curve.max())


def test_finite_knows_numpy_and_fractions() -> None:
    """Scalars of numpy, exact fractions and nested lists come out as plain JSON."""
    assert finite({1: [np.float32(0.5), np.int64(3), float("inf"), Fraction(1, 3)]}) == {"1": [0.5, 3, None, "1/3"]}


def test_an_unwritable_report_is_an_error(tmp_path: Path) -> None:
    """A folder that is not there is an OutputError."""
    path = Path("/footage/talk.mp4")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(
            tmp_path / "no" / "a.html", tmp_path / "no" / "a.json", [analysis(path)], plan([path]),
            result(tmp_path / "cut.mp4"), grey, darker,
        )  # fmt: skip


def test_printed_times_are_the_films(tmp_path: Path) -> None:
    """The strip's times are where the clips stand in the film."""
    path = Path("/footage/talk.mp4")
    edit = plan([path])
    html, _ = written(tmp_path, edit, [analysis(path)], result(tmp_path / "cut.mp4"))
    heads = re.findall(r'<div class="head"><b>([\d:.]+)</b>', html)[: len(edit.clips)]
    assert [parse_time(h) for h in heads] == edit.edges()[:-1]
