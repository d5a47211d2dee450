"""Loudness of a film's sound by EBU R128 (ITU-R BS.1770), measured by libavfilter's `ebur128`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from roughcut.media.audio import frame_of
from roughcut.records import F32

SILENCE = -70.0  # LUFS: R128's absolute gate, given to what lies below it


@dataclass(frozen=True, kw_only=True)
class Loudness:
    """Integrated loudness in LUFS and the highest sample in dBFS."""

    integrated: float
    peak: float


def measure_loudness(blocks: Iterable[F32], rate: int, layout: str) -> Loudness:
    """Of [channels, n] float32 blocks that follow each other."""
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate, layout=layout, time_base=Fraction(1, rate))
    meter = graph.add("ebur128", "metadata=1")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    integrated, peak, at = SILENCE, 0.0, 0
    for block in blocks:
        if not block.shape[1]:
            continue
        peak = max(peak, float(np.abs(block).max()))
        frame = frame_of(block, layout, rate)
        frame.pts = at
        at += block.shape[1]
        graph.push(frame)
        integrated = _latest(graph, integrated)
    graph.push(None)
    integrated = _latest(graph, integrated)
    return Loudness(integrated=max(integrated, SILENCE), peak=20 * np.log10(max(peak, 1e-10)))


def _latest(graph: Graph, known: float) -> float:
    while True:
        try:
            told = graph.pull().metadata.get("lavfi.r128.I")
        except (av.BlockingIOError, av.EOFError):
            return known
        if told is not None and np.isfinite(float(told)):
            known = float(told)
