"""A sound file as a bed: any range of it played over and over, at the film's rate and layout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from roughcut.errors import InputError
from roughcut.media.audio import WITHIN_ONE, channels_of
from roughcut.media.decode import decoded, demuxed
from roughcut.media.faults import Losses, opened
from roughcut.records import F32


def check_music(path: Path) -> None:
    """Raise InputError where the file is missing or holds no sound."""
    with opened(path) as container:
        if not container.streams.audio:
            raise InputError("the music holds no sound", where=path, allowed="a file with a sound track")


class MusicReader:
    """Reads forwards; going back begins anew. Use as a context manager."""

    def __init__(self, path: Path, rate: int, layout: str) -> None:
        self._path, self._rate, self._layout = path, rate, layout
        self._open = ExitStack()
        self._begin()

    def __enter__(self) -> MusicReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _begin(self) -> None:
        self._at = 0
        self._held = np.zeros((channels_of(self._layout), 0), np.float32)
        self._blocks = self._over_and_over()

    def read(self, first: int, count: int) -> F32:
        """[channels, count] samples from the `first` on, the file played over and over."""
        if first < self._at:
            self._begin()
        while self._at + self._held.shape[1] < first + count:
            block = next(self._blocks)
            behind = self._at + self._held.shape[1] + block.shape[1] <= first
            if behind:
                self._at += self._held.shape[1] + block.shape[1]
                self._held = self._held[:, :0]
            else:
                self._held = np.concatenate([self._held, block], 1)
        self._held, self._at = self._held[:, first - self._at :], first
        return self._held[:, :count]

    def _over_and_over(self) -> Iterator[F32]:
        while True:
            some = False
            for block in self._once():
                some = True
                yield block
            if not some:
                raise InputError("no sound can be decoded", where=self._path)

    def _once(self) -> Iterator[F32]:
        self._open.close()
        container = self._open.enter_context(opened(self._path))
        if not container.streams.audio:
            raise InputError("the music holds no sound", where=self._path, allowed="a file with a sound track")
        resampler = AudioResampler(format="flt", layout=self._layout, rate=self._rate, options=WITHIN_ONE)
        losses = Losses()
        for packet in demuxed(container, container.streams.audio[0], losses=losses):
            for frame in decoded(packet, losses):
                if isinstance(frame, AudioFrame):
                    frame.pts = None
                    yield from _samples(resampler, frame)
        yield from _samples(resampler, None)


def _samples(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[F32]:
    for out in resampler.resample(frame):
        if out.samples:
            yield out.to_ndarray().reshape(out.samples, -1).T.astype(np.float32, copy=False)
