"""Peak memory and wall time from 10 minutes to 10 hours: is it flat?

    python benchmarks/memory.py [--minutes 10 60 600] [--steps analyze plan render] [--target 10m] [--fps 5]

Each length is a file at 64x48 with 16 kHz mono sound, made by repeating the packets of one encoded piece (a dozen
shots, a voice in half of them). Each step runs in a process of its own: `analyze` fills an empty cache, `plan` and
`edit` (plan, render, report) begin from it. Peak memory is the most that was resident (VmHWM), beside importing alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIZE = (64, 48)
RATE = 16_000
PIECE = 48  # seconds; whole packets of 1024 samples: 750 of them
SHOT = 4
FLAT_MB = 50

STEP = """
import sys, roughcut, resource
from pathlib import Path
step, path, out, target, keep = sys.argv[1:]
import roughcut.pipeline
if step == "analyze":
    roughcut.analyze(path)
elif step == "plan":
    roughcut.plan(roughcut.analyze(path), target=target or None, keep=keep)
elif step == "edit":
    roughcut.edit(path, out, target=target or None, keep=keep, force=True)
status = Path("/proc/self/status").read_text()
print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")))
"""


def piece(path: Path, fps: int) -> Path:
    """A short film of different shots, with a voice in every other one."""
    from roughcut.demo.voice import RATE as VOICE_RATE
    from roughcut.demo.voice import sentence

    rng = np.random.default_rng(1)
    width, height = SIZE
    sound = 0.003 * rng.standard_normal(PIECE * RATE).astype(np.float32)
    for start in range(0, PIECE, 2 * SHOT):
        words = sentence(2.5, rng)[:: VOICE_RATE // RATE]
        sound[(start + 1) * RATE :][: len(words)] += words[: len(sound) - (start + 1) * RATE]
    options = {"crf": "24", "preset": "ultrafast", "bf": "0", "g": str(SHOT * fps)}
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=fps, options=options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        track = out.add_stream("aac", rate=RATE, layout="mono")
        for n in range(PIECE * fps):
            if n % (SHOT * fps) == 0:
                scene = rng.integers(0, 255, (4, 6, 3), np.uint8).repeat(height // 4, 0).repeat(width // 6 + 1, 1)
            picture = np.ascontiguousarray(np.roll(scene[:, :width], n % (SHOT * fps), 1))
            out.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(video.encode(None))
        for at in range(0, len(sound), 1024):
            frame = av.AudioFrame.from_ndarray(sound[None, at : at + 1024], "fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, at
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
    return path


def repeated(source: Path, path: Path, seconds: int) -> Path:
    """The packets of a film of `PIECE` seconds over and over, their times moved on."""
    with av.open(str(source)) as given:
        packets = sorted(
            ((p.stream.index, p.dts, p.pts, p.duration, p.time_base, p.is_keyframe, bytes(p))
             for p in given.demux() if p.size and p.pts is not None and 0 <= p.pts * p.time_base < PIECE),
            key=lambda p: p[1] * p[4],
        )  # fmt: skip
        with av.open(str(path), "w") as out:
            streams = [out.add_stream_from_template(s) for s in given.streams]
            for turn in range(-(-seconds // PIECE)):
                for index, dts, pts, length, base, key, data in packets:
                    if (at := pts * base + turn * PIECE) >= seconds:
                        continue
                    packet = av.Packet(data)
                    moved = int(turn * PIECE / base)
                    packet.stream, packet.time_base = streams[index], base
                    packet.pts, packet.dts, packet.duration, packet.is_keyframe = pts + moved, dts + moved, length, key
                    assert packet.pts * base == Fraction(at)
                    out.mux(packet)
    return path


def measured(step: str, path: Path, out: Path, cache: Path, target: str, keep: str) -> tuple[float, float]:
    """Peak MB and wall seconds of one step in a process of its own."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", STEP, step, str(path), str(out), target, keep],
        env={**os.environ, "ROUGHCUT_CACHE": str(cache)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return int(done.stdout.split()[-1]) / 1024, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 60, 600])
    parser.add_argument("--steps", nargs="+", default=["analyze", "plan", "edit"], choices=["analyze", "plan", "edit"])
    parser.add_argument("--target", default="", help="as in `roughcut edit`")
    parser.add_argument("--keep", default="auto", help="as in `roughcut edit`")
    parser.add_argument("--fps", type=int, default=5)
    parser.add_argument("--ending", default="mp4", choices=["mp4", "mkv"])
    parser.add_argument("--folder", type=Path, help="keep media and cache here, and use what is there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        nothing, _ = measured("import", folder, folder, folder, "", "")
        print(f"{'input':>8s} {'step':>8s} {'peak MB':>8s} {'above import':>12s} {'beside first':>12s} {'wall s':>8s}")
        first: dict[str, float] = {}
        for minutes in given.minutes:
            path = folder / f"{minutes}m-{given.fps}fps.{given.ending}"
            if not path.exists():
                repeated(piece(folder / f"piece-{given.fps}.{given.ending}", given.fps), path, minutes * 60)
            for step in given.steps:
                peak, wall = measured(
                    step, path, folder / f"{minutes}-film.mp4", folder / "cache", given.target, given.keep
                )
                first.setdefault(step, peak)
                more = peak - first[step]
                verdict = "" if more <= FLAT_MB else "  not flat"
                length = f"{minutes} min"
                print(f"{length:>8s} {step:>8s} {peak:8.0f} {peak - nothing:12.0f} {more:+12.0f} {wall:8.1f}{verdict}",
                      flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
