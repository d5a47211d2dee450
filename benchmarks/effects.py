"""Effects against FFmpeg's own filters on the same pictures: one thread each, processor time, ratios round by round.

    python benchmarks/effects.py [CLIP] [--frames 12] [--rounds 5] [--only WORD ...]

Both sides get the clip's first pictures at 1920x1080 (a drawn field without a clip), decoded beforehand, and give
pictures that an encoder could take. FFmpeg is the one inside PyAV's wheel.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.filter import Graph
from PIL import Image

from roughcut.effects.chain import Moment, treated
from roughcut.effects.overlays import Overlays
from roughcut.effects.transitions import fade, transition
from roughcut.media.filters import Filters
from roughcut.media.picture import Conformer, Film, FilmPicture
from roughcut.media.probe import probe
from roughcut.records import FilmSpec
from roughcut.records.effect import Effect
from roughcut.records.effects import (
    Caption,
    Captions,
    Denoise,
    Grain,
    KenBurns,
    Letterbox,
    Logo,
    PunchIn,
    PushIn,
    Sharpen,
    Stabilise,
    Vignette,
)
from roughcut.timeline.plan import Join

WIDTH, HEIGHT = 1920, 1080
Row = tuple[str, Callable[[], int], Callable[[], int]]
BAR = 1.2
XFADE = {
    "dissolve": "fade", "wipe": "smoothleft", "slide": "coverleft", "push": "slideleft", "zoom": "zoomin",
    "blur": "hblur", "whip": "hblur",
}  # fmt: skip
"""The transition of xfade that does what ours does, or the nearest to it."""
FRACTIONS = "rotate=a=0.01*n:bilinear=1"
"""Turning: FFmpeg's one move in the wheel that goes by fractions of a pixel; zoompan steps by whole ones."""
STEADY = Stabilise(margin=0.05, times=(Fraction(0), Fraction(1)), moves=((0.0, 0.0), (0.04, 0.04)))
TURNED = replace(STEADY, twists=((0.01, 0.002), (0.01, 0.002)))
PEERS: tuple[tuple[Effect, str], ...] = (
    (PushIn(amount=0.2), "zoompan=z='1+0.02*on':d=1:x=iw/2-(iw/zoom/2):y=ih/2-(ih/zoom/2):s=1920x1080:fps=25"),
    (PushIn(amount=0.2), FRACTIONS),
    (KenBurns(), "zoompan=z='1.2':d=1:x='10*on':y=20:s=1920x1080:fps=25"),
    (PunchIn(amount=0.2), "crop=1600:900;scale=1920:1080:flags=bicubic"),
    (STEADY, "deshake"),
    (TURNED, "deshake=edge=blank"),
    (Vignette(), "vignette=angle=PI/5:dither=0"),
    (Grain(), "noise=c0s=12:c0f=t"),
    (Letterbox(), "drawbox=0:0:iw:138:black:fill;drawbox=0:ih-138:iw:138:black:fill"),
    (Denoise(), "nlmeans=s=2:p=5:r=9"),
    (Sharpen(), "cas=strength=0.4:planes=1"),
)


