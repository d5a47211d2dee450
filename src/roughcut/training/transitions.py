"""Films whose truth is known: real shots joined by every kind of transition, with hard negatives inside the shots.

    clean shot 0 |s......e| clean shot 1 |s.e| clean shot 2       s: last clean frame of the old shot
                  blended                 cut: e = s + 1           e: first clean frame of the new one

A fade through a colour held 12 frames or less is one fade; held longer, the colour is a shot of its own between a
fade out and a fade in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from roughcut.records import F32, U8, Transition, TransitionKind
from roughcut.training import blends
from roughcut.training.disturbances import disturb, frame_film
from roughcut.training.footage import STORED_SIZE, Footage, Rng, View, another_view, draw_view

LONGEST = 75  # frames inside a gradual transition
LONGEST_DIP_HOLD = 12


@dataclass(frozen=True, kw_only=True)
class Mix:
    """How a synthesised film is made. Shares need not sum to one."""

    cut: float = 0.42
    jump_cut: float = 0.08
    dissolve: float = 0.19
    dip: float = 0.08
    """Fade through a colour, held 12 frames or less"""
    fade: float = 0.09
    """To or from a colour that stays longer"""
    wipe: float = 0.08
    other: float = 0.06
    shortest: int = 2
    longest: int = 160
    """Clean frames of a shot, log-uniform"""
    disturbed: float = 0.5
    """Share of shots with a hard negative"""


@dataclass(frozen=True)
class Film:
    """`thumbs` [T, 27, 48, 3] and every transition that touches them, some running over the film's ends."""

    thumbs: U8
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, kw_only=True)
class _Join:
    """A transition on the timeline: its truth, and how it is drawn."""

    kind: TransitionKind
    style: str
    start: int
    end: int
    before: View
    before_from: int
    """Film frame at which `before` counts 0; `after` counts 0 at `end`."""
    is_flat: bool
    """`before` is a held colour."""
    after: View


def synthesise(rng: Rng, footage: Footage, frames: int, mix: Mix) -> Film:
    """One film of `frames` frames."""
    joins = _lay_out(rng, footage, frames, mix)
    film = np.zeros((frames, 27, 48, 3), np.float32)
    for join in joins:
        _draw_shot(rng, film, join, mix)
        _draw_blend(rng, film, join)
    film = frame_film(rng, film)
    truth = tuple(
        Transition(kind=j.kind, start=j.start, end=j.end, probability=1.0)
        for j in joins
        if j.end > 0 and j.start < frames - 1
    )
    return Film(np.asarray(np.clip(film, 0, 1) * 255 + 0.5, np.uint8), truth)


def _lay_out(rng: Rng, footage: Footage, frames: int, mix: Mix) -> list[_Join]:
    """Joins in order, from before the film's start to past its end."""
    joins: list[_Join] = []
    view, position = draw_view(rng, footage), -int(rng.integers(0, 60))
    while not joins or joins[-1].end <= frames:
        held = bool(joins) and joins[-1].style == "fade out"
        length = int(rng.integers(LONGEST_DIP_HOLD + 1, 60)) if held else _log_uniform(rng, mix.shortest, mix.longest)
        start = position + length - 1
        style = _style_after(rng, held, mix)
        inside = _extent(rng, style)
        after = _next_view(rng, footage, view, style)
        end = start + inside + 1
        joins.append(
            _Join(
                kind=_kind(style, inside),
                style=style,
                start=start,
                end=end,
                before=view,
                before_from=position,
                is_flat=held,
                after=after,
            )
        )
        view, position = after, end
    return joins


def _style_after(rng: Rng, held: bool, mix: Mix) -> str:
    if held:
        return "fade in" if rng.random() < 0.7 else "cut"
    shares = {
        "cut": mix.cut,
        "jump cut": mix.jump_cut,
        "dissolve": mix.dissolve,
        "dip": mix.dip,
        "fade out": mix.fade,
        "wipe": mix.wipe,
        "other": mix.other,
    }
    p = np.array(list(shares.values()))
    return str(rng.choice(list(shares), p=p / p.sum()))


def _kind(style: str, inside: int) -> TransitionKind:
    """A single blended frame is what a frame-rate conversion makes of a cut."""
    if inside <= 1:
        return "cut"
    kinds: dict[str, TransitionKind] = {"dip": "fade", "fade out": "fade", "fade in": "fade", "wipe": "wipe"}
    return "other" if style == "other" else kinds.get(style, "dissolve")


def _extent(rng: Rng, style: str) -> int:
    """Frames strictly inside the transition."""
    if style in ("cut", "jump cut"):
        return int(rng.random() < 0.04)
    shortest = {"dissolve": 2, "fade out": 3, "fade in": 3, "dip": 4}.get(style, 4)
    return _log_uniform(rng, shortest, LONGEST if style != "other" else 45)


