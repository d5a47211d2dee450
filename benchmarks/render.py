"""Rendering against ffmpeg doing the same cuts with the same encoder, in one run.

    pip install imageio-ffmpeg     (a static ffmpeg; or have one on the path)
    python benchmarks/render.py CLIP [--seconds 60] [--cuts 8] [--rounds 5]

The clip is looped to the wanted length at 1080p first. Figures are medians; ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from roughcut.media.probe import probe
from roughcut.records import FilmSpec, Look, LookControls
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="benchmark", words="cut for a benchmark")
LOOK = Look(controls=LookControls(temperature=0.2, exposure=0.3, saturation=0.1))


def ffmpeg() -> str:
    """A command-line FFmpeg to compare with."""
    try:
        import imageio_ffmpeg  # type: ignore[import-not-found]  # a benchmark's own need
    except ModuleNotFoundError:
        found = shutil.which("ffmpeg")
        if found is None:
            raise SystemExit("no ffmpeg to compare with: pip install imageio-ffmpeg") from None
        return found
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run(*arguments: str) -> None:
    subprocess.run([ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *arguments], check=True)


def looped(clip: Path, seconds: int, folder: Path) -> Path:
    """The clip again and again, at 1080p and 30 frames/s, with a tone."""
    out = folder / "footage.mp4"
    run("-stream_loop", "-1", "-i", str(clip), "-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000",
        "-map", "0:v:0", "-map", "1:a:0", "-t", str(seconds), "-vf", "scale=1920:1080,setsar=1", "-r", "30",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-colorspace", "bt709",
        "-c:a", "aac", "-b:a", "192k", str(out))  # fmt: skip
    return out


def plan_of(footage: Path, cuts: int, *, look: Look | None = None, dissolves: bool = False) -> Plan:
    """`cuts` pieces of equal length, each 60 % of its share of the footage."""
    info = probe(footage)
    share = Fraction(int(info.duration / cuts * 30), 30)
    length = Fraction(int(share * Fraction(3, 5) * 30), 30)
    source = Source(id="s", path=footage, available=info.range, rate=info.video.rate, width=1920, height=1080)
    starts = [share * k + Fraction(1, 2) for k in range(cuts)]
    clips = tuple(Clip(source="s", range=TimeRange(a, a + length), decision=WHY, look=look) for a in starts)
    inner = Join(kind="dissolve", duration=Fraction(1, 2)) if dissolves else Join()
    joins = (Join(), *[inner] * (cuts - 1), Join())
    spec = FilmSpec(width=1920, height=1080, rate=info.video.rate, colour=info.video.colour, crf=20, speed="fast")
    return Plan(sources=(source,), clips=clips, joins=joins, spec=spec, loudness_target=None)


def ffmpeg_cuts(plan: Plan, out: Path, extra: str = "") -> None:
    """The same cuts in one filter graph."""
    parts, names = [], ""
    for k, clip in enumerate(plan.clips):
        a, b = float(clip.range.start), float(clip.range.end)
        parts.append(
            f"[0:v]trim={a}:{b},setpts=PTS-STARTPTS{extra}[v{k}];[0:a]atrim={a}:{b},asetpts=PTS-STARTPTS[a{k}]"
        )
        names += f"[v{k}][a{k}]"
    graph = ";".join(parts) + f";{names}concat=n={len(plan.clips)}:v=1:a=1[v][a]"
    streams = ("-map", "[v]", "-map", "[a]", "-r", str(plan.spec.rate))
    encoders = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-c:a", "aac", "-b:a", "192k")
    run("-i", str(plan.sources[0].path), "-filter_complex", graph, *streams, *encoders, str(out))


def cube_of(folder: Path) -> Path:
    from roughcut.effects.looks import bake, write_cube

    path = folder / "look.cube"
    write_cube(bake(LOOK.controls), path)
    return path


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--cuts", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        footage = looped(given.clip, given.seconds, folder)
        plain, graded = plan_of(footage, given.cuts), plan_of(footage, given.cuts, look=LOOK)
        soft = plan_of(footage, given.cuts, dissolves=True)
        lut = f",lut3d={cube_of(folder)}"
        work: dict[str, Callable[[], object]] = {
            "ffmpeg, cuts": lambda: ffmpeg_cuts(plain, folder / "f.mp4"),
            "roughcut, cuts": lambda: render_plan(plain, folder / "r.mp4"),
            "ffmpeg, cuts and lut3d": lambda: ffmpeg_cuts(graded, folder / "fl.mp4", lut),
            "roughcut, cuts and look": lambda: render_plan(graded, folder / "rl.mp4"),
            "roughcut, dissolves": lambda: render_plan(soft, folder / "rd.mp4"),
        }
        rounds = [{label: timed(job) for label, job in work.items()} for _ in range(given.rounds)]
        report(rounds, plain.film_frames())


def report(rounds: list[dict[str, float]], frames: int) -> None:
    for label in rounds[0]:
        wall = statistics.median(r[label] for r in rounds)
        print(f"{label:28s} {wall:7.2f} s {frames / wall:7.1f} frames/s")
    for over, under in (
        ("roughcut, cuts", "ffmpeg, cuts"),
        ("roughcut, cuts and look", "ffmpeg, cuts and lut3d"),
        ("roughcut, dissolves", "roughcut, cuts"),
    ):
        ratio = statistics.median(r[over] / r[under] for r in rounds)
        print(f"{over} / {under}: {ratio:.2f}")


if __name__ == "__main__":
    main()
