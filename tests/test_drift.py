"""No drift: hundreds of cuts over a long film of flashes and beeps stay in place, with no growth from first to last."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from media import Sound, beeps, find_beeps, find_flashes, flat, luma_levels, write_media
from roughcut.media.audio import read_sound
from roughcut.media.probe import probe
from roughcut.records import FilmSpec, TrackSpec
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

RATE = Fraction(10_000, 1001)  # frames that no sample count divides
EVERY = 40  # frames from flash to flash
SOUND = 16_000
WHY = Decision(code="test", words="test")


def footage(path: Path, frames: int) -> Path:
    """A flash and a beep at every 40th frame."""
    lit = range(EVERY // 2, frames, EVERY)
    pictures = (flat(235 if n in lit else 30) for n in range(frames))
    sound = beeps(float(frames / RATE), [float(n / RATE) for n in lit], rate=SOUND)
    options = {"preset": "ultrafast", "crf": "20", "g": "40"}
    return write_media(path, pictures, rate=RATE, sound=Sound(samples=sound, rate=SOUND), options=options)


def plan_of(path: Path, cuts: int, frames: int) -> Plan:
    """`cuts` pieces of uneven lengths from all over the file, one flash in each."""
    info = probe(path)
    source = Source(id="s", path=path, available=info.range, rate=RATE, width=64, height=48)
    clips = []
    for k in range(cuts):
        flash = (frames // EVERY * k // cuts) * EVERY + EVERY // 2
        a, b = flash - 3 - k % 11, flash + 4 + k % 13
        clips.append(Clip(source="s", range=TimeRange(a / RATE, b / RATE), decision=WHY))
    track = TrackSpec(rate=SOUND, layout="stereo")
    spec = FilmSpec(width=64, height=48, rate=RATE, crf=20, tracks=(track,))
    return Plan(
        sources=(source,), clips=tuple(clips), joins=(Join(),) * (cuts + 1), spec=spec, loudness_target=None
    )  # fmt: skip


def offsets(path: Path, out: Path, cuts: int, frames: int) -> np.ndarray:
    """[cuts] seconds by which each beep of the film lies behind its flash; the flashes lie on their very frames."""
    plan = plan_of(path, cuts, frames)
    film = render_plan(plan, out).film
    seen = [level for _, level in luma_levels(film)]
    flashes = find_flashes(seen)
    assert flashes == [edge + 3 + k % 11 for k, edge in enumerate(plan.frame_edges()[:-1])]
    assert len(seen) == plan.film_frames()
    info = probe(film)
    heard = find_beeps(read_sound(info, info.range, SOUND, "stereo"), SOUND)
    assert len(heard) == cuts
    return np.array(heard) - np.array([float(n / RATE) for n in flashes])


@pytest.mark.parametrize(
    ("cuts", "seconds"), [(60, 400), pytest.param(500, 7200, marks=pytest.mark.slow)], ids=["minutes", "two hours"]
)
def test_no_drift(tmp_path: Path, cuts: int, seconds: int) -> None:
    """Every flash lies on its frame, every beep within 5 ms of it, at the end as at the start."""
    frames = int(seconds * RATE)
    off = offsets(footage(tmp_path / "long.mp4", frames), tmp_path / "cut.mp4", cuts, frames)
    assert np.abs(off).max() < 0.005
    tenth = len(off) // 10
    assert abs(off[:tenth].mean() - off[-tenth:].mean()) < 0.001
