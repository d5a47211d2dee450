"""The input layer against media whose truth is known: times, rotation, colour, sound, damage."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import Sound, beeps, find_beeps, find_flashes, flash_and_beep, flat, ramp_film, ramp_value, write_media
from roughcut.errors import InputError
from roughcut.media.audio import SoundReader, read_sound
from roughcut.media.decode import grid_frames, read_frames, still
from roughcut.media.faults import Losses
from roughcut.media.probe import probe
from roughcut.media.sample import at_random, every_frame, fill, fit, key_frames, uniform
from roughcut.media.scan import frame_times, scan
from roughcut.records import ColourTags, FrameTimes, ScanBatch
from roughcut.timebase import TimeRange

DATA = Path(__file__).parents[2] / "shared" / "data"
NTSC_30 = Fraction(30000, 1001)


@pytest.fixture(scope="session")
def flash_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flash_and_beep(tmp_path_factory.mktemp("media") / "flash.mp4")


@pytest.fixture(scope="session")
def vfr_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s at 30 frames/s, then 4 s at 10, then 2 s at 60, grey by content time."""
    steps = [Fraction(1, 30)] * 120 + [Fraction(1, 10)] * 40 + [Fraction(1, 60)] * 120
    times = np.cumsum([0, *steps[:-1]])
    return ramp_film(tmp_path_factory.mktemp("media") / "vfr.mp4", list(times))


def grey(frame: object) -> float:
    return float(frame.to_ndarray(format="gray").mean())  # type: ignore[attr-defined]


def scanned(path: Path) -> tuple[list[ScanBatch], FrameTimes]:
    info = probe(path)
    batches = list(scan(info))
    return batches, frame_times(info, np.concatenate([b.pts for b in batches]))


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), Fraction(25), NTSC_30, Fraction(50), Fraction(60000, 1001)], ids=str
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
def test_rates_are_exact(tmp_path: Path, rate: Fraction, name: str) -> None:
    """The standard rates come back as exact fractions, also from containers that count in milliseconds."""
    info = probe(write_media(tmp_path / name, (flat(i) for i in range(60)), rate=rate))
    assert info.video.rate == rate
    assert not info.video.variable


def test_variable_rate_is_told(vfr_film: Path) -> None:
    """A file with changing frame durations is called variable."""
    assert probe(vfr_film).video.variable


def test_grid_frames_show_the_right_content(vfr_film: Path) -> None:
    """On a variable-rate film, every film frame shows the picture that is on screen at its middle."""
    info = probe(vfr_film)
    times = [t for t, _ in read_frames(info)]
    for k, frame in enumerate(grid_frames(info, Fraction(3), 150, Fraction(30))):
        middle = 3 + Fraction(2 * k + 1, 60)
        shown = max(t for t in times if t <= middle)
        assert abs(grey(frame) - ramp_value(shown)) < 3


@settings(max_examples=15, deadline=None)
@given(first=st.integers(0, 240), count=st.integers(1, 9))
def test_grid_frames_are_exact_at_constant_rate(flash_film: Path, first: int, count: int) -> None:
    """From any frame, the wanted number of frames comes, each the right one; the last is repeated at the end."""
    info = probe(flash_film)
    frames = list(grid_frames(info, Fraction(first, 25), count, Fraction(25)))
    lit = [k for k, frame in enumerate(frames) if grey(frame) > 130]
    assert lit == [k for k in range(count) if (first + k) % 25 == 0 and 0 < first + k < 250]
    assert len(frames) == count


