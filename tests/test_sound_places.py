"""Sound at its exact place: gaps, overlaps, and reads after a seek into containers that count in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import roughcut
from media import Sound, beeps, find_beeps, flat, write_media
from roughcut.media.audio import SoundReader, _Phase, frame_of, read_sound
from roughcut.media.probe import probe
from roughcut.media.scan import _Ear, scan
from roughcut.timebase import TimeRange

SECONDS = 12


def clicks(rate: int, seconds: int = SECONDS) -> np.ndarray:
    """[1, n] noise that is the same nowhere twice, so that a shift by one sample is seen."""
    return (0.3 * np.random.default_rng(1).standard_normal((1, rate * seconds))).clip(-1, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("codec", "rate", "name"),
    [
        ("pcm_s16le", 44_100, "p.mkv"), ("flac", 44_100, "f.mkv"), ("flac", 48_000, "f.mkv"), ("aac", 44_100, "a.mkv"),
        ("aac", 48_000, "a.mkv"), ("libopus", 48_000, "o.webm"), ("libmp3lame", 44_100, "m.mkv"),
        ("aac", 48_000, "a.ts"),         ("aac", 44_100, "a.mp4"), ("mp2", 48_000, "m.ts"),
    ],
)  # fmt: skip
def test_a_seek_finds_the_very_sample(tmp_path: Path, codec: str, rate: int, name: str) -> None:
    """Sound read after a seek lies where reading from the start puts it, to the sample, also in milliseconds."""
    video = {"codec": "libvpx", "options": {"deadline": "realtime"}} if name.endswith("webm") else {}
    sound = Sound(samples=clicks(rate), rate=rate, codec=codec)
    path = write_media(tmp_path / name, [flat(9)] * 25 * SECONDS, sound=sound, **video)  # type: ignore[arg-type]
    info = probe(path)
    whole = read_sound(info, TimeRange(Fraction(0), Fraction(SECONDS)), rate, "mono")[0]
    for t in (Fraction(31, 10), Fraction(57, 7), Fraction(100, 9)):
        first, count = round(t * rate), rate // 5
        with SoundReader(info, rate, "mono") as reader:
            got = reader.read(Fraction(first, rate), count)[0]
        offsets = range(-60, 61)
        fits = [float(np.dot(got, whole[first + d : first + d + count])) for d in offsets]
        assert offsets[int(np.argmax(fits))] == 0
        if codec in ("flac", "pcm_s16le"):
            assert np.array_equal(got, whole[first : first + count])


def holed(source: Path, path: Path, without: TimeRange) -> Path:
    """The file without its sound packets of a range."""
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                at = packet.pts * packet.time_base
                if without.contains(at):
                    continue
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    return path


@pytest.mark.parametrize("ending", [".mkv", ".ts", ".mp4"])
@pytest.mark.parametrize("hole", [Fraction(3, 10), Fraction(2), Fraction(1, 20)], ids=str)
def test_gaps_in_the_sound_stay_gaps(tmp_path: Path, ending: str, hole: Fraction) -> None:
    """Where sound packets are missing there is silence, and what follows stays in its place, in pass and by range."""
    whole = write_media(tmp_path / f"w{ending}", [flat(9)] * 200, sound=Sound(samples=beeps(8, [1, 2, 5, 6, 7])))
    path = holed(whole, tmp_path / f"h{ending}", TimeRange(Fraction(5, 2), Fraction(5, 2) + hole))
    info = probe(path)
    heard = np.concatenate([b.sound for b in scan(info)])[None]
    assert heard_shift(find_beeps(heard, 16_000), [1, 2, 5, 6, 7]) < 0.002
    start = info.video.start  # of transport streams a little behind the clock's zero
    sound = read_sound(info, TimeRange(start, start + 8), 48_000, "stereo")
    assert heard_shift(find_beeps(sound, 48_000), [1, 2, 5, 6, 7]) < 0.002
    later = read_sound(info, TimeRange(start + Fraction(9, 2), start + 8), 48_000, "stereo")
    assert heard_shift(find_beeps(later, 48_000), [0.5, 1.5, 2.5]) < 0.002


def heard_shift(found: list[float], expected: list[float]) -> float:
    """The largest distance in seconds."""
    assert len(found) == len(expected)
    return float(np.abs(np.array(found) - expected).max())


def test_sound_that_overlaps_itself_does_not_move_what_follows(tmp_path: Path) -> None:
    """Where timestamps jump back by 0.3 s, what follows lies where they say, in the pass and by range."""
    info = probe(write_media(tmp_path / "w.mp4", [flat(9)] * 50, sound=Sound(samples=beeps(2, [1]))))
    loud = np.full(480, 0.5, np.float32)

    def frames() -> Iterator[av.AudioFrame]:
        for k in range(200):
            block = loud if k in (80, 155) else np.zeros(480, np.float32)
            frame = frame_of(block[None], "mono", 48_000)
            frame.pts = 480 * k - (14_400 if k > 120 else 0)  # frame 155 is heard at 1.25 s
            yield frame

    ear = _Ear(info)
    for frame in frames():
        ear.push(frame)
    ear.finish()
    assert heard_shift(find_beeps(ear.take()[None], 16_000), [0.8, 1.25]) < 0.001
    phase, placed = _Phase(48_000, "mono"), np.zeros((1, 120_000), np.float32)
    for frame in frames():
        for at, samples in phase.push(frame):
            placed[:, at : at + samples.shape[1]] = samples
    assert heard_shift(find_beeps(placed, 48_000), [0.8, 1.25]) < 0.0001


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_early_sound_is_trimmed_to_the_pictures(tmp_path: Path, ending: str) -> None:
    """Pictures that begin 0.8 s after the sound: both stay together, in the pass and by range."""
    ticks = [20 + n for n in range(150)]
    frames = (flat(235 if n % 25 == 0 else 30) for n in ticks)
    path = write_media(
        tmp_path / f"e{ending}",
        frames,
        ticks=ticks,
        time_base=Fraction(1, 25),
        sound=Sound(samples=beeps(6, [1, 2, 3, 4, 5])),
    )
    info = probe(path)
    assert info.video.start == Fraction(20, 25)
    heard = np.concatenate([b.sound for b in scan(info)])[None]
    np.testing.assert_allclose(find_beeps(heard, 16_000), [0.2, 1.2, 2.2, 3.2, 4.2], atol=0.002)
    sound = read_sound(info, TimeRange(Fraction(9, 10), Fraction(4)), 48_000, "stereo")
    np.testing.assert_allclose(find_beeps(sound, 48_000), [0.1, 1.1, 2.1], atol=0.002)


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_slow_sound_ends_where_the_film_does(tmp_path: Path, rate: int) -> None:
    """A frame of AAC lasts an eighth of a second at 8 kHz; the last one of a film ends inside it, by the file."""
    sound = Sound(samples=beeps(4.92, [1, 2, 3], rate=rate), rate=rate)
    source = write_media(tmp_path / "a.mp4", (flat(60 + k % 100) for k in range(123)), sound=sound)
    result = roughcut.edit(source, tmp_path / "cut.mp4", keep="all", smart="never")
    count = result.proof.streams[1].count
    assert result.proof.problems == ()
    assert abs(count.found - count.expected) <= 1
