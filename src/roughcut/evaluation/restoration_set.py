"""`python -m roughcut.evaluation.restoration_set DATA_DIR OUT_DIR`: pairs for `evaluate restoration`.

    OUT_DIR/degraded, OUT_DIR/target        held-out photographs, and what FFmpeg's own filters and scaler made of them

The faults share no code with those of the training: `noise` (even and Gaussian, its own generator), `gblur`, `avgblur`,
`dblur` (a stroke), and a way through half the size. A third gets noise, a third is softened, a third both.
"""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

from roughcut.errors import RoughcutError
from roughcut.evaluation.colour import read_picture
from roughcut.evaluation.colour_set import held_out, save
from roughcut.media.filters import Filters
from roughcut.media.picture import Film, FilmPicture
from roughcut.records import U8, FilmSpec


def build(data: Path, out: Path, *, seed: int = 11) -> int:
    """Write the pairs of the photographs that `images.csv` names and `colour_part` holds out.

    Raises:
        DataError: no table, or none held out. OutputError: the folder cannot be written.
    """
    names = held_out(data)
    for i, name in enumerate(names):
        picture = read_picture(data / name)
        picture = np.ascontiguousarray(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])
        rng = np.random.default_rng((seed, i))
        save(picture, out / "target" / f"{Path(name).stem}.png")
        save(degraded(picture, fault(i % 3, rng)), out / "degraded" / f"{Path(name).stem}.png")
    return len(names)


def fault(kind: int, rng: np.random.Generator) -> str:
    """FFmpeg filters: 0 noise, 1 softness, 2 both."""
    steps = []
    if kind != 0:
        steps.append(
            (
                f"gblur=sigma={rng.uniform(0.5, 1.8):.3f}",
                f"avgblur=sizeX={int(rng.integers(1, 3))}",
                f"dblur=angle={rng.uniform(0, 180):.1f}:radius={rng.uniform(1.5, 4):.2f}",
                "scale=w=trunc(iw/4)*2:h=trunc(ih/4)*2:flags=area;scale=w={width}:h={height}:flags=bilinear",
            )[int(rng.integers(4))]
        )
    if kind != 1:
        flags = ("", "u", "a")[int(rng.integers(3))]
        told = f":allf={flags}" if flags else ""
        steps.append(f"noise=alls={int(rng.integers(4, 32))}{told}:all_seed={int(rng.integers(1, 10_000))}")
    return ";".join(steps)


def degraded(picture: U8, words: str) -> U8:
    """A picture [h, w, 3] of even sides through FFmpeg's filters."""
    height, width = picture.shape[:2]
    film = Film(FilmSpec(width=width, height=height, rate=Fraction(25)))
    given = FilmPicture(film.from_rgb(picture), film)
    made = Filters(film)(given, words.format(width=width, height=height)).rgb()
    return np.asarray(made, np.uint8)


def main(arguments: list[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m roughcut.evaluation.restoration_set", description=__doc__)
    parser.add_argument("data", type=Path, help="a folder with images.csv and the pictures it names")
    parser.add_argument("out", type=Path, help="the folder for degraded/ and target/")
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args(arguments)
    try:
        count = build(given.data, given.out, seed=given.seed)
    except RoughcutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{given.out}: {count} pairs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
