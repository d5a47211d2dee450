"""Where things stand in the film: rotation, sample aspect, odd sizes, interlacing and padding, checked by position."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from colour_media import filled
from media import flat, write_media
from roughcut.media.probe import probe
from roughcut.records import FilmSpec
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Join, Plan
from test_colour import edited, joined
from test_render import WHY, source_of

BOX = (0.1, 0.15, 0.45, 0.4)  # left, top, right, bottom as shares of the coded picture


def write_box(
    path: Path,
    size: tuple[int, int],
    *,
    aspect: Fraction = Fraction(1),
    turn: int = 0,
    interlaced: bool = False,
    pixel_format: str = "yuv444p",
) -> Path:
    """A bright box with a red middle on dark grey; `turn` is how far a viewer sees it turned clockwise."""
    width, height = size
    left, top, right, bottom = (round(s * n) for s, n in zip(BOX, (width, height) * 2, strict=True))
    luma, red = np.full((height, width), 40, np.uint8), np.full((height, width), 128, np.uint8)
    luma[top:bottom, left:right] = 220
    red[top:bottom, left:right] = 200
    layout = av.VideoFormat(pixel_format, width, height)
    step = [width / c.width for c in layout.components], [height / c.height for c in layout.components]
    chroma = (slice(None, None, round(step[1][1])), slice(None, None, round(step[0][1])))
    planes = [luma, np.full_like(red[chroma], 128), np.ascontiguousarray(red[chroma])]
    options = {"crf": "4", "preset": "ultrafast", **({"x264-params": "interlaced=1"} if interlaced else {})}
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(-turn)
        for n in range(8):
            frame = filled(planes, pixel_format)
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def turned(box: tuple[float, ...], turn: int) -> tuple[float, ...]:
    """The box after turning the picture clockwise."""
    left, top, right, bottom = box
    for _ in range(turn // 90):
        left, top, right, bottom = 1 - bottom, left, 1 - top, right
    return left, top, right, bottom


def seen_box(film: Path, *, at: int = 3) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, int]]:
    """Where the film's luma and its red are: left, top, right, bottom as shares of the picture; and its size."""
    with av.open(str(film)) as container:
        frame = next(f for n, f in enumerate(container.decode(video=0)) if n == at)
        planes = [
            np.frombuffer(p, np.uint8).reshape(-1, p.line_size)[: p.height, : p.width].astype(int) for p in frame.planes
        ]
    boxes = []
    for plane, threshold in ((planes[0], 130), (planes[2], 164)):
        lit = plane > threshold
        columns, rows = np.flatnonzero(lit.mean(0) > 0.1), np.flatnonzero(lit.mean(1) > 0.1)
        height, width = plane.shape
        edges = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
        boxes.append(tuple(float(e) for e in edges))
    return boxes[0], boxes[1], (frame.width, frame.height)


def check(film: Path, size: tuple[int, int], box: tuple[float, ...], *, at: int = 3) -> None:
    """The film has that size, and its box stands there within a pixel in luma and two in chroma."""
    luma, red, found = seen_box(film, at=at)
    assert found == size
    pixels = np.array(size * 2)
    assert np.abs((np.array(luma) - box) * pixels).max() <= 1.5
    assert np.abs((np.array(red) - box) * pixels).max() <= 3


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4, 3), Fraction(8, 9)], ids=str)
@pytest.mark.parametrize("interlaced", [False, True], ids=["progressive", "interlaced"])
def test_upright_with_square_pixels(tmp_path: Path, turn: int, aspect: Fraction, interlaced: bool) -> None:
    """Four rotations, wide and tall pixels, interlaced or not: the box is where a viewer sees it."""
    path = write_box(
        tmp_path / "in.mp4", (144, 96), aspect=aspect, turn=turn, interlaced=interlaced, pixel_format="yuv420p"
    )
    width, height = (192, 96) if aspect > 1 else (144, 108) if aspect < 1 else (144, 96)
    size = (width, height) if turn in (0, 180) else (height, width)
    film = edited(path, tmp_path / "out.mp4")
    check(film, size, turned(BOX, turn))
    info = probe(film).video
    assert (info.rotation, info.sample_aspect) == (0, 1)