def test_a_range_beyond_the_end_repeats_the_last_frame(flash_film: Path) -> None:
    """The count is kept whatever the range."""
    assert len(list(grid_frames(probe(flash_film), Fraction(20), 4, Fraction(25)))) == 4


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_rotated_films_stand_upright(tmp_path: Path, turn: int) -> None:
    """A display matrix is applied: the white corner is where a viewer sees it, the size is the upright one."""
    picture = flat(20, (96, 64))
    picture[:16, :24] = 230  # top left as coded
    info = probe(write_media(tmp_path / "r.mp4", [picture] * 5, rotation=-turn))
    assert info.video.rotation == turn
    corner = {0: (0, 0), 90: (0, -1), 180: (-1, -1), 270: (-1, 0)}[turn]
    seen = still(info, Fraction(0), 96)
    assert seen.shape[:2] == ((64, 96) if turn in (0, 180) else (96, 64))
    assert seen[corner].min() > 180
    assert seen.mean() < 60
    (batch,) = scan(info)
    thumb = batch.thumbs[0].astype(int)
    assert thumb[corner].min() > 150


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("full", [False, True])
def test_colour_survives_decoding(tmp_path: Path, matrix: str, full: bool) -> None:
    """Patches come back within 3 code values through each matrix and range, in stills and thumbs."""
    patches = [(200, 40, 40), (40, 180, 60), (30, 60, 200), (128, 128, 128), (240, 240, 240), (16, 16, 16)]
    picture = np.concatenate([flat(p, (32, 64)) for p in patches], axis=1)
    path = write_media(
        tmp_path / "c.mp4", [picture] * 3, colour=ColourTags(matrix=matrix, full_range=full), pixel_format="yuv444p",
        options={"crf": "1"},
    )  # fmt: skip
    info = probe(path)
    assert (info.video.colour.matrix, info.video.colour.full_range) == (matrix, full)
    seen = still(info, Fraction(0), 192)
    assert np.abs(seen[32, 16::32].astype(int) - np.array(patches)).max() <= 3
    (batch,) = scan(info)
    assert np.abs(batch.thumbs[0][13, 4::8].astype(int) - np.array(patches)).max() <= 4


def test_the_pass_sees_every_frame_once(flash_film: Path) -> None:
    """Thumbs, times and sound of the one pass agree: every flash with its beep, every frame counted."""
    batches, times = scanned(flash_film)
    thumbs = np.concatenate([b.thumbs for b in batches])
    sound = np.concatenate([b.sound for b in batches])
    assert [b.first for b in batches] == [0, 128]
    assert len(times) == len(thumbs) == 250
    assert times.range == TimeRange(Fraction(0), Fraction(10))
    flashes = find_flashes(thumbs.mean((1, 2, 3)))
    assert flashes == [25 * k for k in range(1, 10)]
    heard = find_beeps(sound[None], 16_000)
    assert np.abs(np.array(heard) - np.array(flashes) / 25).max() < 0.005
    pictures = np.concatenate([b.picture_frames for b in batches])
    assert len(pictures) == 20
    assert pictures[0] == 0


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv"])
def test_late_sound_stays_in_place(tmp_path: Path, name: str) -> None:
    """A track that begins 0.5 s late is heard where it belongs, in the pass and by range."""
    path = flash_and_beep(tmp_path / name, seconds=4, late=Fraction(1, 2))
    batches, _ = scanned(path)
    assert (
        np.abs(np.array(find_beeps(np.concatenate([b.sound for b in batches])[None], 16_000)) - [1, 2, 3]).max() < 0.005
    )
    sound = read_sound(probe(path), TimeRange(Fraction(0), Fraction(4)), 48_000, "stereo")
    assert sound.shape == (2, 192_000)
    assert np.abs(np.array(find_beeps(sound, 48_000)) - [1, 2, 3]).max() < 0.003


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 95_999), min_size=1, max_size=5, unique=True))
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_sound_in_pieces_equals_sound_in_one(
    tmp_path_factory: pytest.TempPathFactory, rate: int, cuts: list[int]
) -> None:
    """Reading a tone in any pieces, by seeking or by going on, gives the samples of reading it whole."""
    path = tmp_path_factory.getbasetemp() / f"tone{rate}.mov"
    if not path.exists():
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)[None].repeat(2, 0)
        write_media(path, [flat(9)] * 50, sound=Sound(samples=tone, rate=rate, codec="pcm_s16le"))
    info = probe(path)
    whole = read_sound(info, TimeRange(Fraction(0), Fraction(2)), 48_000, "stereo")
    edges = [0, *sorted(cuts), 96_000]
    with SoundReader(info, 48_000, "stereo") as reader:
        spans = list(pairwise(edges))
        pieces = [reader.read(Fraction(a, 48_000), b - a) for a, b in spans]
        backwards = [reader.read(Fraction(a, 48_000), b - a) for a, b in spans[::-1]][::-1]
    assert np.abs(np.concatenate(pieces, 1) - whole).max() < 1e-4
    assert np.abs(np.concatenate(backwards, 1)[:, 200:] - whole[:, 200:]).max() < 1e-3


