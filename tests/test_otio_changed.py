"""Timelines that a person changed in another program: taken as far as they can be rendered, the rest is named."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from report_fixtures import plan as example
from roughcut.timebase import TimeRange
from roughcut.timeline.otio import read_otio, write_otio
from roughcut.timeline.plan import Plan

schema, T = otio.schema, otio.opentime
PLAN = example([Path("/media/a.mp4")])
"""Clips of 6 s at 0, 30, 60 and 90 s; fades at the ends; cut, dissolve of 0.8 s, cut."""


def seconds(value: float, rate: float = 25) -> T.RationalTime:
    return T.RationalTime(value * rate, rate)


def span(start: float, length: float, rate: float = 25) -> T.TimeRange:
    return T.TimeRange(seconds(start, rate), seconds(length, rate))


def new_clip(name: str, start: float = 1, length: float = 2, url: str = "file:///media/new%20one.mov") -> Any:
    reference = schema.ExternalReference(url, span(0, 50))
    return schema.Clip(name, reference, span(start, length))


def changed(tmp_path: Path, change: Callable[[Any, Any], None]) -> Plan:
    """The plan after `change(timeline, video track)` by another OpenTimelineIO program. Read twice, it is the same."""
    path = tmp_path / "cut.otio"
    write_otio(PLAN, path)
    timeline = otio.adapters.read_from_file(str(path))
    change(timeline, timeline.video_tracks()[0])
    otio.adapters.write_to_file(timeline, str(path))
    plan = read_otio(path)
    write_otio(plan, path)
    assert read_otio(path) == plan
    return plan


def quiet(plan: Plan) -> tuple[str, ...]:
    """The notes but for the one on sound, which these tests leave as it was."""
    return tuple(n for n in plan.notes if not n.startswith("the audio track was cut otherwise"))


def test_opened_and_saved(tmp_path: Path) -> None:
    """Another program that changes nothing changes nothing, but for the last bit of some floats."""
    assert changed(tmp_path, lambda timeline, video: None) == PLAN


def test_a_trimmed_clip(tmp_path: Path) -> None:
    """The timeline's times win; the reason says so and keeps the old one in words."""

    def trim(timeline: Any, video: Any) -> None:
        video[0].source_range = span(1, 3)

    plan = changed(tmp_path, trim)
    assert plan.clips[0].range == TimeRange(Fraction(1), Fraction(4))
    assert plan.clips[0].decision.code == "by_hand"
    assert plan.clips[0].decision.words == f"trimmed by hand; before: {PLAN.clips[0].decision.words}"
    assert plan.clips[1:] == PLAN.clips[1:]
    assert plan.joins == PLAN.joins
    assert plan.notes == ("the audio track was cut otherwise than the picture: the film's sound follows the picture",)


def test_rounding_keeps_the_reason(tmp_path: Path) -> None:
    """A move by less than a frame is another program's rounding: its time is taken, the reason stays."""

    def nudge(timeline: Any, video: Any) -> None:
        video[0].source_range = T.TimeRange(T.RationalTime(0.25, 25), T.RationalTime(150, 25))

    plan = changed(tmp_path, nudge)
    assert plan.clips[0].range.start == Fraction(1, 100)
    assert plan.clips[0].decision == PLAN.clips[0].decision


def test_moved_and_removed_clips(tmp_path: Path) -> None:
    """Clips carry their reasons and looks along; the film's own fades stay at its ends."""

    def move(timeline: Any, video: Any) -> None:
        last = video.pop(-1)
        video.insert(0, last)
        del video[1]

    plan = changed(tmp_path, move)
    assert plan.clips == (PLAN.clips[3], PLAN.clips[1], PLAN.clips[2])
    assert (plan.joins[0], plan.joins[3]) == (PLAN.joins[0], PLAN.joins[4])
    assert plan.joins[1].decision.code == "by_hand"
    assert plan.joins[2] == PLAN.joins[2]


