"""Timeline files: what was written comes back exactly, and is what other editing programs expect."""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings

from report_fixtures import plan as example
from roughcut.errors import InputError, OutputError, PlanError
from roughcut.records import FilmSpec
from roughcut.timebase import NTSC, TimeRange
from roughcut.timeline.otio import read_otio, require_media, write_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan
from strategies import plans

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@given(plan=plans())
@QUICK
def test_reading_back_gives_the_same_plan(tmp_path: Path, plan: Plan) -> None:
    """Any plan equals itself after a way through a file, other tools' metadata and every float included."""
    write_otio(plan, tmp_path / "cut.otio")
    assert read_otio(tmp_path / "cut.otio") == plan


RATES = [
    Fraction(24) * NTSC,
    *map(Fraction, (24, 25)),
    Fraction(30) * NTSC,
    *map(Fraction, (30, 50)),
    Fraction(60) * NTSC,
]
RATES.append(Fraction(60))


def film(tmp_path: Path, rate: Fraction = Fraction(25), source_rate: Fraction = Fraction(25)) -> Plan:
    """Four clips of 150 film frames each from one file, with fades at the ends and one dissolve."""
    plan = example([tmp_path / "a b%.mp4"])
    length = 150 / rate
    clips = tuple(
        replace(c, range=TimeRange(s := Fraction(round(c.range.start * source_rate)) / source_rate, s + length))
        for c in plan.clips
    )
    media = tuple(replace(s, rate=source_rate) for s in plan.sources)
    return replace(plan, sources=media, clips=clips, spec=FilmSpec(width=1280, height=720, rate=rate))


def opened(plan: Plan, path: Path) -> otio.schema.Timeline:
    """The written plan as any other program reads it."""
    write_otio(plan, path)
    return otio.adapters.read_from_file(str(path))


@pytest.mark.parametrize("source_rate", RATES, ids=lambda r: f"{float(r):.2f}")
@pytest.mark.parametrize("rate", RATES, ids=lambda r: f"{float(r):.2f}")
def test_other_programs_see_whole_frames(tmp_path: Path, rate: Fraction, source_rate: Fraction) -> None:
    """At all rates and mixtures lengths are whole film frames, starts whole on a grid, and all of it reads back."""
    plan = film(tmp_path, rate, source_rate)
    timeline = opened(plan, tmp_path / "cut.otio")
    for clip, item in zip(plan.clips, timeline.find_clips(), strict=False):
        span = item.source_range
        assert (span.duration.value, span.duration.rate) == (150, float(rate))
        assert span.start_time.value == round(span.start_time.value)
        assert span.start_time.to_seconds() == pytest.approx(float(clip.range.start), abs=1e-9)
        assert item.media_reference.available_range.start_time.rate == float(source_rate)
    assert timeline.duration() == otio.opentime.RationalTime(600, float(rate))
    assert timeline.global_start_time.rate == float(rate)
    assert read_otio(tmp_path / "cut.otio") == plan


def test_pictures_and_sound_lie_side_by_side(tmp_path: Path) -> None:
    """One video and one audio track with the same cuts and media, linked, and a dissolve on both."""
    video, audio = opened(film(tmp_path), tmp_path / "cut.otio").tracks
    assert (video.kind, audio.kind) == ("Video", "Audio")
    assert [c.source_range for c in video.find_clips()] == [c.source_range for c in audio.find_clips()]
    links = [[c.metadata["Resolve_OTIO"]["Link Group ID"] for c in t.find_clips()] for t in (video, audio)]
    assert links == [[1, 2, 3, 4]] * 2
    fades = [[c for c in t if isinstance(c, otio.schema.Transition)] for t in (video, audio)]
    assert [len(f) for f in fades] == [1, 1]
    assert fades[0][0].transition_type == "SMPTE_Dissolve"
    assert fades[0][0].in_offset == fades[0][0].out_offset == otio.opentime.RationalTime(10, 25)


def test_silent_sources_leave_gaps_in_the_sound(tmp_path: Path) -> None:
    """No audio track without sound; beside sources with sound, silent ones are gaps as long as their pictures."""
    plan = example([tmp_path / "a.mp4", tmp_path / "b.mp4"])
    silent = replace(plan, sources=(plan.sources[0], replace(plan.sources[1], tracks=0)))
    mute = replace(plan, sources=tuple(replace(s, tracks=0) for s in plan.sources))
    audio = opened(silent, tmp_path / "cut.otio").audio_tracks()[0]
    assert [isinstance(c, otio.schema.Gap) for c in audio if not isinstance(c, otio.schema.Transition)] == [
        False
    ] * 4 + [True] * 4
    assert audio.duration().to_seconds() == float(plan.duration)
    assert opened(mute, tmp_path / "mute.otio").audio_tracks() == []
    assert read_otio(tmp_path / "cut.otio") == silent