@pytest.mark.parametrize("turn", [0, 90])
@pytest.mark.parametrize("size", [(101, 57), (99, 64), (64, 75)], ids=str)
def test_odd_sizes_become_even(tmp_path: Path, size: tuple[int, int], turn: int) -> None:
    """An odd side is scaled by less than a pixel; nothing is cut off, nothing moves."""
    film = edited(write_box(tmp_path / "in.mp4", size, turn=turn), tmp_path / "out.mp4")
    found = seen_box(film)[2]
    upright = size if turn == 0 else size[::-1]
    assert all(side % 2 == 0 and abs(side - given) <= 1 for side, given in zip(found, upright, strict=True))
    check(film, found, turned(BOX, turn))


def test_another_shape_stands_in_the_middle(tmp_path: Path) -> None:
    """A turned anamorphic clip in a landscape film keeps its aspect between black bars."""
    wide = write_box(tmp_path / "a.mp4", (192, 96))
    tall = write_box(
        tmp_path / "b.mp4", (72, 96), aspect=Fraction(4, 3), turn=90, interlaced=True, pixel_format="yuv420p"
    )
    film = joined([wide, tall], tmp_path / "out.mp4")  # the clip is seen as 96x96
    left, top, right, bottom = turned(BOX, 90)
    check(film, (192, 96), ((48 + 96 * left) / 192, top, (48 + 96 * right) / 192, bottom), at=9)
    with av.open(str(film)) as container:
        frame = next(f for n, f in enumerate(container.decode(video=0)) if n == 9).to_ndarray(format="gray")
    assert frame[:, :44].max() < 12
    assert frame[:, -44:].max() < 12


def test_interlaced_motion_leaves_no_comb(tmp_path: Path) -> None:
    """A bar that moves between the two fields is one clean edge in the film: neighbouring lines agree."""
    path, width, height = tmp_path / "in.mkv", 128, 64
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "4", "x264-params": "interlaced=1:tff=1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for n in range(12):
            luma = np.full((height, width), 40, np.uint8)
            for field in (0, 1):
                luma[field::2, 8 + 8 * n + 4 * field :] = 200
            grey = np.full((height // 2, width // 2), 128, np.uint8)
            frame = filled([luma, grey, grey], "yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert _comb(next(container.decode(video=0))) > 60
    with av.open(str(edited(path, tmp_path / "out.mp4"))) as container:
        assert max(_comb(frame) for frame in container.decode(video=0)) < 25


def _comb(frame: av.VideoFrame) -> float:
    """The greatest of the columns' mean difference between a line and the mean of its neighbours."""
    luma = frame.to_ndarray(format="gray").astype(float)[8:-8]
    return float(np.abs(luma[1:-1] - (luma[:-2] + luma[2:]) / 2).mean(0).max())


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)], ids=str)
def test_ntsc_rates_stay_exact(tmp_path: Path, rate: Fraction) -> None:
    """Film frame k is at k * 1001 / n exactly, as the container's own ticks tell."""
    source = source_of(write_media(tmp_path / "in.mp4", (flat(20 + 3 * n) for n in range(60)), rate=rate))
    clips = (Clip(source="s", range=TimeRange(Fraction(0), 50 / rate), decision=WHY),)
    spec = FilmSpec(width=64, height=48, rate=rate, tracks=(), crf=10)
    plan = Plan(sources=(source,), clips=clips, joins=(Join(), Join()), spec=spec, loudness_target=None)
    film = render_plan(plan, tmp_path / "out.mp4").film
    assert probe(film).video.rate == rate
    with av.open(str(film)) as container:
        frames = [(f.pts * f.time_base, float(f.to_ndarray(format="gray").mean())) for f in container.decode(video=0)]
    assert [t for t, _ in frames] == [k / rate for k in range(50)]
    np.testing.assert_allclose([level for _, level in frames], [20 + 3 * n for n in range(50)], atol=1.5)