def test_a_new_clip(tmp_path: Path) -> None:
    """A clip without our metadata: rate and length come from its reference, the reason is `by_hand`."""
    plan = changed(tmp_path, lambda timeline, video: video.insert(1, new_clip("B-roll")))
    clip, source = plan.clips[1], plan.source(plan.clips[1])
    assert (clip.name, clip.decision.code, clip.look) == ("B-roll", "by_hand", None)
    assert clip.range == TimeRange(Fraction(1), Fraction(3))
    assert (source.path, source.rate) == (Path("/media/new one.mov"), 25)
    assert source.available == TimeRange(Fraction(0), Fraction(50))
    assert not source.has_sound


def test_a_known_medium_again(tmp_path: Path) -> None:
    """A new clip of a file that the plan knows is of that source, also under other spellings of its URL."""
    urls = ("file:///media/a.mp4", "file://localhost/media/a.mp4", "/media/a.mp4", "file:///media/%61.mp4")
    for url in urls:
        plan = changed(tmp_path, lambda t, v, url=url: v.append(new_clip("x", url=url)))  # type: ignore[misc]
        assert plan.sources == PLAN.sources
        assert plan.clips[4].source == "s0"


def test_times_counted_from_a_timecode(tmp_path: Path) -> None:
    """Programs that count a medium from its timecode are understood: 01:00:00:00 is its first picture."""

    def hour(timeline: Any, video: Any) -> None:
        reference = schema.ExternalReference("file:///media/tc.mov", span(3600, 50))
        video.append(schema.Clip("tc", reference, span(3610, 2)))
        known = schema.ExternalReference("file:///media/a.mp4", span(3600, 120))
        video.append(schema.Clip("a", known, span(3600, 1)))

    plan = changed(tmp_path, hour)
    assert plan.clips[4].range == TimeRange(Fraction(10), Fraction(12))
    assert plan.clips[5].range == TimeRange(Fraction(0), Fraction(1))


def test_a_transition_removed(tmp_path: Path) -> None:
    """Where the dissolve was there is a straight cut, made by hand."""
    plan = changed(tmp_path, lambda timeline, video: video.pop(2))
    assert (plan.joins[2].kind, plan.joins[2].decision.code) == ("cut", "by_hand")
    assert quiet(plan) == ()


def dissolve(before: float, after: float, kind: str = "SMPTE_Dissolve", name: str = "") -> Any:
    return schema.Transition(name, kind, seconds(before), seconds(after), metadata={"tool": {"x": 0.1}})


def test_a_transition_added(tmp_path: Path) -> None:
    """A dissolve between the first two clips; its foreign metadata is kept."""
    plan = changed(tmp_path, lambda timeline, video: video.insert(1, dissolve(0.4, 0.4)))
    assert (plan.joins[1].kind, plan.joins[1].duration) == ("dissolve", Fraction(4, 5))
    assert plan.joins[1].metadata == {"tool": {"x": 0.1}}
    assert quiet(plan) == ()


def test_a_transition_off_centre(tmp_path: Path) -> None:
    """A dissolve that starts at the cut moves the cut to its middle: the same pictures, the same film length."""
    plan = changed(tmp_path, lambda timeline, video: video.insert(1, dissolve(0, 0.8)))
    assert plan.joins[1].duration == Fraction(4, 5)
    assert plan.clips[0].range.end == PLAN.clips[0].range.end + Fraction(2, 5)
    assert plan.clips[1].range.start == PLAN.clips[1].range.start + Fraction(2, 5)
    assert plan.duration == PLAN.duration


def test_other_transitions_are_dissolves(tmp_path: Path) -> None:
    """A wipe is named and rendered as a dissolve."""
    plan = changed(
        tmp_path, lambda timeline, video: video.insert(1, dissolve(0.4, 0.4, "Custom_Transition", "Star wipe"))
    )
    assert plan.joins[1].kind == "dissolve"
    assert quiet(plan) == ("transition at 0:00:06.000: 'Star wipe' is rendered as a dissolve",)


def test_transitions_go_by_name(tmp_path: Path) -> None:
    """What is called as we call it is rendered so."""
    plan = changed(
        tmp_path, lambda timeline, video: video.insert(1, dissolve(0.4, 0.4, "Custom_Transition", "Push up"))
    )
    assert (plan.joins[1].kind, plan.joins[1].direction, plan.joins[1].duration) == ("push", "up", Fraction(4, 5))
    assert quiet(plan) == ()


