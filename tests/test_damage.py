"""Footage that does not decode cleanly: a film is made of it, and what cannot be proved is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from media import Sound, beeps, flat, write_media
from roughcut.media.audio import SoundReader
from roughcut.media.decode import decoded, read_frames
from roughcut.media.faults import Losses
from roughcut.media.probe import probe
from roughcut.media.proof import damage
from roughcut.media.proof.complaints import decode_all
from roughcut.media.proof.damage import with_damage
from roughcut.media.proof.found import FrameMatch, SegmentProof
from roughcut.records import MediaInfo
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from test_smart import F, footage, pictures, plan_of


def doubtful(at: F) -> FrameMatch:
    return FrameMatch(film_frame=0, film_time=F(0), source_time=at, likeness="differs")


def segments() -> list[SegmentProof]:
    return [SegmentProof(clip=1, name="s", film_range=TimeRange(F(0), F(1)), first=doubtful(F(0)), last=None)]


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


def shown(info: MediaInfo, within: TimeRange | None = None, *, plainly: bool = False) -> list[tuple[F, bytes]]:
    return [(t, frame.to_ndarray().tobytes()) for t, frame in read_frames(info, within, plainly=plainly)]


@pytest.mark.parametrize("plainly", [False, True])
def test_an_index_that_lies(tmp_path: Path, plainly: bool) -> None:
    """An AVI whose index calls every picture one to start from: where reading begins makes no difference."""
    path = write_media(tmp_path / "a.avi", pictures(75), rate=F(25), codec="mpeg4", options={"g": "25"})
    data = bytearray(path.read_bytes())
    index = data.rindex(b"idx1") + 8
    for at in range(index, len(data) - 15, 16):
        if data[at : at + 4] == b"00dc":
            data[at + 4] |= 0x10
    path.write_bytes(data)
    info = probe(path)
    whole = shown(info)
    assert len({picture for _, picture in whole}) == 75
    for first in (1, 30, 49, 60):
        span = TimeRange(whole[first][0], whole[first + 10][0])
        assert shown(info, span, plainly=plainly) == whole[first : first + 10]


def test_a_picture_wrongly_said_to_stand_alone(tmp_path: Path) -> None:
    """A picture made from others lies where the index has one to start from: pictures behind it are read as ever."""
    path = write_media(tmp_path / "a.avi", pictures(75), rate=F(25), codec="mpeg4", options={"g": "25", "bf": "0"})
    with av.open(str(path)) as given:
        packets = [(p.pos, p.size, p.is_keyframe) for p in given.demux(video=0) if p.size]
    keys = [k for k, (_, _, key) in enumerate(packets) if key]
    data = bytearray(path.read_bytes())
    (a, size, _), (b, room, _) = packets[keys[0] + 1], packets[keys[2]]
    assert size <= room
    data[b : b + room] = bytes(data[a : a + size]) + bytes(room - size)
    path.write_bytes(data)
    info = probe(path)
    whole = shown(info)
    assert decode_all(info) == (75, [])
    assert [shown(info, TimeRange(t, t + F(1, 25)))[0] for t, _ in whole[48:60]] == whole[48:60]


def test_two_ways_of_reading_that_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that depends on how it is read is damage enough, though no decoder complains."""
    path = footage(tmp_path, "h264", count=60)
    plan, info = plan_of([path], [(0, 0, 50)]), probe(path)
    monkeypatch.setattr(damage, "read_frames", lambda info, span, plainly: read_frames(info, None if plainly else span))
    found = with_damage([replace(segments()[0], first=doubtful(F(1)))], plan, {"s0": info})
    assert found[0].first is not None
    assert found[0].first.likeness == "damaged"


def test_packets_without_a_picture_are_not_copied(tmp_path: Path) -> None:
    """Where the disk gave zeros for a packet, all is encoded anew and the film has each of its frames."""
    path = footage(tmp_path, "h264-no-b", count=75)
    with av.open(str(path)) as given:
        packets = [(p.pos, p.size) for p in given.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    at, size = packets[40]
    data[at : at + size] = bytes(size)
    path.write_bytes(data)
    result = render_plan(plan_of([path], [(0, 0, 75)]), tmp_path / "f.mp4")
    assert (result.copied, result.proof.frames_found) == (0, 75)
    assert "all was encoded anew: a packet of it holds no picture" in result.remarks


def test_sound_whose_clock_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sound that comes twice, what came first is heard, however it is read."""
    path = write_media(tmp_path / "a.mp4", (flat(n) for n in range(25)), rate=F(25), sound=Sound(samples=beeps(1, [])))

    def runs(self: SoundReader, start: F) -> Iterator[tuple[int, np.ndarray]]:
        for place, level in ((0, 1), (1_000, 2), (1_500, 3)):
            yield place, np.full((1, 2_000), level, np.float32)

    monkeypatch.setattr(SoundReader, "_decode", runs)
    info = probe(path)
    with SoundReader(info, 48_000, "mono") as reader:
        whole = reader.read(F(0), 3_500)
    with SoundReader(info, 48_000, "mono") as reader:
        parts = [reader.read(F(n, 48_000), 250) for n in range(0, 3_500, 250)]
    assert np.array_equal(np.concatenate(parts, 1), whole)
    assert np.array_equal(whole[0], np.repeat([1, 2, 3], [2_000, 1_000, 500]))


def test_channels_that_never_were() -> None:
    """Sound that a damaged header gives more channels than FFmpeg can mix counts as a damaged packet."""

    class Packet:
        def __init__(self, layout: str) -> None:
            self._layout = layout

        def decode(self) -> list[av.AudioFrame]:
            return [av.AudioFrame("fltp", self._layout, 1024)]

    losses = Losses()
    assert decoded(Packet("37 channels"), losses) == []  # type: ignore[arg-type]
    assert losses.packets == 1
    assert len(decoded(Packet("5.1"), losses)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", ["webm", "ts", "m2ts"])
def test_a_cut_off_file_says_so(tmp_path: Path, ending: str) -> None:
    """WebM promises a length for all of its streams together; transport streams end in the middle of a packet."""
    codec, kind = ("libvpx", "libopus") if ending == "webm" else ("libx264", "mp2")
    sound = Sound(samples=beeps(3, [1]), codec=kind)
    path = write_media(
        tmp_path / f"a.{ending}", pictures(75), rate=F(25), codec=codec, options={"g": "25"}, sound=sound
    )
    data = path.read_bytes().replace(b"DURATION", b"LENGTHXY")  # a length for the whole file alone
    path.write_bytes(data)
    assert probe(path).warnings == ()
    size, other = {"webm": (0, 1), "ts": (188, 192), "m2ts": (192, 188)}[ending]
    short = next(n for n in range(len(data) * 3 // 4, 0, -1) if n % other == 0 and not (size and n % size == 0))
    path.write_bytes(data[:short])
    assert len(probe(path).warnings) == 1
