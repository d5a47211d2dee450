"""Odd footage: interlaced pictures, names with a colon, streams without an index, tracks of other layouts."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from media import Sound, flat, write_media
from roughcut.errors import InputError
from roughcut.media.audio import read_sound
from roughcut.media.decode import grid_frames, read_frames
from roughcut.media.probe import probe
from roughcut.media.sample import key_frames
from roughcut.media.scan import scan
from roughcut.timebase import TimeRange

SECOND = TimeRange(Fraction(0), Fraction(1))
TONE = (0.9 * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)).astype(np.float32)


def test_interlaced_frames_keep_their_times(tmp_path: Path) -> None:
    """Deinterlacing changes neither the time of a frame nor the frame that a film grid shows."""
    path = write_media(
        tmp_path / "i.mp4", [flat(20 + 8 * k) for k in range(20)], options={"x264-params": "interlaced=1"}
    )
    info = probe(path)
    frames = list(read_frames(info))
    assert [t for t, _ in frames] == [Fraction(k, 25) for k in range(20)]
    assert not any(frame.interlaced_frame for _, frame in frames)
    levels = [frame.to_ndarray(format="gray").mean() for frame in grid_frames(info, Fraction(0), 20, Fraction(25))]
    assert np.allclose(levels, [20 + 8 * k for k in range(20)], atol=6)
    assert len(list(key_frames(info))) == 1


def test_a_name_with_a_colon_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`talk: one.mp4` is a file, not an address with the protocol `talk`."""
    write_media(tmp_path / "plain.mp4", [flat(90)] * 3).rename(tmp_path / "talk: one.mp4")
    monkeypatch.chdir(tmp_path)
    assert probe(Path("talk: one.mp4")).video.rate == 25


def test_layouts_keep_the_level(tmp_path: Path) -> None:
    """Equal channels mixed to one stay in [-1, 1]; one channel spread to two keeps its level."""
    frames = [flat(90)] * 25
    two = probe(write_media(tmp_path / "2.mkv", frames, sound=Sound(samples=np.stack([TONE] * 2), codec="pcm_s16le")))
    one = probe(write_media(tmp_path / "1.mkv", frames, sound=Sound(samples=TONE[None], codec="pcm_s16le")))
    heard = np.concatenate([batch.sound for batch in scan(two)])
    for samples in (heard, read_sound(two, SECOND, 48_000, "mono"), read_sound(one, SECOND, 48_000, "stereo")):
        assert np.abs(samples).max() == pytest.approx(0.9, abs=0.01)


def test_key_frames_where_sound_comes_first(tmp_path: Path) -> None:
    """The pictures may be any stream of the file."""
    path = tmp_path / "sound-first.mkv"
    with av.open(str(path), "w") as out:
        track = out.add_stream("pcm_s16le", rate=48_000, layout="mono")
        video = out.add_stream("libx264", rate=25, options={"g": "10", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for k in range(30):
            out.mux(video.encode(av.VideoFrame.from_ndarray(flat(30 + k))))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.int16), "s16", "mono")
        sound.sample_rate, sound.pts = 48_000, 0
        out.mux([*track.encode(sound), *track.encode(None), *video.encode(None)])
    info = probe(path)
    assert info.video.index == 1
    assert len(list(key_frames(info))) == 3


def test_a_bare_stream_is_refused(tmp_path: Path) -> None:
    """A raw H.264 stream, whose pictures carry no times, is refused with the way out."""
    path = write_media(tmp_path / "raw.h264", [flat(9)] * 10)
    with pytest.raises(InputError, match=r"raw\.h264: a bare stream.*container"):
        probe(path)


PICTURE_PACKET = b"\x00\x00\x01\xe0"  # start of a packet of the first video stream (ISO 13818-1, 2.4.3.7)


def _stamp(ticks: int, mark: int) -> bytes:
    """A timestamp of 33 bits as packets hold it."""
    high, middle, low = ticks >> 30, ticks >> 15 & 0x7FFF, ticks & 0x7FFF
    return bytes([mark << 4 | high << 1 | 1, middle >> 7, (middle & 0x7F) << 1 | 1, low >> 7, (low & 0x7F) << 1 | 1])


def _with_clock(path: Path, number: int, moved: int) -> Path:
    """The same program stream, where the times of picture packet `number` are those of the one before, and `moved`."""
    data = bytearray(path.read_bytes())
    places = [i for i in range(len(data)) if data.startswith(PICTURE_PACKET, i) and data[i + 7] & 0x80]
    at, before = places[number], places[number - 1]
    first = _ticks(data[before + 9 : before + 14])
    data[at + 9 : at + 14] = _stamp(first + moved, data[at + 7] >> 6)
    if data[at + 7] & 0x40:  # and when it is to be decoded
        data[at + 14 : at + 19] = _stamp(first - 3600 + moved, 1)
    path.write_bytes(data)
    return path


def _ticks(stamp: bytearray) -> int:
    high, low = (stamp[1] << 7 | stamp[2] >> 1), (stamp[3] << 7 | stamp[4] >> 1)
    return (stamp[0] >> 1 & 7) << 30 | high << 15 | low


@pytest.mark.parametrize("moved", [0, -3600])
def test_a_frame_whose_time_does_not_rise_counts(tmp_path: Path, moved: int) -> None:
    """Equal and falling times: every frame is there once, in order, and all the others keep their times."""
    levels = [30 + 5 * k for k in range(40)]
    grain = np.random.default_rng(0).integers(-20, 21, (96, 128, 1))  # each frame fills more than a packet
    frames = [np.repeat(level + grain, 3, 2).astype(np.uint8) for level in levels]
    options = {"g": "1", "qmin": "2", "qmax": "2"}
    path = write_media(tmp_path / "a.vob", frames, codec="mpeg2video", options=options)
    even = [t for t, _ in read_frames(probe(path))]
    odd = _with_clock(path, 20, moved)
    times, shown = zip(*read_frames(probe(odd)), strict=True)
    assert len(times) == 40
    assert all(a < b for a, b in pairwise(times))
    assert sum(a != b for a, b in zip(times, even, strict=True)) == 1
    assert np.allclose([f.to_ndarray(format="gray").mean() for f in shown], levels, atol=4)
    assert sum(len(batch.thumbs) for batch in scan(probe(odd))) == 40
