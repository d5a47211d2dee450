"""Memory stays flat: what grows with the length of the footage lies on disk."""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import av
import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "memory.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The benchmark's own maker of long files, and its measure."""
    spec = importlib.util.spec_from_file_location("memory_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_repeated_film_has_even_times(benchmark: ModuleType, tmp_path: Path) -> None:
    """The long file that memory is measured on is sound: every frame and every block of sound at its exact place."""
    path = benchmark.repeated(benchmark.piece(tmp_path / "piece.mp4", 2), tmp_path / "long.mp4", 130)
    with av.open(str(path)) as container:
        pictures = [f.pts * f.time_base for f in container.decode(video=0)]
    with av.open(str(path)) as container:
        blocks = sorted(p.pts * p.time_base for p in container.demux(audio=0) if p.pts is not None and p.size)
    assert pictures == [Fraction(n, 2) for n in range(260)]
    steps = {b - a for a, b in pairwise(blocks)}
    assert steps == {Fraction(1024, 16_000)}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_analysis_stays_flat(benchmark: ModuleType, tmp_path: Path) -> None:
    """45 minutes take no more than 50 MB beyond what 3 minutes take, to analyse, to plan, and for the whole edit."""
    peaks = {}
    for minutes in (3, 45):
        path = benchmark.repeated(benchmark.piece(tmp_path / "piece.mp4", 2), tmp_path / f"{minutes}.mp4", minutes * 60)
        for step in ("analyze", "plan", "edit"):
            peaks[minutes, step], _ = benchmark.measured(
                step, path, tmp_path / f"{minutes}-film.mp4", tmp_path / "cache", "60s", "auto"
            )
    for step in ("analyze", "plan", "edit"):
        assert peaks[45, step] - peaks[3, step] < benchmark.FLAT_MB
