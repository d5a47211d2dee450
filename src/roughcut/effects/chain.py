"""The effects of a clip or a film on one picture, one after the other. Each is a function of the picture, its record
and the moment alone, so a film made in parts is the film made at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from roughcut.effects import covers, cubes, texture, views
from roughcut.records import Picture
from roughcut.records.effect import Effect
from roughcut.records.effects import (
    Cover,
    Denoise,
    Freeze,
    Grain,
    KenBurns,
    Letterbox,
    Lut,
    Mute,
    PunchIn,
    PushIn,
    Reframe,
    Sharpen,
    Speed,
    Stabilise,
    Vignette,
)

Filter = Callable[[Picture, str], Picture]
"""(picture, FFmpeg filters with their arguments, ";" between them) -> the picture through them."""


@dataclass(frozen=True)
class Moment:
    """Where in film and clip a picture stands."""

    part: float
    """0..1 of the clip (or the film)."""
    frame: int
    """Film frame."""
    source_time: Fraction
    size: tuple[int, int]
    """Of the film."""


UNSEEN = (Speed, Freeze, Mute)
"""Effects that change no picture."""
QUIET = (Grain, Denoise, Sharpen)
"""Effects that a proof looks past: they change no place and little of the light."""


def touches(effects: Sequence[Effect]) -> bool:
    """True where the effects change pictures."""
    return any(not isinstance(e, UNSEEN) and not is_neutral(e) for e in effects)


def is_neutral(effect: Effect) -> bool:
    """True where the parameters say: change nothing."""
    for name, value in (("amount", 0), ("strength", 0), ("margin", 0)):
        if getattr(effect, name, None) == value:
            return True
    return (isinstance(effect, Stabilise) and not effect.moves) or (isinstance(effect, Cover) and not effect.times)


def treated(picture: Picture, effects: Sequence[Effect], moment: Moment, filtered: Filter | None) -> Picture:
    """The picture with all effects; without `filtered`, those of a proof."""
    for effect in effects:
        if isinstance(effect, UNSEEN) or is_neutral(effect) or (filtered is None and isinstance(effect, QUIET)):
            continue
        picture = _one(picture, effect, moment, filtered)
    return picture


def _one(picture: Picture, effect: Effect, moment: Moment, filtered: Filter | None) -> Picture:
    if isinstance(effect, Denoise | Sharpen):
        return picture if filtered is None else filtered(picture, filter_of(effect, picture.bit_depth))
    if isinstance(effect, PunchIn) and filtered is not None:
        return filtered(picture, views.punch_filter(picture, effect))
    if isinstance(effect, Cover):
        return covers.covered(picture, effect, moment.source_time)
    if isinstance(effect, Lut):
        return cubes.through_lut(picture, effect)
    if isinstance(effect, Reframe):
        return views.reframed(picture, effect, moment.source_time, moment.size)
    if isinstance(effect, Stabilise):
        return views.stabilised(picture, effect, moment.source_time)
    if isinstance(effect, Grain):
        return texture.grain(picture, effect, moment.frame)
    if isinstance(effect, PushIn):
        return views.push_in(picture, effect, moment.part)
    if isinstance(effect, KenBurns):
        return views.ken_burns(picture, effect, moment.part)
    return _steady(picture, effect)


def _steady(picture: Picture, effect: Effect) -> Picture:
    """Effects that do not change with time."""
    plain = {PunchIn: views.punch_in, Vignette: texture.vignette, Letterbox: texture.letterbox}
    work = plain.get(type(effect))
    return picture if work is None else work(picture, effect)  # type: ignore[operator]


def filter_of(effect: Denoise | Sharpen, depth: int) -> str:
    """The FFmpeg filter that an effect stands for, on pictures of 8 bits or more.

    Non-local means are the better denoiser but know 8 bits alone; the other one is as strong at the square of their
    strength. `cas` above .9 divides by nearly nothing.
    """
    if isinstance(effect, Sharpen):
        return f"cas=strength={effect.amount * 0.9:.3f}:planes=1"
    strength = 1 + 9 * effect.strength
    return f"nlmeans=s={strength:.3f}:p=3:r=7" if depth == 8 else f"fftdnoiz=sigma={strength**2:.3f}:overlap=0.5"
