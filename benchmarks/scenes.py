"""Are shots of one scene brought together? Halves of real shots, the second under a drawn fault of the camera.

    python benchmarks/scenes.py DATA [--shots 46]

Of every second file of DATA/shots/single six pictures: three of the first half, three of the second with a fault of
exposure, white balance and gamma. Prints the difference of the halves' mean CIELAB as filmed, after the blind pass and
drawn together; then the same from the second half's true colours, pixel by pixel; last by how much good halves moved.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np

from roughcut.effects.looks import apply_look
from roughcut.errors import RoughcutError
from roughcut.evaluation.delta_e import F64, lab
from roughcut.features.frames import embedded, resize
from roughcut.media.probe import probe
from roughcut.media.stills import stills_at
from roughcut.models import store
from roughcut.records import U8, Look
from roughcut.spatial.mapper import SpaceMapper, shot_look
from roughcut.spatial.matching import Take, agreed

EACH = 3  # pictures of a half


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--shots", type=int, default=46)
    asked = parser.parse_args()
    rows, rng = [], np.random.default_rng(0)
    for path in sorted((asked.data / "shots" / "single").iterdir())[::2][: asked.shots]:
        try:
            rows.append(halves(pictures(path), np.random.default_rng(rng.integers(1 << 30))))
        except RoughcutError as error:
            print(f"{path.name} is left out: {error}")
    table = np.array(rows).mean(0)
    print(f"{len(rows)} shots      as filmed   blind   together")
    print("halves apart  " + "".join(f"{v:9.2f}" for v in table[:3]))
    print("from the truth" + "".join(f"{v:9.2f}" for v in table[3:6]))
    print(f"good halves moved by {table[6]:.3f}")


def pictures(path: Path) -> U8:
    """[6, 180, 320, 3] of a file, evenly chosen."""
    info = probe(path)
    times = [info.range.start + info.range.duration * Fraction(2 * k + 1, 4 * EACH) for k in range(2 * EACH)]
    return np.concatenate([resize(np.asarray(still)[None], 320, 180) for still in stills_at(info, times)])


def halves(seen: U8, rng: np.random.Generator) -> list[float]:
    """The seven figures of one shot."""
    good, true = seen[:EACH], seen[EACH:]
    stops = rng.normal(0, 0.5) + np.array([1, 0, -1]) * rng.normal(0, 0.45) + np.array([0, 1, 0]) * rng.normal(0, 0.1)
    gained = np.clip(true / 255 * 2 ** (stops / 2.2), 0, 1) ** 2 ** rng.normal(0, 0.2)
    takes = [take(half) for half in (good, (gained * 255 + 0.5).astype(np.uint8))]
    small = [resize(half, 64, 36).reshape(1, -1, 3) for half in (good, true)]
    looks = agreed(takes, apply_look)
    ways = [(Look(), Look()), (takes[0].look, takes[1].look), (looks[0], looks[1])]
    shown = [[lab(apply_look(t.pixels[None], k) / 255) for t, k in zip(takes, way, strict=True)] for way in ways]
    apart = [float(np.linalg.norm(a.mean((0, 1)) - b.mean((0, 1)))) for a, b in shown]
    return [*apart, *(off(b, lab(small[1] / 255)) for _, b in shown), off(shown[2][0], shown[1][0])]


def take(half: U8) -> Take:
    """What is known of a half, with its look of the blind pass."""
    small = resize(half, 64, 36)
    seen = np.concatenate(list(embedded(store.load("encoder"), half)))
    rows, colour = seen.mean(0), SpaceMapper(store).look_at(small, seen)
    look = shot_look(colour, np.arange(len(small)), np.ones(len(small), np.float32))
    return Take(pixels=small.reshape(-1, 3), embedding=rows / np.linalg.norm(rows), look=look)


def off(a: F64, b: F64) -> float:
    """Mean CIELAB distance pixel by pixel."""
    return float(np.linalg.norm(a - b, axis=-1).mean())


if __name__ == "__main__":
    main()
