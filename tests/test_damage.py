"""Footage that does not decode cleanly: a film is made of it, and what cannot be proved is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roughcut.media.probe import probe
from roughcut.media.proof.damage import with_damage
from roughcut.media.proof.found import FrameMatch, SegmentProof
from roughcut.timebase import TimeRange
from test_smart import F, footage, plan_of


def segments() -> list[SegmentProof]:
    doubtful = FrameMatch(film_frame=0, film_time=F(0), source_time=F(0), likeness="differs")
    return [SegmentProof(clip=1, name="s", film_range=TimeRange(F(0), F(1)), first=doubtful, last=None)]


def test_doubt_is_forgiven_where_the_source_is_damaged_alone(tmp_path: Path) -> None:
    """A frame unlike its source is a problem on sound footage, and unprovable on damaged footage."""
    path = footage(tmp_path, "h264", count=60)
    plan = plan_of([path], [(0, 0, 50)])
    sound = with_damage(segments(), plan, {"s0": probe(path)})
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for at in rng.integers(len(data) // 4, len(data) // 2, 40):
        data[at] ^= 0x55
    path.write_bytes(data)
    damaged = with_damage(segments(), plan, {"s0": probe(path)})
    assert [s.first.likeness for s in (*sound, *damaged) if s.first] == ["differs", "damaged"]
