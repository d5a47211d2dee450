"""The film's sound on its way into the file: one gain from a first pass over the main track, a limiter per track."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction

from roughcut.effects.sound import limited, target_gain
from roughcut.effects.synthesizer import EffectSynthesizer
from roughcut.media.loudness import measure_loudness
from roughcut.media.mux import FilmMuxer
from roughcut.records import F32
from roughcut.synthesis import Media, synthesizer
from roughcut.timebase import nearest_frame
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.plan import Plan


class Loudness:
    """The gain that brings the main track to the loudness target, found by a pass over that track. All tracks get it,
    so the balance between them stays.
    """

    def __init__(self, plan: Plan, grid: FrameGrid, media: Media) -> None:
        self._plan, self._grid, self._media = plan, grid, media
        self._stop = threading.Event()

    def stop(self) -> None:
        """Give up; may be called from another thread."""
        self._stop.set()

    def gain(self) -> tuple[float, str | None]:
        """The factor, and a note where the target is not quite reached."""
        plan = self._plan
        if not plan.spec.tracks or plan.loudness_target is None:
            return 1.0, None
        main = min(plan.track, len(plan.spec.tracks) - 1)
        track = plan.spec.tracks[main]
        with synthesizer(plan, self._grid, self._media) as film:
            measured = measure_loudness(self._until_stopped(film.sound(main)), track.rate, track.layout)
        return target_gain(measured.integrated, plan.loudness_target)

    def _until_stopped(self, blocks: Iterator[F32]) -> Iterator[F32]:
        for block in blocks:
            if self._stop.is_set():
                return
            yield block


class Track:
    """One track on its way into the film, as far as the pictures have come."""

    def __init__(self, film: FilmMuxer, effects: EffectSynthesizer, track: int, gain: float) -> None:
        self._film, self._track = film, track
        self._rate = film.spec.tracks[track].rate
        self._blocks = limited(effects.sound(track), gain, self._rate)
        self._heard = 0

    def write_to(self, end: Fraction) -> None:
        """Write at least all samples before film time `end`."""
        due = nearest_frame(end, Fraction(self._rate))
        while self._heard < due and (block := next(self._blocks, None)) is not None:
            self._film.write_sound(block, self._track)
            self._heard += block.shape[1]
