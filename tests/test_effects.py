"""Pictures, blends, sound and loudness by themselves, against independent arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.effects.sound import CEILING_DB, MAX_GAIN_DB, crossfade, limited, ramp, target_gain
from roughcut.effects.transitions import dissolve, fade
from roughcut.media.loudness import SILENCE, measure_loudness
from roughcut.media.picture import Film, FilmPicture
from roughcut.records import ColourTags, FilmSpec

RATE = 48_000
LUMA = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}


def film_of(matrix: str = "bt709", *, full: bool = False, depth: int = 8, width: int = 64) -> Film:
    colour = ColourTags(matrix=matrix, primaries="bt709", transfer="bt709", full_range=full)
    return Film(FilmSpec(width=width, height=32, rate=Fraction(25), colour=colour, bit_depth=depth))


def picture_of(film: Film, codes: tuple[int, int, int]) -> FilmPicture:
    """A flat picture of these code values."""
    blank = FilmPicture(film.blank(), film)
    return blank.with_planes([np.full_like(p, c) for p, c in zip(blank.planes(), codes, strict=True)])


def codes_of(rgb: tuple[float, float, float], matrix: str, full: bool) -> tuple[int, int, int]:
    """Y, U, V of RGB in 0..1 by the recommendations' own formulas, 8 bits."""
    kr, kb = LUMA[matrix]
    red, green, blue = rgb
    y = kr * red + (1 - kr - kb) * green + kb * blue
    u, v = (blue - y) / (2 * (1 - kb)), (red - y) / (2 * (1 - kr))
    low, luma, chroma = (0, 255, 255) if full else (16, 219, 224)
    return round(low + luma * y), min(round(128 + chroma * u), 255), min(round(128 + chroma * v), 255)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", list(LUMA))
def test_rgb_follows_the_recommendation(matrix: str, full: bool) -> None:
    """Patches of known RGB come out of their code values within 2, and go back to the same codes within 1."""
    film = film_of(matrix, full=full)
    for rgb in [(1, 1, 1), (0, 0, 0), (0.8, 0.2, 0.2), (0.2, 0.7, 0.3), (0.1, 0.3, 0.8), (0.5, 0.5, 0.5)]:
        codes = codes_of(rgb, matrix, full)
        seen = picture_of(film, codes).rgb()
        assert seen.dtype == np.uint8
        np.testing.assert_allclose(seen[16, 32], np.array(rgb) * 255, atol=2)
        back = picture_of(film, codes).with_rgb(seen)
        assert np.abs(np.array([int(p[8, 16]) for p in back.planes()]) - codes).max() <= 1


@pytest.mark.parametrize("width", [64, 50, 38])
def test_planes_leave_line_padding_out(width: int) -> None:
    """Widths that FFmpeg pads give planes of the picture's own size, and what is written is read back."""
    film = film_of(width=width)
    random = np.random.default_rng(1)
    shapes = [p.shape for p in FilmPicture(film.blank(), film).planes()]
    assert shapes == [(32, width), (16, width // 2), (16, width // 2)]
    planes = [random.integers(0, 256, s, dtype=np.uint8) for s in shapes]
    made = FilmPicture(film.blank(), film).with_planes(planes)
    for got, wanted in zip(made.planes(), planes, strict=True):
        np.testing.assert_array_equal(got, wanted)


@settings(max_examples=40, deadline=None)
@given(a=st.integers(0, 1023), b=st.integers(0, 1023), part=st.floats(0, 1), depth=st.sampled_from([8, 10]))
def test_dissolve_is_a_rounded_mean(a: int, b: int, part: float, depth: int) -> None:
    """A blend is the exact mean at the nearest 1/256 weight, rounded; ends are the pictures themselves."""
    film = film_of(depth=depth)
    a, b = (v % (1 << depth) for v in (a, b))
    old, new = picture_of(film, (a, 128, 128)), picture_of(film, (b, 128, 128))
    share = Fraction(round(part * 256), 256)
    exact = a * (1 - share) + b * share
    assert abs(int(dissolve(old, new, part).planes()[0][0, 0]) - exact) <= Fraction(1, 2)
    assert dissolve(old, new, 0.0) is old
    assert dissolve(old, new, 1.0) is new


def test_halfway_between_two_colours() -> None:
    """Half of 40 and half of 200 are exactly 120."""
    film = film_of()
    mixed = dissolve(picture_of(film, (40, 100, 90)), picture_of(film, (200, 140, 160)), 0.5)
    assert [int(p[3, 3]) for p in mixed.planes()] == [120, 120, 125]


def test_fade_goes_to_the_films_black() -> None:
    """At 0 every plane is black's code, at 1 the picture is not even copied."""
    for film in (film_of(), film_of(full=True), film_of(depth=10)):
        picture = picture_of(film, (200, 90, 170))
        assert tuple(int(p[0, 0]) for p in fade(picture, 0.0).planes()) == picture.black()
        assert fade(picture, 1.0) is picture


def test_crossfade_keeps_the_power() -> None:
    """Two independent noises of one power cross at that power, and the ends are nearly pure."""
    random = np.random.default_rng(2)
    old, new = random.normal(0, 0.1, (2, 1, 200_000)).astype(np.float32)
    mixed = crossfade(old, new)
    powers = [np.mean(part**2) for part in np.array_split(mixed[0], 10)]
    np.testing.assert_allclose(powers, 0.01, rtol=0.05)
    np.testing.assert_allclose(mixed[0, :10], old[0, :10], atol=1e-4)


def test_ramp_in_blocks_is_the_ramp_as_a_whole() -> None:
    """A fade cut into blocks gives the same samples, and is silent or full beyond its ends."""
    ones = np.ones((2, 1000), np.float32)
    whole = ramp(ones, -100, 500, rising=True)
    parts = [ramp(ones[:, a : a + 70], a - 100, 500, rising=True) for a in range(0, 1000, 70)]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-6)
    assert not whole[:, :100].any()
    assert np.all(whole[:, 600:] == 1)


def tone(level: float, seconds: float = 4, hertz: float = 997) -> np.ndarray:
    return (
        (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE))[None]
        .repeat(2, 0)
        .astype(np.float32)
    )


