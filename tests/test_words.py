"""Where words stand and how well they are read, by construction: fonts differ between machines, layout must not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from golden.make_effects import film, picture
from roughcut.effects.overlays import WIDEST, Overlays, logo_picture
from roughcut.effects.text import RIM, broken, drawn, font_for
from roughcut.records import U8, Picture
from roughcut.records.effect import Effect
from roughcut.records.effects import Caption, Captions, Title

F = Fraction
SIZES = [(640, 360), (360, 640), (360, 360), (1920, 800)]
NOW = F(1)
SHORT, LONG = (
    "Hello there",
    "We walked until the light went, and nobody wanted to be the first to turn back that night.",
)


def captions(text: str) -> Captions:
    return Captions(cues=(Caption(start=F(0), end=F(9), text=text),))


def laid(effect: Effect, size: tuple[int, int], grey: int, at: Fraction = NOW) -> tuple[Picture, Picture]:
    """A flat picture of that light, without and with the effect."""
    made = film(width=size[0], height=size[1])
    given = picture(made).with_rgb(np.full((size[1], size[0], 3), grey, np.uint8))
    return given, Overlays((effect,), *size).laid(given, at)


def drawn_box(effect: Effect, size: tuple[int, int], grey: int = 100) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is drawn."""
    before, after = laid(effect, size, grey)
    ys, xs = np.nonzero(np.abs(after.planes()[0].astype(int) - before.planes()[0]) > 8)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("text", [SHORT, LONG])
def test_captions_stand_in_the_safe_area(size: tuple[int, int], text: str) -> None:
    """In the middle, in the lower third, 5 % away from every edge (EBU R 95), three lines at most."""
    left, top, right, bottom = drawn_box(captions(text), size)
    width, height = size
    assert abs((left + right) / 2 - width / 2) <= 3
    assert left >= 0.05 * width
    assert right <= 0.95 * width
    assert bottom <= 0.95 * height
    assert top >= height * 0.6


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_title_stands_above_its_second_line(size: tuple[int, int]) -> None:
    """Both in the middle, the smaller one below, neither on the other."""
    plain = drawn_box(Title(text="A title", card=0.0, start=F(0)), size)
    below = drawn_box(Title(text="A title", below="by someone", card=0.0, start=F(0)), size)
    assert below[1] == plain[1]
    assert below[3] > plain[3]
    assert abs((below[0] + below[2]) / 2 - size[0] / 2) <= 3
    assert 0.3 * size[1] < below[1] < below[3] < 0.75 * size[1]
    before, after = laid(Title(text="A title", below="by someone", card=0.0, start=F(0)), size, 100)
    rows = (np.abs(after.planes()[0].astype(int) - before.planes()[0]) > 8).any(1)
    gap = rows[plain[3] : below[3]]
    assert not gap[:1].any()


@pytest.mark.parametrize("grey", [0, 60, 128, 200, 255])
def test_words_are_read_on_any_ground(grey: int) -> None:
    """White within, and a rim that stands out against white: 4.5 to 1 between the two (WCAG 2) whatever lies behind."""
    _, after = laid(captions("HHHH"), (640, 360), grey)
    light = after.rgb()[..., 1].astype(float) / 255
    linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    left, top, right, bottom = drawn_box(captions("HHHH"), (640, 360), 128)
    part = linear[top:bottom, left:right]
    white, rim = np.quantile(part, 0.995), np.quantile(part, 0.02)
    assert white > 0.9
    assert (white + 0.05) / (rim + 0.05) >= 4.5


def test_the_rim_goes_all_around() -> None:
    """Every white pixel is surrounded by dark ones before the picture begins."""
    font = font_for("O", 60, None)
    rgb, alpha = drawn(["O"], font)
    white = rgb[..., 0] > 128
    ys, xs = np.nonzero(white)
    rim = round(font.size * RIM)
    for y, x in zip(ys[::17].tolist(), xs[::17].tolist(), strict=True):
        around = [alpha[y + dy, x + dx] for dy, dx in ((rim - 1, 0), (1 - rim, 0), (0, rim - 1), (0, 1 - rim))]
        assert min(around) > 0.3


def test_words_by_the_face_that_pillow_brings() -> None:
    """With one font on all machines, breaks are known: even lines, and the text's own line ends."""
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    lines = broken(LONG, font, WIDEST * 640)
    assert " ".join(lines) == LONG
    assert len(lines) == 2
    assert broken("a\n\nb", font, 400) == ["a", "", "b"]
    assert broken("", font, 400) == [""]


def test_mixed_scripts_break_where_either_may() -> None:
    """Latin words inside Chinese stay whole; Chinese around them may break."""
    font = font_for("a", 20, None)
    text = "我们用roughcut剪辑视频，然后分享。"
    for width in range(120, 320, 20):
        lines = broken(text, font, width)
        assert "".join(lines) == text
        assert any("roughcut" in line for line in lines)


def test_the_title_fades_in_and_out() -> None:
    """Nothing before, half of the light in the middle of a fade, all of it in between, nothing after."""
    title = Title(text="A title", card=0.0, start=F(1), duration=F(3))

    def whitest(t: Fraction) -> int:
        return int(laid(title, (640, 360), 40, t)[1].planes()[0].max())

    ground = int(laid(title, (640, 360), 40, F(0))[0].planes()[0].max())
    assert whitest(F(1, 2)) == ground
    assert whitest(F(2)) >= 230
    assert ground + 40 < whitest(F(6, 5)) < 200
    assert whitest(F(4)) == ground


@pytest.mark.parametrize("kind", ["16 bits", "cmyk", "palette", "clear palette", "one pixel", "black and white"])
def test_logos_of_all_kinds_of_pictures(tmp_path: Path, kind: str) -> None:
    """Read as what they look like."""
    red: U8 = np.full((20, 20, 3), (250, 0, 0), np.uint8)
    path = tmp_path / "logo.png"
    image = Image.fromarray(red)
    if kind == "16 bits":
        Image.fromarray(np.full((20, 20), 128 * 257, np.uint16)).save(path)
    elif kind == "cmyk":
        path = path.with_suffix(".jpg")
        image.convert("CMYK").save(path)
    elif kind == "one pixel":
        image.crop((0, 0, 1, 1)).save(path)
    elif kind == "black and white":
        Image.new("1", (20, 20), 1).save(path)
    else:
        image.quantize(4).save(path, **({"transparency": 0} if kind.startswith("clear") else {}))
    made = np.asarray(logo_picture(path))[0, 0]
    wanted = {"16 bits": (128, 128, 128, 255), "black and white": (255, 255, 255, 255), "clear palette": (250, 0, 0, 0)}
    assert np.abs(made.astype(int) - wanted.get(kind, (250, 0, 0, 255))).max() <= 6
