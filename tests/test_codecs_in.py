"""Every codec and container that is promised, each with a real file of it: count, times and content of the pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media import Sound, beeps, find_beeps, flat, luma_levels, write_media
from roughcut.media.audio import read_sound
from roughcut.media.decode import grid_frames
from roughcut.media.probe import probe
from roughcut.media.scan import frame_times, scan
from roughcut.records import FilmSpec
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

RATE, COUNT = Fraction(25), 40
X264 = {"preset": "ultrafast", "crf": "8", "bf": "2"}
VPX = {"deadline": "realtime", "cpu-used": "8", "b": "2M", "crf": "8"}
HIDDEN = {**VPX, "deadline": "good", "auto-alt-ref": "1", "lag-in-frames": "12"}  # some packets show no picture
QUALITY = {"b": "4M", "g": "12"}
FILES = {
    "h264.mp4": ("libx264", "yuv420p", X264, "aac"),
    "h264.mov": ("libx264", "yuv420p", X264, "aac"),
    "h264.mkv": ("libx264", "yuv420p", X264, "flac"),
    "h264.ts": ("libx264", "yuv420p", X264, "aac"),
    "h264_10.mp4": ("libx264", "yuv420p10le", X264, "aac"),
    "hevc.mp4": ("libx265", "yuv420p", {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=0"}, "aac"),
    "hevc.mkv": ("libx265", "yuv420p10le", {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=0"}, "aac"),
    "hevc.ts": ("libx265", "yuv420p", {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=0"}, "ac3"),
    "av1.mp4": ("libsvtav1", "yuv420p", {"preset": "12", "crf": "10", "svtav1-params": "scd=0"}, "aac"),
    "av1.webm": ("libsvtav1", "yuv420p", {"preset": "12", "crf": "10"}, "libopus"),
    "av1.mkv": ("libsvtav1", "yuv420p10le", {"preset": "12", "crf": "10"}, "libopus"),
    "vp8.webm": ("libvpx", "yuv420p", VPX, "libopus"),
    "vp8_hidden.webm": ("libvpx", "yuv420p", HIDDEN, "libopus"),
    "vp9.webm": ("libvpx-vp9", "yuv420p", VPX, "libopus"),
    "vp9.mp4": ("libvpx-vp9", "yuv420p", HIDDEN, "aac"),
    "mpeg2.ts": ("mpeg2video", "yuv420p", {**QUALITY, "bf": "2"}, "mp2"),
    "mpeg2.mkv": ("mpeg2video", "yuv420p", {**QUALITY, "bf": "2"}, "ac3"),
    "mpeg4.avi": ("mpeg4", "yuv420p", QUALITY, "libmp3lame"),
    "mpeg4.mp4": ("mpeg4", "yuv420p", {**QUALITY, "bf": "2"}, "aac"),
    "prores.mov": ("prores_ks", "yuv422p10le", {"profile": "2"}, "pcm_s16le"),
    "dnxhr.mov": ("dnxhd", "yuv422p", {"profile": "dnxhr_sq"}, "pcm_s16le"),
    "mjpeg.avi": ("mjpeg", "yuvj420p", {"q": "3"}, "pcm_s16le"),
    "mjpeg.mov": ("mjpeg", "yuvj420p", {"q": "3"}, "pcm_s16le"),
    "loop.gif": ("gif", "rgb8", {}, None),
}  # fmt: skip
"""File -> video encoder, pixel format, its options, sound encoder."""


def level(n: int) -> int:
    """Grey that tells the number of a picture."""
    return 20 + 5 * n


def written(path: Path, name: str) -> Path:
    codec, pixels, options, sound = FILES[name]
    for wanted in filter(None, (codec, sound)):
        try:
            av.codec.Codec(wanted, "w")
        except ValueError:
            pytest.skip(f"this PyAV has no encoder {wanted}")
    size = (256, 128) if codec in ("dnxhd", "libsvtav1") else (64, 48)
    track = Sound(samples=beeps(float(COUNT / RATE), [1]), codec=sound) if sound else None
    return write_media(
        path / name, (flat(level(n), size) for n in range(COUNT)), rate=RATE, sound=track, codec=codec,
        options=options, pixel_format=pixels,
    )  # fmt: skip


def whole_plan(path: Path, start: Fraction, frames: int) -> Plan:
    info = probe(path)
    source = Source(
        id="s", path=path, available=info.range, rate=RATE, width=info.video.width, height=info.video.height,
        tracks=len(info.audio),
    )  # fmt: skip
    clip = Clip(source="s", range=TimeRange(start, start + frames / RATE), decision=Decision(code="test", words="test"))
    spec = FilmSpec(width=info.video.width, height=info.video.height, rate=RATE, crf=6, tracks=())
    return Plan(sources=(source,), clips=(clip,), joins=(Join(), Join()), spec=spec, loudness_target=None)


@pytest.mark.parametrize("name", FILES)
def test_every_promised_codec_is_read(tmp_path: Path, name: str) -> None:
    """Number, times, greys and sound of a file come as written: in the pass, on a film grid, and in a rendered film."""
    path = written(tmp_path, name)
    info = probe(path)
    assert (info.video.rate, info.warnings) == (RATE, ())
    batches = list(scan(info))
    times = frame_times(info, np.concatenate([b.pts for b in batches]))
    assert len(times) == COUNT
    delay = int(name == "mpeg4.avi")  # its writer leaves one place empty after the first picture
    assert [times.time(n) - times.time(0) for n in range(1, COUNT)] == [(n + delay) / RATE for n in range(1, COUNT)]
    greys = np.concatenate([b.thumbs for b in batches]).mean((1, 2, 3))
    coarse = 22 if name.endswith("gif") else 4  # 3-3-2 bits of colour, with dithering
    assert np.abs(greys - [level(n) for n in range(COUNT)]).max() < coarse
    grid = [f.to_ndarray(format="gray").mean() for f in grid_frames(info, times.time(7), 20, RATE)]
    assert np.abs(np.array(grid) - [level(n) for n in range(7, 27)]).max() < coarse
    film = render_plan(whole_plan(path, times.time(3), 30), tmp_path / "film.mp4").film
    shown = [seen for _, seen in luma_levels(film)]
    assert len(shown) == 30
    assert np.abs(np.array(shown) - [level(n) for n in range(3, 33)]).max() < coarse + 2
    if info.audio:
        sound = read_sound(info, TimeRange(info.video.start, info.range.end), 48_000, "stereo")
        slack = 0.025 if FILES[name][3] == "libmp3lame" else 0.004  # AVI cannot say that MP3 begins 1105 samples late
        assert find_beeps(sound, 48_000) == pytest.approx([1], abs=slack)
