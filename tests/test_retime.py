"""Cues and chapters from source time to film time: what is said and named at every frame stays with its picture."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.media.retime import film_chapters, film_subtitles, placed
from roughcut.records import Chapter, Cue, FilmSpec, SubtitleStream, SubtitleTrack
from roughcut.timebase import NTSC, TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
QUICK = settings(max_examples=60, deadline=None)


def plan_of(ranges: list[tuple[str, F, F]], rate: F = F(25)) -> Plan:
    sources = tuple(
        Source(id=name, path=Path(name), available=TimeRange(F(0), F(60)), rate=rate, width=64, height=48)
        for name in sorted({name for name, _, _ in ranges})
    )
    clips = tuple(Clip(source=s, range=TimeRange(a, b), decision=WHY) for s, a, b in ranges)
    spec = FilmSpec(width=64, height=48, rate=rate)
    return Plan(sources=sources, clips=clips, joins=(Join(),) * (len(clips) + 1), spec=spec)


def track(*cues: tuple[F | int, F | int, str], codec: str = "subrip", language: str = "eng") -> SubtitleTrack:
    made = tuple(Cue(start=F(a), end=F(b), text=t, payload=t.encode()) for a, b, t in cues)
    return SubtitleTrack(stream=SubtitleStream(index=1, codec=codec, language=language), cues=made)


def said(plan: Plan, **tracks: SubtitleTrack) -> list[tuple[F, F, str]]:
    (made,) = film_subtitles(plan, {name: (t,) for name, t in tracks.items()})
    return [(c.start, c.end, c.text) for c in made.cues]


def test_cues_are_cut_to_what_is_kept() -> None:
    """A head, a middle and a tail of a cue come to their clip's place; what lies in no clip is gone."""
    plan = plan_of([("a", F(2), F(4)), ("a", F(10), F(12))])
    cues = track((1, 3, "tail"), (3, 5, "head"), (6, 8, "gone"), (9, 20, "middle"))
    assert said(plan, a=cues) == [(F(0), F(1), "tail"), (F(1), F(2), "head"), (F(2), F(4), "middle")]


def test_reordered_and_repeated_clips() -> None:
    """A cue is said wherever its picture is shown, in the order of the film."""
    plan = plan_of([("a", F(5), F(6)), ("a", F(1), F(2)), ("a", F(5), F(6))])
    cues = track((F(5, 4), F(7, 4), "first"), (F(11, 2), 8, "second"))
    assert said(plan, a=cues) == [
        (F(1, 2), F(1), "second"), (F(5, 4), F(7, 4), "first"), (F(5, 2), F(3), "second"),
    ]  # fmt: skip


def test_where_nothing_was_cut_a_cue_stays_one() -> None:
    """Clips that go on where the one before ended split no cue; a real cut in the middle of one does."""
    plan = plan_of([("a", F(1), F(2)), ("a", F(2), F(3)), ("a", F(3), F(4)), ("a", F(5), F(6))])
    assert said(plan, a=track((F(3, 2), F(11, 2), "long"))) == [(F(1, 2), F(3), "long"), (F(3), F(7, 2), "long")]


def test_slivers_are_dropped_and_short_cues_are_not() -> None:
    """Less than 40 ms left by a cut is dropped; a cue that was that short from the start is kept."""
    plan = plan_of([("a", F(1), F(2))])
    cues = track((0, F(103, 100), "sliver"), (F(3, 2), F(152, 100), "short"), (F(197, 100), 3, "sliver too"))
    assert said(plan, a=cues) == [(F(1, 2), F(52, 100), "short")]


def test_a_track_is_that_track_of_every_source() -> None:
    """Track k joins track k of the sources, silent where one has none; mixed codecs keep the words alone."""
    plan = plan_of([("a", F(0), F(1)), ("b", F(0), F(1))])
    found = {
        "a": (track((0, 1, "a0")), track((0, 1, "a1"), language="deu")),
        "b": (track((0, 1, "b0"), codec="ass"),),
    }
    first, second = film_subtitles(plan, found)
    assert [(c.start, c.text, c.payload) for c in first.cues] == [(0, "a0", b""), (1, "b0", b"")]
    assert (first.stream.codec, first.stream.language) == ("subrip", "eng")
    assert [(c.start, c.payload) for c in second.cues] == [(0, b"a1")]
    assert second.stream.language == "deu"


