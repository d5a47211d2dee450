"""Every codec in every kind of file: written end to end, read back, and held to the plan."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest

from media import write_media
from roughcut.effects.transitions import dissolve
from roughcut.errors import OutputError
from roughcut.media import hardware
from roughcut.media.codecs import CONTAINERS, encoder_for, fitted
from roughcut.media.encoders import Encoder
from roughcut.media.picture import Conformer, Film, FilmPicture
from roughcut.media.probe import probe
from roughcut.records import Codec, ColourTags, FilmSpec, TrackSpec
from roughcut.rendering import render_plan, write_film
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

RATE = Fraction(24_000, 1001)
COLOURS = [(200, 60, 50), (50, 170, 90), (60, 80, 210), (128, 128, 128)]
PAIRS = [(ending, codec) for ending, kind in CONTAINERS.items() for codec in kind.codecs if ending != ".m4v"]
HDR = ColourTags(matrix="bt2020nc", primaries="bt2020", transfer="smpte2084", full_range=False)
HD_FULL = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=True)
CODECS = get_args(Codec)
PLAIN = {"crf": 12, "width": 64, "height": 64, "rate": RATE}


def patches(width: int = 64, height: int = 64) -> np.ndarray:
    """Four flat patches."""
    picture = np.empty((height, width, 3), np.uint8)
    for k, colour in enumerate(COLOURS):
        y, x = divmod(k, 2)
        picture[y * height // 2 : (y + 1) * height // 2, x * width // 2 : (x + 1) * width // 2] = colour
    return picture


def noise(count: int, side: int = 64) -> list[np.ndarray]:
    """Restless pictures, so that an encoder has something to decide."""
    random = np.random.default_rng(5)
    still = random.integers(0, 255, (side, side, 3))
    return [
        np.clip(still + random.integers(-20, 20, still.shape) + 3 * n, 0, 255).astype(np.uint8) for n in range(count)
    ]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_media(tmp_path_factory.mktemp("media") / "patches.mkv", [patches()] * 36, rate=RATE)


def plan_of(footage: Path, spec: FilmSpec) -> Plan:
    info = probe(footage)
    source = Source(id="s", path=footage, available=info.range, rate=RATE, width=64, height=64)
    why = Decision(code="by_hand", words="made for a test")
    clip = Clip(source="s", range=TimeRange(Fraction(0), 24 / RATE), decision=why)
    return Plan(sources=(source,), clips=(clip,), joins=(Join(), Join()), spec=spec, loudness_target=None)


def packets_of(spec: FilmSpec, path: Path, pictures: list[np.ndarray]) -> tuple[list[tuple[bytes, bool]], bytes]:
    """The video packets (with whether they are key frames) and the extradata of a written film."""
    write_film(path, spec, pictures, None)
    with av.open(str(path)) as read:
        stream = read.streams.video[0]
        packets = [(bytes(p), p.is_keyframe) for p in read.demux(stream) if p.size]
        return packets, stream.codec_context.extradata or b""


@pytest.fixture(scope="module", params=[HDR, HD_FULL], ids=["hdr10bit", "full8bit"])
def tagged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ColourTags]:
    """The same pictures with tags, HDR with 10 bits."""
    pixels = "yuv420p10le" if request.param is HDR else "yuv420p"
    path = tmp_path_factory.mktemp("media") / "tagged.mkv"
    return write_media(path, [patches()] * 36, rate=RATE, colour=request.param, pixel_format=pixels), request.param


@pytest.mark.parametrize(("ending", "codec"), PAIRS)
def test_every_codec_in_every_kind_of_file(
    tagged: tuple[Path, ColourTags], tmp_path: Path, ending: str, codec: str
) -> None:
    """A second of patches has its codec, depth, tags, exact times and colours in the written file."""
    footage, colour = tagged
    asked = FilmSpec(**PLAIN, colour=colour, bit_depth=10 if colour is HDR else 8, tracks=(TrackSpec(),), codec=codec)
    spec, remarks = fitted(asked, Path(f"x{ending}"))
    assert bool(remarks) == (codec == "vp9" and colour is HDR)
    result = render_plan(plan_of(footage, asked), tmp_path / f"film{ending}")
    assert set(remarks) <= set(result.remarks)
    info = probe(result.film)
    assert (info.video.codec, info.video.bit_depth, info.video.colour) == (codec, spec.bit_depth, spec.colour)
    assert info.audio[0].codec == CONTAINERS[ending].audio_for(codec).removeprefix("lib")
    with av.open(str(result.film)) as read:
        frames = list(read.decode(video=0))
    tick = info.video.time_base
    assert [f.pts for f in frames] == [int(n / RATE / tick + Fraction(1, 2)) for n in range(24)]
    truth = Conformer(probe(footage), Film(spec)).picture(next(iter(av.open(str(footage)).decode(video=0)))).planes()
    for frame in (frames[0], frames[-1]):
        seen = FilmPicture(frame, Film(spec)).planes()
        for got, wanted in zip(seen, truth, strict=True):
            assert np.abs(got[4::16, 4::16].astype(int) - wanted[4::16, 4::16]).max() <= 6 << (spec.bit_depth - 8)


def spec_of(codec: str, **more: object) -> FilmSpec:
    """A film without sound, named as `fitted` names it."""
    made = FilmSpec(**PLAIN | {"tracks": (), "codec": codec} | more)  # type: ignore[arg-type]
    return fitted(made, Path("x.mkv"))[0]


@pytest.mark.parametrize("codec", CODECS)
def test_films_written_apart_join(tmp_path: Path, codec: str) -> None:
    """Equal settings give equal bytes, two different films have one extradata, and their packets decode as one film."""
    spec, pictures = spec_of(codec), noise(20)
    first, extradata = packets_of(spec, tmp_path / "a.mkv", pictures)
    assert packets_of(spec, tmp_path / "b.mkv", pictures) == (first, extradata)
    second, same = packets_of(spec, tmp_path / "c.mkv", [255 - p for p in pictures[::-1]])
    assert same == extradata
    assert second != first
    assert first[0][1]
    assert second[0][1]
    alone, joined = (decoded_by(tmp_path / "a.mkv", packets) for packets in (second, [*first, *second]))
    assert len(joined) == 40
    for apart, after in zip(alone, joined[20:], strict=True):
        np.testing.assert_array_equal(apart, after)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_every_key_frame_starts_anew(tmp_path: Path, codec: str) -> None:
    """From the second key frame on, what is decoded alone is what is decoded in the whole film."""
    packets, _ = packets_of(spec_of(codec, speed="draft", crf=30), tmp_path / "a.mkv", noise(300))
    keys = [n for n, (_, key) in enumerate(packets) if key]
    assert len(keys) > 1
    whole, rest = (decoded_by(tmp_path / "a.mkv", part) for part in (packets, packets[keys[1] :]))
    assert len(rest) == len(packets) - keys[1]
    for apart, inside in zip(rest, whole[keys[1] :], strict=True):
        np.testing.assert_array_equal(apart, inside)


def decoded_by(like: Path, packets: list[tuple[bytes, bool]]) -> list[np.ndarray]:
    """What a decoder set up for the film `like` makes of these packets."""
    with av.open(str(like)) as film:
        codec = film.streams.video[0].codec_context
        seen = [f for data, _ in packets for f in codec.decode(av.Packet(data))]
        return [f.to_ndarray() for f in [*seen, *codec.decode(None)]]


def test_x264_repeats_itself(tmp_path: Path) -> None:
    """Half noise, half flat pictures, which x264's AVX-512 code encodes differently from run to run."""
    random = np.random.default_rng(0)
    pictures = [np.full((180, 320, 3), 5 * n % 255, np.uint8) for n in range(30)]
    for picture in pictures:
        picture[:90, :160] = random.integers(0, 255, (90, 160, 3))
    spec = spec_of("h264", width=320, height=180, crf=20)
    assert len({tuple(packets_of(spec, tmp_path / "a.mkv", pictures)[0]) for _ in range(5)}) == 1


