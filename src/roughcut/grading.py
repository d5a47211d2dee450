"""`roughcut grade`: colour alone, of a picture, a folder of pictures, or a film.

Pictures get the look that the colour network finds for each; of a film every shot gets its own, nothing is cut, and its
sound keeps its level. With a reference, colours are brought near to it instead, by one map for each picture or film.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from roughcut.effects.cubes import like, mixed_with_identity, write_cdl
from roughcut.effects.looks import apply_look, apply_lut, bake, read_cube, write_cube
from roughcut.errors import InputError, OptionError
from roughcut.media.picture_files import ENDINGS, read_picture, to_eight, write_picture
from roughcut.media.probe import probe
from roughcut.media.stills import stills_at
from roughcut.models import store
from roughcut.records import F32, U8, Look, LookControls, Progress, no_progress
from roughcut.records.effects import Lut
from roughcut.results import claim
from roughcut.spatial.colour import robust_mean
from roughcut.spatial.mapper import SpaceMapper, resized, shot_look
from roughcut.timeline.plan import Join, Plan

FRAMES = 12  # of a film that is a reference
SIDE = 256  # pixels: longer side at which colours are compared
Kind = Literal["picture", "folder", "film"]


@dataclass(frozen=True, kw_only=True)
class Graded:
    """A picture that was graded, or would be."""

    source: Path
    out: Path
    look: Look
    note: str | None = None

    def json(self) -> dict[str, Any]:
        """For machines."""
        return {"input": str(self.source), "output": str(self.out), **look_json(self.look), "note": self.note}


def look_json(look: Look) -> dict[str, Any]:
    """A look for machines."""
    sliders = dict(zip(LookControls.names(), look.controls.values(), strict=True))
    return {"sliders": sliders, "confidence": look.confidence, "regional": look.grid is not None}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for."""

    strength: float = 1.0
    reference: Path | None = None
    """A picture or `.cube` whose colours are wanted; None: the network's look."""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise OptionError("out of range", where="--strength", got=self.strength, allowed="0 to 1")


def kind_of(path: Path) -> Kind:
    """What a path is, by its name; films are all that is no picture. Raises InputError where it is missing."""
    if path.is_dir():
        return "folder"
    if not path.exists():
        raise InputError("no such file", where=path, next_step="check the path")
    return "picture" if path.suffix.lower() in ENDINGS else "film"


def pictures_in(folder: Path, out: Path) -> list[tuple[Path, Path]]:
    """(picture, result) pairs of a folder, by name: the same stem, PNG.

    Raises:
        InputError: it holds no picture, or two of one stem.
    """
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
    if not found:
        raise InputError("no picture there", where=folder, allowed=", ".join(ENDINGS))
    pairs = [(p, out / f"{p.stem}.png") for p in found]
    twice = [p for p, to in pairs if sum(to == other for _, other in pairs) > 1]
    if twice:
        raise InputError("two pictures of one name", where=folder, got=", ".join(p.name for p in twice[:2]))
    return pairs


def grade_pictures(
    pairs: Sequence[tuple[Path, Path]], wish: Wish, *, force: bool = False, dry_run: bool = False,
    progress: Progress = no_progress,
) -> Iterable[Graded]:  # fmt: skip
    """Grade pictures one by one; each comes when it is done.

    Raises:
        InputError: a picture or the reference cannot be read. OutputError: a result cannot be written.
    """
    if not dry_run:
        claim([out for _, out in pairs], inputs=[source for source, _ in pairs], force=force)
    mapper = SpaceMapper(store)
    reference = None if wish.reference is None else reference_of(wish.reference)
    for number, (source, out) in enumerate(pairs):
        progress("grading", number, len(pairs))
        held = read_picture(source)
        if reference is None:
            look = softened(picture_look(mapper, to_eight(held.rgb)), wish.strength)
            rgb = apply_look(held.rgb, look)
        else:
            look, own = Look(confidence=wish.strength), small(to_eight(held.rgb))
            rgb = apply_lut(held.rgb, lut_to(reference, own[None], wish.strength))
        if not dry_run:
            write_picture(out, replace(held, rgb=rgb))
        yield Graded(source=source, out=out, look=look, note=held.note)
    progress("grading", len(pairs), len(pairs))


