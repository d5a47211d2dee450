"""Colour through a full render: sources and films coded and decoded by the tests' own arithmetic."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from colour_media import CODES, PATCHES, Coding, filled, read, seen_patches, tags_of, to_rgb, to_yuv, write_patches
from media import UNTAGGED
from roughcut.effects.tone import Light, convert, pq_code
from roughcut.evaluation.delta_e import ciede2000, lab
from roughcut.media.picture import Film, FilmPicture
from roughcut.media.probe import probe
from roughcut.records import HD_COLOUR, ColourTags, FilmSpec, MediaInfo
from roughcut.rendering import render_plan
from roughcut.reporting import sdr_still
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Join, Plan
from test_render import WHY, source_of

KINDS = {
    "601": ("smpte170m", "smpte170m", "smpte170m"),
    "709": ("bt709", "bt709", "bt709"),
    "2020": ("bt2020nc", "bt2020", "bt2020-10"),
}
PQ = ColourTags(matrix="bt2020nc", primaries="bt2020", transfer="smpte2084", full_range=False)
HLG = ColourTags(matrix="bt2020nc", primaries="bt2020", transfer="arib-std-b67", full_range=False)
BEST_JPEG, WITH_ALPHA = (("qmin", "1"), ("qmax", "1")), (("profile", "4"),)
LOSSLESS = {"codec": "ffv1", "options": ()}


def coding_of(tags: ColourTags, bits: int, **more: object) -> Coding:
    return Coding(
        matrix=tags.matrix or "bt709", full=bool(tags.full_range), bits=bits,
        tags=(tags.matrix, tags.primaries, tags.transfer), **more,
    )  # type: ignore[arg-type]  # fmt: skip


def spec_like(info: MediaInfo, **changed: object) -> FilmSpec:
    """The film that a no-op edit of a file is."""
    video = info.video
    given = {"width": video.width, "height": video.height, "colour": video.colour,
             "bit_depth": 10 if video.bit_depth > 8 else 8, **changed}  # fmt: skip
    return FilmSpec(rate=Fraction(25), tracks=(), crf=4, **given)  # type: ignore[arg-type]


def edited(path: Path, out: Path, **changed: object) -> Path:
    """The first 6 frames of each of the given files as a film written like the first."""
    return joined([path], out, **changed)


def joined(paths: list[Path], out: Path, **changed: object) -> Path:
    sources = tuple(source_of(p, f"s{i}") for i, p in enumerate(paths))
    clips = tuple(Clip(source=s.id, range=TimeRange(Fraction(0), Fraction(6, 25)), decision=WHY) for s in sources)
    spec = spec_like(probe(paths[0]), **changed)
    plan = Plan(sources=sources, clips=clips, joins=(Join(),) * (len(clips) + 1), spec=spec, loudness_target=None)
    return render_plan(plan, out).film


def difference(seen: np.ndarray, truth: np.ndarray = PATCHES) -> float:
    return float(ciede2000(lab(seen), lab(truth)).max())


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_edit_keeps_colour_and_tags(tmp_path: Path, kind: str, full: bool, bits: int, ending: str) -> None:
    """Every patch within dE00 2, matrix, primaries, transfer, range and depth exactly as they were."""
    coding = Coding(matrix=KINDS[kind][0], full=full, bits=bits, tags=KINDS[kind])
    film = edited(write_patches(tmp_path / f"in{ending}", coding), tmp_path / f"out{ending}")
    assert tags_of(film) == (*(CODES[t] for t in KINDS[kind]), 2 if full else 1)
    assert probe(film).video.bit_depth == bits
    assert difference(seen_patches(film, coding)) < 2


@pytest.mark.parametrize("into", KINDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
def test_matrices_and_ranges_meet_in_one_film(tmp_path: Path, kind: str, into: str, full: bool) -> None:
    """A clip of one matrix and range in a film of another matrix and the other range shows the same colours."""
    there = Coding(matrix=KINDS[into][0], full=not full, tags=(KINDS[into][0], "bt709", "bt709"))
    here = Coding(matrix=KINDS[kind][0], full=full, tags=(KINDS[kind][0], "bt709", "bt709"))
    first, second = write_patches(tmp_path / "a.mp4", there), write_patches(tmp_path / "b.mp4", here)
    film = joined([first, second], tmp_path / "out.mp4")
    assert difference(seen_patches(film, there, at=2)) < 2
    assert difference(seen_patches(film, there, at=9)) < 2


@pytest.mark.parametrize(
    "coding",
    [
        Coding(matrix="bt709", pixel_format="yuv422p"),
        Coding(matrix="bt709", pixel_format="yuv444p"),
        Coding(matrix="bt709", pixel_format="yuv444p", full=True),
        Coding(matrix="bt2020nc", pixel_format="yuv422p10le", bits=10, tags=("bt2020nc", "bt709", "bt709")),
        Coding(matrix="bt709", pixel_format="yuv444p12le", bits=12, **LOSSLESS),
        Coding(matrix="smpte170m", pixel_format="yuvj420p", full=True, codec="mjpeg", options=BEST_JPEG),
        Coding(matrix="bt709", pixel_format="gbrp", full=True, tag_range=False, codec="utvideo", options=()),
        Coding(matrix="bt709", pixel_format="gbrp10le", bits=10, full=True, tag_range=False, **LOSSLESS),
        Coding(matrix="bt709", pixel_format="yuva420p", **LOSSLESS),
        Coding(matrix="smpte170m", pixel_format="yuva444p10le", bits=10, codec="prores_ks", options=WITH_ALPHA),
    ],
    ids=lambda c: f"{c.pixel_format}-{'full' if c.full else 'limited'}",
)  # fmt: skip
def test_other_pixel_formats(tmp_path: Path, coding: Coding) -> None:
    """4:2:2, 4:4:4, 12 bits, JPEG's range, RGB and alpha come into a BT.709 film of 4:2:0 with their colours."""
    tagged = coding if coding.tags[0] or coding.pixel_format.startswith("gbr") else Coding(
        **{**vars(coding), "tags": (coding.matrix, None, None)}
    )  # fmt: skip
    ending = {"mjpeg": ".mov", "prores_ks": ".mov", "utvideo": ".avi"}.get(coding.codec, ".mkv")
    path = write_patches(tmp_path / f"in{ending}", tagged)
    bits = 10 if coding.bits > 8 else 8
    film = edited(path, tmp_path / "out.mp4", colour=HD_COLOUR)
    assert difference(seen_patches(film, coding_of(HD_COLOUR, bits))) < 2