def test_encoders_print_nothing(tmp_path: Path) -> None:
    """x265 and SVT-AV1 have logs of their own; nothing of them reaches the terminal."""
    code = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from roughcut.media.faults import quiet_ffmpeg
from roughcut.records import FilmSpec
from roughcut.rendering import write_film
quiet_ffmpeg()
for codec in ("h264", "hevc", "av1", "vp9", "prores"):
    spec = FilmSpec(width=64, height=64, rate=Fraction(25), tracks=(), codec=codec)
    write_film(Path(sys.argv[1]) / f"{codec}.mkv", spec, [np.zeros((64, 64, 3), np.uint8)] * 5, None)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert len(list(tmp_path.glob("*.mkv"))) == 5


@pytest.mark.parametrize(
    ("ending", "codec"), [(e, c) for e, kind in CONTAINERS.items() for c in CODECS if c not in kind.codecs]
)
def test_what_a_file_cannot_hold_is_refused(footage: Path, tmp_path: Path, ending: str, codec: str) -> None:
    """The error lists what the kind of file can hold and where the codec can go; nothing is left behind."""
    spec = FilmSpec(**PLAIN, codec=codec)
    with pytest.raises(OutputError) as caught:
        render_plan(plan_of(footage, spec), tmp_path / f"film{ending}")
    assert caught.value.allowed == ", ".join(CONTAINERS[ending].codecs)
    assert ".mkv" in str(caught.value.next_step)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("codec", "side"), [("av1", 62), ("hevc", 30)])
