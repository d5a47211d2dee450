"""The first and last frame of every segment beside the source: which frames, read cheaply, and the verdict.

film      |==clip 1==|~~|==clip 2==|          ~ dissolve or fade: mixed pictures are not compared
compared   ^^^    ^^^    ^^^    ^^^           the outermost frame, and two more to confirm a doubtful one

Where nothing is done to a clip, packets are compared first: a frame that is coded as in the source need not be decoded.
A group of neighbouring frames is read with one seek; clips go in batches, so memory does not grow with the film.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from roughcut.errors import InputError
from roughcut.media.decode import read_frames
from roughcut.media.picture import Conformer, Film, covering
from roughcut.media.proof.copied import comparable, same_packets
from roughcut.media.proof.found import FrameMatch, Likeness, SegmentProof
from roughcut.media.proof.likeness import SIDE, correlation, difference_hash, leaning, luma, unlike
from roughcut.records import F32, U8, FilmSpec, MediaInfo
from roughcut.records.effects import Reframe
from roughcut.timebase import TimeRange, nearest_frame
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.plan import Clip, Plan

BATCH = 32  # clips
LOOKED_AT = 3  # frames at each end of a clip
NEAR = 1  # seconds: spans nearer than this are read in one go

Treat = Callable[[MediaInfo, int, int, U8], U8]
"""(source, clip, film frame, full-range RGB [h, w, 3]): what the render does to it besides bringing it to size: tone
curve, look, effects that move it or lie over it."""
Shown = list[tuple[Fraction, F32]]
"""(since when, small luma) of consecutive frames."""


def untreated(info: MediaInfo, clip: int, frame: int, rgb: U8) -> U8:
    """A render that changes no picture."""
    return rgb


@dataclass(frozen=True)
class Edge:
    """Film frames `frames` of a clip; the outermost one is compared, the others confirm."""

    clip: int
    first: bool
    frames: range

    @property
    def outermost(self) -> int:
        """The frame that is reported."""
        return self.frames[0] if self.first else self.frames[-1]


def untouched(plan: Plan, grid: FrameGrid) -> list[range]:
    """Film frames of each clip that no dissolve or fade touches; may be empty."""
    found = list[range]()
    for i in range(len(plan.clips)):
        first, stop = grid.zones[i].last, grid.zones[i + 1].first
        begin, end = grid.time(grid.edges[i]) + _fade(plan, i), grid.time(grid.edges[i + 1]) - _fade(plan, i + 1)
        while first < stop and grid.time(first) < begin:
            first += 1
        while first < stop and grid.time(stop) > end:
            stop -= 1
        found.append(range(first, max(first, stop)))
    return found


def _fade(plan: Plan, i: int) -> Fraction:
    """Seconds on either side of join i that a fade changes."""
    join, rate = plan.joins[i], plan.spec.rate
    share = join.duration if i in (0, len(plan.clips)) else join.duration / 2
    return nearest_frame(share, rate) / rate if join.kind == "fade" else Fraction(0)


def compare_segments(
    film: MediaInfo, plan: Plan, grid: FrameGrid, media: dict[str, MediaInfo], treat: Treat
) -> list[SegmentProof]:
    """First and last untouched frame of every clip beside its source; `media` are the probed sources by id."""
    spec = replace(plan.spec, width=film.video.width, height=film.video.height)
    compared: dict[tuple[int, bool], FrameMatch] = {}
    known = {name: not plan.effects and comparable(film, info) for name, info in media.items()}
    for edges in _batches(plan, grid):
        batch = list[Edge]()
        for edge in edges:
            clip = plan.clips[edge.clip]
            if known[clip.source] and _plain(clip) and _copied(film, grid, media[clip.source], edge):
                compared[edge.clip, edge.first] = _frame(grid, edge, "copied")
            else:
                batch.append(edge)
        seen = _film_pictures(film, grid, batch, spec)
        for edge, wanted in _source_pictures(plan, grid, batch, media, spec, treat):
            compared[edge.clip, edge.first] = _match(plan, grid, film, edge, seen[edge], wanted)
    return [
        SegmentProof(
            clip=i + 1, name=clip.name or plan.source(clip).path.name,
            film_range=TimeRange(grid.time(grid.edges[i]), grid.time(grid.edges[i + 1])),
            first=compared.get((i, True)), last=compared.get((i, False)),
        ) for i, clip in enumerate(plan.clips)
    ]  # fmt: skip


def _plain(clip: Clip) -> bool:
    """True where nothing is done to a clip's pictures."""
    return not clip.effects and (clip.look is None or clip.look.is_identity())


