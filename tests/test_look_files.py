"""Looks beside a film: what each .cube holds, where it lies, and what never happens to other files."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import pytest

from media import flat, write_media
from roughcut import batch, look_files, pipeline
from roughcut.effects.looks import apply_look
from roughcut.errors import OutputError
from roughcut.look_files import looks_beside, write_timeline
from roughcut.records import FilmSpec, Look, LookControls, Match
from roughcut.timebase import TimeRange
from roughcut.timeline.otio import read_otio
from roughcut.timeline.otio_json import metadata_of, parse
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
WARM = Look(controls=LookControls(temperature=0.4, gamma=0.2, contrast=0.2, saturation=-0.2), grid=((0.2, -0.2),))
MATCHED = Look(match=Match(reference="a.jpg", mids=(0.01, -0.02), chroma=((1.2, 0.05), (0.05, 0.9))))


def plan_of(*looks: Look | None, path: Path = Path("/no/a.mp4")) -> Plan:
    """A clip of one second for each look."""
    whole = TimeRange(F(0), F(len(looks)))
    source = Source(id="s", path=path, available=whole, rate=F(25), width=64, height=48)
    clips = tuple(
        Clip(source="s", range=TimeRange(F(i), F(i + 1)), decision=WHY, look=look) for i, look in enumerate(looks)
    )
    spec = FilmSpec(width=64, height=48, rate=F(25))
    return Plan(sources=(source,), clips=clips, joins=(Join(),) * (len(clips) + 1), spec=spec)


def test_a_cube_gives_what_the_render_gives(tmp_path: Path) -> None:
    """Read by OpenColorIO from the file, within one code, sliders and match alike; that regions are missing is said."""
    write_timeline(plan_of(replace(WARM, match=MATCHED.match)), tmp_path / "cut.otio")
    (path,) = looks_beside(tmp_path / "cut.otio")
    transform = ocio.FileTransform(str(path), interpolation=ocio.INTERP_TETRAHEDRAL)
    through = ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    codes = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    theirs = (codes / 255).astype(np.float32)
    through.applyRGB(theirs)
    ours = apply_look(codes, replace(WARM, match=MATCHED.match, grid=None))
    assert np.abs(theirs * 255 - ours).max() <= 1
    assert look_files.NO_REGIONS in path.read_text()
    assert "# clip 1, film" in path.read_text()


def test_one_file_for_each_different_look(tmp_path: Path) -> None:
    """Clips name theirs in the timeline, those without a look none; the plan comes back as it was."""
    plan = plan_of(WARM, None, replace(WARM, confidence=0.5), MATCHED, Look(grid=((0.3, -0.3),)))
    timeline = tmp_path / "cut.otio"
    assert write_timeline(plan, timeline) == tmp_path / "cut.looks"
    assert [p.name for p in looks_beside(timeline)] == ["look-01.cube", "look-02.cube"]
    clips = list(parse(timeline.read_text(), "").find_clips())[:5]
    named = [metadata_of(clip)["roughcut"].get("cube") for clip in clips]
    assert named == ["cut.looks/look-01.cube", None, "cut.looks/look-01.cube", "cut.looks/look-02.cube", None]
    assert read_otio(timeline).clips == plan.clips
    assert write_timeline(plan_of(None), timeline) is None  # written anew without looks: none is left
    assert [p.name for p in tmp_path.iterdir()] == ["cut.otio"]


def test_other_files_are_never_touched(tmp_path: Path) -> None:
    """What lies in the folder stays; our own files are replaced only when asked; a file of that name is told."""
    timeline, folder = tmp_path / "cut.otio", tmp_path / "cut.looks"
    folder.mkdir()
    (folder / "mine.cube").write_text("mine")
    pipeline.write_plan(plan_of(WARM), timeline)
    with pytest.raises(OutputError, match="looks are there already"):
        look_files.claim_looks(timeline, force=False)
    pipeline.write_plan(plan_of(None), timeline, force=True)
    assert [p.name for p in folder.iterdir()] == ["mine.cube"]
    (tmp_path / "b.looks").write_text("a file")
    with pytest.raises(OutputError, match="looks go to a folder"):
        pipeline.write_plan(plan_of(WARM), tmp_path / "b.otio")
    assert not (tmp_path / "b.otio").exists()


@pytest.mark.parametrize(("place", "call"), [("write_cube", 2), ("write_otio", 1)])
def test_cut_short_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, call: int) -> None:
    """Ctrl-C between two files, or before the timeline: no file and no folder."""
    original, calls = getattr(look_files, place), []

    def interrupted(*args: object, **more: object) -> None:
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        original(*args, **more)

    monkeypatch.setattr(look_files, place, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_timeline(plan_of(WARM, MATCHED), tmp_path / "cut.otio")
    assert list(tmp_path.iterdir()) == []


def test_an_edit_leaves_its_looks_and_a_failed_one_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the film, named in the result; a batch that is cut short while it reports takes them away again."""
    source = write_media(tmp_path / "a.mp4", [flat((90, 70, 60), (64, 48))] * 25)
    from PIL import Image

    Image.fromarray(flat((60, 90, 120), (40, 40))).save(tmp_path / "blue.png")
    wishes = {"like": tmp_path / "blue.png", "keep": "all"}
    result = pipeline.edit(source, tmp_path / "one" / "cut.mp4", look="none", **wishes)
    assert "1 of 1 moments are corrected" in result.reports[0].read_text()
    assert result.looks == tmp_path / "one" / "cut.looks"
    assert ("looks", result.looks) in result.files()
    assert json.loads(json.dumps(result.json()))["looks"] == str(result.looks)
    assert len(looks_beside(result.film)) == 1

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "reported", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(batch.edit_each(batch.jobs_for([source], tmp_path / "many"), **wishes))
    assert list((tmp_path / "many").iterdir()) == []