def test_media_are_absolute_encoded_urls(tmp_path: Path) -> None:
    """Blanks and percent signs are encoded, so that programs find the file."""
    clip = opened(film(tmp_path), tmp_path / "cut.otio").find_clips()[0]
    assert clip.media_reference.target_url == f"file://{tmp_path}/a%20b%25.mp4"


def test_fades_are_markers(tmp_path: Path) -> None:
    """People in other programs see a marker where a fade is meant, at film frames; they do not come back twice."""
    plan = film(tmp_path)
    plan = replace(plan, joins=(*plan.joins[:3], replace(plan.joins[0], metadata={"x": 1}), plan.joins[4]))
    markers = opened(plan, tmp_path / "cut.otio").tracks.markers
    starts = [m.marked_range.start_time.value for m in markers]
    assert starts == [0, 450 - 12.5, 575]
    assert markers[0].comment == "fade from black, 0:00:01.000: opens from black"
    assert [m.name.split(",")[0] for m in markers] == ["fade from black", "fade through black", "fade to black"]
    write_otio(read_otio(tmp_path / "cut.otio"), tmp_path / "again.otio")
    assert (tmp_path / "again.otio").read_bytes() == (tmp_path / "cut.otio").read_bytes()


def test_a_moved_folder_still_works(tmp_path: Path) -> None:
    """Where the absolute path is gone, the file is taken from its place relative to the timeline."""
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "media").mkdir(parents=True)
    (old / "media" / "ü 1.mp4").touch()
    write_otio(example([old / "media" / "ü 1.mp4"]), old / "cut.otio")
    old.rename(new)
    plan = read_otio(new / "cut.otio")
    assert plan.sources[0].path == new / "media" / "ü 1.mp4"
    require_media(plan)


def test_missing_media_are_named(tmp_path: Path) -> None:
    """Every file that is nowhere is named, with what to do."""
    write_otio(example([tmp_path / "gone.mp4"]), tmp_path / "cut.otio")
    with pytest.raises(InputError, match=r"media of the timeline are missing \(got .*gone.mp4\)\. Put them back"):
        require_media(read_otio(tmp_path / "cut.otio"))


