"""Effect synthesis: y = EffectSynthesizer(V, x). A plan's pictures and sound, clip by clip, in bounded memory.

film frames    0            e1            e2            e3
clips          |-----0-----~|~-----1-----|------2------|         ~ frames that two clips share in a dissolve
pictures       every clip is decoded once, with its handles; a dissolve reads two clips at a time
sound          sample edges are rounded from the same frame edges, so pictures and sound cannot drift
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from roughcut.effects.bed import Bed
from roughcut.effects.chain import Filter, Moment, touches, treated
from roughcut.effects.film import FilmEffects
from roughcut.effects.parallel import in_order
from roughcut.effects.sound import crossfade, ramp, silenced
from roughcut.effects.stretch import Stretcher
from roughcut.effects.transitions import fade, transition
from roughcut.errors import PlanError
from roughcut.records import F32, Look, Picture
from roughcut.records.effects import Freeze, Music, Mute, Reframe
from roughcut.timebase import nearest_frame
from roughcut.timeline.grid import FrameGrid, Zone
from roughcut.timeline.plan import Plan, Source
from roughcut.timeline.warp import goes_on, warp_of

ReadPictures = Callable[[Source, Sequence[Fraction], bool], Iterator[Picture]]
"""(source, rising source times, cover) -> the picture on screen at each, in the film's size; with `cover` as large as
it takes to fill the film, whatever its shape."""
ReadSound = Callable[[Source, int, Fraction, int], F32]
"""(source, track, start in source seconds, samples) -> [channels, samples] at the rate of that track of the film."""
ReadMusic = Callable[[Path, int, int, int], F32]
"""(file, track of the film, first film sample, samples) -> [channels, samples], the file played over and over."""
ApplyLook = Callable[[np.ndarray, Look], np.ndarray]

SOUND_JOIN = Fraction(1, 100)  # seconds over which sounds cross at a straight cut: no click, nothing smeared
BLOCK = 48_000  # samples of sound handled at a time


@dataclass(frozen=True)
class Untouched:
    """Film frames `[first, stop)` that are pictures of a clip's source as they are."""

    clip: int
    first: int
    stop: int