def test_a_dissolve_without_handles(tmp_path: Path) -> None:
    """Where the medium ends at the cut, the dissolve is shortened or cut straight, and that is said."""

    def at_the_end(timeline: Any, video: Any) -> None:
        video[0].source_range = span(114, 6)
        video.insert(1, dissolve(0.4, 0.4))

    plan = changed(tmp_path, at_the_end)
    assert plan.joins[1].kind == "cut"
    assert "transition at 0:00:06.000: a straight cut, the media hold nothing beyond the clips" in plan.notes


def test_transitions_at_the_ends_are_fades(tmp_path: Path) -> None:
    """A dissolve from nothing is a fade from black; one before a gap is a fade between clips."""

    def ends(timeline: Any, video: Any) -> None:
        video.insert(1, schema.Gap(source_range=span(0, 2)))
        video.insert(1, dissolve(0.6, 0))
        video.insert(0, dissolve(0, 0.2))

    plan = changed(tmp_path, ends)
    assert [(j.kind, j.duration) for j in plan.joins[:2]] == [("fade", Fraction(1, 5)), ("fade", Fraction(3, 5))]
    assert quiet(plan) == ("the gap at 0:00:06.000 is closed: the clips beside it meet",)


def nested() -> Any:
    stack = schema.Stack("nest", source_range=span(0, 4))
    stack.append(schema.Track("inner"))
    return stack


UNRENDERABLE = {
    "gap": (schema.Gap(source_range=span(0, 2)), "the gap at 0:00:06.000 is closed"),
    "stack": (nested(), "Stack 'nest' at 0:00:06.000 is left out: nested timelines are not rendered"),
    "title": (
        schema.Clip("Title", schema.GeneratorReference("bars", "SMPTEBars"), span(0, 2)),
        "clip 'Title' at 0:00:06.000 is left out: roughcut renders no generators",
    ),
    "offline": (
        schema.Clip("lost", schema.MissingReference(), span(0, 2)),
        "clip 'lost' at 0:00:06.000 is left out: its medium is missing",
    ),
    "stills": (
        schema.Clip("seq", schema.ImageSequenceReference("file:///s/", "f", ".exr"), span(0, 2)),
        "clip 'seq' at 0:00:06.000 is left out: roughcut reads no image sequences",
    ),
}


@pytest.mark.parametrize("case", UNRENDERABLE)
def test_what_cannot_be_rendered_is_left_out_and_named(tmp_path: Path, case: str) -> None:
    """The rest of the film is as it was, with a cut by hand where something is missing."""
    item, words = UNRENDERABLE[case]
    plan = changed(tmp_path, lambda timeline, video: video.insert(1, item.deepcopy()))
    assert plan.clips == PLAN.clips
    assert len(quiet(plan)) == 1
    assert quiet(plan)[0].startswith(words)


def test_effects_are_named_and_kept(tmp_path: Path) -> None:
    """Speed and freeze are ours; other effects are not rendered, but written back for the program they came from."""

    def add(timeline: Any, video: Any) -> None:
        video[0].effects.append(schema.LinearTimeWarp(time_scalar=2.0))
        video[1].effects.append(schema.FreezeFrame())
        video[3].effects.append(schema.Effect("Glow", effect_name="glow", metadata={"amount": 0.1 + 0.2}))

    plan = changed(tmp_path, add)
    assert plan.notes == ("effect 'Glow' on clip 'a.mp4' at 0:00:12.000 is not rendered",)
    assert plan.clips[0].effects[0].rate == 2
    assert plan.clips[1].effects[0].name == "freeze"
    write_otio(plan, tmp_path / "again.otio")
    items = otio.adapters.read_from_file(str(tmp_path / "again.otio")).video_tracks()[0].find_clips()
    assert items[0].effects[0].time_scalar == 2.0
    assert items[2].effects[0].effect_name == "glow"


