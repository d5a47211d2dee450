"""Where the camera itself drifts within a shot: auto-exposure and auto white balance that hunt while the scene stays.

Two witnesses must agree. The same places of the scene, followed from picture to picture with the camera's motion taken
out, tell how far the camera drifted. And every picture by itself, its median light, which knows nothing of the others,
must have moved as far, by more than its noise. A pan over bright and dark things moves the pictures alone; an exposure
that follows the scene as it should moves the places alone. Neither gets keys, and neither does a lamp that is lit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from roughcut.records import F32, U8, LookControls, LookKey
from roughcut.splines import monotone

F64 = NDArray[np.float64]
Seen = NDArray[np.bool_]
SLIDERS = ("temperature", "tint", "exposure")
LUMA = np.array([0.2126, 0.7152, 0.0722])  # BT.709
TRANSFER = 2.2  # as in `effects/looks.py`: a gain in light is a gain on the display signal
LEAST_PICTURES, MOST_PICTURES = 6, 240
LEAST_DRIFT = 0.3  # stops between the least and the greatest of a slider: less is nobody's trouble
FASTEST = 0.3  # stops from one picture to the next: what goes faster is light that changes
SURE = 5.0  # standard errors
SLOPES = (0.6, 1.6)  # of the pictures' own light by the drift: 1 where nothing else changes
MOST_MOVE = 0.8  # stops that a key lies from the mean
LEAST_CLIPPED, MOST_DARKER = 0.02, 0.3  # share of a picture; stops: what is clipped turns grey where it is darkened
CLOSE = 0.05  # stops that the curve may be off the path
MOST_KEYS = 8
FARTHEST = 12  # pixels of the small picture that the camera is followed over, from one picture to the next
DARK, BRIGHT = 12, 243  # codes: what lies beyond tells of no light
LEAST_SHARED = 0.1  # of the picture that must be seen in both
UNLIKE = 0.5  # stops of mean difference, drift taken out: such pictures show different things


def drift_keys(pictures: U8, weights: F32, times: Sequence[Fraction], mean: LookControls) -> tuple[LookKey, ...]:
    """The keys of a shot, () where its look stands still.

    Args:
        pictures: [N, h, w, 3] of the shot, N at least `LEAST_PICTURES`. weights: [N] how much each counts. times: N
            rising source times. mean: the shot's look.
    """
    path = camera_path(pictures)
    if path is None or np.abs(np.diff(path, axis=0)).max() > FASTEST:
        return ()
    undone = _smooth(_undoing(path))
    if np.ptp(undone, axis=0).max() < LEAST_DRIFT or not answered(undone, _undoing(own_light(pictures))):
        return ()
    undone -= np.average(undone, axis=0, weights=weights + 1e-6)
    undone = np.clip(undone, -MOST_MOVE, MOST_MOVE)
    if (pictures.max(-1) >= BRIGHT).mean((1, 2)).max() > LEAST_CLIPPED:
        undone[:, 2] = np.maximum(undone[:, 2], -MOST_DARKER)
    seconds = np.array([float(t - times[0]) for t in times])
    return tuple(LookKey(time=times[k], controls=_moved(mean, undone[k])) for k in chosen_keys(seconds, undone))


def own_light(pictures: U8) -> F64:
    """[N, 3] median light of red, green and blue of each of [N, h, w, 3] pictures, in stops below white."""
    median: F64 = np.median(_stops(pictures).reshape(len(pictures), -1, 3), axis=1)
    return median


def _stops(pictures: U8) -> F64:
    stops: F64 = TRANSFER * np.log2(np.maximum(pictures, 1) / 255.0)
    return stops


def camera_path(pictures: U8) -> F64 | None:
    """[N, 3] stops by which red, green and blue of the same places rose since the first picture; None where two
    pictures in a row show nothing in common."""
    logs = _stops(pictures)
    usable: Seen = np.all((pictures > DARK) & (pictures < BRIGHT), axis=-1)
    steps, shift = [np.zeros(3)], (0, 0)
    for k in range(1, len(pictures)):
        shift, apart = _followed(logs[k - 1][..., 1], logs[k][..., 1], usable[k - 1], usable[k], shift)
        if apart > UNLIKE:
            return None
        steps.append(_middle(_rises(logs[k - 1], logs[k], usable[k - 1], usable[k], shift)))
    path: F64 = np.cumsum(steps, axis=0)
    return path


def _followed(before: F64, after: F64, was: Seen, now: Seen, start: tuple[int, int]) -> tuple[tuple[int, int], float]:
    """The camera's motion in whole pixels, downhill from `start` and from rest, and how unlike pictures are then.

    `before` and `after` are green, [h, w].
    """
    found = []
    for here in {start, (0, 0)}:
        cost = _unlike(before, after, was, now, here)
        while True:
            around = [(here[0] + y, here[1] + x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
            costs = {s: _unlike(before, after, was, now, s) for s in around if max(map(abs, s)) <= FARTHEST}
            step = min(costs, key=lambda s: costs[s])
            if costs[step] >= cost:
                break
            here, cost = step, costs[step]
        found.append((cost, here))
    least, best = min(found)
    return best, least


def _unlike(before: F64, after: F64, was: Seen, now: Seen, shift: tuple[int, int]) -> float:
    """How far places [h, w] are from their median rise, stops; endless where too few are seen in both pictures."""
    rises = _rises(before, after, was, now, shift)
    if len(rises) < LEAST_SHARED * was.size:
        return np.inf
    return float(np.abs(rises - np.median(rises, axis=0)).mean())


def _rises(before: F64, after: F64, was: Seen, now: Seen, shift: tuple[int, int]) -> F64:
    """[n, ...] stops by which the places seen in both pictures [h, w, ...], one shifted, rose."""
    ours, theirs = _overlap(*shift, was.shape)
    both = was[ours] & now[theirs]
    rises: F64 = after[theirs][both] - before[ours][both]
    return rises


def _middle(rises: F64) -> F64:
    """[3] the mean of the middle half: finer than the median, whose steps are codes."""
    quarter = len(rises) // 4
    mean: F64 = np.sort(rises, axis=0)[quarter : len(rises) - quarter].mean(0)
    return mean


def _overlap(y: int, x: int, size: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    height, width = size
    ours = slice(max(-y, 0), height - max(y, 0)), slice(max(-x, 0), width - max(x, 0))
    theirs = slice(max(y, 0), height + min(y, 0)), slice(max(x, 0), width + min(x, 0))
    return ours, theirs


def _undoing(path: F64) -> F64:
    """[N, 3] temperature, tint and exposure that take the rises [N, 3] back (see `effects/looks.py`)."""
    red, green, blue = -path.T
    exposure = np.log2(2.0**-path @ LUMA)
    undone: F64 = np.stack([red - blue, green - (red + blue) / 2, exposure], -1)
    return undone


def _smooth(rows: F64) -> F64:
    """Each row the mean of itself and its neighbours, the ends held."""
    padded = np.concatenate([rows[:1], rows, rows[-1:]])
    mean: F64 = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return mean


def answered(undone: F64, own: F64) -> bool:
    """True where the pictures' own light [N, 3] moves as what would undo the drift [N, 3], by more than its noise.

    One slope is fitted for all sliders; its standard error counts as many pictures as the rest, correlated from one to
    the next, is worth (Bartlett's effective sample size).
    """
    given, wanted = undone - undone.mean(0), own - own.mean(0)
    power = max(float((given**2).sum()), 1e-12)
    slope = float((given * wanted).sum()) / power
    rest = wanted - slope * given
    alike = float(np.clip((rest[1:] * rest[:-1]).sum() / max((rest**2).sum(), 1e-12), 0, 0.9))
    worth = max(len(given) * (1 - alike) / (1 + alike) - 2, 0.5)
    error = float(np.sqrt((rest**2).mean() * len(given) / worth / power))
    return SLOPES[0] <= slope <= SLOPES[1] and slope >= SURE * error


def chosen_keys(seconds: F64, path: F64) -> list[int]:
    """Indices of the few points whose curve keeps close to the path [N, k]: the farthest is added until it does."""
    chosen = [0, len(seconds) - 1]
    while len(chosen) < MOST_KEYS:
        off = np.abs(monotone(seconds[chosen], path[chosen], seconds, level_ends=True) - path).max(1)
        if off.max() <= CLOSE:
            break
        chosen = sorted({*chosen, int(off.argmax())})
    return chosen


def _moved(mean: LookControls, move: F64) -> LookControls:
    values = {name: round(getattr(mean, name) + float(v), 4) for name, v in zip(SLIDERS, move, strict=True)}
    return replace(mean, **values)
