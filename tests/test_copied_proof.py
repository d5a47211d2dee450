"""Frames that were copied are proved by their packets; what is not the planned frame never is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import pytest

from roughcut.media.proof import Proof
from roughcut.proving import verified
from roughcut.records import Look, LookControls
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Plan
from test_smart import footage, plan_of

RANGES = [(0, 25, 75), (0, 90, 141)]


def found_in(proof: Proof) -> list[str | None]:
    return [None if m is None else m.likeness for s in proof.segments for m in (s.first, s.last)]


@pytest.mark.parametrize("kind", ["h264-no-b", "h264", "h264-ts", "hevc", "hevc-open", "vp9"])
def test_copied_frames_are_proved_by_their_packets(tmp_path: Path, kind: str) -> None:
    """The clip that begins on a key picture and ends inside a GOP is copied whole or nearly so; the other one's first
    frame is encoded, and compared by sight."""
    codec = "hevc" if kind.startswith("hevc") else "vp9" if kind == "vp9" else "h264"
    plan = plan_of([footage(tmp_path, kind)], RANGES, codec)
    result = render_plan(plan, tmp_path / ("cut.webm" if codec == "vp9" else "cut.mp4"), smart="always")
    found = found_in(result.proof)
    assert set(found) <= {"copied", "matches"}
    assert found[2] == "matches"
    if kind in ("h264-no-b", "vp9"):
        assert (found[0], found[1], found[3]) == ("copied", "copied", "copied")
    assert result.copied == 0 or "copied" in found


def moved(plan: Plan, frames: int) -> Plan:
    """Clip 1 shows its source so many frames later."""
    first, *others = plan.clips
    step = frames / plan.spec.rate
    later = replace(first, range=TimeRange(first.range.start + step, first.range.end + step))
    return plan.with_clips((later, *others))


def test_other_frames_are_not(tmp_path: Path) -> None:
    """A frame off, a whole GOP off, or one changed byte: nothing is called copied that is not the planned frame."""
    plan = plan_of([footage(tmp_path, "h264-no-b")], RANGES)
    film = render_plan(plan, tmp_path / "cut.mp4", smart="always").film
    for frames in (1, -1, 25, -25):
        found = found_in(verified(film, moved(plan, frames), whole=False))
        assert "copied" not in found[:2], frames
        assert found[3] == "copied"
    with av.open(str(film)) as given:
        packet = [p for p in given.demux(video=0) if p.size][30]
        at = packet.pos + packet.size - 3
    data = bytearray(film.read_bytes())
    data[at] ^= 1
    film.write_bytes(data)
    found = found_in(verified(film, plan, whole=False))
    assert found[0] == "copied"
    assert found[1] != "copied"


def test_a_planned_look_is_looked_for(tmp_path: Path) -> None:
    """Where the plan changes pictures, the source's packets are no proof."""
    plan = plan_of([footage(tmp_path, "h264-no-b")], RANGES)
    film = render_plan(plan, tmp_path / "cut.mp4", smart="always").film
    look = Look(controls=LookControls(exposure=0.5))
    graded = plan.with_clips(tuple(replace(c, look=look) for c in plan.clips))
    assert "copied" not in found_in(verified(film, graded, whole=False))
