"""The whole way, from footage to a proved film, by the Python verbs."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import roughcut
from conftest import TALK
from media import find_beeps, find_flashes, flash_and_beep, flat, luma_levels, write_media
from roughcut.errors import InputError, OptionError, OutputError
from roughcut.media.audio import read_sound
from roughcut.media.probe import probe
from roughcut.records import HD_COLOUR, ColourTags
from roughcut.timebase import TimeRange
from roughcut.timeline.otio import read_otio


def test_a_talk_is_cut_whole(talk: Path, tmp_path: Path) -> None:
    """Every word is kept, the pause and the silent shot go, and timeline and reports lie beside the film."""
    result = roughcut.edit(talk, tmp_path / "cut.mp4")
    kept = [c.range for c in result.plan.clips]
    for start, length in TALK:
        first, last = Fraction(start).limit_denominator(100), Fraction(start + length).limit_denominator(100)
        parts = (r.intersect(TimeRange(first, last)) for r in kept)
        covered = sum((p.duration for p in parts if p is not None), Fraction(0))
        assert float(covered) > length - 0.15
    assert float(result.plan.duration) < 9.5
    assert result.proof.problems == ()
    made = {p.name for p in tmp_path.iterdir()} - {"cut.looks"}  # where a look was laid
    assert made == {"cut.mp4", "cut.otio", "cut.report.html", "cut.report.json"}
    assert read_otio(tmp_path / "cut.otio") == result.plan
    report = json.loads((tmp_path / "cut.report.json").read_text())
    assert report


def test_the_three_verbs_make_the_same_plan(talk: Path, tmp_path: Path) -> None:
    """analyze, plan and render one by one give what edit gives, also from the cache and from the timeline file."""
    analysis = roughcut.analyze(talk)
    again = roughcut.analyze(talk)
    assert len(analysis.timing.shots) == 4
    np.testing.assert_array_equal(analysis.timing.keep.values, again.timing.keep.values)
    planned = roughcut.plan(analysis, target=4)
    assert planned == roughcut.plan(again, target="4s")
    assert planned.duration <= 4
    result = roughcut.render(planned, tmp_path / "cut.mp4")
    assert result.proof.frames_found == planned.film_frames()


def test_flash_and_beep_survive_the_edit(tmp_path: Path) -> None:
    """On flash and beep footage, every pair kept by the real planner is within a frame in the film."""
    path = flash_and_beep(tmp_path / "flash.mp4", seconds=24)
    film = roughcut.edit(
        path, tmp_path / "cut.mp4", target="12s", look="none", keep="highlights", transitions="cuts"
    ).film
    flashes = np.array(find_flashes([level for _, level in luma_levels(film)])) / 25
    info = probe(film)
    beeps = np.array(find_beeps(read_sound(info, info.range, 48_000, "stereo"), 48_000, quiet=0.05))
    assert len(flashes) >= 5
    assert all(np.abs(beeps - t).min() <= 1 / 25 for t in flashes)


def test_two_files_make_one_film(talk: Path, tmp_path: Path) -> None:
    """A second file of another size and rate, without sound, goes into the same film."""
    other = write_media(tmp_path / "b.mp4", (flat((n, 90, 200 - n), (128, 96)) for n in range(90)), rate=Fraction(30))
    result = roughcut.edit([talk, other], tmp_path / "out" / "cut.mp4", keep="all", transitions="cuts")
    assert {c.source for c in result.plan.clips} == {"source-1", "source-2"}
    assert abs(float(result.plan.duration) - 17) < 0.1


def test_odd_footage_still_gives_a_film(tmp_path: Path) -> None:
    """One frame, pure black, and a single short shot without sound each give a film."""
    for name, frames in (("one", [flat(90)]), ("black", [flat(0)] * 60), ("short", [flat(n * 8) for n in range(20)])):
        path = write_media(tmp_path / f"{name}.mp4", frames)
        result = roughcut.edit(path, tmp_path / f"{name}.cut.mp4")
        assert result.proof.frames_found >= 1


def test_a_truncated_file_is_used_and_the_loss_named(talk: Path, tmp_path: Path) -> None:
    """What decodes of half a file becomes a film, and the analysis says what is missing."""
    whole = write_media(
        tmp_path / "w.mkv", (flat(n % 200) for n in range(400)), options={"g": "10", "preset": "ultrafast"}
    )
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    analysis = roughcut.analyze(broken)
    assert 50 < len(analysis.features.times) < 400
    assert analysis.warnings


def test_results_are_never_overwritten_by_accident(talk: Path, tmp_path: Path) -> None:
    """An existing film, the input itself and a folder are refused before any work; force replaces the film."""
    (tmp_path / "cut.mp4").write_text("precious")
    with pytest.raises(OutputError, match=r"exists already.*--force"):
        roughcut.edit(talk, tmp_path / "cut.mp4")
    assert (tmp_path / "cut.mp4").read_text() == "precious"
    with pytest.raises(OutputError, match="one of the inputs"):
        roughcut.edit(talk, talk, force=True)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match="a folder"):
        roughcut.edit(talk, tmp_path / "folder.mp4")


def test_bad_wishes_are_refused_before_any_work(talk: Path, tmp_path: Path) -> None:
    """Unknown values, a target beyond the footage and a missing file are clear errors that leave nothing behind."""
    with pytest.raises(OptionError, match="allowed: auto, speech, highlights, all"):
        roughcut.edit(talk, tmp_path / "cut.mp4", keep="everything")
    with pytest.raises(OptionError, match="longer than the footage"):
        roughcut.edit(talk, tmp_path / "cut.mp4", target="10m")
    with pytest.raises(InputError, match="no such file"):
        roughcut.edit(tmp_path / "none.mp4", tmp_path / "cut.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_medium_is_named(talk: Path, tmp_path: Path) -> None:
    """Rendering a timeline whose footage is gone says which file and what to do."""
    footage = tmp_path / "talk.mp4"
    footage.write_bytes(talk.read_bytes())
    timeline = roughcut.pipeline.write_plan(roughcut.plan(roughcut.analyze(footage)), tmp_path / "t.otio")
    footage.unlink()
    with pytest.raises(InputError, match=r"talk\.mp4"):
        roughcut.render(timeline, tmp_path / "cut.mp4")


def test_hdr_footage_keeps_its_colour(tmp_path: Path) -> None:
    """10-bit HLG comes out as 10-bit HLG, no look is laid on it, and the analysis says so; as 8-bit BT.709 if asked."""
    hlg = ColourTags(matrix="bt2020nc", primaries="bt2020", transfer="arib-std-b67", full_range=False)
    quiet = {"crf": "18", "preset": "ultrafast", "x265-params": "log-level=none"}
    path = write_media(
        tmp_path / "hlg.mkv", (flat((40, 2 * n, 90)) for n in range(50)), codec="libx265", options=quiet, colour=hlg,
        pixel_format="yuv420p10le",
    )  # fmt: skip
    analysis = roughcut.analyze(path)
    assert all(look.is_identity() for look in analysis.looks)
    assert any("HDR" in words for words in analysis.warnings)
    found = roughcut.probe(roughcut.render(roughcut.plan(analysis, keep="all"), tmp_path / "cut.mp4").film).video
    assert (found.bit_depth, found.colour) == (10, hlg)
    sdr = roughcut.plan(analysis, keep="all", sdr=True)
    assert any("tone-mapped" in words for words in sdr.notes)
    found = roughcut.probe(roughcut.render(sdr, tmp_path / "sdr.mp4").film).video
    assert (found.bit_depth, found.colour) == (8, HD_COLOUR)
