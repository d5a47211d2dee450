"""Draws the golden pictures of the effects: `python tests/golden/make_effects.py` writes effects.npz beside it.

Run it after a change that is meant to be seen, look at what changed, and say why in the commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from roughcut.effects.chain import Moment, treated
from roughcut.effects.transitions import fade, transition
from roughcut.media.filters import Filters
from roughcut.media.picture import Film, FilmPicture
from roughcut.records import FilmSpec
from roughcut.records.effect import Effect
from roughcut.records.effects import (
    Cover,
    Denoise,
    Grain,
    KenBurns,
    Letterbox,
    PunchIn,
    PushIn,
    Reframe,
    Sharpen,
    Stabilise,
    Vignette,
)
from roughcut.timeline.plan import OVERLAPPING, Join

GOLDEN = Path(__file__).with_name("effects.npz")
SIZE = (64, 36)
EFFECTS: tuple[Effect, ...] = (
    PushIn(amount=0.3), KenBurns(), PunchIn(amount=0.25), Vignette(amount=0.5), Grain(amount=0.05, seed=3), Letterbox(),
    Denoise(strength=0.5), Sharpen(amount=1.0), Reframe(points=((0.7, 0.5),)),
    Cover(how="mosaic", times=(Fraction(0), Fraction(1)), boxes=((0.2, 0.1, 0.5, 0.6), (0.3, 0.2, 0.6, 0.7))),
    Stabilise(margin=0.1, times=(Fraction(0), Fraction(1)), moves=((0.0, 0.05), (0.05, 0.0))),
)  # fmt: skip


def film(depth: int = 8, width: int = SIZE[0], height: int = SIZE[1]) -> Film:
    return Film(FilmSpec(width=width, height=height, rate=Fraction(25), bit_depth=depth))


def picture(made: Film, phase: float = 0.0) -> FilmPicture:
    """Smooth colours with an edge and some texture."""
    w, h = made.spec.width, made.spec.height
    y, x = np.mgrid[0:h, 0:w]
    u, v = x / w, y / h
    rgb = np.stack([0.5 + 0.4 * np.sin(5 * u + phase), 0.2 + 0.6 * v, 0.5 + 0.3 * np.cos(7 * (u - v) + phase)], -1)
    rgb[h // 3 : 2 * h // 3, w // 4 : w // 2] = (0.9, 0.8, 0.2)
    rgb += 0.04 * ((x * 7 + y * 13) % 5 - 2)[..., None]
    return FilmPicture(made.from_rgb((np.clip(rgb, 0, 1) * 255).astype(np.uint8)), made)


def drawn(depth: int = 8) -> Iterator[tuple[str, FilmPicture]]:
    """Every transition a third of the way, and every effect at two thirds of its clip."""
    made = film(depth)
    old, new, filters = picture(made), picture(made, 2.0), Filters(made)
    for kind in OVERLAPPING:
        for direction in ("left", "down") if kind in ("wipe", "slide", "push", "whip") else ("left",):
            join = Join(kind=kind, direction=direction, duration=Fraction(1), softness=0.2)  # type: ignore[arg-type]
            yield f"{kind}-{direction}", transition(old, new, join, 1 / 3)  # type: ignore[misc]
    yield "fade-white", fade(old, 0.4, "white")  # type: ignore[misc]
    for effect in EFFECTS:
        size = (20, 36) if isinstance(effect, Reframe) else SIZE
        moment = Moment(part=2 / 3, frame=7, source_time=Fraction(2, 3), size=size)
        yield effect.name, treated(old, (effect,), moment, filters)  # type: ignore[misc]


def main() -> None:
    planes = {f"{name}/{k}": p for name, made in drawn() for k, p in enumerate(made.planes())}
    np.savez_compressed(GOLDEN, **planes)
    print(f"{GOLDEN}: {len(planes)} planes, {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