def pictures(film: Film, clip: Path | None, count: int) -> list[FilmPicture]:
    if clip is None:
        rng = np.random.default_rng(1)
        field = rng.integers(0, 255, (HEIGHT // 8, WIDTH // 8 + count, 3), np.uint8)
        large = np.asarray(Image.fromarray(field).resize(((WIDTH // 8 + count) * 8, HEIGHT), Image.Resampling.BICUBIC))
        return [FilmPicture(film.from_rgb(large[:, 8 * k : 8 * k + WIDTH]), film) for k in range(count)]
    info = probe(clip)
    conformer, found = Conformer(info, film), list[FilmPicture]()
    with av.open(str(clip)) as container:
        for frame in container.decode(container.streams.video[0]):
            found.append(conformer.picture(frame))
            if len(found) == count:
                break
    return found


class Peer:
    """A chain of FFmpeg's filters with one or two inputs."""

    def __init__(self, inputs: int, words: str) -> None:
        graph = Graph()
        graph.threads = 1
        told = f"video_size={WIDTH}x{HEIGHT}:pix_fmt=yuv420p:time_base=1/25:frame_rate=25:pixel_aspect=1/1"
        self._inputs = [graph.add("buffer", told) for _ in range(inputs)]
        ends = list(self._inputs)
        for step in (*words.split(";"), "format=yuv420p", "buffersink"):
            name, _, arguments = step.partition("=")
            following = graph.add(name, arguments or None)
            for port, end in enumerate(ends):
                end.link_to(following, 0, port)
            ends = [following]
        graph.configure()
        self._graph = graph

    def run(self, frames: list[av.VideoFrame]) -> int:
        """How many pictures came out."""
        count = 0
        for n, frame in enumerate(frames):
            frame.pts, frame.time_base = n, Fraction(1, 25)
            for into in self._inputs:
                into.push(frame)
            count += self._pulled()
        for into in self._inputs:
            into.push(None)
        return count + self._pulled()

    def _pulled(self) -> int:
        count = 0
        while True:
            try:
                self._graph.vpull()
                count += 1
            except (av.BlockingIOError, av.EOFError):
                return count


def rows(
    given: list[FilmPicture], film: Film, folder: Path
) -> Iterator[tuple[str, Callable[[], int], Callable[[], int]]]:
    """Name, ours, FFmpeg's; each gives the number of pictures it made."""
    count, filters = len(given), Filters(film)
    frames = [p.frame for p in given]
    for kind, peer in XFADE.items():
        join = Join(kind=kind, duration=Fraction(1))  # type: ignore[arg-type]
        words = f"xfade=transition={peer}:duration={count / 25}:offset=0"
        parts = [(k + 1) / (count + 1) for k in range(count)]
        yield (
            f"{kind} / xfade {peer}",
            lambda join=join, parts=parts: done(
                transition(p, given[-1], join, t) for p, t in zip(given, parts, strict=True)
            ),
            lambda words=words: Peer(2, words).run(frames),
        )
    parts = [k / count for k in range(count)]
    yield (
        "fade / fade",
        lambda: done(fade(p, t) for p, t in zip(given, parts, strict=True)),
        lambda: Peer(1, f"fade=t=in:s=0:n={count}").run(frames),
    )
    for effect, words in PEERS:
        moments = [
            Moment(part=k / count, frame=k, source_time=Fraction(k, count), size=(WIDTH, HEIGHT)) for k in range(count)
        ]
        yield (
            f"{effect.name} / {words.split('=')[0]}",
            lambda e=effect, m=moments: done(treated(p, (e,), t, filters) for p, t in zip(given, m, strict=True)),
            lambda words=words: Peer(1, words).run(frames),
        )
    yield from overlay_rows(given, frames, folder)


def overlay_rows(given: list[FilmPicture], frames: list[av.VideoFrame], folder: Path) -> Iterator[Row]:
    """A logo and a line of words beside FFmpeg's overlay of a small picture (the wheel draws no words)."""
    logo = folder / "logo.png"
    Image.new("RGBA", (160, 130), (200, 40, 40, 160)).save(logo)
    over = Overlays((Logo(path=logo),), WIDTH, HEIGHT)
    small = av.VideoFrame.from_ndarray(np.asarray(Image.open(logo).resize((160, 130))), "rgba")
    yield "logo / overlay", lambda: done(over.laid(p, Fraction(0)) for p in given), lambda: overlaid(frames, small)
    words = Overlays(
        (Captions(cues=(Caption(start=Fraction(0), end=Fraction(9), text="Words on screen"),)),), WIDTH, HEIGHT
    )
    yield "captions / overlay", lambda: done(words.laid(p, Fraction(0)) for p in given), lambda: overlaid(frames, small)


def overlaid(frames: list[av.VideoFrame], small: av.VideoFrame) -> int:
    graph = Graph()
    graph.threads = 1
    told = "pix_fmt={}:time_base=1/25:frame_rate=25:pixel_aspect=1/1:video_size={}x{}"
    main = graph.add("buffer", told.format("yuv420p", WIDTH, HEIGHT))
    over = graph.add("buffer", told.format("rgba", small.width, small.height))
    lay, sink = graph.add("overlay", "x=1700:y=40:eof_action=repeat"), graph.add("buffersink")
    main.link_to(lay, 0, 0)
    over.link_to(lay, 0, 1)
    lay.link_to(sink)
    graph.configure()
    small.pts, small.time_base = 0, Fraction(1, 25)
    over.push(small)
    over.push(None)
    count = 0
    for n, frame in enumerate(frames):
        frame.pts, frame.time_base = n, Fraction(1, 25)
        main.push(frame)
        try:
            graph.vpull()
            count += 1
        except av.BlockingIOError:
            continue
    return count


def done(made: Iterator[object]) -> int:
    return sum(1 for _ in made)


def spent(work: Callable[[], int], count: int) -> float:
    """Milliseconds of processor time per picture."""
    began = time.process_time()
    made = work()
    return (time.process_time() - began) * 1000 / max(made or count, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="rows with one of these words in their names")
    given = parser.parse_args()
    film = Film(FilmSpec(width=WIDTH, height=HEIGHT, rate=Fraction(25)))
    frames = pictures(film, given.clip, given.frames)
    print(f"{'effect / FFmpeg':32s} {'ours, ms':>9s} {'FFmpeg, ms':>11s} {'ratio':>6s}")
    with tempfile.TemporaryDirectory() as name:
        for label, ours, theirs in rows(frames, film, Path(name)):
            if given.only and not any(word in label for word in given.only):
                continue
            ours()
            rounds = [(spent(ours, len(frames)), spent(theirs, len(frames))) for _ in range(given.rounds)]
            a, b = (statistics.median(r[k] for r in rounds) for k in (0, 1))
            ratio = statistics.median(r[0] / max(r[1], 1e-6) for r in rounds)
            print(f"{label:32s} {a:9.2f} {b:11.2f} {ratio:6.2f}{'' if ratio <= BAR else '  over the bar'}")


if __name__ == "__main__":
    main()
