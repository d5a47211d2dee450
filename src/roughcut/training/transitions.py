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

from roughcut.records import F32, I64, U8, Transition, TransitionKind
from roughcut.training import blends, signal
from roughcut.training.disturbances import disturb
from roughcut.training.footage import STORED_SIZE, Footage, Rng, View, another_view, draw_view, same_film

LONGEST = 75  # frames inside a gradual transition
LONGEST_DIP_HOLD = 12


@dataclass(frozen=True, kw_only=True)
class Mix:
    """How a synthesised film is made. Shares need not sum to one."""

    cut: float = 0.36
    jump_cut: float = 0.12
    dissolve: float = 0.2
    dip: float = 0.08
    """Fade through a colour, held 12 frames or less"""
    fade: float = 0.09
    """To or from a colour that stays longer"""
    wipe: float = 0.08
    other: float = 0.07
    shortest: int = 2
    longest: int = 160
    """Clean frames of a shot, log-uniform"""
    disturbed: float = 0.5
    """Share of shots with a hard negative"""
    passed_on: bool = True
    """Whether the film goes through look, print, codec and clock (`training.signal`)"""


@dataclass(frozen=True)
class Film:
    """`thumbs` [T, 27, 48, 3] and every transition that touches them, some running over the film's ends."""

    thumbs: U8
    transitions: tuple[Transition, ...]
    ignored: tuple[Transition, ...] = ()
    """Those that nobody could see: both sides look alike"""


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
    film = np.clip(_draw(rng, joins, frames, mix), 0, 1)
    film = signal.pass_on(rng, film) if mix.passed_on else film
    seen = [_is_visible(film, join) for join in joins]
    counts = signal.clock(rng, frames) if mix.passed_on else np.ones(frames, np.int64)
    film = film[: len(counts)]
    shown = signal.blended(film, counts) if rng.random() < 0.3 else film.repeat(counts, axis=0)
    places = [_moved(join, counts, frames) for join in joins]
    truth = [
        (Transition(kind=j.kind, start=start, end=end, probability=1.0), visible)
        for j, (start, end), visible in zip(joins, places, seen, strict=True)
        if end > 0 and start < frames - 1
    ]
    return Film(
        np.asarray(np.clip(shown[:frames], 0, 1) * 255 + 0.5, np.uint8),
        tuple(t for t, visible in truth if visible),
        tuple(t for t, visible in truth if not visible),
    )


def _draw(rng: Rng, joins: Sequence[_Join], frames: int, mix: Mix) -> F32:
    """Shot by shot: each with what it lends to the transitions before and after it, disturbed as one clip."""
    film = np.zeros((frames, 27, 48, 3), np.float32)
    inside, tail, style = 0, film[:0], ""
    for join in joins:
        following = join.end - join.start - 1
        lo = join.before_from - inside if inside else min(max(join.before_from, 0), join.start + 1)
        hi = join.end if join.start < frames else frames
        if hi > 0:
            clip = join.before.render(lo - join.before_from, hi - join.before_from)
            clip = clip if join.is_flat else disturb(rng, clip, mix.disturbed)
            if inside:
                _place(film, lo, _BLENDS[style](rng, tail, clip[:inside]))
            _place(film, lo + inside, clip[inside : max(join.start + 1 - lo, inside)])
            tail = clip[len(clip) - following :]
        inside, style = following if join.end > 0 and join.start < frames else 0, join.style
    if inside:
        _place(film, joins[-1].start + 1, _BLENDS[style](rng, tail, joins[-1].after.render(-inside, 0)))
    return film


def _place(film: F32, first: int, clip: F32) -> None:
    """Lay a clip into the film from frame `first`, as far as the film goes."""
    lo, hi = max(first, 0), min(first + len(clip), len(film))
    if lo < hi:
        film[lo:hi] = clip[lo - first : hi - first]


def _is_visible(film: F32, join: _Join) -> bool:
    """Both sides differ, at a cut clearly more than neighbouring frames do."""
    if join.start < 0 or join.end >= len(film):
        return True

    def change(a: int, z: int) -> float:
        return float(np.abs(film[max(a, 0)] - film[min(z, len(film) - 1)]).mean())

    across = change(join.start, join.end)
    usual = (change(join.start - 1, join.start) + change(join.end, join.end + 1)) / 2
    return across > 0.008 and (join.kind != "cut" or across > 1.4 * usual)


def _moved(join: _Join, counts: I64, frames: int) -> tuple[int, int]:
    """Start and end of a transition in a film whose frame i is shown counts[i] times."""
    first = np.concatenate([[0], np.cumsum(counts)])
    start = join.start if join.start < 0 else int(first[join.start + 1]) - 1 if join.start < len(counts) else frames
    end = join.end if join.end < 0 else int(first[join.end]) if join.end < len(counts) else max(frames, start + 1)
    return start, end


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
    again = style == "jump cut" or (style == "dissolve" and rng.random() < 0.12)
    if again and view.material[0].std() > 8:
        return another_view(rng, view)
    if view.film and rng.random() < 0.6:
        return same_film(rng, view)
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


def label_rows(
    transitions: Sequence[Transition], frames: int, kinds: Sequence[str], ignored: Sequence[Transition] = ()
) -> tuple[F32, U8, F32]:
    """Targets of a film: tags [T, 2] (cut, gradual), kind index [T] (255 where there is none), weight [T].

    Frames of a transition that runs over the film's ends, or is to be ignored, weigh nothing.
    """
    tags, kind = np.zeros((frames, 2), np.float32), np.full(frames, 255, np.uint8)
    weight = np.ones(frames, np.float32)
    for found in ignored:
        weight[max(found.start, 0) : max(found.end + 1, 0)] = 0.0
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


def extent_rows(transitions: Sequence[Transition], frames: int) -> F32:
    """[frames]: how far along the gradual transition at a frame is, 0..1; 0 where there is none."""
    extent = np.zeros(frames, np.float32)
    for found in transitions:
        inside = np.arange(max(found.start + 1, 0), min(max(found.end, 0), frames))
        extent[inside] = (inside - found.start) / (found.end - found.start)
    return extent


def turned(film: Film) -> Film:
    """The same film backwards and mirrored: as good as another one for a network, and free."""
    last = len(film.thumbs) - 1

    def back(transitions: tuple[Transition, ...]) -> tuple[Transition, ...]:
        return tuple(replace(t, start=last - t.end, end=last - t.start) for t in reversed(transitions))

    return Film(np.ascontiguousarray(film.thumbs[::-1, :, ::-1]), back(film.transitions), back(film.ignored))
