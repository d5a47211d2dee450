"""One pass over a written film: the time of every packet of pictures, the place of every decoded sample."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.packet import Packet

from roughcut.media.decode import decoded, demuxed
from roughcut.media.faults import Losses, opened
from roughcut.records import I64, MediaInfo

Listener = Callable[[Fraction, AudioFrame], None]
"""Called with every decoded run of a track and the time it is heard."""


@dataclass
class Pictures:
    """Timestamps of all packets of pictures, in ticks of the stream."""

    time_base: Fraction
    ticks: array[int] = field(default_factory=lambda: array("q"))
    last: int = 0
    """Duration of the last one shown, ticks; 0 where the file does not say."""
    key_frames: int = 0
    dts_falls: int = 0
    """Packets whose decoding time does not rise."""
    _dts: int | None = None

    def add(self, pts: int | None, dts: int | None, duration: int | None, key: bool) -> None:
        """Count a packet."""
        if pts is None:
            return
        if not self.ticks or pts > max(self.ticks[-1], self._highest):
            self._highest, self.last = pts, duration or 0
        self.ticks.append(pts)
        self.key_frames += key
        if dts is not None:
            self.dts_falls += self._dts is not None and dts <= self._dts
            self._dts = dts

    _highest: int = -(1 << 62)

    def shown(self) -> I64:
        """[n] ticks in the order of presentation."""
        return np.sort(np.frombuffer(self.ticks, np.int64)) if self.ticks else np.zeros(0, np.int64)


@dataclass
class Heard:
    """When each decoded sample is heard, by the file's timestamps. Only places where a run does not simply go on are
    kept, so memory stays small."""

    rate: int
    slack: Fraction
    """Rounding of the container's time base, seconds."""
    firsts: list[int] = field(default_factory=list)
    times: list[Fraction] = field(default_factory=list)
    gaps: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    """(when, length; negative where runs overlap)"""
    samples: int = 0

    def add(self, time: Fraction | None, samples: int) -> Fraction:
        """Append a run; returns when it is heard."""
        expected = self.time_of(self.samples)
        if time is not None and (not self.times or abs(time - expected) > self.slack):
            if self.times:
                self.gaps.append((expected, time - expected))
            self.firsts.append(self.samples)
            self.times.append(time)
        heard = self.time_of(self.samples)
        self.samples += samples
        return heard

    def time_of(self, sample: int) -> Fraction:
        """When a sample is heard."""
        if not self.times:
            return Fraction(sample, self.rate)
        run = max(bisect_right(self.firsts, sample) - 1, 0)
        return self.times[run] + Fraction(sample - self.firsts[run], self.rate)


def walk(info: MediaInfo, listeners: Sequence[Listener], losses: Losses) -> tuple[Pictures, list[Heard]]:
    """Demux everything, decode all sound; one listener per sound track."""
    pictures = Pictures(info.video.time_base)
    with opened(info.path) as container:
        streams = [container.streams[index] for index in (info.video.index, *(a.index for a in info.audio))]
        heard = [_heard(a.rate, container.streams[a.index].time_base) for a in info.audio]
        tracks = {a.index: k for k, a in enumerate(info.audio)}
        for packet in demuxed(container, *streams, losses=losses):
            if packet.stream_index == info.video.index:
                if packet.size:
                    pictures.add(packet.pts, packet.dts, packet.duration, packet.is_keyframe)
                continue
            k = tracks[packet.stream_index]
            for frame in decoded(packet, losses):
                if isinstance(frame, AudioFrame):
                    listeners[k](heard[k].add(_time(frame), min(frame.samples, _said(packet, heard[k].rate))), frame)
    return pictures, heard


def _said(packet: Packet[Any], rate: int) -> int:
    """Samples that a packet lasts by the file, where it counts in samples: the last one may end before its codec's
    frame does, by an eighth of a second at 8 kHz."""
    exact = packet.duration and packet.time_base is not None and packet.time_base * rate == 1
    return int(packet.duration) if exact and packet.duration is not None else sys.maxsize


def _heard(rate: int, time_base: Fraction | None) -> Heard:
    return Heard(rate=rate, slack=max(2 * (time_base or Fraction(1, rate)), Fraction(1, 1000)))


def _time(frame: AudioFrame) -> Fraction | None:
    return None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
