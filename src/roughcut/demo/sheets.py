"""A sheet of six pictures for every effect of the catalogue, rendered as a film would be, from scenes drawn by code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from roughcut.demo.scenes import beach, city
from roughcut.effects.chain import Moment, treated
from roughcut.effects.overlays import Overlays
from roughcut.effects.transitions import fade, transition
from roughcut.errors import OutputError
from roughcut.media.filters import Filters
from roughcut.media.picture import Film, FilmPicture
from roughcut.records import FilmSpec, Picture, Progress
from roughcut.records.effect import Effect
from roughcut.records.effects import (
    EFFECTS,
    Caption,
    Captions,
    Cover,
    Denoise,
    Freeze,
    Grain,
    Inset,
    KenBurns,
    Logo,
    Lut,
    Music,
    Mute,
    PunchIn,
    PushIn,
    Reframe,
    Sharpen,
    Speed,
    Stabilise,
    Title,
    Vignette,
)
from roughcut.timeline.plan import OVERLAPPING, Join

SIZE = (480, 270)
SHOWN = 6
STRONGER: dict[type[Effect], dict[str, Any]] = {
    PushIn: {"amount": 0.3}, PunchIn: {"amount": 0.3}, Vignette: {"amount": 0.6}, Grain: {"amount": 0.08},
    Denoise: {"strength": 0.8}, Sharpen: {"amount": 1.0}, KenBurns: {"from_x": 0.3, "to_x": 0.7, "to_width": 0.6},
}  # fmt: skip
"""What would hardly be seen on a sheet at its default."""
NOT_DRAWN = (Speed, Freeze, Stabilise, Inset, Music, Logo, Cover, Mute, Lut)
"""Effects of time and sound, and those that need more than one picture."""


def draw_sheets(folder: Path, *, force: bool, progress: Progress) -> dict[str, Path]:
    """The sheets by the names of their effects.

    Raises:
        OutputError: one of them exists and `force` is off, or the folder cannot be written.
    """
    makers = dict(_makers())
    made: dict[str, Path] = {}
    for k, (name, draw) in enumerate(makers.items()):
        progress("drawing", k, len(makers))
        path = folder / f"{name}.png"
        if path.exists() and not force:
            raise OutputError("it exists", where=path, next_step="use --force to replace it")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sheet(draw).save(path)
        except OSError as error:
            raise OutputError("the sheet cannot be written", where=path, got=error.strerror) from error
        made[name] = path
    return made


def sheet(draw: Callable[[float], Picture]) -> Image.Image:
    """Six moments of 0..1, two rows of three."""
    pictures = [np.asarray(draw(k / (SHOWN - 1)).rgb()) for k in range(SHOWN)]
    high = max(p.shape[0] for p in pictures)
    rows = [np.concatenate([_framed(p, high) for p in pictures[k : k + 3]], 1) for k in (0, 3)]
    return Image.fromarray(np.concatenate(rows, 0).astype(np.uint8))


def _framed(rgb: np.ndarray, high: int) -> np.ndarray:
    return np.pad(rgb, ((1, 1 + high - rgb.shape[0]), (1, 1), (0, 0)), constant_values=255)


def _makers() -> Iterator[tuple[str, Callable[[float], Picture]]]:
    film = Film(FilmSpec(width=SIZE[0], height=SIZE[1], rate=Fraction(25)))
    filters = Filters(film)

    def scene(draw: Callable[[float], np.ndarray], t: float) -> Picture:
        rgb = Image.fromarray(draw(t)).resize(SIZE, Image.Resampling.BICUBIC)
        return FilmPicture(film.from_rgb(np.asarray(rgb)), film)

    for joined in OVERLAPPING:
        join = Join(kind=joined, duration=Fraction(1))  # type: ignore[arg-type]

        def blended(part: float, join: Join = join) -> Picture:
            return transition(scene(beach, part), scene(city, part), join, part)

        yield joined, blended
    yield "fade", lambda part: fade(scene(beach, part), abs(2 * part - 1), "white" if part > 0.5 else "black")
    for name, kind in EFFECTS.items():
        if kind in NOT_DRAWN:
            continue
        effect = kind(**STRONGER.get(kind, {}))

        def draw(part: float, effect: Effect = effect) -> Picture:
            size = (152, 270) if isinstance(effect, Reframe) else SIZE
            moment = Moment(part=part, frame=round(part * 100), source_time=Fraction(part), size=size)
            picture = scene(beach, part)
            if isinstance(effect, Captions | Title):
                return Overlays((_words(effect),), *SIZE).laid(picture, Fraction(part) * 4)
            return treated(picture, (effect,), moment, filters)

        yield name, draw


def _words(effect: Effect) -> Effect:
    if isinstance(effect, Title):
        return Title(text="Two days at the sea", below="September", start=Fraction(1, 4), duration=Fraction(3))
    texts = ("The tide was out.", "We walked until the light went, and nobody wanted to be the first to turn back.")
    return Captions(
        cues=tuple(Caption(start=Fraction(2 * k), end=Fraction(2 * k + 2), text=t) for k, t in enumerate(texts))
    )
