"""The proof: what the written file holds, measured from the file, beside what the plan asked for.

packets     every packet's time, every decoded sample's place        counts, durations, gaps, offsets by timestamps
segments    first and last frame of each clip beside the source      the right pictures
echo        the film's sound laid over the source's                  the right sound, offsets by content
judge       what of it breaks the plan, where
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from roughcut.media.faults import Losses
from roughcut.media.probe import probe
from roughcut.media.proof.complaints import decode_all, overheard, sentences
from roughcut.media.proof.damage import with_damage
from roughcut.media.proof.echo import Echo
from roughcut.media.proof.echo import Heard as Echoed
from roughcut.media.proof.found import Count, FrameMatch, JoinOffset, Proof, SegmentProof, StreamProof
from roughcut.media.proof.judge import differences, oddities, problems
from roughcut.media.proof.packets import Heard, Pictures, walk
from roughcut.media.proof.segments import Treat, compare_segments, untreated
from roughcut.records import MediaInfo
from roughcut.timebase import nearest_frame
from roughcut.timeline.grid import FrameGrid
from roughcut.timeline.plan import Plan

__all__ = [
    "FrameMatch", "JoinOffset", "Proof", "SegmentProof", "StreamProof", "Treat", "measure", "rejected", "verify",
]  # fmt: skip


def measure(path: Path, plan: Plan, grid: FrameGrid, *, treat: Treat = untreated) -> Proof:
    """Open the written film and compare it with its plan and its sources. Decodes all sound, and of the pictures those
    around the edges of segments; the film may lie under any name.

    Args:
        grid: the film's frames, and when each is shown.
        treat: what the render does to the colours of a source.

    Raises:
        InputError: the film, or a source, does not open.
    """
    film = probe(path)
    media = {s.id: probe(s.path) for s in plan.used()}
    echoes = [Echo(film, plan, grid, media, k) for k in range(len(film.audio))]
    losses = Losses()
    with overheard() as logs:
        pictures, heard = walk(film, [e.listen for e in echoes], losses)
    segments = with_damage(compare_segments(film, plan, grid, media, treat), plan, media)
    shown = pictures.shown()
    found = Proof(
        path=path,
        media=film,
        streams=(_pictures(film, plan, grid, pictures), *(_sound(film, plan, grid, k, h) for k, h in enumerate(heard))),
        joins=tuple(_joins(film, grid, shown.tolist(), heard, [e.finish() for e in echoes])),
        segments=tuple(segments),
        warnings=(*film.warnings, *losses.words(), *sentences(logs)),
    )
    return replace(
        found,
        problems=tuple(problems(found, plan, pictures)),
        differs=tuple(differences(found, plan, media)),
        warnings=(*found.warnings, *oddities(found)),
    )


def verify(path: Path, plan: Plan, grid: FrameGrid, *, treat: Treat = untreated) -> Proof:
    """As `measure`, and every picture is decoded: a film holds only if all of them come out."""
    found = measure(path, plan, grid, treat=treat)
    frames, said = decode_all(found.media)
    lost = () if frames == found.frames_found else (f"{frames} of {found.frames_found} frames can be decoded",)
    return replace(
        found,
        decoded_frames=frames,
        problems=(*found.problems, *lost),
        warnings=tuple(dict.fromkeys((*found.warnings, *said))),
    )


def rejected(path: Path) -> Path:
    """The name of a film that failed its proof: it is kept beside its place so that people can look at it."""
    return path.with_name(f"{path.stem}.failed{path.suffix}")


def _pictures(film: MediaInfo, plan: Plan, grid: FrameGrid, pictures: Pictures) -> StreamProof:
    rate, shown, base = plan.spec.rate, pictures.shown(), pictures.time_base
    last = pictures.last * base or 1 / rate
    seconds = float((int(shown[-1]) - int(shown[0])) * base + last) if len(shown) else 0.0
    count = Count(
        expected=len(grid), found=len(shown),
        expected_seconds=float(grid.time(len(grid))), found_seconds=seconds,
    )  # fmt: skip
    video = film.video
    return StreamProof(
        kind="video", track=0, words=f"{video.codec} {video.pixel_format}", count=count, start=float(video.start),
        off_grid=_off_grid(pictures, grid), key_frames=pictures.key_frames,
    )  # fmt: skip


def _off_grid(pictures: Pictures, grid: FrameGrid) -> float:
    """Seconds by which a frame lies off its place at most, counted from the first."""
    shown, base = pictures.shown().tolist(), pictures.time_base
    offs = (abs((t - shown[0]) * base - grid.time(n)) for n, t in enumerate(shown[: len(grid)]))
    return float(max(offs, default=0))


def _sound(film: MediaInfo, plan: Plan, grid: FrameGrid, track: int, heard: Heard) -> StreamProof:
    info, length = film.audio[track], grid.time(len(grid))
    planned = track < len(plan.spec.tracks)
    count = Count(
        expected=nearest_frame(length, Fraction(info.rate)) if planned else 0, found=heard.samples,
        expected_seconds=float(length) if planned else 0.0, found_seconds=heard.samples / info.rate,
    )  # fmt: skip
    words = " ".join(filter(None, (info.codec, f"{info.rate} Hz", info.layout, info.language, info.title)))
    return StreamProof(
        kind="sound", track=track + 1, words=words, count=count,
        start=float(heard.times[0]) if heard.times else float(info.start),
        gaps=tuple((float(t), float(length)) for t, length in heard.gaps),
    )  # fmt: skip


def _joins(
    film: MediaInfo, grid: FrameGrid, shown: list[int], heard: Sequence[Heard], echoes: Sequence[dict[int, Echoed]]
) -> list[JoinOffset]:
    """The sound of film frame `edge` begins at the sample nearest to edge / rate: when is it heard, when seen?"""
    found, base = list[JoinOffset](), film.video.time_base
    for i, edge in enumerate(grid.edges[:-1]):
        if edge >= len(shown):
            break
        for k, track in enumerate(heard):
            sample = nearest_frame(grid.time(edge), Fraction(track.rate))
            stamped = track.time_of(sample) - shown[edge] * base
            echo = echoes[k][i]
            found.append(
                JoinOffset(
                    film_time=grid.time(edge), track=k + 1, seconds=float(stamped), heard=echo.late, note=echo.note
                )
            )  # fmt: skip
    return found
