"""The looks of a plan for other programs: one `.cube` for each different look, in a folder beside the timeline.

    cut.otio
    cut.looks/look-01.cube, look-02.cube, ...      the timeline's clips name theirs in their metadata
    cut.looks/look-02-key-1.cube, ...              where a look changes within its shot: what it is at each key

The folder may hold other files; those are left alone. A `.cube` knows no places, so the exposure by regions is not in
it; its comments say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from roughcut.claims import Taken, undisturbed
from roughcut.effects.looks import look_lut, write_cube
from roughcut.errors import OutputError
from roughcut.records import Look, LookKey
from roughcut.timebase import format_time
from roughcut.timeline.files import looks_folder
from roughcut.timeline.otio import write_otio
from roughcut.timeline.otio_writer import Files
from roughcut.timeline.plan import Clip, Plan

OURS = re.compile(r"look-\d+(-key-\d+)?\.cube|\.look-\d+(-key-\d+)?\.cube\..{8}\.tmp")
KEYED = "this look changes within its shot: here is its mean, beside it what it is at each key"
NO_REGIONS = "exposure by regions is not in here: a .cube knows no places"


@dataclass(frozen=True)
class Cube:
    """A look that a file holds, and the clips that have it, counted from 0."""

    name: str
    look: Look
    clips: tuple[int, ...]


def write_timeline(plan: Plan, timeline: Path) -> Path | None:
    """Write the timeline and its looks; looks that lay there before go. The folder of looks, None where there are none.

    Raises:
        OutputError: a file cannot be written; InputError: a `.cube` that a look matches cannot be read. Then none of
        the looks is left.
    """
    folder = looks_folder(timeline)
    remove_looks(timeline)
    named: dict[int, Files] = {}
    try:
        for cube in cubes_of(plan):
            _make(folder)
            said = _said(plan, cube)
            write_cube(look_lut(cube.look), folder / cube.name, title=f"{plan.name} {cube.name}", remarks=said)
            keys = [_key_written(folder, cube, plan, key, said) for key in cube.look.keys]
            files = Files(f"{folder.name}/{cube.name}", tuple(f"{folder.name}/{name}" for name in keys))
            named |= dict.fromkeys(cube.clips, files)
        write_otio(plan, timeline, cubes=named)
    except BaseException:
        remove_looks(timeline)
        raise
    return folder if named else None


def _key_written(folder: Path, cube: Cube, plan: Plan, key: LookKey, said: Sequence[str]) -> str:
    """Write what a look is at one of its keys; the file's name."""
    name = f"{cube.name.removesuffix('.cube')}-key-{cube.look.keys.index(key) + 1}.cube"
    remarks = [*said, f"at source time {format_time(key.time)}"]
    write_cube(look_lut(cube.look.at(key.time)), folder / name, title=f"{plan.name} {name}", remarks=remarks)
    return name


def cubes_of(plan: Plan) -> Iterator[Cube]:
    """The different looks of a plan, in the order of the film; looks that a `.cube` has no room for are none."""
    clips: dict[Look, list[int]] = {}
    for i, clip in enumerate(plan.clips):
        look = _mapped(clip)
        if not look.is_identity():
            clips.setdefault(look, []).append(i)
    for number, (look, found) in enumerate(clips.items(), 1):
        yield Cube(f"look-{number:02}.cube", look, tuple(found))


def _mapped(clip: Clip) -> Look:
    """What of a clip's look a `.cube` can hold."""
    return Look() if clip.look is None else replace(clip.look, grid=None, confidence=1.0)


def _said(plan: Plan, cube: Cube) -> list[str]:
    """What stands in a file, for who opens it."""
    clips, edges = [plan.clips[i] for i in cube.clips], plan.edges()
    said = [
        f"clip {i + 1}, film {format_time(edges[i])} to {format_time(edges[i + 1])}, {clip.name or clip.source}"
        for i, clip in zip(cube.clips, clips, strict=True)
    ]
    if cube.look.keys:
        said.append(KEYED)
    return [*said, NO_REGIONS] if any(c.look is not None and c.look.grid is not None for c in clips) else said


def claim_looks(film: Path, *, force: bool) -> None:
    """Refuse, before any work, where looks lie already, or what is no folder has their name. Raises OutputError."""
    folder = looks_folder(film)
    if folder.exists() and not folder.is_dir():
        raise OutputError("looks go to a folder of this name", where=folder, next_step="choose another name with -o")
    if looks_beside(film) and not force:
        step = "add --force to replace them, or choose another name"
        raise OutputError("looks are there already", where=folder, next_step=step)


def remove_looks(film: Path) -> None:
    """Remove the looks beside a film, and their folder unless it holds something else."""
    with suppress(OSError):
        for path in looks_beside(film):
            path.unlink(missing_ok=True)
        looks_folder(film).rmdir()


@contextmanager
def looks_or_none(film: Path, *, before: bool | None = None) -> Iterator[None]:
    """As `claims.all_or_none` for the looks beside a film; `before` (left out: whether there are some now) says whether
    there were any."""
    kept = bool(looks_beside(film)) if before is None else before
    try:
        yield
    except Taken:  # then they are the other run's
        raise
    except BaseException:
        if not kept:
            with undisturbed():
                remove_looks(film)
        raise


def looks_beside(film: Path) -> list[Path]:
    """The files of ours in the folder for looks beside a film or timeline."""
    folder = looks_folder(film)
    return sorted(p for p in folder.iterdir() if OURS.fullmatch(p.name)) if folder.is_dir() else []


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError("the folder for looks cannot be made", where=folder, got=error.strerror) from error
