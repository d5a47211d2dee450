"""The edit plan as an OpenTimelineIO file: what Resolve, Premiere and Kdenlive open, and what they give back.

See docs/timeline.md for the conventions. `otio_writer` and `otio_reader` hold the two directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from roughcut.errors import InputError, PlanError
from roughcut.timeline.files import replace_text
from roughcut.timeline.otio_json import parse, text_of
from roughcut.timeline.otio_reader import plan_of
from roughcut.timeline.otio_writer import Files, timeline_of
from roughcut.timeline.plan import Plan

__all__ = ["read_otio", "require_media", "write_otio"]


def write_otio(plan: Plan, path: Path | str, *, cubes: Mapping[int, Files] | None = None) -> None:
    """Write the plan as a timeline file. Sources given by relative paths are made absolute.

    Args:
        cubes: the `.cube` files of clips that have some, by the clips' numbers from 0.

    Raises:
        OutputError: the file cannot be written; whatever stood there before is untouched.
    """
    path = Path(path)
    replace_text(path, text_of(timeline_of(plan, path.absolute().parent, cubes or {})))


def read_otio(path: Path | str) -> Plan:
    """The plan in a timeline file: exactly the one that was written, or what a person made of it since.

    What cannot be rendered is said in the plan's `notes`. A medium that is not at its absolute path any more is
    taken from where it lay relative to the timeline; see `require_media` for those that are nowhere.

    Args:
        path: an `.otio` file, or an `.otiod` folder.

    Raises:
        PlanError: the file cannot be read or says something impossible; the message names track and clip.
    """
    path = Path(path)
    file = path / "content.otio" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PlanError("no such timeline", where=path, allowed="an .otio file or .otiod folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError("the timeline cannot be read", where=path, got=str(error), allowed="UTF-8 JSON") from error
    return plan_of(parse(text, str(path)), file.absolute())


def require_media(plan: Plan) -> None:
    """Check that all media that the plan shows are there.

    Raises:
        InputError: names those that are not.
    """
    missing = [str(s.path) for s in plan.used() if not s.path.is_file()]
    if missing:
        raise InputError(
            "media of the timeline are missing",
            where=plan.name,
            got=", ".join(missing),
            next_step="put them back, or keep them where they lay relative to the timeline and move both together",
        )
