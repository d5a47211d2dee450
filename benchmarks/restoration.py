"""`--restore auto` on films: real clips made noisy or soft by FFmpeg, coded, restored, beside the clips themselves.

    python benchmarks/restoration.py CLIP [CLIP ...] [--frames 24]

For each clip and fault: SSIM of the coded film to the clip, the same after `--restore auto` (mean over pictures,
before a second encoding), and what was chosen. `clean` is the clip coded alone, where any change is harm.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from roughcut.evaluation.restoration import light_of, picture_of, ssim, treated_by
from roughcut.evaluation.restoration_set import degraded
from roughcut.finishing import finished
from roughcut.media.probe import probe
from roughcut.media.stills import stills_at
from roughcut.planner import PlanOptions
from roughcut.planner.film import film_source, spec_like
from roughcut.records import U8, no_progress
from roughcut.records.effects import Denoise, Sharpen
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Join, Plan

RATE = 25
FAULTS = {
    "clean": None,
    "noise 8": "noise=alls=8:allf=t:all_seed=SEED",
    "noise 16": "noise=alls=16:allf=t:all_seed=SEED",
    "noise 28": "noise=alls=28:allf=t:all_seed=SEED",
    "blur 1.2": "gblur=sigma=1.2",
}


def pictures_of(path: Path, count: int) -> list[U8]:
    """The first pictures of a clip, of even sides."""
    info = probe(path)
    length = min(info.range.duration, Fraction(count, RATE))
    times = [info.range.start + length * Fraction(2 * k + 1, 2 * count) for k in range(count)]
    made = stills_at(info, times)
    return [np.ascontiguousarray(p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2]) for p in made]


def coded(pictures: list[U8], path: Path) -> Path:
    """The pictures as H.264 at the quality of a good camera."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "18", "preset": "fast"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode(None))
    return path


def restored(path: Path) -> tuple[float, float]:
    """The strengths that `--restore auto` chooses for a film as a whole."""
    info = probe(path)
    span = TimeRange(Fraction(0), info.range.duration)
    clip = Clip(source="source-1", range=span, decision=Decision(code="all", words="all"))
    source = film_source(0, info, info.range)
    plan = Plan(sources=(source,), clips=(clip,), joins=(Join(), Join()), spec=replace(spec_like(info), tracks=()))
    plan = finished(plan, {"source-1": info}, PlanOptions(restore="auto"), no_progress, {})
    effects = plan.clips[0].effects
    denoise = next((e.strength for e in effects if isinstance(e, Denoise)), 0.0)
    return denoise, next((e.amount for e in effects if isinstance(e, Sharpen)), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=24)
    given = parser.parse_args()
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in FAULTS}
    with tempfile.TemporaryDirectory() as folder:
        for clip in given.clips:
            good = pictures_of(clip, given.frames)
            for name, words in FAULTS.items():
                made = [p if words is None else degraded(p, words.replace("SEED", str(k))) for k, p in enumerate(good)]
                path = coded(made, Path(folder) / "film.mp4")
                chosen = restored(path)
                seen = pictures_of(path, given.frames)[::4]
                goals = [light_of(picture_of(p)) for p in good[::4]]
                before, after = (
                    float(
                        np.mean(
                            [ssim(light_of(treated_by(picture_of(p), *s)), g) for p, g in zip(seen, goals, strict=True)]
                        )
                    )
                    for s in ((0.0, 0.0), chosen)
                )
                rows[name].append((before, after))
                print(
                    f"{clip.name[:32]:34s}{name:10s}{before:8.4f}{after:8.4f}  {chosen[0]} {chosen[1]}",
                    flush=True,
                )
    for name, found in rows.items():
        before, after = np.mean(found, axis=0).tolist()
        harmed = float(np.mean([b - a > 0.002 for b, a in found]))
        print(f"{f'mean of {len(found)}':34s}{name:10s}{before:8.4f}{after:8.4f}  harmed {harmed:.2f}")


if __name__ == "__main__":
    main()