def test_pictures_too_small_for_an_encoder(codec: str, side: int) -> None:
    """Sizes that SVT-AV1 damages memory on, and on which x265 differs from run to run, are refused."""
    with pytest.raises(OutputError, match="too small"):
        encoder_for(FilmSpec(**PLAIN | {"height": side}, codec=codec), CONTAINERS[".mkv"])


@pytest.mark.parametrize(("ending", "codec"), [(".mp4", "h264"), (".mov", "h264"), (".mkv", "h264"), (".webm", "vp9")])
def test_without_a_wish_the_file_decides(ending: str, codec: str) -> None:
    """A plan that names no codec becomes what its kind of file usually holds."""
    assert fitted(FilmSpec(**PLAIN), Path(f"film{ending}"))[0].codec == codec


def test_hevc_is_named_as_apple_plays_it(tmp_path: Path) -> None:
    """HEVC in mp4 and mov is called hvc1."""
    for ending in (".mp4", ".mov"):
        packets_of(spec_of("hevc"), tmp_path / f"film{ending}", noise(2))
        with av.open(str(tmp_path / f"film{ending}")) as film:
            assert film.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize("codec", ["h264", "prores"])
def test_padding_and_dissolves_keep_chroma_in_place(tmp_path: Path, codec: str) -> None:
    """A narrow picture stands in the middle of the film with its colours, half of it after half a dissolve."""
    spec = spec_of(codec, width=128, height=64)
    film = Film(spec)
    path = write_media(tmp_path / "flat.mkv", [np.full((64, 64, 3), (200, 60, 50), np.uint8)] * 2)
    with av.open(str(path)) as read:
        picture = Conformer(probe(path), film).picture(next(read.decode(video=0)))
    half = dissolve(FilmPicture(film.blank(), film), picture, 0.5)
    for shown, share in ((picture, 1.0), (half, 0.5)):
        for plane, black in zip(shown.planes(), film.black, strict=True):
            width, colour = plane.shape[1], int(picture.planes()[0][32, 64]) if plane.shape[1] == 128 else None
            assert (plane[:, : width // 4] == black).all()
            assert (plane[:, -width // 4 :] == black).all()
            middle = plane[:, width // 4 + 2 : -width // 4 - 2].astype(int)
            assert np.ptp(middle) <= 2
            assert abs(middle[0, 0] - black) > 16 * share
            if colour is not None:
                assert abs(middle[0, 0] - (black + (colour - black) * share)) <= 1


# ---------------------------------------------------------------- hardware


def stub_of(name: str, options: dict[str, str] | None = None) -> Encoder:
    return Encoder(name=name, options=options or {}, pixel_format="yuv420p")


def test_hardware_that_works_is_used(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first candidate that encodes on trial writes the film, and a remark says so (software stands in for it)."""
    candidates = [stub_of("h264_never"), stub_of("mpeg4", {"qscale": "1"})]
    monkeypatch.setattr(hardware, "candidates", lambda spec: candidates)
    result = render_plan(plan_of(footage, FilmSpec(**PLAIN, tracks=())), tmp_path / "film.mp4", hardware=True)
    assert probe(result.film).video.codec == "mpeg4"
    assert any("encoded by mpeg4" in words for words in result.remarks)


def test_hardware_that_fails_is_left_with_its_reason(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encoders that are missing or refuse are named with the reason; software writes the film."""
    candidates = [stub_of("h264_never"), stub_of("libx264", {"profile": "nonsense"})]
    monkeypatch.setattr(hardware, "candidates", lambda spec: candidates)
    result = render_plan(plan_of(footage, FilmSpec(**PLAIN, tracks=())), tmp_path / "film.mp4", hardware=True)
    assert probe(result.film).video.codec == "h264"
    said = next(words for words in result.remarks if "no hardware encoder" in words)
    assert "h264_never: not in this FFmpeg" in said
    assert "libx264: Error setting profile nonsense" in said


def test_a_driver_that_crashes_takes_only_the_trial_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial whose process dies is a reason, not an end."""
    monkeypatch.setattr(hardware, "TRIAL", [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), 6)"])
    assert "ended the process" in str(hardware.trial(stub_of("libx264"), 64, 64))


def test_this_machines_hardware_by_name() -> None:
    """Asked for hardware, the answer is an encoder that works or a remark that names each one tried."""
    encoder, remark = encoder_for(FilmSpec(**PLAIN), CONTAINERS[".mp4"], hardware=True)
    assert remark is not None
    if encoder.name == "libx264":
        for family in hardware.FAMILIES:
            assert f"h264_{family}: " in remark
    else:
        assert encoder.name in remark
    assert encoder_for(FilmSpec(**PLAIN), CONTAINERS[".mp4"])[1] is None