def _copied(film: MediaInfo, grid: FrameGrid, source: MediaInfo, edge: Edge) -> bool:
    wanted = max(grid.source_time(edge.clip, edge.outermost), source.video.start)
    return same_packets(film, film.video.start + middle(grid, edge.outermost), source, wanted)


def _frame(grid: FrameGrid, edge: Edge, likeness: Likeness) -> FrameMatch:
    n = edge.outermost
    source_time = grid.source_time(edge.clip, n)
    return FrameMatch(film_frame=n, film_time=grid.time(n), source_time=source_time, likeness=likeness)


def _batches(plan: Plan, grid: FrameGrid) -> Iterator[list[Edge]]:
    clear = untouched(plan, grid)
    for start in range(0, len(clear), BATCH):
        batch = list[Edge]()
        for i, frames in enumerate(clear[start : start + BATCH], start):
            if frames:
                batch += [Edge(i, True, frames[:LOOKED_AT]), Edge(i, False, frames[-LOOKED_AT:])]
        yield batch


def _film_pictures(film: MediaInfo, grid: FrameGrid, batch: Sequence[Edge], spec: FilmSpec) -> dict[Edge, Shown]:
    """What the written film shows at the frames of each edge."""
    start = film.video.start
    spans = [TimeRange(start + middle(grid, e.frames[0]), start + grid.time(e.frames[-1] + 1)) for e in batch]
    reduce = _Reducer(film, spec)
    return dict(zip(batch, pictures_within(film, spans, lambda _, frame: luma(reduce(frame))), strict=True))


def _source_pictures(
    plan: Plan, grid: FrameGrid, batch: Sequence[Edge], media: dict[str, MediaInfo], spec: FilmSpec, treat: Treat
) -> Iterator[tuple[Edge, Shown]]:
    """What the sources show there, with the frames around."""
    for source in dict.fromkeys(plan.clips[e.clip].source for e in batch):
        info, edges = media[source], [e for e in batch if plan.clips[e.clip].source == source]
        reducers = {False: _Reducer(info, spec), True: _Reducer(info, spec, cover=True)}

        def small(
            k: int, frame: VideoFrame, edges: list[Edge] = edges, reducers: dict[bool, _Reducer] = reducers
        ) -> F32:
            edge = edges[k]
            reduce = reducers[any(isinstance(e, Reframe) for e in plan.clips[edge.clip].effects)]
            return luma(treat(reduce.info, edge.clip, edge.outermost, reduce(frame)))

        spans = [_around(info, plan, grid, e) for e in edges]
        yield from zip(edges, pictures_within(info, spans, small), strict=True)


def _around(info: MediaInfo, plan: Plan, grid: FrameGrid, edge: Edge) -> TimeRange:
    """Source time from a frame before to a frame after; before the file's first frame that one is shown."""
    step, begin = 1 / plan.spec.rate, info.video.start
    first, last = (grid.source_time(edge.clip, n) for n in (edge.frames[0], edge.frames[-1]))
    return TimeRange(max(first - step, begin), max(last, begin) + step)


def middle(grid: FrameGrid, frame: int) -> Fraction:
    """Half-way through a film frame."""
    return (grid.time(frame) + grid.time(frame + 1)) / 2


def small_size(spec: FilmSpec, *, like: FilmSpec | None = None) -> tuple[int, int]:
    """Width and height at which pictures are compared, on the scale of a film `like` that one."""
    whole = like or spec
    scale = min(SIDE / max(whole.width, whole.height), 1.0)
    return (max(round(spec.width * scale), 9), max(round(spec.height * scale), 8))


class _Reducer:
    """Frames of one file as small RGB in the film's geometry and matrix; with `cover`, more than the film's shape."""

    def __init__(self, info: MediaInfo, spec: FilmSpec, *, cover: bool = False) -> None:
        whole, spec = spec, covering(spec, info) if cover else spec
        self.info, self._film = info, Film(spec)
        self._conformer, self._scaler = Conformer(info, self._film), VideoReformatter()
        self._size = small_size(spec, like=whole)

    def __call__(self, frame: VideoFrame) -> U8:
        film = self._film
        small = self._scaler.reformat(
            self._conformer.picture(frame).frame, *self._size, "rgb24", src_colorspace=film.matrix,
            dst_colorspace=film.matrix, src_color_range=film.range, dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.AREA, threads=1,
        )  # fmt: skip
        rgb: U8 = small.to_ndarray().astype(np.uint8, copy=False)
        return rgb


