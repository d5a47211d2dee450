"""`roughcut grade`: colour alone, of a picture, a folder of pictures, or a film; and the references of `--like`.

Pictures get the look that the colour network finds for each; of a film every shot gets its own, nothing is cut, and its
sound keeps its level. With a reference, what was corrected is brought near to it, by one map for each picture or film.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from roughcut.effects.cubes import write_cdl
from roughcut.effects.looks import apply_look, look_lut, read_cube, write_cube
from roughcut.errors import InputError, OptionError
from roughcut.features.frames import embedded
from roughcut.media.picture_files import ENDINGS, read_picture, to_eight, write_picture
from roughcut.media.probe import probe
from roughcut.media.stills import stills_at
from roughcut.models import store
from roughcut.planner.colour import laid, matched, scene, softened
from roughcut.records import U8, Look, LookControls, Progress, no_progress
from roughcut.results import claim
from roughcut.spatial.colour import robust_mean
from roughcut.spatial.mapper import SpaceMapper, Store, resized, shot_look
from roughcut.spatial.skin import skin_kept
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
    like = None if look.match is None else look.match.reference
    return {"sliders": sliders, "confidence": look.confidence, "regional": look.grid is not None, "like": like}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for."""

    strength: float = 1.0
    reference: Path | None = None
    """A picture, film or `.cube` whose colours are wanted after the correction."""

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
    eye = Eye()
    reference = None if wish.reference is None else reference_of(wish.reference)
    for number, (source, out) in enumerate(pairs):
        progress("grading", number, len(pairs))
        held = read_picture(source)
        look = _look(eye, to_eight(held.rgb), wish, reference)
        if not dry_run:
            write_picture(out, replace(held, rgb=apply_look(held.rgb, look)))
        yield Graded(source=source, out=out, look=look, note=held.note)
    progress("grading", len(pairs), len(pairs))


class Eye:
    """Finds the look of lone pictures: X and V without a film.

    Args:
        networks: where the colour network comes from; the encoder is the shipped one.

    Raises:
        ModelError: a network is missing or was altered.
    """

    def __init__(self, networks: Store = store) -> None:
        self._encoder, self._mapper = store.load("encoder"), SpaceMapper(networks)

    def look(self, rgb: U8) -> Look:
        """Of one picture [h, w, 3]; skin keeps its hue."""
        colour = self._mapper.look_at(rgb[None], next(embedded(self._encoder, rgb[None])))
        look = shot_look(colour, np.zeros(1, np.int64), np.ones(1, np.float32))
        return skin_kept(look, scene(small(rgb)), None, laid)


def _look(eye: Eye, rgb: U8, wish: Wish, reference: U8 | None) -> Look:
    look = eye.look(rgb)
    if wish.reference is not None:
        look = replace(look, match=matched(wish.reference, scene(small(rgb), look), reference))
    return softened(look, wish.strength)


def reference_of(path: Path) -> U8 | None:
    """The pictures [N, h, w, 3] of a reference: one, or twelve of a film; None where it is a `.cube`, which is whole.

    Raises:
        InputError: it cannot be read.
    """
    if path.suffix.lower() == ".cube":
        read_cube(path)
        return None
    if kind_of(path) == "folder":
        raise InputError("a folder is no reference", where=path, allowed="a picture, a film or a .cube")
    if kind_of(path) == "picture":
        return small(to_eight(read_picture(path).rgb))[None]
    info = probe(path)
    times = [info.range.start + info.range.duration * Fraction(2 * k + 1, 2 * FRAMES) for k in range(FRAMES)]
    return np.stack([small(frame) for frame in stills_at(info, times)])


def check_reference(path: Path | None) -> None:
    """Refuse, before any work, what is no reference. Raises InputError."""
    if path is not None and path.suffix.lower() != ".cube" and kind_of(path) == "film":
        probe(path)
    elif path is not None:
        reference_of(path)


def small(rgb: U8) -> U8:
    """[h, w, 3] with its longer side at most 256, area-averaged."""
    height, width = rgb.shape[:2]
    scale = min(SIDE / max(height, width), 1.0)
    made: U8 = resized(rgb[None], max(round(width * scale), 1), max(round(height * scale), 1))[0]
    return made


def film_plan(plan: Plan) -> Plan:
    """A plan of a whole film with its looks and otherwise left alone: no fades, no other loudness."""
    return replace(plan, joins=tuple(Join() for _ in plan.joins), loudness_target=None)


def mean_look(looks: Sequence[Look]) -> Look:
    """What looks come to together: for a film of many shots, the look that a single file can hold."""
    rows = np.array([look.controls.values() for look in looks], np.float32)
    mean = robust_mean(rows, np.ones(len(rows), np.float32))
    controls = LookControls(**{n: round(float(v), 4) for n, v in zip(LookControls.names(), mean, strict=True)})
    return Look(controls=controls, match=looks[0].match)  # one match for all of them


def check_beside(
    lut: Path | None, cdl: Path | None, *, one: bool, like: bool, inputs: Sequence[Path], force: bool
) -> None:
    """Refuse, before any work, `--lut` and `--cdl` where they could not be written.

    Raises:
        OptionError: not one look is found here, but many, or one that a CDL cannot hold. OutputError: a name cannot be
            written.
    """
    if cdl is not None and like:
        raise OptionError("a CDL has no room for a match", where="--cdl", got="--like", next_step="use --lut instead")
    wanted = {"--lut": (lut, ".cube"), "--cdl": (cdl, ".cdl")}
    for option, (path, ending) in wanted.items():
        if path is not None and not one:
            raise OptionError(
                "one file holds one look", where=option, got="a folder",
                allowed="a picture, or a film (the mean of its shots)",
            )  # fmt: skip
        if path is not None and path.suffix.lower() != ending:
            raise OptionError("another ending", where=option, got=path.name, allowed=ending)
    claim([path for path, _ in wanted.values() if path is not None], inputs=inputs, force=force)


def write_beside(look: Look, *, lut: Path | None, cdl: Path | None, name: str) -> None:
    """The look for other programs. Raises OutputError."""
    if lut is not None:
        write_cube(look_lut(look), lut, title=name)
    if cdl is not None:
        write_cdl(cdl, look.controls, name)