def test_silence_where_there_is_no_sound(tmp_path: Path) -> None:
    """A film without a sound track reads as silence of the right length."""
    info = probe(write_media(tmp_path / "mute.mp4", [flat(9)] * 10))
    assert info.audio == ()
    assert not read_sound(info, TimeRange(Fraction(0), Fraction(1)), 48_000, "stereo").any()
    assert sum(len(b.sound) for b in scan(info)) == 0


def test_sampling_strategies(tmp_path: Path) -> None:
    """Every frame, a uniform rate, a seeded draw and key frames give the frames that they promise."""
    often = {"g": "10", "keyint_min": "10", "sc_threshold": "0", "preset": "ultrafast"}
    info = probe(write_media(tmp_path / "s.mp4", (flat(20 + 2 * n) for n in range(100)), options=often))
    assert [t for t, _ in every_frame(info)] == [Fraction(n, 25) for n in range(100)]
    np.testing.assert_allclose(
        [grey(f) for _, f in uniform(info, Fraction(5))], [20 + 2 * (5 * k + 2) for k in range(20)], atol=1.5
    )
    drawn = [t for t, _ in at_random(info, 8, seed=3)]
    assert drawn == [t for t, _ in at_random(info, 8, seed=3)] == sorted(set(drawn))
    assert drawn != [t for t, _ in at_random(info, 8, seed=4)]
    assert 5 <= len(drawn) <= 8
    assert [t for t, _ in key_frames(info)] == [Fraction(n, 25) for n in range(0, 100, 10)]


def test_resizing_keeps_or_crops_the_aspect(tmp_path: Path) -> None:
    """`fit` shows all of a wide picture; `fill` shows its middle."""
    picture = flat(40, (128, 32))
    picture[:, :32] = 220
    info = probe(write_media(tmp_path / "wide.mp4", [picture] * 3))
    _, frame = next(every_frame(info))
    whole, middle = fit(frame, info, 64, 64), fill(frame, info, 16, 16)
    assert whole.shape == (16, 64, 3)
    assert whole[:, :12].min() > 190
    assert middle.shape == (16, 16, 3)
    assert middle.max() < 70


def test_a_cut_off_film_gives_what_decodes(flash_film: Path, tmp_path: Path) -> None:
    """Half a Matroska file is used as far as it goes, and the loss is named."""
    whole = write_media(tmp_path / "w.mkv", (flat(i) for i in range(200)), options={"g": "10", "preset": "ultrafast"})
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    losses = Losses()
    frames = sum(len(b.pts) for b in scan(probe(broken), losses=losses))
    assert 20 < frames < 200


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.mp4", b"this is not a film at all, only words\n" * 50, "not a video file, or a damaged one"),
        ("empty.mp4", b"", "the file is empty"),
        ("missing.mp4", None, "no such file"),
    ],
)
def test_files_that_are_no_film(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    """Each gives one clear line that names the file."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: {message}"):
        probe(tmp_path / name)


def test_folders_sounds_and_stills_are_no_footage(tmp_path: Path) -> None:
    """A folder, a file of sound alone and a photograph are refused with what they are."""
    from PIL import Image

    with pytest.raises(InputError, match="a folder, not a file"):
        probe(tmp_path)
    Image.new("RGB", (64, 64)).save(tmp_path / "p.png")
    with pytest.raises(InputError, match="still picture"):
        probe(tmp_path / "p.png")
    import av

    with av.open(str(tmp_path / "a.wav"), "w") as out:
        track = out.add_stream("pcm_s16le", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(beeps(1, [])[:1].astype(np.float32), "fltp", layout="mono")
        frame.sample_rate = 48_000
        for part in av.AudioResampler(format="s16", layout="mono", rate=48_000).resample(frame):
            out.mux(track.encode(part))
        out.mux(track.encode(None))
    with pytest.raises(InputError, match="no video stream"):
        probe(tmp_path / "a.wav")


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared footage is not beside this checkout")
@pytest.mark.parametrize(
    "name", ["v_Archery_g06_c03.avi", "sample-videos_bird.mkv", "moviepy_big_buck_bunny_432_433.webm"]
)
def test_real_files_are_read(name: str) -> None:
    """AVI, Matroska and WebM of the shared footage give frames with rising times."""
    batches, times = scanned(DATA / "shots" / "single" / name)
    assert len(times) == sum(len(b.thumbs) for b in batches) > 20