def _next_view(rng: Rng, footage: Footage, view: View, style: str) -> View:
    if style == "fade out":
        return _flat(rng, view)
    if style == "jump cut" and view.material[0].std() > 8:
        return another_view(rng, view)
    after = draw_view(rng, footage)
    graded_alike = rng.random() < 0.3
    return replace(after, gain=view.gain, gamma=view.gamma) if graded_alike else after


def _flat(rng: Rng, view: View) -> View:
    """A shot of one colour: mostly black, sometimes white."""
    level = rng.choice([0.0, 0.0, 0.0, 0.02, 1.0, rng.random()])
    colour = level * np.ones(3) if rng.random() < 0.9 else rng.random(3)
    width, height = STORED_SIZE
    material = np.broadcast_to(np.asarray(colour * 255, np.uint8), (1, height, width, 3))
    return replace(view, material=material, gain=(1.0, 1.0, 1.0), gamma=1.0)


def _draw_shot(rng: Rng, film: F32, join: _Join, mix: Mix) -> None:
    """The clean frames of the shot that ends with `join`."""
    lo, hi = max(join.before_from, 0), min(join.start + 1, len(film))
    if lo >= hi:
        return
    clip = join.before.render(lo - join.before_from, hi - join.before_from)
    film[lo:hi] = clip if join.is_flat else disturb(rng, clip, mix.disturbed)


def _draw_blend(rng: Rng, film: F32, join: _Join) -> None:
    """The frames strictly inside a transition."""
    n = join.end - join.start - 1
    if n == 0 or join.end <= 0 or join.start >= len(film) - 1:
        return
    old = join.before.render(join.start + 1 - join.before_from, join.end - join.before_from)
    new = join.after.render(-n, 0)
    drawn = _BLENDS[join.style](rng, old, new)
    lo, hi = max(join.start + 1, 0), min(join.end, len(film))
    film[lo:hi] = drawn[lo - join.start - 1 : hi - join.start - 1]


def _dissolve(rng: Rng, old: F32, new: F32) -> F32:
    return blends.dissolve(rng, old, new, blends.eased(rng, len(old)))


def _fade(rng: Rng, old: F32, new: F32) -> F32:
    progress = blends.eased(rng, len(old))[:, None, None, None]
    return blends.mixed(old, new, progress)


def _dip(rng: Rng, old: F32, new: F32) -> F32:
    """Through a colour; one side may be a hard cut."""
    n = len(old)
    hold = int(rng.integers(0, min(LONGEST_DIP_HOLD, n - 3) + 1))
    moving = n - hold
    share = rng.choice([0.0, 1.0, 0.5, 0.5, 0.5, rng.uniform(0.2, 0.8)])
    out = round(moving * share)
    level = np.concatenate([blends.eased(rng, out), np.ones(hold), 1 - blends.eased(rng, moving - out)])
    colour = np.full(3, rng.choice([0.0, 0.0, 0.0, 1.0, rng.random()]), np.float32)
    a = level.astype(np.float32)[:, None, None, None]
    picture = np.concatenate([old[: out + hold // 2], new[out + hold // 2 :]])
    return blends.mixed(picture, colour, a)


def _wipe(rng: Rng, old: F32, new: F32) -> F32:
    return blends.wipe(rng, old, new, blends.eased(rng, len(old)))


def _other(rng: Rng, old: F32, new: F32) -> F32:
    blend = blends.OTHERS[rng.integers(len(blends.OTHERS))]
    return blend(rng, old, new, blends.eased(rng, len(old)))


_BLENDS = {
    "cut": _dissolve,
    "jump cut": _dissolve,
    "dissolve": _dissolve,
    "dip": _dip,
    "fade out": _fade,
    "fade in": _fade,
    "wipe": _wipe,
    "other": _other,
}


def _log_uniform(rng: Rng, low: int, high: int) -> int:
    return int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))


def label_rows(transitions: Sequence[Transition], frames: int, kinds: Sequence[str]) -> tuple[F32, U8, F32]:
    """Targets of a film: tags [T, 2] (cut, gradual), kind index [T] (255 where there is none), weight [T].

    Frames of a transition that runs over the film's ends weigh nothing.
    """
    tags, kind = np.zeros((frames, 2), np.float32), np.full(frames, 255, np.uint8)
    weight = np.ones(frames, np.float32)
    for found in transitions:
        inside = slice(max(found.start + 1, 0), min(max(found.end, 0), frames))
        if found.start < 0 or found.end >= frames:
            weight[inside.start : max(inside.stop, inside.start + 1)] = 0.0
            continue
        if found.kind == "cut":
            inside = slice((found.start + found.end + 1) // 2, (found.start + found.end + 1) // 2 + 1)
        tags[inside, 0 if found.kind == "cut" else 1] = 1.0
        kind[inside] = kinds.index(found.kind)
    return tags, kind, weight
