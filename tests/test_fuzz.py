"""Damaged files give a film that names its loss, or one clear error: a few here, hundreds in the slow run."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.judge import judge
from fuzz.mutations import MUTATIONS, mutate
from fuzz.run import REAL, run, summary
from fuzz.seeds import write_seeds
from roughcut.media.faults import quiet_ffmpeg

FEW = ("h264.mp4", "h264.mkv", "mpeg2.ts", "mpeg4.avi")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_seeds(tmp_path_factory.mktemp("seeds"), keep=lambda name: name in FEW)


@pytest.mark.parametrize("number", range(len(MUTATIONS)))
def test_a_damaged_file_is_a_film_or_an_error(seeds: list[Path], tmp_path: Path, number: int) -> None:
    """Each way of damage to one of four files: no traceback, no debris, losses named."""
    quiet_ffmpeg()
    source = seeds[number % len(seeds)]
    way, data = mutate(source.read_bytes(), number, seed=3)
    damaged = tmp_path / f"{way}-{source.name}"
    damaged.write_bytes(data)
    (tmp_path / "out").mkdir()
    outcome = judge(damaged, tmp_path / "out", whole_frames=75)
    assert outcome.verdict in ("film", "error"), outcome.words


def test_mutations_repeat(seeds: list[Path]) -> None:
    """The same seed damages a file the same way, another one differently."""
    data = seeds[0].read_bytes()
    assert mutate(data, 4, seed=1) == mutate(data, 4, seed=1) != mutate(data, 4, seed=2)
    assert all(mutate(data, number, seed=1)[1] != data for number in range(len(MUTATIONS)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 6])
def test_hundreds_of_damaged_files(tmp_path: Path, seed: int) -> None:
    """340 damaged files of 14 kinds, and real ones where they are: every promise kept within 30 s and 1 GB each."""
    outcomes = run(340, seed=seed, real=REAL)
    assert all(outcome.good for outcome in outcomes), summary(outcomes)
    assert sum(outcome.verdict == "film" for outcome in outcomes) > 100
