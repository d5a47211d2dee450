"""Subtitles and chapters of real files through a render, in every container, as FFmpeg reads them back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest

from media import Spoken, Subtitles, beside, chapters_in, flat, spoken_in, write_media
from roughcut.media.carried import LOST_IN
from roughcut.media.codecs import CONTAINERS
from roughcut.media.probe import probe
from roughcut.media.subtitle_text import payload_of, text_of
from roughcut.media.subtitles import UNORDERED, read_subtitles
from roughcut.pipeline import render
from roughcut.records import KEPT_TAGS, FilmSpec
from roughcut.rendering import render_plan, write_film
from roughcut.timeline.otio import write_otio
from test_tracks import plan_of

ENDINGS = [".mp4", ".mov", ".mkv", ".webm"]
WORDS: list[Spoken] = [
    (F(1), F(2), "one"),
    (F(5, 2), F(9, 2), "Grüße, 世界, مرحبا"),
    (F(6), F(7), "first line\nsecond & a < b"),
    (F(39, 5), F(9), "cut away"),
]
CHAPTERS: list[Spoken] = [(F(0), F(3), "Opening"), (F(3), F(6), "第二章"), (F(6), F(10), "End")]
EDIT = [(0, F(3), F(32, 5)), (0, F(1), F(3)), (0, F(3), F(4))]
"""Film edges 0, 3.4, 5.4, 6.4; the last join is none."""
TOLD = [
    (F(0), F(3, 2), WORDS[1][2]),
    (F(3), F(17, 5), WORDS[2][2]),
    (F(17, 5), F(22, 5), "one"),
    (F(49, 10), F(32, 5), WORDS[1][2]),
]
NAMED = [
    (F(0), F(3), "第二章"),
    (F(3), F(17, 5), "End"),
    (F(17, 5), F(27, 5), "Opening"),
    (F(27, 5), F(32, 5), "第二章"),
]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 s without anything beside the pictures."""
    return write_media(tmp_path_factory.mktemp("bare") / "bare.mp4", [flat(9)] * 250)


