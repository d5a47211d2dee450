"""The film's sound on its way into the file: one gain from a first pass over the main track, a limiter per track, and
an encoder, all on threads of their own beside the pictures.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from roughcut.effects.sound import limited, target_gain
from roughcut.media.codecs import container_of
from roughcut.media.coded_sound import Packet, SoundEncoder
from roughcut.media.faults import writing
from roughcut.media.loudness import measure_loudness
from roughcut.media.mux import FilmMuxer
from roughcut.records import F32
from roughcut.synthesis import Media, synthesizer
from roughcut.timebase import nearest_frame
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.plan import Plan

MOST_WAITING = 8 << 20  # bytes of coded sound per track: minutes of it


class Soundtrack:
    """All tracks of a film, encoded while its pictures are made. All get the gain that brings the main one to the
    loudness target, so the balance between them stays.

        with Soundtrack(plan, grid, media, path) as sound:
            ...                             # make the pictures
            sound.write_to(film, end)       # all that is heard before film time `end`
            sound.finish(film)
    """

    def __init__(self, plan: Plan, grid: FrameGrid, media: Media, film: Path) -> None:
        self._plan, self._grid, self._media, self._film = plan, grid, media, film
        self._stop = threading.Event()
        self._tracks = [_Waiting(self._stop) for _ in plan.spec.tracks]

    def __enter__(self) -> Soundtrack:
        self._pool = ThreadPoolExecutor(1 + len(self._tracks), thread_name_prefix="roughcut-sound")
        self._gain: Future[tuple[float, str | None]] = self._pool.submit(self._measure)
        for k in range(len(self._tracks)):
            self._pool.submit(self._encode, k)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for track in self._tracks:
            track.wake()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def remark(self) -> str | None:
        """A note where the loudness target is not quite reached; waits for the pass that tells."""
        return self._gain.result()[1]

    def write_to(self, film: FilmMuxer, end: Fraction) -> None:
        """Write at least all samples before film time `end`."""
        for k, track in enumerate(self._tracks):
            film.write_sound(track.take(nearest_frame(end, Fraction(self._plan.spec.tracks[k].rate))), k)

    def finish(self, film: FilmMuxer) -> None:
        """Write what is left."""
        for k, track in enumerate(self._tracks):
            film.write_sound(track.take(None), k)

    def _measure(self) -> tuple[float, str | None]:
        """The gain, and a note where the target is not quite reached."""
        plan = self._plan
        if not plan.spec.tracks or plan.loudness_target is None:
            return 1.0, None
        main = min(plan.track, len(plan.spec.tracks) - 1)
        track = plan.spec.tracks[main]
        with synthesizer(plan, self._grid, self._media) as film:
            measured = measure_loudness(self._until_stopped(film.sound(main)), track.rate, track.layout)
        return target_gain(measured.integrated, plan.loudness_target)

    def _encode(self, k: int) -> None:
        waiting = self._tracks[k]
        try:
            gain, _ = self._gain.result()
            with writing(self._film):
                encoder = SoundEncoder(self._plan.spec, container_of(self._film), k)
                with synthesizer(self._plan, self._grid, self._media) as film:
                    for block in limited(self._until_stopped(film.sound(k)), gain, self._plan.spec.tracks[k].rate):
                        waiting.put(encoder.encode(block), block.shape[1])
                waiting.put(encoder.finish(), 0)
            waiting.end()
        except BaseException as error:  # told to whoever waits for the sound
            waiting.end(error)

    def _until_stopped(self, blocks: Iterator[F32]) -> Iterator[F32]:
        for block in blocks:
            if self._stop.is_set():
                return
            yield block


class _Waiting:
    """Packets of one track between its encoder and the file: never more than `MOST_WAITING` bytes and a block."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._changed = threading.Condition()
        self._blocks: deque[tuple[list[Packet], int]] = deque()
        self._bytes = self._taken = 0
        self._ended = False
        self._error: BaseException | None = None

    def put(self, packets: list[Packet], samples: int) -> None:
        """Add what became of so many samples, when there is room."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < MOST_WAITING or self._stop.is_set())
            self._blocks.append((packets, samples))
            self._bytes += sum(packet.size for packet in packets)
            self._changed.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """No more will come, perhaps because of an error."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def wake(self) -> None:
        """Let whoever waits look whether it is to stop."""
        with self._changed:
            self._changed.notify_all()

    def take(self, due: int | None) -> Iterator[Packet]:
        """The packets of at least the first `due` samples that were not taken yet, or of all; waits for them."""
        while due is None or self._taken < due:
            with self._changed:
                self._changed.wait_for(lambda: self._blocks or self._ended)
                if not self._blocks:
                    if self._error is not None:
                        raise self._error
                    return
                packets, samples = self._blocks.popleft()
                self._bytes -= sum(packet.size for packet in packets)
                self._taken += samples
                self._changed.notify_all()
            yield from packets
