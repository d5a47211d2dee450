"""`roughcut shots`: where a file's shots begin and end, a film of each, and pictures of each.

All files go under hidden names first and get their own when all of them are whole.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from PIL import Image

from roughcut.media.codecs import CONTAINERS
from roughcut.media.faults import writing
from roughcut.media.remux import codec_name
from roughcut.media.stills import stills_at
from roughcut.planner.film import film_source, spec_like
from roughcut.records import FrameTimes, MediaInfo, Progress, Shot, Transition, no_progress
from roughcut.rendering import render_plan
from roughcut.results import claim
from roughcut.temporal.shots import shots_from
from roughcut.timebase import TimeRange, nearest_frame
from roughcut.timeline.plan import Clip, Decision, Join, Plan
from roughcut.watching import Glance, glance

PLACES = ("first", "middle", "last")
WHOLE_SHOT = Decision(code="shot", words="a whole shot")


@dataclass(frozen=True, kw_only=True)
class ShotList:
    """The transitions of a file and the shots between them."""

    media: MediaInfo
    times: FrameTimes
    transitions: tuple[Transition, ...]
    shots: tuple[Shot, ...]
    warnings: tuple[str, ...] = ()


def list_shots(info: MediaInfo, *, cache: bool = True, progress: Progress = no_progress) -> ShotList:
    """Find the shots of a file by a pass over its pictures alone.

    Raises:
        InputError: nothing decodes. ModelError: a shipped network is missing or was altered.
    """
    seen: Glance = glance(info, use_cache=cache, progress=progress)
    return ShotList(
        media=info,
        times=seen.times,
        transitions=seen.transitions,
        shots=shots_from(seen.transitions, seen.times),
        warnings=(*info.warnings, *seen.losses),
    )


def write_files(
    found: ShotList,
    *,
    films: Path | None = None,
    pictures: Path | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> list[tuple[str, list[Path]]]:
    """What was asked for of `split` and `save_images`, all names checked before either begins: (what, paths) pairs."""
    wanted = [(films, split_paths), (pictures, image_paths)]
    names = [path for folder, paths in wanted if folder is not None for path in paths(found, folder)]
    claim(names, inputs=[found.media.path], force=force)
    made = []
    if films is not None:
        made.append(("films", split(found, films, force=force, progress=progress)))
    if pictures is not None:
        made.append(("pictures", save_images(found, pictures, force=force, progress=progress)))
    return made


def split(found: ShotList, folder: Path, *, force: bool = False, progress: Progress = no_progress) -> list[Path]:
    """One film per shot, named 001, 002, ...: exactly its clean frames, with their sound.

    Packets are taken over where the file allows it, so that only the pictures around the cuts are encoded anew.
    Frames inside a gradual transition belong to no shot and go into no film.

    Raises:
        OutputError: a film exists and `force` is off, or cannot be written. ProofError: one is not what it should be.
    """
    paths = split_paths(found, folder)
    claim(paths, inputs=[found.media.path], force=force)
    with _all_or_none(folder) as place:
        for number, (shot, path) in enumerate(zip(found.shots, paths, strict=True)):
            plan = _film_of(found, shot, path)
            render_plan(plan, place / path.name, probed={plan.sources[0].id: found.media})
            progress("writing a film of each shot", number + 1, len(paths))
    return paths


def save_images(found: ShotList, folder: Path, *, force: bool = False, progress: Progress = no_progress) -> list[Path]:
    """The first, the middle and the last clean frame of each shot as JPEG, at full size: 001-first.jpg, ...

    Raises:
        OutputError: a picture exists and `force` is off, or cannot be written. InputError: the file no longer decodes.
    """
    paths = image_paths(found, folder)
    claim(paths, inputs=[found.media.path], force=force)
    frames = [f for s in found.shots for f in (s.first, (s.first + s.stop - 1) // 2, s.stop - 1)]
    middles = [(found.times.time(f) + found.times.time(f + 1)) / 2 for f in frames]
    with _all_or_none(folder) as place:
        for number, (path, rgb) in enumerate(zip(paths, stills_at(found.media, middles), strict=True)):
            with writing(path):
                Image.fromarray(rgb).save(place / path.name, quality=95)
            progress("saving pictures of each shot", number + 1, len(paths))
    return paths


def split_paths(found: ShotList, folder: Path) -> list[Path]:
    """Where `split` writes: in the file's own kind where roughcut writes that, else as MP4 or Matroska."""
    codec, own = codec_name(found.media), found.media.path.suffix.lower()
    endings = [own, ".mp4", ".mkv"]
    ending = next((e for e in endings if e in CONTAINERS and codec in CONTAINERS[e].codecs), ".mp4")
    return [folder / f"{name}{ending}" for name in _numbers(found.shots)]


def image_paths(found: ShotList, folder: Path) -> list[Path]:
    """Where `save_images` writes."""
    return [folder / f"{name}-{place}.jpg" for name in _numbers(found.shots) for place in PLACES]


def _numbers(shots: Sequence[Shot]) -> list[str]:
    return [f"{n:0{max(3, len(str(len(shots))))}d}" for n in range(1, len(shots) + 1)]


def _film_of(found: ShotList, shot: Shot, path: Path) -> Plan:
    """The plan of a film that is one shot, at its source's own rate or times."""
    media = found.media
    source = film_source(0, media, found.times.range)
    spec = spec_like(media, variable=media.video.variable)
    codec = next((c for c in CONTAINERS[path.suffix].codecs if c == codec_name(media)), None)
    frames = max(nearest_frame(shot.range.duration, media.video.rate), 1)
    end = shot.range.end if media.video.variable else shot.range.start + Fraction(frames) / media.video.rate
    clip = Clip(source=source.id, range=TimeRange(shot.range.start, end), decision=WHOLE_SHOT, name=path.stem)
    return Plan(
        sources=(source,),
        clips=(clip,),
        joins=(Join(), Join()),
        spec=replace(spec, codec=codec),
        loudness_target=None,
        name=path.stem,
    )


@contextmanager
def _all_or_none(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder`; what lies in it at the end gets its own name there, together."""
    with writing(folder):
        place = Path(tempfile.mkdtemp(prefix=".roughcut-", dir=folder))
    try:
        yield place
        with writing(folder):
            for path in sorted(place.iterdir()):
                path.replace(folder / path.name)
    finally:
        shutil.rmtree(place, ignore_errors=True)