def close(found: list[Spoken], wanted: list[Spoken], within: float) -> bool:
    return [t for *_, t in found] == [t for *_, t in wanted] and all(
        abs(a - c) <= within and abs(b - d) <= within for (a, b, _), (c, d, _) in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("codec", ["mov_text", "subrip", "webvtt"])
def test_words_stay_with_their_pictures(bare: Path, tmp_path: Path, codec: str, ending: str) -> None:
    """Cut, reordered, repeated: every cue is on screen exactly when its pictures are, with its words, in any codec."""
    spelled = [(a, b, t.replace("&", "&amp;").replace("<", "&lt;") if codec == "webvtt" else t) for a, b, t in WORDS]
    words = Subtitles(codec=codec, cues=spelled, language="jpn", title="Words")
    path = beside(bare, tmp_path / f"s{'.mp4' if codec == 'mov_text' else '.mkv'}", subtitles=[words])
    film = render_plan(plan_of([path], EDIT), tmp_path / f"cut{ending}").film
    coarse = ending in (".mkv", ".webm")  # these count milliseconds
    found = read_subtitles(probe(film))[0]
    assert close([(c.start, c.end, c.text) for c in found.cues], TOLD, 0.0005 if coarse else 0)
    assert close(spoken_in(film), TOLD, 0.0005 if coarse else 0)
    assert (found.stream.language, found.stream.title) == ("jpn", "Words")
    assert found.stream.codec == {".mp4": "mov_text", ".mov": "mov_text", ".webm": "webvtt"}.get(
        ending, "subrip" if codec == "mov_text" else codec
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_chapters_begin_where_the_content_changes(bare: Path, tmp_path: Path, ending: str) -> None:
    """Titles and times of the film's chapters follow the pictures."""
    path = beside(bare, tmp_path / "s.mkv", chapters=CHAPTERS)
    assert probe(path).others == ()
    film = render_plan(plan_of([path], EDIT), tmp_path / f"cut{ending}").film
    assert close(chapters_in(film), NAMED, 0.0005)
    assert probe(film).others == ()


def test_a_timeline_changed_by_hand_takes_its_words_along(bare: Path, tmp_path: Path) -> None:
    """Subtitles and chapters come from the files that the timeline names, whoever made the cuts."""
    path = beside(bare, tmp_path / "s.mkv", subtitles=[Subtitles(codec="subrip", cues=WORDS[:2])], chapters=CHAPTERS)
    write_otio(plan_of([path], [(0, F(0), F(10))]), tmp_path / "cut.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "cut.otio"))
    (video,) = timeline.video_tracks()
    first, clips = video[0], []
    for _, start, end in EDIT:
        clip = first.clone()
        times = (otio.opentime.RationalTime(float(t * 25), 25) for t in (start, end - start))
        clip.source_range = otio.opentime.TimeRange(*times)
        clips.append(clip)
    video[:] = clips
    otio.adapters.write_to_file(timeline, str(tmp_path / "cut.otio"))
    film = render(tmp_path / "cut.otio", tmp_path / "cut.mp4").film
    assert close(spoken_in(film), [TOLD[0], *TOLD[2:]], 0)
    assert close(chapters_in(film), NAMED, 0.0005)


ASS = "{n},0,{style},,0,0,0,,{text}"


def test_styled_words_keep_their_style_in_mkv(tmp_path: Path) -> None:
    """Styles and markup of ASS survive, repeated events get their own numbers; mp4 gets plain words, which is said."""
    header = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Loud,Arial\n"
    source = tmp_path / "s.mkv"
    with av.open(str(source), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        words = out.add_stream("ass")
        words.codec_context.subtitle_header = header
        for n in range(100):
            if n == 25:
                event = ASS.format(n=0, style="Loud", text="{\\i1}one, two{\\i0}\\Nthree").encode()
                packet = av.Packet(event)
                packet.stream, packet.time_base, packet.pts, packet.dts = words, F(1, 1000), 1000, 1000
                packet.duration = 1000
                out.mux(packet)
            out.mux(video.encode(av.VideoFrame.from_ndarray(flat(n), "rgb24")))
        out.mux(video.encode(None))
    plan = plan_of([source], [(0, F(1), F(2)), (0, F(0), F(3))])
    kept = render_plan(plan, tmp_path / "cut.mkv")
    (track,) = read_subtitles(probe(kept.film))
    assert track.header.startswith(header[:60])
    assert [c.payload for c in track.cues] == [
        ASS.format(n=n, style="Loud", text="{\\i1}one, two{\\i0}\\Nthree").encode() for n in (0, 1)
    ]
    assert [(c.start, c.end, c.text) for c in track.cues] == [(0, 1, "one, two\nthree"), (2, 3, "one, two\nthree")]
    plain = render_plan(plan, tmp_path / "cut.mp4")
    assert spoken_in(plain.film) == [(0, 1, "one, two\nthree"), (2, 3, "one, two\nthree")]
    said = "subtitle track 1 (ass) is written as mov_text: its words are kept, its styles are not"
    assert (said in plain.remarks, said in kept.remarks) == (True, False)


def test_words_that_overlap_share_the_screen(bare: Path, tmp_path: Path) -> None:
    """mov_text shows one text at a time: where two cues overlap both are in it."""
    cues = [(F(1), F(3), "low"), (F(2), F(4), "high")]
    path = beside(bare, tmp_path / "s.mkv", subtitles=[Subtitles(codec="subrip", cues=cues)])
    plan = plan_of([path], [(0, F(0), F(5))])
    told = spoken_in(render_plan(plan, tmp_path / "cut.mp4").film)
    assert told == [(1, 2, "low"), (2, 3, "low\nhigh"), (3, 4, "high")]
    assert spoken_in(render_plan(plan, tmp_path / "cut.mkv").film) == cues


def test_every_subtitle_track_is_kept(bare: Path, tmp_path: Path) -> None:
    """Two tracks, one forced, stay two with their languages; one that says nothing in what is kept is named."""
    tracks = [
        Subtitles(codec="subrip", cues=[(F(1), F(2), "hello")], language="eng"),
        Subtitles(codec="subrip", cues=[(F(1), F(2), "hallo")], language="ger", forced=True),
        Subtitles(codec="subrip", cues=[(F(8), F(9), "fin")], language="fra"),
    ]
    path = beside(bare, tmp_path / "s.mkv", subtitles=tracks)
    result = render_plan(plan_of([path], [(0, F(0), F(4))]), tmp_path / "cut.mkv")
    found = result.proof.media.subtitles
    assert [(s.language, s.forced) for s in found] == [("eng", False), ("deu", True)]
    assert [spoken_in(result.film, k) for k in (0, 1)] == [[(1, 2, "hello")], [(1, 2, "hallo")]]
    words = "subtitle track 3 (subrip, fra) says nothing in what was kept, so the film has no such track"
    assert words in result.remarks


def test_text_goes_through_every_codec() -> None:
    """Plain words, also with what markup is made of, come back from what is stored."""
    for text in ("plain", "zwei\nZeilen", "a < b & c > d", "{curly}", "日本語", "🎬"):
        for codec in ("mov_text", "webvtt"):
            assert text_of(codec, payload_of(codec, text)) == text
    assert text_of("subrip", b'<i>a</i> <font color="red">b</font>{\\an8}\r\nc < d\r\n') == "a b\nc < d"
    assert text_of("ass", b"3,0,Default,,0,0,0,,{\\b1}a{\\b0}, b\\Nc") == "a, b\nc"
    assert text_of("webvtt", b"<v Ann>a <00:00:01.000><c.red>b</c> &amp; c") == "a b & c"
    assert text_of("mov_text", b"\x00\x03abc\x00\x00\x00\x0cstyl1234") == "abc"
    assert text_of("mov_text", b"\x00\x06" + "\ufeffab".encode("utf-16-be")) == "ab"
    assert text_of("mov_text", b"\x00\x00") == text_of("mov_text", b"") == ""
    assert text_of("subrip", b"\xff\xfe caf\xe9") != ""
    long = payload_of("mov_text", "世" * 40_000)
    assert len(long) - 2 == int.from_bytes(long[:2], "big") == 65_535
    assert set(text_of("mov_text", long)) == {"世"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_tags_come_through(tmp_path: Path, ending: str) -> None:
    """Every tag that is promised is in the written file, but for those that the container is said to lack."""
    tags = {name: f"x {name} é" for name in KEPT_TAGS}
    tags |= {
        "creation_time": "2020-01-02T03:04:05.000000Z",
        "date": "2020",
    }
    spec = FilmSpec(width=64, height=48, rate=F(25), tracks=(), tags=tags)
    write_film(tmp_path / f"t{ending}", spec, [flat(9)], None)
    found = probe(tmp_path / f"t{ending}").tags
    lost = LOST_IN.get(CONTAINERS[ending].format, set())
    assert {k: found.get(k) for k in tags if k not in lost} == {k: v for k, v in tags.items() if k not in lost}
    assert not lost & set(found)


def test_where_it_was_taken_stays_private(bare: Path, tmp_path: Path) -> None:
    """Creation time and title are kept, the location is not and is named, as are tags nobody reads."""
    import roughcut

    given = {"creation_time": "2020-01-02T03:04:05.000000Z", "title": "日 title", "location": "+48.1+011.5/"}
    path = beside(bare, tmp_path / "s.mkv", tags=given | {"com.android.version": "14"})
    result = roughcut.edit(path, tmp_path / "cut.mp4", keep="all")
    assert result.proof.media.tags == {k: given[k] for k in ("creation_time", "title")}
    assert "where it was taken (location) is left out of the film's tags, for privacy" in result.remarks
    assert "tags not carried over: com.android.version" in result.remarks


def test_what_no_film_carries_is_named(bare: Path, tmp_path: Path) -> None:
    """Picture subtitles, an attachment and a cover are listed, each with the reason or the kind."""

    def more(out: av.container.OutputContainer) -> None:
        out.add_attachment("font.ttf", "application/x-truetype-font", b"no font")
        out.add_mux_stream("dvd_subtitle", time_base=F(1, 1000)).metadata["language"] = "eng"

    path = beside(bare, tmp_path / "s.mkv", more=more)
    with av.open(str(tmp_path / "cover.mp4"), "w") as out, av.open(str(bare)) as given:
        stream = out.add_stream_from_template(given.streams.video[0])
        cover = out.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")))
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    result = render_plan(plan_of([path], [(0, F(0), F(1))]), tmp_path / "cut.mp4")
    assert {r for r in result.remarks if "not carried over" in r} == {
        "stream 2 (attachment font.ttf) is not carried over",
        "stream 1 (subtitle, dvdsub, eng) is not carried over: its subtitles are pictures",
    }
    assert probe(tmp_path / "cover.mp4").others == ("stream 1 (cover picture, png) is not carried over",)


def test_nested_chapters_are_read_one_at_a_time(bare: Path, tmp_path: Path) -> None:
    """A part that holds chapters gives way to them; what is past the last chapter is in none."""
    listed = [(F(0), F(10), "all"), (F(0), F(4), "first"), (F(4), F(7), "second")]
    path = beside(bare, tmp_path / "s.mkv", chapters=listed)
    assert [(c.start, c.end, c.title) for c in probe(path).chapters] == [(0, 4, "first"), (4, 7, "second")]
    film = render_plan(plan_of([path], [(0, F(3), F(9))]), tmp_path / "cut.mkv").film
    assert chapters_in(film) == [(0, 1, "first"), (1, 4, "second"), (4, 6, "")]


def test_a_cue_without_a_length_lasts_until_the_next(bare: Path, tmp_path: Path) -> None:
    """Where a file says no end, the next cue is one, three seconds at most."""
    cues = [(F(1), F(1), "a"), (F(2), F(2), "b"), (F(8), F(9), "c")]
    path = beside(bare, tmp_path / "s.mkv", subtitles=[Subtitles(codec="subrip", cues=cues)])
    (track,) = read_subtitles(probe(path))
    assert [(c.start, c.end, c.text) for c in track.cues] == [(1, 2, "a"), (2, 5, "b"), (8, 9, "c")]
    (early,) = read_subtitles(probe(path), until=F(8) - UNORDERED)
    assert [c.text for c in early.cues] == ["a", "b"]


def test_ntsc_cuts_do_not_drift(bare: Path, tmp_path: Path) -> None:
    """After 60 cuts at 30000/1001 a cue is where the exact sum of the frames before it says, within a tick."""
    rate = F(30000, 1001)
    path = beside(bare, tmp_path / "s.mkv", subtitles=[Subtitles(codec="subrip", cues=[(F(2), F(3), "here")])])
    ranges = [(0, F(2), F(2) + (7 + k % 5) / rate) for k in range(60)]
    plan = plan_of([path], ranges)
    plan = replace(plan, spec=replace(plan.spec, rate=rate))
    told = spoken_in(render_plan(plan, tmp_path / "cut.mp4").film)
    frames = [7 + k % 5 for k in range(60)]
    edges = [sum(frames[:k]) / rate for k in range(61)]
    assert close(told, [(a, b, "here") for a, b in pairwise(edges)], float(F(1, 90_000)))
