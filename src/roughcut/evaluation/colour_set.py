"""`python -m roughcut.evaluation.colour_set DATA_DIR OUT_DIR`: pairs for `evaluate colour` from held-out photographs.

    OUT_DIR/all        every fault family at once, each drawn on its own     degraded/, target/
    OUT_DIR/balance    white balance alone
    OUT_DIR/clean      nothing but recording: what is touched here is harm

The simulator shares no code and no parametrisation with the one in `training/faults.py`: the true sRGB curve, the
CIE daylight locus under Bradford adaptation, Bézier tone curves, Pillow's own contrast and colour, real JPEG files.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from roughcut.errors import DataError, OutputError, RoughcutError
from roughcut.evaluation.colour import read_picture
from roughcut.evaluation.delta_e import RGB_TO_XYZ, display, linear
from roughcut.records import U8

F64 = NDArray[np.float64]
Fault = Callable[[Image.Image, np.random.Generator], Image.Image]
SPECKS = 0.003  # share of pixels that are black, white or a pure colour
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def colour_part(name: str) -> str:
    """`val` and `test` for a twelfth each of all names, `train` for the rest; the same on every machine."""
    return {0: "val", 1: "test"}.get(zlib.crc32(name.encode()) % 12, "train")


def build(data: Path, out: Path, *, seed: int = 5) -> int:
    """Write the three sets from the photographs that `images.csv` names and `colour_part` holds out.

    Raises:
        DataError: no table, or none held out. OutputError: the folder cannot be written.
    """
    names = held_out(data)
    for i, name in enumerate(names):
        picture = read_picture(data / name)
        for kind, faults in SETS.items():
            rng = np.random.default_rng((seed, i, len(faults)))
            save(picture, out / kind / "target" / f"{Path(name).stem}.png")
            save(degraded(picture, faults, rng), out / kind / "degraded" / f"{Path(name).stem}.png")
    return len(names)


def held_out(data: Path) -> list[str]:
    """Paths below `data` of the photographs no training saw."""
    try:
        with (data / "images.csv").open(encoding="utf-8", newline="") as lines:
            names = [row["file"] for row in csv.DictReader(lines)]
    except (OSError, KeyError) as error:
        raise DataError("the data folder lacks a table of pictures", where=data / "images.csv", got=error) from error
    found = [name for name in names if colour_part(name) == "test"]
    if not found:
        raise DataError("no picture is held out", where=data / "images.csv")
    return found


def degraded(picture: U8, faults: dict[str, tuple[float, Fault]], rng: np.random.Generator) -> U8:
    """A faulty version: each fault with its own share, at least one where there are any, then the recording."""
    drawn = [fault for share, fault in faults.values() if rng.random() < share]
    if faults and not drawn:
        drawn = [list(faults.values())[int(rng.integers(len(faults)))][1]]
    image = Image.fromarray(picture)
    for fault in drawn:
        image = fault(image, rng)
    return recorded(image, rng, specks=SPECKS if faults else 0.0)


def white_balance(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Lit by daylight of another temperature (CIE 15), or by a lamp; adapted by Bradford; then a tint."""
    kelvin = 1e6 / rng.uniform(60, 250) if rng.random() < 0.65 else rng.uniform(2600, 4000)
    gains = np.diag((_BRADFORD @ _white(kelvin)) / (_BRADFORD @ _white(6504.0)))
    matrix = np.linalg.inv(RGB_TO_XYZ) @ np.linalg.inv(_BRADFORD) @ gains @ _BRADFORD @ RGB_TO_XYZ
    tint = np.array([1.0, 2 ** rng.normal(0, 0.15), 1.0])
    light = linear(_floats(image)) @ matrix.T * tint
    return _image(display(light))


def exposure(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """One stop and a half either way, clipped, at times under a veil of stray light."""
    light = linear(_floats(image)) * 2 ** rng.uniform(-1.6, 1.1)
    veil = rng.uniform(0.01, 0.05) if rng.random() < 0.3 else 0.0
    return _image(display(np.minimum(light, 1) * (1 - veil) + veil))


def tone_curve(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A Bézier curve with both handles and both ends moved."""
    t = np.linspace(0, 1, 512)
    low, high = rng.uniform(-0.05, 0.12), 1 + rng.uniform(-0.15, 0.05)
    first, second = np.clip(1 / 3 + rng.normal(0, 0.17), 0, 0.9), np.clip(2 / 3 + rng.normal(0, 0.17), 0.1, 1)
    x = 3 * (1 - t) ** 2 * t / 3 + 3 * (1 - t) * t**2 * 2 / 3 + t**3
    y = (1 - t) ** 3 * low + 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * second + t**3 * high
    table = np.clip(np.interp(np.arange(256) / 255, x, y) * 255, 0, 255).round().astype(int).tolist()
    return image.point(table * 3)


def contrast(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Pillow's contrast around the picture's own mean grey."""
    return ImageEnhance.Contrast(image).enhance(float(rng.uniform(0.55, 1.35)))


def saturation(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Pillow's colour, toward grey and away from it."""
    return ImageEnhance.Color(image).enhance(float(rng.uniform(0.35, 1.6)))


def recorded(image: Image.Image, rng: np.random.Generator, *, specks: float) -> U8:
    """Noise and specks, then a JPEG file with chroma at half size."""
    pixels = _floats(image)
    pixels = pixels + rng.normal(0, rng.uniform(0, 0.012), pixels.shape) * (specks > 0)
    hit = rng.random(pixels.shape[:2]) < specks
    pixels[hit] = rng.integers(0, 2, (int(hit.sum()), 3))
    file = io.BytesIO()
    _image(pixels).save(file, "JPEG", quality=int(rng.integers(75, 96)), subsampling=2)
    return np.asarray(Image.open(file).convert("RGB"))


SETS: dict[str, dict[str, tuple[float, Fault]]] = {
    "all": {
        "white balance": (0.6, white_balance),
        "exposure": (0.5, exposure),
        "tone curve": (0.4, tone_curve),
        "contrast": (0.3, contrast),
        "saturation": (0.35, saturation),
    },
    "balance": {"white balance": (1.0, white_balance)},
    "clean": {},
}


def _white(kelvin: float) -> F64:
    """XYZ of daylight (CIE 15:2004) at 4000 K and above, below of a black body (Kim's cubic), luminance 1."""
    t = 1000 / kelvin
    if kelvin >= 7000:
        x = -2.0064 * t**3 + 1.9018 * t**2 + 0.24748 * t + 0.237040
    elif kelvin >= 4000:
        x = -4.6070 * t**3 + 2.9678 * t**2 + 0.09911 * t + 0.244063
    else:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    lamp = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    y = -3.0 * x**2 + 2.870 * x - 0.275 if kelvin >= 4000 else lamp
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _floats(image: Image.Image) -> F64:
    return np.asarray(image, np.float64) / 255


def _image(rgb: F64) -> Image.Image:
    return Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8))


def save(picture: U8, path: Path) -> None:
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(temporary, "PNG")
        temporary.replace(path)
    except OSError as error:
        raise OutputError("the picture cannot be written", where=path, got=error) from error


def main(arguments: list[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m roughcut.evaluation.colour_set", description=__doc__)
    parser.add_argument("data", type=Path, help="a folder with images.csv and the pictures it names")
    parser.add_argument("out", type=Path, help="the folder for all/, balance/ and clean/")
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args(arguments)
    try:
        count = build(given.data, given.out, seed=given.seed)
    except RoughcutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{given.out}: {count} pictures in each of {', '.join(SETS)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