def test_loudness_of_the_standards_tone() -> None:
    """EBU Tech 3341: a 1 kHz stereo sine of -23 dBFS reads -23 LUFS within 0.1, however it is cut into blocks."""
    sound = tone(10 ** (-23 / 20), 20, 1000)
    for size in (1_000, 48_000):
        blocks = [sound[:, a : a + size] for a in range(0, sound.shape[1], size)]
        assert measure_loudness(blocks, RATE, "stereo").integrated == pytest.approx(-23, abs=0.1)


def test_silence_is_never_raised() -> None:
    """Digital silence and a whisper of noise keep their level, the latter with a note; a large gain is capped."""
    silent = measure_loudness([np.zeros((2, 4 * RATE), np.float32)], RATE, "stereo")
    assert silent.integrated == SILENCE
    assert target_gain(silent.integrated, -14)[0] == 1.0
    gain, note = target_gain(-45.0, -14)
    assert gain == pytest.approx(10 ** (MAX_GAIN_DB / 20))
    assert note is not None
    assert "20 dB" in note


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 9_000), min_size=1, max_size=12),
    gain=st.floats(0.1, 10),
    seed=st.integers(0, 99),
)
def test_limiter_holds_the_ceiling_and_the_count(sizes: list[int], gain: float, seed: int) -> None:
    """However the sound is cut into blocks: as many samples out as in, none above the ceiling, quiet ones untouched."""
    random = np.random.default_rng(seed)
    sound = random.uniform(-1, 1, (2, sum(sizes))).astype(np.float32)
    edges = np.cumsum([0, *sizes])
    out = [*limited((sound[:, a:b] for a, b in pairwise(edges)), gain, RATE)]
    made = np.concatenate(out, 1) if out else sound
    ceiling = 10 ** (CEILING_DB / 20)
    assert made.shape == sound.shape
    assert not made.size or np.abs(made).max() <= ceiling * 1.0001
    if gain < ceiling / 4:  # what lies between samples of noise may be several times as loud
        np.testing.assert_allclose(made, sound * gain, rtol=1e-5, atol=1e-6)


def test_limiter_does_not_depend_on_the_blocks() -> None:
    """The same sound in other blocks is limited the same."""
    sound = tone(1.0) * np.linspace(0.2, 1.5, 4 * RATE, dtype=np.float32)
    made = [
        np.concatenate([*limited((sound[:, a : a + n] for a in range(0, sound.shape[1], n)), 1.0, RATE)], 1)
        for n in (480, 4_096, sound.shape[1])
    ]
    np.testing.assert_allclose(made[0], made[2], atol=2e-3)
    np.testing.assert_allclose(made[1], made[2], atol=2e-3)


def test_a_loud_film_reaches_its_target() -> None:
    """Measured, raised and measured again, the sound has the target's loudness."""
    sound = tone(0.05)
    gain, note = target_gain(measure_loudness([sound], RATE, "stereo").integrated, -14)
    after = measure_loudness(limited([sound], gain, RATE), RATE, "stereo")
    assert note is None
    assert after.integrated == pytest.approx(-14, abs=0.1)


def test_limiter_holds_what_lies_between_samples() -> None:
    """A tone at a quarter of the rate whose peaks all fall between samples stays below -1 dB there too."""
    tone = np.sin(2 * np.pi * (np.arange(RATE) / 4 + 1 / 8))[None].repeat(2, 0).astype(np.float32) * 2**0.5
    made = np.concatenate([*limited([tone], 1.0, RATE)], 1)[0]
    spectrum = np.fft.rfft(made[4_000:-4_000])
    between = np.fft.irfft(np.pad(spectrum, (0, 3 * len(spectrum))), 8 * (len(made) - 8_000)) * 8
    assert np.abs(between[8_000:-8_000]).max() < 10 ** (-1 / 20)