@pytest.mark.parametrize(("bits", "full"), [(8, False), (8, True), (10, False)])
def test_pictures_without_colour(tmp_path: Path, bits: int, full: bool) -> None:
    """A film of greys alone (H.264 monochrome) keeps its levels, limited or full."""
    greys = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    coding = Coding(matrix="bt709", full=full, bits=bits, tags=("bt709", "bt709", "bt709"))
    levels = to_yuv(greys[:, None].repeat(3, 1), coding)[:, 0]
    plane = np.repeat(levels, 16)[None].repeat(32, 0).astype(np.uint8 if bits == 8 else "<u2")
    path, name = tmp_path / "grey.mkv", "gray" if bits == 8 else "gray10le"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = plane.shape[1], plane.shape[0], name
        stream.codec_context.color_range = 2 if full else 1
        for n in range(8):
            frame = filled([plane], name)
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    seen = seen_patches(edited(path, tmp_path / "out.mp4", colour=HD_COLOUR), coding_of(HD_COLOUR, bits), 5)
    np.testing.assert_allclose(seen, greys[:, None].repeat(3, 1), atol=0.012)


def test_untagged_sources_mean_what_players_assume(tmp_path: Path) -> None:
    """SD without tags is BT.601, HD without tags BT.709: each comes right into a tagged film of the other kind."""
    small = write_patches(tmp_path / "sd.mp4", Coding(matrix="smpte170m", tag_range=False))
    film = edited(small, tmp_path / "a.mp4", colour=HD_COLOUR)
    assert difference(seen_patches(film, coding_of(HD_COLOUR, 8))) < 2
    large = tmp_path / "hd.mp4"
    yuv = to_yuv(PATCHES, Coding(matrix="bt709"))
    wide = [
        np.repeat(yuv[:, k], 128 // (1 + (k > 0)))[None].repeat(720 // (1 + (k > 0)), 0).astype(np.uint8)
        for k in range(3)
    ]
    with av.open(str(large), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1024, 720, "yuv420p"
        for n in range(7):
            frame = filled(wide, "yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    tags = ColourTags(matrix="smpte170m", full_range=True)
    film = edited(large, tmp_path / "b.mp4", colour=tags, width=128, height=90)
    assert difference(seen_patches(film, coding_of(tags, 8))) < 2
    assert probe(small).video.colour == probe(large).video.colour == UNTAGGED


@pytest.mark.parametrize("bits", [8, 10])
def test_effects_see_white_as_white(bits: int) -> None:
    """RGB of a film picture spans its whole dtype, black to white, and the way back gives every grey as it was."""
    film = Film(FilmSpec(width=512, height=16, rate=Fraction(25), bit_depth=bits))
    step = 2 ** (bits - 8)
    greys = np.linspace(16 * step, 235 * step, 512).round()[None].repeat(16, 0)
    middle = np.full((8, 256), 128 * step)
    planes = [p.astype(film.dtype) for p in (greys, middle, middle)]
    picture = FilmPicture(film.blank(), film).with_planes(planes)
    rgb = picture.rgb()
    assert (rgb[8, 0].max(), rgb[8, -1].min()) == (0, np.iinfo(rgb.dtype).max)
    back = picture.with_rgb(rgb).planes()
    assert np.abs(back[0].astype(int) - planes[0]).max() <= 1


# ---------------------------------------------------------------- HDR

NITS = np.array([(203, 203, 203), (26, 26, 26), (600, 600, 600), (150, 40, 20), (30, 90, 20), (10, 20, 120)], float)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("tags", [PQ, HLG], ids=["pq", "hlg"])
def test_hdr_keeps_codes_and_tags(tmp_path: Path, tags: ColourTags, ending: str) -> None:
    """PQ and HLG of 10 bits come through H.264 in every container: code values, depth and all four tags."""
    coding, codes = coding_of(tags, 10), pq_code(NITS)
    film = edited(write_patches(tmp_path / f"in{ending}", coding, codes), tmp_path / f"out{ending}")
    assert tags_of(film) == (9, 9, CODES[str(tags.transfer)], 1)
    assert probe(film).video.bit_depth == 10
    np.testing.assert_allclose(seen_patches(film, coding, len(codes)), codes, atol=0.006)


@pytest.mark.parametrize("deep", [8, 10])
@pytest.mark.parametrize("tags", [PQ, HLG], ids=["pq", "hlg"])
def test_hdr_in_an_sdr_film_is_tone_mapped(tmp_path: Path, tags: ColourTags, deep: int) -> None:
    """Patches of known light within dE00 2 of the exact map; diffuse white bright, grey neutral, the tags BT.709's."""
    light = Light.of(tags)
    codes = convert(pq_code(NITS), Light(transfer="pq", wide=True), light)
    path = write_patches(tmp_path / "in.mp4", coding_of(tags, 10), codes)
    film = edited(path, tmp_path / "out.mp4", colour=HD_COLOUR, bit_depth=deep)
    assert tags_of(film) == (1, 1, 1, 1)
    seen = seen_patches(film, coding_of(HD_COLOUR, deep), len(codes))
    assert difference(seen, convert(codes, light, Light(transfer="sdr", wide=False))) < 2
    np.testing.assert_allclose(seen[:2], [[0.903] * 3, [0.425] * 3], atol=0.012)


def test_the_report_s_stills_are_sdr(tmp_path: Path) -> None:
    """A PQ frame read for the report shows diffuse white and grey as an SDR film does, not flat and grey."""
    path = write_patches(tmp_path / "in.mp4", coding_of(PQ, 10), pq_code(NITS))
    seen = sdr_still(path, Fraction(0))[16, 8::16] / 255
    np.testing.assert_allclose(seen[:2], [[0.903] * 3, [0.425] * 3], atol=0.02)


@pytest.mark.parametrize("tags", [PQ, HLG], ids=["pq", "hlg"])
def test_sdr_in_an_hdr_film(tmp_path: Path, tags: ColourTags) -> None:
    """An SDR clip behind an HDR clip: white at 203 nits (PQ 58 %, HLG 75 %), BT.2020, colours by the exact map."""
    first = write_patches(tmp_path / "a.mp4", coding_of(tags, 10), np.concatenate([pq_code(NITS), pq_code(NITS[:2])]))
    rgb = np.concatenate([PATCHES[:6], [[1.0] * 3, [0.0] * 3]])
    second = write_patches(tmp_path / "b.mp4", coding_of(HD_COLOUR, 8), rgb)
    film = joined([first, second], tmp_path / "out.mkv")
    seen = seen_patches(film, coding_of(tags, 10), at=9)
    np.testing.assert_allclose(seen, convert(rgb, Light(transfer="sdr", wide=False), Light.of(tags)), atol=0.012)
    np.testing.assert_allclose(seen[6], 0.581 if tags is PQ else 0.75, atol=0.004)


LIGHT = "max-cll=600,200"
MASTERED = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)"


@pytest.mark.parametrize(
    ("metadata", "peak"), [(LIGHT, 600), (MASTERED, 4000), (f"{LIGHT}:{MASTERED}", 600), ("repeat-headers=1", None)]
)
def test_the_peak_is_read_from_the_file(tmp_path: Path, metadata: str, peak: float | None) -> None:
    """MaxCLL, else the mastering display's peak, else nothing; a patch of that light is then white in SDR."""
    options = (("preset", "ultrafast"), ("x265-params", f"{metadata}:log-level=none:crf=4"))
    codes = pq_code(np.array([[peak or 1000.0] * 3, [50.0] * 3]))
    path = write_patches(tmp_path / "in.mp4", coding_of(PQ, 10, codec="libx265", options=options), codes)
    assert probe(path).video.peak == peak
    film = edited(path, tmp_path / "out.mp4", colour=HD_COLOUR, bit_depth=8)
    assert seen_patches(film, coding_of(HD_COLOUR, 8), 2)[0].min() > 0.98


def test_a_smooth_sky_has_no_bands(tmp_path: Path) -> None:
    """A slow PQ gradient in an 8-bit SDR film is dithered: its mean follows the exact map finer than a code value."""
    width, height = 512, 64
    nits = np.linspace(60, 90, width)
    code = pq_code(nits)[None, :, None].repeat(height, 0).repeat(3, 2)
    yuv = to_yuv(code, coding_of(PQ, 10)).astype("<u2")
    planes = [yuv[..., 0], yuv[::2, ::2, 1], yuv[::2, ::2, 2]]
    path = tmp_path / "sky.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, 16, 1
        for n in range(8):
            frame = filled([np.ascontiguousarray(p) for p in planes], "yuv420p10le")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    film = edited(path, tmp_path / "out.mp4", colour=HD_COLOUR, bit_depth=8)
    with av.open(str(film)) as container:
        luma = read(next(container.decode(video=0)).planes[0], 8).astype(float)
    coded = to_rgb(yuv[:1].astype(float), coding_of(PQ, 10))[0]  # the source's own steps of 10 bits
    exact = 16 + 219 * convert(coded, Light(transfer="pq", wide=True), Light(transfer="sdr", wide=False))[:, 0]
    blocks = luma.mean(0).reshape(-1, 16).mean(1) - exact.reshape(-1, 16).mean(1)
    assert np.abs(blocks).max() < 0.35