def pictures_within(
    info: MediaInfo, spans: Sequence[TimeRange], small: Callable[[int, VideoFrame], F32]
) -> list[Shown]:
    """For each span the frames on screen in it, made small (called with the span's number); none where none decodes.

    Spans in any order; near ones are read in one go.
    """
    found: list[Shown] = [[] for _ in spans]
    for group in _groups(spans):
        whole = TimeRange(min(spans[k].start for k in group), max(spans[k].end for k in group))
        held: tuple[Fraction, VideoFrame] | None = None
        try:
            for time, frame in read_frames(info, whole):
                if held is not None:
                    _keep(held, time, group, spans, found, small)
                held = time, frame
        except InputError:
            continue
        if held is not None:
            _keep(held, whole.end + 1, group, spans, found, small)
    return found


def _keep(
    held: tuple[Fraction, VideoFrame], until: Fraction, group: Sequence[int], spans: Sequence[TimeRange],
    found: list[Shown], small: Callable[[int, VideoFrame], F32],
) -> None:  # fmt: skip
    time, frame = held
    for k in group:
        if time < spans[k].end and until > spans[k].start:
            found[k].append((time, small(k, frame)))


def _groups(spans: Sequence[TimeRange]) -> Iterator[list[int]]:
    """Numbers of spans that lie near each other, in order of time."""
    group, end = list[int](), Fraction(0)
    for k in sorted(range(len(spans)), key=lambda k: spans[k].start):
        if group and spans[k].start > end + NEAR:
            yield group
            group = []
        end = max(end, spans[k].end) if group else spans[k].end
        group.append(k)
    if group:
        yield group


@dataclass(frozen=True)
class _View:
    """A film frame with the source frame that should be seen, and those shown within a frame of it."""

    film: F32
    planned: F32
    others: list[F32]
    shifts: list[Fraction]
    """Of the others against the planned one, seconds."""


def _match(plan: Plan, grid: FrameGrid, film: MediaInfo, edge: Edge, shown: Shown, source: Shown) -> FrameMatch:
    n = edge.outermost
    found = _frame(grid, edge, "missing")
    views = {k: _view(plan, grid, film, edge.clip, k, shown, source) for k in edge.frames}
    outer = views[n]
    if outer is None:
        return found
    hashes = difference_hash(outer.film), difference_hash(outer.planned)
    likeness, shift = _verdict(outer, [view for view in views.values() if view is not None])
    return replace(
        found, likeness=likeness, shift=float(shift), bits=(hashes[0] ^ hashes[1]).bit_count(),
        film_hash=f"{hashes[0]:016x}", source_hash=f"{hashes[1]:016x}",
        correlation=correlation(outer.film, outer.planned),
    )  # fmt: skip


def _view(
    plan: Plan, grid: FrameGrid, film: MediaInfo, clip: int, frame: int, shown: Shown, source: Shown
) -> _View | None:
    """None where the film has no such frame, or the source cannot be decoded."""
    step = 1 / plan.spec.rate
    t = film.video.start + middle(grid, frame)
    if not source or not shown or t > film.video.start + film.video.duration:
        return None
    wanted = grid.source_time(clip, frame)
    at, low, high = (_on_screen(source, moment) for moment in (wanted, wanted - step, wanted + step))
    others = [k for k in range(low, high + 1) if k != at]
    return _View(
        film=shown[_on_screen(shown, t)][1],
        planned=source[at][1],
        others=[source[k][1] for k in others],
        shifts=[source[k][0] - source[at][0] for k in others],
    )


def _on_screen(shown: Shown, t: Fraction) -> int:
    return max((k for k, (time, _) in enumerate(shown) if time <= t), default=0)


def _verdict(outer: _View, views: Sequence[_View]) -> tuple[Likeness, Fraction]:
    """The likeness of the outermost frame, and by how much it is shifted."""
    still = Fraction(0)
    found = leaning(outer.film, outer.planned, outer.others)
    if found is not None and (found[1].clear or _all_shifted(views)):
        return "shifted", outer.shifts[found[0]]
    if unlike(outer.film, outer.planned):
        return "differs", still
    if correlation(outer.film, outer.planned) is None:
        return "flat", still
    return ("still" if found is None else "matches"), still


def _all_shifted(views: Sequence[_View]) -> bool:
    """Every frame looked at leans to a neighbour on the same side: no chance of a frame that an encoder left out."""
    leans = [(view, leaning(view.film, view.planned, view.others)) for view in views]
    wrong = [view.shifts[found[0]] > 0 for view, found in leans if found is not None and found[1].wrong]
    return len(views) > 1 and len(wrong) == len(views) and len(set(wrong)) == 1
