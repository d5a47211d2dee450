"""The rate, the length and the clock of odd files: what probe tells against what is known by construction."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from media import Sound, beeps, find_beeps, find_flashes, flash_and_beep, flat, ramp_value, write_media
from roughcut.media import times as times_module
from roughcut.media.decode import grid_frames, read_frames
from roughcut.media.faults import Losses
from roughcut.media.probe import probe
from roughcut.media.rates import dominant_rate
from roughcut.media.scan import frame_times, scan
from roughcut.media.times import read_times

NTSC_30 = Fraction(30000, 1001)


def film_of(
    path: Path, steps: Sequence[Fraction], *, tick: Fraction = Fraction(1, 90_000)
) -> tuple[Path, list[Fraction]]:
    """A film whose pictures come by these steps, grey by their time; and the times."""
    times = list(accumulate(steps[:-1], initial=Fraction(0)))
    length = times[-1] + steps[-1]
    frames = (flat(ramp_value(t, length=length)) for t in times)
    write_media(path, frames, ticks=[round(t / tick) for t in times], time_base=tick, options=BRIEF)
    return path, times


BRIEF = {"preset": "ultrafast", "crf": "12", "g": "30"}


def trembling(count: int, rate: Fraction, by: float, seed: int = 5) -> list[Fraction]:
    """Steps of a phone: each picture up to `by` seconds off its place at an even rate."""
    off = np.random.default_rng(seed).uniform(-by, by, count)
    places = [n / rate + Fraction(round(float(o) * 90_000), 90_000) for n, o in enumerate(off)]
    return [b - a for a, b in pairwise(places)] + [1 / rate]


def at(rate: int | Fraction, count: int) -> list[Fraction]:
    return [1 / Fraction(rate)] * count


FILMS = {
    "30 then 10": (at(30, 300) + at(10, 60), Fraction(30)),
    "10 then 30": (at(10, 50) + at(30, 90), Fraction(30)),
    "60, 15, 30": (at(60, 240) + at(15, 60) + at(30, 120), Fraction(60)),
    "30 for long, then 60": (at(30, 600) + at(60, 150), Fraction(30)),
    "30, then 60 for longer": (at(30, 600) + at(60, 700), Fraction(60)),
    "a phone": (trembling(300, NTSC_30, 0.004), NTSC_30),
    "a phone at 24": (trembling(300, Fraction(24), 0.006), Fraction(24)),
    "a screen with stills": ([*at(30, 20), Fraction(1)] * 8, Fraction(30)),
    "a screen, mostly still": ([*at(60, 6), Fraction(3, 2)] * 20, Fraction(60)),
}


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_the_rate_is_that_of_most_pictures(tmp_path: Path, name: str, ending: str) -> None:
    """Of a variable file, the exact rate of the bulk of its pictures is told, and that it varies."""
    steps, rate = FILMS[name]
    path, times = film_of(
        tmp_path / f"v{ending}", steps, tick=Fraction(1, 90_000) if ending == ".mp4" else Fraction(1, 1000)
    )
    info = probe(path)
    assert (info.video.rate, info.video.variable) == (rate, True)
    assert abs(info.video.duration - times[-1] - Fraction(1, 25)) <= Fraction(1, 500)  # the writer's last duration


@pytest.mark.parametrize("name", ["60, 15, 30", "a phone", "a screen with stills"])
def test_the_content_of_a_variable_film_is_in_time(tmp_path: Path, name: str) -> None:
    """At the dominant rate, every film frame shows the picture on screen at its middle, from the start to the end."""
    steps, _ = FILMS[name]
    path, times = film_of(tmp_path / "v.mp4", steps)
    info = probe(path)
    length = times[-1] + steps[-1]
    rate = info.video.rate
    count = int(length * rate)
    for k, frame in enumerate(grid_frames(info, Fraction(0), count, rate)):
        middle = (k + Fraction(1, 2)) / rate
        shown = max(t for t in times if t <= middle + Fraction(1, 1000))
        assert abs(float(frame.to_ndarray(format="gray").mean()) - ramp_value(shown, length=length)) < 4


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30), Fraction(60)], ids=str)
@pytest.mark.parametrize("ending", [".mkv", ".webm", ".mp4", ".mov", ".avi", ".ts"])
def test_ntsc_rates_are_exact_everywhere(tmp_path: Path, rate: Fraction, ending: str) -> None:
    """23.976, 29.97 and 59.94 come back as n x 1000/1001, 24, 30 and 60 as themselves, from every container."""
    codec = {".webm": "libvpx", ".avi": "mpeg4"}.get(ending, "libx264")
    options = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx" else BRIEF
    for exact in (rate, rate * Fraction(1000, 1001)):
        path = write_media(
            tmp_path / f"r{exact.numerator}{ending}",
            (flat(i) for i in range(90)),
            rate=exact,
            codec=codec,
            options=options,
        )
        info = probe(path)
        assert (info.video.rate, info.video.variable) == (exact, False)
        assert abs(info.video.duration - 90 / exact) <= Fraction(1, 500)


def test_rates_are_never_rounded_decimals() -> None:
    """An uneven rate near no standard one becomes a whole number; steps of one tick make no 90,000 frames/s."""
    steps = np.array([3200, 3500, 3400, 3300, 3450] * 40, np.int64)
    rate, variable = dominant_rate(steps, Fraction(1, 90_000), None)
    assert (rate, variable) == (Fraction(27), True)
    rate, _ = dominant_rate(np.ones(50, np.int64), Fraction(1, 90_000), Fraction(25))
    assert rate == 25


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts"])
def test_large_files_are_told_right_from_parts_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """What is told of a file too large to be read whole is what reading it whole tells."""
    path, _ = film_of(tmp_path / f"l{ending}", at(30, 500) + at(60, 1200), tick=Fraction(1, 90_000))
    whole = probe(path)
    monkeypatch.setattr(times_module, "WHOLE", 1000)
    monkeypatch.setattr(times_module, "HEAD", 100)
    monkeypatch.setattr(times_module, "WINDOW", 60)
    parts = probe(path)
    assert (parts.video.rate, parts.video.variable) == (whole.video.rate, True) == (60, True)
    assert abs(parts.video.duration - whole.video.duration) <= Fraction(1, 60)
    assert parts.video.start == whole.video.start


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts", ".avi"])
def test_a_cut_off_file_tells_its_real_length(tmp_path: Path, ending: str) -> None:
    """Of a file that lost its second half, the length is that of what is left, and the loss is named."""
    options = {"movflags": "+faststart"} if ending == ".mp4" else {}
    whole = tmp_path / f"w{ending}"
    with av.open(str(whole), "w", options=options) as out:
        video = out.add_stream("mpeg4" if ending == ".avi" else "libx264", rate=25, options=BRIEF)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        noise = np.random.default_rng(0)
        for _ in range(200):
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 255, (48, 64, 3), np.uint8), "rgb24")
            out.mux(video.encode(frame.reformat(format="yuv420p")))
        out.mux(video.encode(None))
    broken = tmp_path / f"b{ending}"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2 + 77])
    info = probe(broken)
    assert abs(info.video.duration - 4) < Fraction(2, 5)
    losses = Losses()
    batches = list(scan(info, losses=losses))
    times = frame_times(info, np.concatenate([b.pts for b in batches]))
    assert abs(times.range.duration - info.video.duration) <= Fraction(2, 25)
    assert [*info.warnings, *losses.words()]
    assert probe(whole).warnings == ()


def test_the_last_picture_stands_as_long_as_the_file_says(tmp_path: Path) -> None:
    """A screen recording that ends in a still of 4 s keeps these 4 s."""
    path = tmp_path / "s.mp4"
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={**BRIEF, "bf": "0"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for n in range(25):
            frame = av.VideoFrame.from_ndarray(flat(5 * n), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            for packet in video.encode(frame):
                out.mux(packet)
        for packet in video.encode(None):
            out.mux(packet)
        # the muxer takes the last duration from the last packet
    info = probe(_last_held(path, tmp_path / "held.mp4", Fraction(4)))
    assert info.video.duration == Fraction(24, 25) + 4
    times = frame_times(info, np.concatenate([b.pts for b in scan(info)]))
    assert times.range.duration == Fraction(24, 25) + 4


def _last_held(source: Path, path: Path, seconds: Fraction) -> Path:
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(given.streams.video[0])
        packets = [p for p in given.demux(video=0) if p.size]
        packets[-1].duration = round(seconds / packets[-1].time_base)
        for packet in packets:
            packet.stream = stream
            out.mux(packet)
    return path


# ---------------------------------------------------------------- clocks


def in_sync(path: Path, expected: Sequence[float]) -> None:
    """Flashes and beeps of the one pass lie at these seconds from the first picture on."""
    info = probe(path)
    batches = list(scan(info))
    times = frame_times(info, np.concatenate([b.pts for b in batches]))
    levels = np.concatenate([b.thumbs for b in batches]).mean((1, 2, 3))
    flashes = [float(times.time(n) - times.time(0)) for n in find_flashes(levels)]
    heard = find_beeps(np.concatenate([b.sound for b in batches])[None], 16_000)
    np.testing.assert_allclose(flashes, expected, atol=0.002)
    np.testing.assert_allclose(heard, expected, atol=0.005)


def joined(parts: Sequence[Path], path: Path) -> Path:
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    return path


def test_recordings_laid_end_to_end_are_read_as_one(tmp_path: Path) -> None:
    """Three transport streams in one file: all pictures and beeps come, in sync, in the pass and by range."""
    from roughcut.media.audio import read_sound
    from roughcut.timebase import TimeRange

    parts = [flash_and_beep(tmp_path / f"{n}.ts", seconds=s) for n, s in enumerate((4, 5, 3))]
    path = joined(parts, tmp_path / "joined.ts")
    info = probe(path)
    assert len(info.parts) == 2
    assert any("joined" in said for said in info.warnings)
    assert info.video.duration == 12
    expected = [1, 2, 3, 5, 6, 7, 8, 10, 11]
    in_sync(path, expected)
    assert len(list(read_frames(info))) == 300
    for t in (10, 6, 2):
        start = info.video.start + t - Fraction(1, 5)
        levels = [float(f.to_ndarray(format="gray").mean()) for f in grid_frames(info, start, 10, Fraction(25))]
        assert find_flashes(levels) == [5]
        sound = read_sound(info, TimeRange(start, start + Fraction(2, 5)), 48_000, "stereo")
        assert find_beeps(sound, 48_000) == pytest.approx([0.2], abs=0.005)


def shifted(source: Path, path: Path, by: Fraction, *, options: dict[str, str] | None = None) -> Path:
    """The same packets, their times moved."""
    with av.open(str(source)) as given, av.open(str(path), "w", options=options or {}) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.dts is None:
                continue
            ticks = round(by / packet.time_base)
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    return path


WRAP = Fraction(2**33, 90_000)


@pytest.mark.parametrize(
    "by", [Fraction(5), Fraction(3600), WRAP - Fraction(7, 2), WRAP - 120], ids=["5", "3600", "wrap", "near"]
)
def test_a_transport_stream_may_start_anywhere(tmp_path: Path, by: Fraction) -> None:
    """Starts of 5 s and an hour, and a clock of 33 bits that runs over in the middle, change nothing."""
    path = shifted(flash_and_beep(tmp_path / "a.ts", seconds=6), tmp_path / "b.ts", by, options={"muxdelay": "0"})
    info = probe(path)
    assert info.video.duration == 6
    assert info.parts == ()
    in_sync(path, [1, 2, 3, 4, 5])


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
@pytest.mark.parametrize("by", [Fraction(3, 2), Fraction(-32, 25)], ids=["empty edit", "media time"])
def test_edit_lists_are_followed(tmp_path: Path, ending: str, by: Fraction) -> None:
    """An edit list that begins with nothing, and one that begins inside the media: pictures and sound stay together."""
    options = {**BRIEF, "g": "50", "bf": "2"}
    dark = (flat(235 if n % 25 == 0 and n else 30) for n in range(150))
    sound = Sound(samples=beeps(6, [1, 2, 3, 4, 5]))
    source = write_media(tmp_path / f"a{ending}", dark, sound=sound, options=options)
    path = shifted(source, tmp_path / f"b{ending}", by)
    info = probe(path)
    if by < 0:
        assert abs(info.video.duration - (6 + by)) <= Fraction(1, 25)
        in_sync(path, [float(t + by - info.video.start) for t in range(2, 6)])
    else:
        assert info.video.start == by
        in_sync(path, [1, 2, 3, 4, 5])
    assert read_times(path, info.video.index) is not None