def picture_look(mapper: SpaceMapper, rgb: U8) -> Look:
    """The look of one picture [h, w, 3]."""
    colour = mapper.look_at(rgb[None])
    return shot_look(colour, np.zeros(1, np.int64), np.ones(1, np.float32))


def softened(look: Look, strength: float) -> Look:
    """The look as far as `strength`, 0..1: at 0 the identity."""
    values = zip(LookControls.names(), look.controls.values(), strict=True)
    controls = LookControls(**{name: value * strength for name, value in values})
    grid = look.grid and tuple(tuple(v * strength for v in row) for row in look.grid)
    return replace(look, controls=controls, grid=grid if strength else None)


@dataclass(frozen=True)
class Reference:
    """What colours are brought near to: a map, or the colours of pictures [N, h, w, 3]."""

    lut: F32 | None
    pictures: U8


def reference_of(path: Path) -> Reference:
    """A `.cube` file, a picture, or a film (twelve of its frames).

    Raises:
        InputError: it cannot be read.
    """
    nothing = np.zeros((0, 1, 1, 3), np.uint8)
    if path.suffix.lower() == ".cube":
        return Reference(read_cube(path), nothing)
    if kind_of(path) == "picture":
        return Reference(None, small(to_eight(read_picture(path).rgb))[None])
    info = probe(path)
    times = [info.range.start + info.range.duration * Fraction(2 * k + 1, 2 * FRAMES) for k in range(FRAMES)]
    return Reference(None, np.stack([small(frame) for frame in stills_at(info, times)]))


def lut_to(reference: Reference, pictures: U8, strength: float) -> F32:
    """The LUT that brings pictures [N, h, w, 3] near to a reference, or is the reference."""
    found = reference.lut if reference.lut is not None else like(pictures, reference.pictures)
    return mixed_with_identity(found, strength)


def small(rgb: U8) -> U8:
    """[h, w, 3] with its longer side at most 256, area-averaged."""
    height, width = rgb.shape[:2]
    scale = min(SIDE / max(height, width), 1.0)
    made: U8 = resized(rgb[None], max(round(width * scale), 1), max(round(height * scale), 1))[0]
    return made


def film_plan(plan: Plan, strength: float, cube: Path | None) -> Plan:
    """A plan of a whole film, graded and otherwise left alone: no fades, no other loudness.

    Args:
        cube: the `.cube` file that the whole film takes in place of its shots' looks.
    """
    if cube is None:
        clips = tuple(c if c.look is None else replace(c, look=softened(c.look, strength)) for c in plan.clips)
    else:
        clips = tuple(replace(c, look=None, look_decision=None) for c in plan.clips)
    effects = () if cube is None else (Lut(path=cube.absolute()),)
    return replace(plan, clips=clips, joins=tuple(Join() for _ in plan.joins), loudness_target=None, effects=effects)


def mean_controls(looks: Sequence[Look]) -> LookControls:
    """What looks come to together: for a film of many shots, the look that a single file can hold."""
    rows = np.array([look.controls.values() for look in looks], np.float32)
    mean = robust_mean(rows, np.ones(len(rows), np.float32))
    return LookControls(**{n: round(float(v), 4) for n, v in zip(LookControls.names(), mean, strict=True)})


def check_beside(lut: Path | None, cdl: Path | None, *, one: bool, inputs: Sequence[Path], force: bool) -> None:
    """Refuse, before any work, `--lut` and `--cdl` where they could not be written.

    Raises:
        OptionError: not one look is found here, but many or none. OutputError: a name cannot be written.
    """
    wanted = {"--lut": (lut, ".cube"), "--cdl": (cdl, ".cdl")}
    for option, (path, ending) in wanted.items():
        if path is not None and not one:
            raise OptionError(
                "one file holds one look", where=option, got="a folder, or --like",
                allowed="a picture, or a film (the mean of its shots)",
            )  # fmt: skip
        if path is not None and path.suffix.lower() != ending:
            raise OptionError("another ending", where=option, got=path.name, allowed=ending)
    claim([path for path, _ in wanted.values() if path is not None], inputs=inputs, force=force)


def write_beside(controls: LookControls, *, lut: Path | None, cdl: Path | None, name: str) -> None:
    """The look for other programs. Raises OutputError."""
    if lut is not None:
        write_cube(bake(controls), lut, title=name)
    if cdl is not None:
        write_cdl(cdl, controls, name)