class EffectSynthesizer:
    """Turns a plan into pictures and sound through injected readers.

    Raises:
        PlanError: a transition is longer than a clip beside it.
    """

    def __init__(
        self,
        plan: Plan,
        grid: FrameGrid,
        read_pictures: ReadPictures,
        read_sound: ReadSound,
        apply_look: ApplyLook,
        filtered: Filter,
        read_music: ReadMusic,
    ) -> None:
        self._plan, self._grid = plan, grid
        self._read_pictures, self._read_sound, self._look = read_pictures, read_sound, apply_look
        self._filtered, self._read_music = filtered, read_music
        self._warps = [warp_of(c) for c in plan.clips]
        self._stretchers: dict[tuple[int, int], Stretcher] = {}
        self._over = FilmEffects(plan, grid, filtered)
        self._edges, self._zones = grid.edges, grid.zones
        self._rate = plan.spec.rate
        self._check()

    def _check(self) -> None:
        for i, clip in enumerate(self._plan.clips):
            if self._zones[i].last > self._zones[i + 1].first:
                raise PlanError(
                    "the transitions around a clip are longer than it",
                    where=f"clip {i + 1} ({clip.name or clip.source})",
                    got=f"{self._edges[i + 1] - self._edges[i]} frames",
                    next_step="shorten the transitions or lengthen the clip",
                )

    # ------------------------------------------------------------ pictures

    def pictures(self, first: int = 0, stop: int | None = None) -> Iterator[Picture]:
        """The film's pictures `[first, stop)`, all of them by default."""
        stop = len(self._grid) if stop is None else stop
        made = self._joined(first, stop)
        insets = self._over.insets(first, stop, self._read_pictures)
        try:
            for n, picture in enumerate(made, first):
                yield self._over.laid(picture, n, insets)
        finally:
            _close(made)
            for inset in insets:
                _close(inset.pictures)

    def _joined(self, first: int, stop: int) -> Iterator[Picture]:
        leaving: Iterator[Picture] | None = None
        for i in range(len(self._plan.clips)):
            zone, following = self._zones[i], self._zones[i + 1]
            begin, end = max(zone.first, first), min(following.last, stop)
            if begin >= end:
                continue
            coming = self._clip_pictures(i, begin, end)
            for n in range(begin, min(zone.last, end)):
                assert leaving is not None
                part = (n - zone.first + 1) / (len(zone) + 1)
                yield transition(next(leaving), next(coming), self._plan.joins[i], part)
            _close(leaving)
            for n in range(max(zone.last, begin), min(following.first, end)):
                yield fade(next(coming), *self._light(i, n))
            leaving = coming
        _close(leaving)

    def _clip_pictures(self, i: int, first: int, stop: int) -> Iterator[Picture]:
        """Clip i's pictures for film frames [first, stop), handles included, graded."""
        clip = self._plan.clips[i]
        look = None if clip.look is None or clip.look.is_identity() else clip.look
        times = [self._grid.source_time(i, n) for n in range(first, stop)]
        cover = any(isinstance(e, Reframe) for e in clip.effects)
        pictures = self._read_pictures(self._plan.source(clip), times, cover)
        treat = touches(clip.effects)

        def work(given: tuple[int, Picture]) -> Picture:
            n, picture = given
            now = moment(self._plan, self._grid, i, n)
            if look is not None:
                picture = picture.with_rgb(self._look(picture.rgb(), look.at(now.source_time)))
            return treated(picture, clip.effects, now, self._filtered)

        try:
            yield from pictures if look is None and not treat else in_order(work, enumerate(pictures, first))
        finally:
            _close(pictures)

    def untouched(self) -> Iterator[Untouched]:
        """Where nothing is done to the pictures: no look, no transition, no fade, no effect of clip or film."""
        for i, clip in enumerate(self._plan.clips):
            first, stop = self._zones[i].last, self._zones[i + 1].first
            while first < stop and self._light(i, first)[0] < 1:
                first += 1
            while first < stop and self._light(i, stop - 1)[0] < 1:
                stop -= 1
            plain = clip.look is None or clip.look.is_identity()
            if plain and self._warps[i] is None and not touches(clip.effects):
                for begin, end in self._over.clear(first, stop):
                    yield Untouched(i, begin, end)

    def _light(self, i: int, n: int) -> tuple[float, str]:
        """How much of clip i's picture shows at film frame n, 1 where nothing fades, and what the rest is."""
        opening, closing = self._fade_times(i)
        if not opening and not closing:
            return 1.0, "black"
        since = self._grid.time(n) - self._grid.time(self._edges[i])
        left = self._grid.time(self._edges[i + 1]) - self._grid.time(n + 1)
        rising = since / opening if opening else Fraction(1)
        falling = left / closing if closing else Fraction(1)
        nearest = self._plan.joins[i if rising <= falling else i + 1]
        return float(min(rising, falling, Fraction(1))), nearest.colour

    def _fade_times(self, i: int) -> tuple[Fraction, Fraction]:
        """Seconds (whole frames of the plan's rate) over which clip i fades in and out: all of a fade at the film's
        ends, half of one between clips.
        """
        lengths = []
        for j, at_end in ((i, i == 0), (i + 1, i + 1 == len(self._plan.clips))):
            join = self._plan.joins[j]
            share = join.duration if at_end else join.duration / 2
            lengths.append(nearest_frame(share, self._rate) / self._rate if join.kind == "fade" else Fraction(0))
        return lengths[0], lengths[1]

    # ------------------------------------------------------------ sound

    def sound(self, track: int = 0) -> Iterator[F32]:
        """[channels, n] blocks of one track that make exactly the samples of the film's frames together; music lies
        under the track that is listened to."""
        blocks = self._clips_sound(track)
        rate, chosen = self._plan.spec.tracks[track].rate, min(self._plan.track, len(self._plan.spec.tracks) - 1)
        for music in (e for e in self._plan.effects if isinstance(e, Music) and track == chosen):
            length = nearest_frame(self._grid.time(len(self._grid)), Fraction(rate))
            read = partial(self._read_music, music.path, track)
            blocks = map(Bed(music, read, rate, length).under, blocks)
        yield from blocks

    def _clips_sound(self, track: int) -> Iterator[F32]:
        rate = self._plan.spec.tracks[track].rate
        edges = [nearest_frame(self._grid.time(e), Fraction(rate)) for e in self._edges]
        zones = [self._sound_zone(i, edges, rate) for i in range(len(self._zones))]
        for i in range(len(self._plan.clips)):
            zone, following = zones[i], zones[i + 1]
            if len(zone):
                old, new = (self._clip_sound(k, track, edges, zone.first, zone.last) for k in (i - 1, i))
                yield crossfade(old, new)
            for first in range(zone.last, following.first, BLOCK):
                yield self._clip_sound(i, track, edges, first, min(first + BLOCK, following.first))

    def _sound_zone(self, i: int, edges: list[int], rate: int) -> Zone:
        """Where two sounds cross; nowhere at the film's ends, at fades, and where the source simply goes on."""
        clips, edge = self._plan.clips, edges[i]
        if not 0 < i < len(clips) or self._plan.joins[i].kind == "fade" or self._goes_on(i):
            return Zone(edge, edge)
        picture_zone = self._zones[i]
        if len(picture_zone):
            times = (self._grid.time(n) for n in (picture_zone.first, picture_zone.last))
            first, last = (nearest_frame(t, Fraction(rate)) for t in times)
            return Zone(first, last)
        room = min(edge - edges[i - 1], edges[i + 1] - edge) // 2
        half = min(int(SOUND_JOIN * rate / 2), room)
        return Zone(edge - half, edge + half)

    def _goes_on(self, i: int) -> bool:
        return goes_on(self._plan.clips[i - 1], self._plan.clips[i])

    def _clip_sound(self, i: int, track: int, edges: list[int], first: int, last: int) -> F32:
        """Clip i's sound for film samples [first, last), with its fades."""
        rate = self._plan.spec.tracks[track].rate
        samples = self._own_sound(i, track, Fraction(first, rate) - self._grid.time(self._edges[i]), last - first)
        samples = silenced(samples, first - edges[i], self._muted(i, rate), int(SOUND_JOIN * rate))
        opening, closing = (nearest_frame(t, Fraction(rate)) for t in self._fade_times(i))
        if opening and first < edges[i] + opening:
            samples = ramp(samples, first - edges[i], opening, rising=True)
        if closing and last > edges[i + 1] - closing:
            samples = ramp(samples, first - (edges[i + 1] - closing), closing, rising=False)
        return samples

    def _muted(self, i: int, rate: int) -> list[tuple[int, int]]:
        """Stretches of silence, samples from clip i's start on."""
        clip, warp = self._plan.clips[i], self._warps[i]
        pairs = [pair for effect in clip.effects if isinstance(effect, Mute) for pair in effect.ranges]
        since = [[t - clip.range.start for t in pair] for pair in pairs]
        film = [[t if warp is None else warp.film(t) for t in pair] for pair in since]
        return [(math.floor(start * rate), math.ceil(end * rate)) for start, end in film]

    def _own_sound(self, i: int, track: int, since: Fraction, samples: int) -> F32:
        """Clip i's sound from `since` its start on, at its speed."""
        clip, rate, warp = self._plan.clips[i], self._plan.spec.tracks[track].rate, self._warps[i]
        source = self._plan.source(clip)
        if any(isinstance(e, Freeze) and e.sound == "off" for e in clip.effects):
            return np.zeros_like(self._read_sound(source, track, clip.range.start, samples))
        if warp is None or not warp.rate:
            return self._read_sound(source, track, clip.range.start + since, samples)

        def read(first: int, count: int) -> F32:
            return self._read_sound(source, track, clip.range.start + Fraction(first, rate), count)

        stretcher = self._stretchers.setdefault((i, track), Stretcher(read, warp.source, rate))
        return stretcher.read(nearest_frame(since, Fraction(rate)), samples)


def moment(plan: Plan, grid: FrameGrid, i: int, n: int) -> Moment:
    """Where film frame n stands in clip i."""
    first, last = grid.edges[i], grid.edges[i + 1] - 1
    part = min(max((n - first) / max(last - first, 1), 0.0), 1.0)
    size = plan.spec.width, plan.spec.height
    return Moment(part=part, frame=n, source_time=grid.source_time(i, n), size=size)


def _close(pictures: Iterator[Picture] | None) -> None:
    """Let a reader close its file, whether it was read to its end or not."""
    close = getattr(pictures, "close", None)
    if close is not None:
        close()
