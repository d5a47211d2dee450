"""Rendering against ffmpeg and MoviePy doing the same with the same encoder, in one run.

    pip install imageio-ffmpeg moviepy==2.2.1     (a static ffmpeg and the peer; rows of what is missing are left out)
    python benchmarks/render.py CLIP [--seconds 180] [--cuts 8] [--gop 30] [--rounds 5] [--only WORD ...]

The clip is looped to the wanted length at 1080p first, a key picture at least every `--gop` frames (cameras: half a
second to one), with noise for sound (a pure tone is the slowest there is for FFmpeg's AAC encoder).
Figures are medians; ratios are taken round by round. Beside the wall's, processor time is told: on a machine that is
shared it is the steadier one. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from roughcut.media.probe import probe
from roughcut.records import FilmSpec, Look, LookControls
from roughcut.rendering import render_plan
from roughcut.timebase import TimeRange
from roughcut.timeline.otio import write_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="benchmark", words="cut for a benchmark")
LOOK = Look(controls=LookControls(temperature=0.2, exposure=0.3, saturation=0.1))
RATIOS = (
    ("roughcut, cuts", "ffmpeg, cuts", "<= 1.10"),
    ("roughcut, cuts, smart", "roughcut, cuts", "<= 0.10"),
    ("roughcut, cuts and look", "ffmpeg, cuts and lut3d", "<= 1.15"),
    ("roughcut, dissolves", "roughcut, cuts", "<= 1.15"),
    ("MoviePy, cuts and dissolves", "roughcut, dissolves", ">= 5"),
)


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


def looped(clip: Path, seconds: int, gop: int, out: Path, size: str = "1920:1080") -> Path:
    """The clip, encoded once at 30 frames/s, again and again, with pink noise."""
    once, silent = out.with_suffix(".once.mp4"), out.with_suffix(".silent.mp4")
    run("-i", str(clip), "-an", "-vf", f"scale={size},setsar=1", "-r", "30", "-c:v", "libx264", "-preset", "veryfast",
        "-crf", "20", "-g", str(gop), "-pix_fmt", "yuv420p", "-colorspace", "bt709", str(once))  # fmt: skip
    repeat(once, seconds, silent)
    noise = "anoisesrc=color=pink:amplitude=0.2:sample_rate=48000:seed=1,aformat=channel_layouts=stereo"
    run("-i", str(silent), "-f", "lavfi", "-i", noise, "-map", "0:v:0", "-map", "1:a:0", "-shortest",
        "-c:v", "copy", "-c:a", "aac", "-b:a", "192k", str(out))  # fmt: skip
    return out


def repeat(source: Path, seconds: int, out: Path) -> None:
    """The packets of a film of 30 frames/s over and over, whole, until `seconds` are full."""
    with av.open(str(source)) as given, av.open(str(out), "w") as film:
        stream = film.add_stream_from_template(given.streams.video[0])
        packets = [(p.pts, p.dts, p.time_base, p.is_keyframe, bytes(p)) for p in given.demux(video=0) if p.size]
        for turn in range(-(-30 * seconds // len(packets))):
            for pts, dts, base, key, data in packets:
                moved, packet = round(turn * len(packets) / (30 * base)), av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, base, key
                packet.pts, packet.dts, packet.duration = pts + moved, dts + moved, round(1 / (30 * base))
                film.mux(packet)


def plan_of(footage: Path, cuts: int, *, look: Look | None = None, dissolves: bool = False) -> Plan:
    """`cuts` pieces of equal length, each 60 % of its share of the footage, at places that no key picture knows of."""
    info = probe(footage)
    video = info.video
    share = Fraction(int(info.duration / cuts * 30), 30)
    length = Fraction(int(share * Fraction(3, 5) * 30), 30)
    source = Source(id="s", path=footage, available=info.range, rate=video.rate, width=video.width, height=video.height)
    starts = [share * k + Fraction(15 + 7 * k % 30, 30) for k in range(cuts)]
    clips = tuple(Clip(source="s", range=TimeRange(a, a + length), decision=WHY, look=look) for a in starts)
    inner = Join(kind="dissolve", duration=Fraction(1, 2)) if dissolves else Join()
    joins = (Join(), *[inner] * (cuts - 1), Join())
    spec = FilmSpec(width=video.width, height=video.height, rate=video.rate, colour=video.colour, crf=20)
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


def moviepy_dissolves(plan: Plan, out: Path) -> None:
    """The same cuts, a crossfade at every join, in MoviePy with the same encoder settings."""
    from moviepy import VideoFileClip, concatenate_videoclips, vfx  # type: ignore[import-not-found]

    with VideoFileClip(str(plan.sources[0].path)) as footage:
        clips = [footage.subclipped(float(c.range.start), float(c.range.end)) for c in plan.clips]
        clips = [clips[0], *(c.with_effects([vfx.CrossFadeIn(0.5)]) for c in clips[1:])]
        film = concatenate_videoclips(clips, method="compose", padding=-0.5)
        film.write_videofile(
            str(out), codec="libx264", audio_codec="aac", preset="veryfast", ffmpeg_params=["-crf", "20"], logger=None
        )


def cube_of(folder: Path) -> Path:
    from roughcut.effects.looks import bake, write_cube

    path = folder / "look.cube"
    write_cube(bake(LOOK.controls), path)
    return path


@dataclass(frozen=True)
class Cost:
    """Seconds: on the wall, and of all processors, children included."""

    wall: float
    processor: float


def timed(work: Callable[[], object]) -> Cost:
    began, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return Cost(time.perf_counter() - began, sum(after[:4]) - sum(before[:4]))


def jobs(footage: Path, cuts: int, folder: Path) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    plain, graded = plan_of(footage, cuts), plan_of(footage, cuts, look=LOOK)
    soft = plan_of(footage, cuts, dissolves=True)
    lut = f",lut3d={cube_of(folder)}"
    work: dict[str, Callable[[], object]] = {
        "ffmpeg, cuts": lambda: ffmpeg_cuts(plain, folder / "f.mp4"),
        "roughcut, cuts": lambda: render_plan(plain, folder / "r.mp4", smart="never"),
        "roughcut, cuts, smart": lambda: render_plan(plain, folder / "rs.mp4", smart="always"),
        "ffmpeg, cuts and lut3d": lambda: ffmpeg_cuts(graded, folder / "fl.mp4", lut),
        "roughcut, cuts and look": lambda: render_plan(graded, folder / "rl.mp4"),
        "roughcut, dissolves": lambda: render_plan(soft, folder / "rd.mp4", smart="never"),
    }
    try:
        import moviepy  # type: ignore[import-not-found]  # noqa: F401
    except ModuleNotFoundError:
        return work
    return {**work, "MoviePy, cuts and dissolves": lambda: moviepy_dissolves(soft, folder / "m.mp4")}


def peak_memory(plan: Plan, folder: Path) -> int:
    """MB at the peak of a process that renders a plan."""
    timeline = folder / "memory.otio"
    write_otio(plan, timeline)
    code = (
        "import sys, roughcut; roughcut.render(sys.argv[1], sys.argv[2], force=True);"
        "print(next(int(l.split()[1]) // 1024 for l in open('/proc/self/status') if l.startswith('VmHWM')))"
    )  # not ru_maxrss, which a child takes over from its parent
    told = subprocess.run(
        [sys.executable, "-c", code, str(timeline), str(folder / "memory.mp4")],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(told.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--cuts", type=int, default=8)
    parser.add_argument("--gop", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="these rows alone, by their names")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        footage = looped(given.clip, given.seconds, given.gop, folder / "footage.mp4")
        work = jobs(footage, given.cuts, folder)
        work = {label: job for label, job in work.items() if given.only is None or label in given.only}
        rounds = [{label: timed(job) for label, job in work.items()} for _ in range(given.rounds)]
        report(rounds, plan_of(footage, given.cuts).film_frames())
        small = looped(given.clip, 30, given.gop, folder / "small.mp4", "1280:720")
        for label, plan in (("cuts", plan_of(small, 8)), ("dissolves", plan_of(small, 8, dissolves=True))):
            plan = replace(plan, spec=replace(plan.spec, crf=21, codec="h264"))
            print(f"peak memory at 720p, {label}: {peak_memory(plan, folder)} MB")


def report(rounds: list[dict[str, Cost]], frames: int) -> None:
    for label in rounds[0]:
        wall = statistics.median(r[label].wall for r in rounds)
        processor = statistics.median(r[label].processor for r in rounds)
        print(f"{label:28s} {wall:7.2f} s {frames / wall:7.1f} frames/s {processor:7.2f} s of processors")
    for over, under, bar in RATIOS:
        if over in rounds[0] and under in rounds[0]:
            wall = statistics.median(r[over].wall / r[under].wall for r in rounds)
            processor = statistics.median(r[over].processor / r[under].processor for r in rounds)
            print(f"{over} / {under}: {wall:.3f} (bar {bar}), by processor time {processor:.3f}")


if __name__ == "__main__":
    main()
