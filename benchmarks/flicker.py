"""Does a look flicker? Slow pans over pictures, graded as films are: how much the mean correction in CIELAB varies.

    python benchmarks/flicker.py DATA [--pictures 12]

A window of 60 % goes over a tenth of each held-out picture (DATA/images) in 5 s, 125 frames; as it is, then made dark
and warm. The table shows the standard deviation over the frames of mean(Lab corrected - Lab source), the greatest of
L, a and b; mean over pictures, then the worst. The bar is .02.

    shot     the product: one look for the shot, or its keys
    chart    the same look on one still chart: 0 by construction, unless the look has keys
    single   what every frame's own look would do
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np

from roughcut.effects.looks import apply_look
from roughcut.evaluation.colour_set import held_out
from roughcut.evaluation.delta_e import lab
from roughcut.features.frames import embedded
from roughcut.grading import Eye
from roughcut.media.picture_files import read_picture, to_eight
from roughcut.models import store
from roughcut.records import U8, Curve, Features, FrameTimes, Look, Shot, Timing
from roughcut.spatial.mapper import SpaceMapper, resized

FRAMES, RATE, EVERY = 125, 25, 12  # a picture is looked at every half second
WINDOW, WAY = 0.6, 0.1
FAULT = np.array([0.72, 0.64, 0.52])  # of display RGB: 1 stop dark, and warm


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pictures", type=int, default=12)
    asked = parser.parse_args()
    mapper, eye, names = SpaceMapper(store), Eye(), held_out(asked.data)
    chosen = [names[k] for k in np.unique(np.linspace(0, len(names) - 1, asked.pictures).round().astype(int))]
    for label, fault in (("as they are", np.ones(3)), ("dark and warm", FAULT)):
        rows, changed, keyed = [], 0, 0
        for name in chosen:
            frames = pan((to_eight(read_picture(asked.data / name).rgb) * fault).astype(np.uint8))
            look = shot_look(mapper, frames)
            single = [eye.look(frame) for frame in frames[::5]]
            looks = [look.at(Fraction(k, RATE)) for k in range(FRAMES)]
            rows.append((varies(frames, looks), varies([chart()] * FRAMES, looks), varies(frames[::5], single)))
            changed, keyed = changed + (not look.is_identity()), keyed + bool(look.keys)
        table = np.array(rows)
        print(f"{label}: {len(rows)} pans, {changed} corrected, {keyed} with keys")
        for k, way in enumerate(("shot", "chart", "single")):
            print(f"  {way:7} mean {table[:, k].mean():.4f}  worst {table[:, k].max():.4f}")


def pan(picture: U8) -> list[U8]:
    """The frames, each [h, w, 3]: whole pixels, so that nothing is resampled."""
    height, width = picture.shape[:2]
    high, wide = int(height * WINDOW), int(width * WINDOW)
    top, left = (height - high) // 2, (width - wide) // 2 - int(width * WAY / 2)
    steps = [left + round(width * WAY * k / (FRAMES - 1)) for k in range(FRAMES)]
    return [picture[top : top + high, x : x + wide] for x in steps]


def shot_look(mapper: SpaceMapper, frames: list[U8]) -> Look:
    """The look that the spatial mapping gives a shot of these frames."""
    seen = np.arange(0, FRAMES, EVERY)
    height, width = frames[0].shape[:2]
    small = np.concatenate([resized(frames[k][None], 64, max(round(64 * height / width), 8)) for k in seen])
    rows = np.concatenate([next(embedded(store.load("encoder"), frames[k][None])) for k in seen])
    times = FrameTimes(pts=np.arange(FRAMES), end_pts=FRAMES, time_base=Fraction(1, RATE))
    nothing = np.zeros(0, np.float32)
    features = Features(
        times=times, frame_stats=np.zeros((FRAMES, 4), np.float32), picture_frames=seen, pictures=small,
        embeddings=rows, sound=np.zeros((0, 42), np.float32), speech=nothing,
    )  # fmt: skip
    flat = Curve(name="flat", start=Fraction(0), step=Fraction(1), values=nothing)
    shot = Shot(first=0, stop=FRAMES, range=times.range)
    timing = Timing(transitions=(), shots=(shot,), keep=flat, accent=flat, lull=flat, speech=(), loudness=flat)
    return mapper.map(features, timing)[0]


def varies(frames: list[U8], looks: list[Look]) -> float:
    """Standard deviation over the frames of the mean correction, the greatest of L, a and b."""
    corrections = [
        (lab(apply_look(frame, look)[::2, ::2] / 255) - lab(frame[::2, ::2] / 255)).reshape(-1, 3).mean(0)
        for frame, look in zip(frames, looks, strict=True)
    ]
    return float(np.std(corrections, axis=0).max())


def chart() -> U8:
    """[16, 16, 3] colours spread over the whole cube."""
    return np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)


if __name__ == "__main__":
    main()
