"""Analysis stage by stage: frames per second and the ratio to decoding alone, in one run.

    python benchmarks/stages.py FILE [--rounds 5]

Every round times decoding alone, then the whole pass, then what `roughcut shots` does; figures are medians. CPU seconds
count all threads. The bar for `shots` is 1.25 times decoding the pictures alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from roughcut.features.frames import FrameFeatures
from roughcut.features.sound import SoundFeatures
from roughcut.media.probe import probe
from roughcut.media.scan import scan
from roughcut.records import MediaInfo
from roughcut.temporal.shots import ShotMapper


class Clock:
    """Wall and CPU seconds by name."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[name] += time.perf_counter() - wall
        self.cpu[name] += time.process_time() - cpu


def decode_only(path: Path, *, sound: bool = True) -> int:
    """All frames of the video and its first sound track, thrown away."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.thread_type = "AUTO"
        frames = 0
        for packet in container.demux(video, *container.streams.audio[: int(sound)]):
            for frame in packet.decode():
                frames += isinstance(frame, av.VideoFrame)
        return frames


def one_pass(info: MediaInfo, clock: Clock) -> None:
    """What `roughcut analyze` does with the decoded film, each consumer timed on its own."""
    eyes, ears, shots = FrameFeatures(), SoundFeatures(), ShotMapper()
    batches = scan(info)
    while True:
        with clock.stage("scan (decode, thumbs, pictures, 16 kHz sound)"):
            batch = next(batches, None)
        if batch is None:
            break
        with clock.stage("frame encoder and statistics"):
            eyes.push(batch)
        with clock.stage("sound rows and speech"):
            ears.push(batch.sound)
        with clock.stage("shot networks"):
            shots.push(batch.thumbs)
    with clock.stage("shot networks"):
        shots.finish()


def shots_alone(info: MediaInfo, clock: Clock) -> None:
    """What `roughcut shots` does after the probe: pictures alone, small, and the shot networks."""
    mapper = ShotMapper()
    for batch in scan(info, picture_rate=None, track=None):
        with clock.stage("shots: the networks in it"):
            mapper.push(batch.thumbs)
    with clock.stage("shots: the networks in it"):
        mapper.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    info = probe(given.file)
    rounds: list[Clock] = []
    frames = 0
    for _ in range(given.rounds):
        clock = Clock()
        with clock.stage("decode alone"):
            frames = decode_only(given.file)
        with clock.stage("the whole pass"):
            one_pass(info, clock)
        with clock.stage("decode pictures alone"):
            decode_only(given.file, sound=False)
        with clock.stage("shots"):
            shots_alone(info, clock)
        rounds.append(clock)
    print(f"{given.file.name}: {info.video.width}x{info.video.height} {info.video.codec}, {frames} frames")
    print(f"{'stage':48s} {'wall s':>8s} {'frames/s':>9s} {'x decode':>9s} {'CPU s':>8s}")
    base = statistics.median(r.wall["decode alone"] for r in rounds)
    for name in rounds[0].wall:
        wall = statistics.median(r.wall[name] for r in rounds)
        cpu = statistics.median(r.cpu[name] for r in rounds)
        ratio = statistics.median(r.wall[name] / r.wall["decode alone"] for r in rounds)
        print(f"{name:48s} {wall:8.2f} {frames / wall:9.0f} {ratio:9.2f} {cpu:8.2f}")
    beside = statistics.median(r.wall["shots"] / r.wall["decode pictures alone"] for r in rounds)
    cpu = statistics.median(r.cpu["shots"] / r.cpu["decode pictures alone"] for r in rounds)
    speed = frames / statistics.median(r.cpu["shots: the networks in it"] for r in rounds)
    print(f"shots over decoding pictures alone: {beside:.2f} wall, {cpu:.2f} CPU; networks {speed:,.0f} frames/CPU-s")
    print(f"decoding alone: {frames / base:.0f} frames/s; ratios are medians of {given.rounds} rounds of the same run")


if __name__ == "__main__":
    main()
