"""Every codec in every kind of file: written end to end, read back, and held to the plan."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media import write_media
from roughcut.media.codecs import CONTAINERS, fitted
from roughcut.media.encode import FilmWriter
from roughcut.media.picture import Conformer, Film, FilmPicture
from roughcut.media.probe import probe
from roughcut.records import ColourTags, FilmSpec, TrackSpec
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

RATE = Fraction(24_000, 1001)
COLOURS = [(200, 60, 50), (50, 170, 90), (60, 80, 210), (128, 128, 128)]
PAIRS = [(ending, codec) for ending, kind in CONTAINERS.items() for codec in kind.codecs if ending != ".m4v"]
HDR = ColourTags(matrix="bt2020nc", primaries="bt2020", transfer="smpte2084", full_range=False)
HD_FULL = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=True)
NAMES = {"h264": "h264", "hevc": "hevc", "av1": "av1", "vp9": "vp9", "prores": "prores"}
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
    film = Film(spec)
    with FilmWriter(path, spec) as out:
        for rgb in pictures:
            out.write_picture(FilmPicture(film.from_rgb(rgb), film))
    with av.open(str(path)) as read:
        stream = read.streams.video[0]
        packets = [(bytes(p), p.is_keyframe) for p in read.demux(stream) if p.size]
        return packets, stream.codec_context.extradata or b""


@pytest.mark.parametrize("colour", [HDR, HD_FULL], ids=["hdr10bit", "full8bit"])
@pytest.mark.parametrize(("ending", "codec"), PAIRS)
def test_every_codec_in_every_kind_of_file(
    footage: Path, tmp_path: Path, ending: str, codec: str, colour: ColourTags
) -> None:
    """A second of patches has its codec, depth, tags, exact times and colours in the written file."""
    asked = FilmSpec(**PLAIN, colour=colour, bit_depth=10 if colour is HDR else 8, tracks=(TrackSpec(),), codec=codec)
    spec, remarks = fitted(asked, Path(f"x{ending}"))
    assert bool(remarks) == (codec == "vp9" and colour is HDR)
    result = render_plan(plan_of(footage, asked), tmp_path / f"film{ending}")
    assert set(remarks) <= set(result.remarks)
    info = probe(result.film)
    assert info.video.codec.startswith(NAMES[codec]) or (codec, info.video.codec) == ("av1", "libdav1d")
    assert (info.video.bit_depth, info.video.colour) == (spec.bit_depth, spec.colour)
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