def test_writing_leaves_no_debris(tmp_path: Path) -> None:
    """A folder that does not exist is an OutputError; a file that cannot be replaced keeps the folder clean."""
    plan = film(tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        write_otio(plan, tmp_path / "no" / "cut.otio")
    (tmp_path / "taken.otio").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_otio(plan, tmp_path / "taken.otio")
    assert [p.name for p in tmp_path.iterdir()] == ["taken.otio"]


def test_undecodable_names_travel(tmp_path: Path) -> None:
    """A file name of bytes that are no text comes back as it was."""
    plan = example([Path("/x/bad\udcff.mp4")])
    write_otio(plan, tmp_path / "cut.otio")
    assert read_otio(tmp_path / "cut.otio") == plan


def broken(tmp_path: Path, change: Any) -> Path:
    """The written film with its JSON changed by `change(timeline, first clip)`."""
    path = tmp_path / "cut.otio"
    write_otio(film(tmp_path), path)
    values = json.loads(path.read_text())
    change(values, values["tracks"]["children"][0]["children"][0])
    path.write_text(json.dumps(values))
    return path


MALFORMED = {
    "zero length": (
        lambda t, c: c["source_range"]["duration"].update(value=0),
        "clip 'a b%.mp4' at 0:00:00.000: a clip lasts longer",
    ),
    "negative length": (lambda t, c: c["source_range"]["duration"].update(value=-9), "a clip lasts longer than 0 s"),
    "negative start": (lambda t, c: c["source_range"]["start_time"].update(value=-50), "reaches outside its medium"),
    "outside": (
        lambda t, c: c["source_range"]["start_time"].update(value=99999),
        r"reaches outside .* allowed: 0:00:00.000..0:02",
    ),
    "rate 0": (lambda t, c: c["source_range"]["start_time"].update(rate=0), "a time without meaning .*at rate 0"),
    "rate NaN": (lambda t, c: c["source_range"]["duration"].update(rate=float("nan")), "a time without meaning"),
    "value inf": (lambda t, c: c["source_range"]["duration"].update(value=float("inf")), "a time without meaning"),
    "no tracks": (lambda t, c: t["tracks"]["children"].clear(), "holds no clip"),
    "empty track": (lambda t, c: t["tracks"]["children"][0]["children"].clear(), "holds no clip"),
    "tracks a number": (lambda t, c: t.update(tracks=5), "tracks: not an OpenTimelineIO object"),
    "tracks null": (lambda t, c: t.update(tracks=None), "tracks: not an OpenTimelineIO object"),
    "a clip null": (
        lambda t, c: t["tracks"]["children"][0]["children"].append(None),
        r"children\[5\]: not an OpenTimelineIO object",
    ),
    "children a number": (lambda t, c: t["tracks"].update(children=5), "OpenTimelineIO cannot read it"),
    "other schema": (lambda t, c: t.update(OTIO_SCHEMA="Clip.2"), "cannot read it|not a timeline"),
    "newer plan": (
        lambda t, c: t["metadata"]["roughcut"].update(schema="roughcut.plan.9"),
        "another schema .*roughcut.plan.9",
    ),
    "metadata a list": (lambda t, c: t["metadata"].update(roughcut=[]), "another schema"),
    "bad fraction": (
        lambda t, c: c["metadata"]["roughcut"]["range"].update(start="1/0"),
        "range.start: not readable .*'1/0'",
    ),
    "bad look": (lambda t, c: c["metadata"]["roughcut"].update(look=7), r"clip .*\.look: not readable"),
    "bad probability": (lambda t, c: c["metadata"]["roughcut"]["decision"].update(probability=7), "lies in 0..1"),
    "bad spec": (lambda t, c: t["metadata"]["roughcut"]["spec"].update(width=3), "roughcut.spec: .*even"),
    "field gone": (
        lambda t, c: t["metadata"]["roughcut"]["sources"][0].pop("rate"),
        r"source 1\.rate: a field is missing",
    ),
    "url gone": (lambda t, c: t["metadata"]["roughcut"]["sources"][0].pop("url"), "source 1: a source without its url"),
    "no file": (
        lambda t, c: c["media_references"]["DEFAULT_MEDIA"].update(target_url="https://x/y"),
        "not a media file",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_timelines_name_the_place(tmp_path: Path, case: str) -> None:
    """Whatever is wrong in a timeline is a PlanError that names the file and the place."""
    change, message = MALFORMED[case]
    with pytest.raises(PlanError, match=message) as caught:
        read_otio(broken(tmp_path, change))
    assert "cut.otio" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "{}", '{"OTIO_SCHEMA": "Foo.1"}', '{"OTIO_SCHEMA": "Timeline.99"}', "[" * 10**5, "\0"],
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    """Text that is no timeline is refused in one line."""
    (tmp_path / "x.otio").write_text(text)
    with pytest.raises(PlanError, match=r"x\.otio: "):
        read_otio(tmp_path / "x.otio")


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    """A missing file and bytes that are no text are refused."""
    with pytest.raises(PlanError, match="no such timeline"):
        read_otio(tmp_path / "none.otio")
    (tmp_path / "x.otio").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match="cannot be read"):
        read_otio(tmp_path / "x.otio")


@pytest.mark.parametrize("seed", range(30))
def test_damage_is_never_a_traceback(tmp_path: Path, seed: int) -> None:
    """Values of a good timeline replaced at random read as a plan or as a PlanError, nothing else."""
    rng = random.Random(seed)
    path = tmp_path / "cut.otio"
    write_otio(film(tmp_path), path)
    values = json.loads(path.read_text())
    for _ in range(3):
        _damage(values, rng)
    path.write_text(json.dumps(values))
    with contextlib.suppress(PlanError):
        assert isinstance(read_otio(path), Plan)


def _damage(node: Any, rng: Any) -> None:
    """Walk down at random and put something else there."""
    while True:
        key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        if isinstance(node[key], dict | list) and node[key] and rng.random() < 0.9:
            node = node[key]
            continue
        node[key] = rng.choice([None, -1, 0, 1e300, "", "x", [], {}, True, [1], {"a": 1}])
        return


def test_clips_and_joins_without_reasons(tmp_path: Path) -> None:
    """A plan with the least in it comes back too."""
    base = film(tmp_path)
    clip = Clip(source="s0", range=base.clips[0].range, decision=Decision(code="", words=""))
    plan = Plan(sources=base.sources, clips=(clip,), joins=(Join(), Join()), spec=base.spec)
    write_otio(plan, tmp_path / "cut.otio")
    assert read_otio(tmp_path / "cut.otio") == plan
