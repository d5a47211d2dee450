"""Damage small files in hundreds of ways and run probe, analyze and edit on each.

    python -m fuzz.run --count 340 --seed 0 --keep failures/        (from tests/)

One worker process does the files one after the other, so that networks load once; a watchdog ends it where a file
takes over 30 s or a gigabyte, and starts another for the rest. Exit code 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fuzz.judge import LIMIT_BYTES, LIMIT_SECONDS, Outcome
from fuzz.mutations import mutate
from fuzz.seeds import write_seeds

REAL = Path(__file__).parents[3] / "shared" / "data" / "shots" / "single"
START_SECONDS = 60  # a worker's first file waits for imports and networks


@dataclass(frozen=True, kw_only=True)
class Job:
    """A damaged file and how many frames it had when it was whole."""

    path: Path
    whole_frames: int


def damaged(seeds: Sequence[Path], folder: Path, count: int, seed: int) -> Iterator[Job]:
    """`count` damaged files, written one by one; seeds and mutations take turns."""
    from roughcut.media.probe import probe
    from roughcut.media.scan import scan

    frames = {path: sum(len(batch.pts) for batch in scan(probe(path))) for path in seeds}
    for number in range(count):
        source = seeds[number // 13 % len(seeds)]
        way, data = mutate(source.read_bytes(), number, seed)
        path = folder / f"{number:04d}-{way}-{source.name}"
        path.write_bytes(data)
        yield Job(path=path, whole_frames=frames[source])


class Worker:
    """A process that judges files, watched over."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self._said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._started = False

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._said.put(line)
        self._said.put("")

    def judge(self, job: Job) -> Outcome:
        """What became of a file; `hang`, `memory` or `crash` where the worker did not live to tell."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{job.whole_frames}\t{job.path}\n")
        left = LIMIT_SECONDS + (0 if self._started else START_SECONDS)
        while left > 0:
            try:
                line = self._said.get(timeout=0.25)
            except queue.Empty:
                left -= 0.25
                if self._resident() > LIMIT_BYTES:
                    return self._ended(job, "memory")
                continue
            self._started = True
            return Outcome(**json.loads(line)) if line else self._ended(job, "crash")
        return self._ended(job, "hang")

    def _resident(self) -> int:
        try:
            return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0

    def _ended(self, job: Job, verdict: str) -> Outcome:
        self.close()
        return Outcome(name=job.path.name, verdict=verdict, words=f"exit {self._process.returncode}")

    @property
    def alive(self) -> bool:
        """False after a hang or a crash."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def run(count: int, seed: int, keep: Path | None = None, *, real: Path | None = REAL) -> list[Outcome]:
    """Judge `count` damaged files; those that break a promise are copied to `keep`."""
    outcomes = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "damaged").mkdir()
        seeds = write_seeds(folder / "seeds", real)
        worker = Worker(folder / "work")
        for job in damaged(seeds, folder / "damaged", count, seed):
            worker = worker if worker.alive else Worker(folder / "work")
            outcome = worker.judge(job)
            outcomes.append(outcome)
            if not outcome.good:
                print(f"{outcome.verdict}: {job.path.name}: {outcome.words}", flush=True)
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(job.path, keep)
            job.path.unlink()
        worker.close()
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> str:
    """Counts by verdict, the slowest, the largest."""
    counts = ", ".join(f"{n} {verdict}" for verdict, n in Counter(o.verdict for o in outcomes).most_common())
    told = sum(1 for o in outcomes if o.verdict == "film" and o.warnings)
    slowest, largest = max(o.seconds for o in outcomes), max(o.peak for o in outcomes)
    limits = f"slowest {slowest:.1f} s, largest {largest / 1e6:.0f} MB"
    return f"{len(outcomes)} files: {counts}; {told} films name a loss; {limits}"


def main() -> int:
    """Run, print, and say by the exit code whether all promises were kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=340)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the files that break a promise")
    wishes = parser.parse_args()
    outcomes = run(wishes.count, wishes.seed, wishes.keep)
    print(summary(outcomes))
    return int(not all(outcome.good for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