def test_more_tracks_are_named(tmp_path: Path) -> None:
    """The lowest video track is rendered; others, and more sound, are named."""

    def add(timeline: Any, video: Any) -> None:
        for name, kind in (("V2", "Video"), ("Music", "Audio")):
            track = schema.Track(name, kind=kind)
            track.append(new_clip("over"))
            timeline.tracks.append(track)

    plan = changed(tmp_path, add)
    assert plan.clips == PLAN.clips
    assert plan.notes == (
        "video track 'V2' with 1 clips is not rendered: only the lowest one is",
        "audio track 'Music' is not rendered: the sound follows the picture",
    )


def test_switched_off_and_renamed_clips(tmp_path: Path) -> None:
    """A disabled clip is left out and named; a new name is taken."""

    def change(timeline: Any, video: Any) -> None:
        video[0].enabled = False
        video[1].name = "The good part"
        timeline.name = "Final"

    plan = changed(tmp_path, change)
    assert plan.clips[0].name == "The good part"
    assert plan.name == "Final"
    assert "clip 'a.mp4' at 0:00:00.000 is left out: it is switched off" in plan.notes


def test_foreign_metadata_is_kept(tmp_path: Path) -> None:
    """What other programs write on clips, transitions, tracks, media, markers and the timeline goes back to them."""

    def mark(timeline: Any, video: Any) -> None:
        video[0].metadata["tool"] = {"a": [1, {"b": None}]}
        video[0].metadata["Resolve_OTIO"]["Color"] = "Teal"
        video[0].media_reference.metadata["tool"] = {"reel": "A001"}
        video[0].markers.append(schema.Marker("hm", span(1, 0)))
        video.metadata["locked"] = True
        timeline.metadata["project"] = "x"
        timeline.tracks.markers.append(schema.Marker("chapter", span(3, 0)))

    plan = changed(tmp_path, mark)
    assert plan.clips[0].metadata["tool"] == {"a": [1, {"b": None}]}
    assert plan.metadata["project"] == "x"
    write_otio(plan, tmp_path / "again.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "again.otio"))
    video = timeline.video_tracks()[0]
    assert video[0].metadata["Resolve_OTIO"] == {"Color": "Teal", "Link Group ID": 1}
    assert video[0].media_reference.metadata["tool"]["reel"] == "A001"
    assert (video[0].markers[0].name, video.metadata["locked"]) == ("hm", True)
    assert [m.name for m in timeline.tracks.markers if m.name == "chapter"] == ["chapter"]


def foreign(tmp_path: Path, *items: Any, start: Any = None) -> Plan:
    """A timeline that roughcut never saw."""
    timeline = schema.Timeline("theirs", global_start_time=start)
    track = schema.Track("V1", kind="Video")
    track.extend(items)
    timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(tmp_path / "theirs.otio"))
    return read_otio(tmp_path / "theirs.otio")


def test_a_timeline_from_elsewhere(tmp_path: Path) -> None:
    """A plan of another program's timeline: rates recognised, sources told apart, the size's default named."""
    ntsc = new_clip("a", url="media/a.mov")
    ntsc.source_range = span(2, 3, 23.976)
    twin = new_clip("b", url="file:///elsewhere/a.mov")
    plan = foreign(tmp_path, ntsc, dissolve(0.4, 0.4), twin, start=T.RationalTime(0, 23.98))
    assert plan.spec.rate == Fraction(24000, 1001)
    assert [s.id for s in plan.sources] == ["a", "a-2"]
    assert plan.sources[0].path == tmp_path / "media" / "a.mov"
    assert [j.kind for j in plan.joins] == ["cut", "dissolve", "cut"]
    assert plan.notes == (
        "the timeline says no picture size: the film gets 1920x1080",
        "the timeline has no sound: the film gets that of its sources",
    )


def test_media_of_unknown_length(tmp_path: Path) -> None:
    """A reference without a range is as long as the clips that use it."""
    first, second = new_clip("a"), new_clip("b", start=9)
    for clip in (first, second):
        clip.media_reference.available_range = None
    plan = foreign(tmp_path, first, second)
    assert len(plan.sources) == 1
    assert plan.sources[0].available == TimeRange(Fraction(1), Fraction(11))
    assert plan.spec.rate == 25