GRID = st.integers(0, 500).map(lambda n: F(n, 25))
SPANS = st.tuples(GRID, st.integers(1, 100).map(lambda n: F(n, 25))).map(lambda s: (s[0], s[0] + s[1]))
CLIPS = st.lists(st.tuples(st.sampled_from("ab"), SPANS).map(lambda c: (c[0], *c[1])), min_size=1, max_size=8)


@given(clips=CLIPS, spans=st.lists(SPANS, max_size=12))
@QUICK
def test_every_frame_says_what_its_source_says(clips: list[tuple[str, F, F]], spans: list[tuple[F, F]]) -> None:
    """At every frame of any edit the film's cues are those of the source at that picture, in any order of clips."""
    plan = plan_of(clips)
    cues = {
        name: track(*sorted((a, b, f"{name}{i}") for i, (a, b) in enumerate(spans) if i % 3 or name == "a"))
        for name in "ab"
    }
    made = film_subtitles(plan, {name: (t,) for name, t in cues.items()})
    shown = made[0].cues
    for clip in placed(plan):
        for n in range(clip.first, clip.first + clip.frames):
            t = clip.start + (n - clip.first + F(1, 2)) / 25
            wanted = sorted(c.text for c in cues[clip.source].cues if c.start <= t < c.end)
            assert sorted(c.text for c in shown if c.start <= (n + F(1, 2)) / 25 < c.end) == wanted
    assert list(shown) == sorted(shown, key=lambda c: c.start)


ANY = st.fractions(0, 30, max_denominator=1000)
RATES = st.sampled_from([F(24) * NTSC, F(25), F(30) * NTSC, F(60)])
ODD_CLIPS = st.lists(
    st.tuples(st.sampled_from("ab"), ANY, st.fractions(F(1, 10), 5, max_denominator=1001)), min_size=1, max_size=8
)


@given(clips=ODD_CLIPS, rate=RATES, marks=st.lists(ANY, min_size=2, max_size=6, unique=True).map(sorted))
@QUICK
def test_every_frame_has_its_sources_chapter(clips: list[tuple[str, F, F]], rate: F, marks: list[F]) -> None:
    """At every frame, whatever the rate and the cuts, the film's chapter is the one of the picture's source."""
    plan = plan_of([(s, a, a + length) for s, a, length in clips], rate)
    listed = tuple(Chapter(start=a, end=b, title=f"c{i}") for i, (a, b) in enumerate(pairwise(marks)))
    made = film_chapters(plan, {"a": listed})
    frames = 0
    for clip in placed(plan):
        for n in range(clip.first, clip.first + clip.frames):
            t = clip.start + (n - clip.first + F(1, 2)) / rate
            wanted = [c.title for c in listed if c.start <= t < c.end and clip.source == "a"]
            got = [c.title for c in made if c.start * rate <= n < c.end * rate]
            assert got == (wanted or [""] if made else [])
            assert made or not wanted
            frames += 1
    assert frames == plan.film_frames()
    assert all(a.end == b.start and a.title != b.title for a, b in pairwise(made))


def test_a_cut_inside_a_chapter_begins_none() -> None:
    """Two clips of one chapter are one chapter; shown again after another it begins again."""
    listed = (Chapter(start=F(0), end=F(10), title="one"), Chapter(start=F(10), end=F(20), title="two"))
    plan = plan_of([("a", F(1), F(2)), ("a", F(5), F(6)), ("a", F(12), F(13)), ("a", F(3), F(4))])
    made = film_chapters(plan, {"a": listed})
    assert [(c.start, c.end, c.title) for c in made] == [(0, 2, "one"), (2, 3, "two"), (3, 4, "one")]
