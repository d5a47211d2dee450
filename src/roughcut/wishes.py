"""What people ask of a film beside its edit: checked before any work is done, and written down with the film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, cast, get_args

import roughcut
from roughcut import watching
from roughcut.errors import OptionError
from roughcut.media.codecs import container_of
from roughcut.media.faults import check_file
from roughcut.media.probe import content_digest
from roughcut.models.fetched import file_of
from roughcut.planner import PlanOptions
from roughcut.records import named_preset
from roughcut.units import Smart

NETWORKS = ("encoder", "shots", "moments", "colour")


def check_writing(out: Path, preset: str | None, hardware: str, smart: str | None) -> None:
    """Refuse, before any work, what could not be written."""
    check_encoding(hardware, smart)
    container_of(out).holding(None if preset is None else named_preset(preset).codec)


def check_encoding(hardware: str, smart: str | None) -> None:
    """Raise OptionError for values that `render` does not know, or that exclude each other."""
    allowed = {"--hardware": ("auto", "off"), "--smart": get_args(Smart)}
    for option, value in (("--hardware", hardware), ("--smart", smart or "auto")):
        if value not in allowed[option]:
            raise OptionError("unknown value", where=option, got=repr(value), allowed=", ".join(allowed[option]))
    if smart == "always" and hardware == "auto":
        raise OptionError("beside copied packets only software encodes", where="--smart always",
                          got="--hardware auto", next_step="leave one of them out")  # fmt: skip


def smart_wish(wish: str | None, asked: str | None) -> Smart:
    """`wish`, checked before, or else what goes with the codec or preset that was asked for."""
    return cast(Smart, wish or ("auto" if asked is None else "never"))


def recipe_of(paths: Sequence[Path | str], wishes: Mapping[str, Any]) -> dict[str, Any]:
    """All that a film depends on, as JSON: the content of its sources, the wishes, this version and its networks.

    Stands in the report, so that a later run can tell whether a film is the one it would make.
    """
    for path in paths:
        check_file(Path(path))
    asked = vars(options_of(wishes))
    options = {name: str(value) for name, value in asked.items()}
    options["laid on"] = ", ".join(content_digest(value) for value in asked.values() if isinstance(value, Path))
    detector = wishes.get("detector")
    beside = {
        "track": str(wishes.get("track")),
        "detector": "" if detector is None else content_digest(file_of(Path(detector))),
        "hardware": wishes.get("hardware", "off"),
        "smart": smart_wish(wishes.get("smart"), wishes.get("preset")),
    }
    return {
        "sources": [content_digest(Path(path)) for path in paths],
        "wishes": {**options, **beside},
        "roughcut": roughcut.__version__,
        "networks": watching.model_versions((*NETWORKS, *_beside(asked, detector))),
    }


def looked_for(options: PlanOptions, track: str | int | None, detector: Path | str | None) -> dict[str, Any]:
    """What `pipeline.analyze` must look for, for a plan with these options."""
    return {
        "track": track,
        "faces": options.faces is not None,
        "mood": options.mood is not None,
        "expressions": not options.no_faces,
        "detector": detector,
    }


def _beside(asked: Mapping[str, Any], detector: object) -> list[str]:
    """Networks that only some wishes need."""
    read = asked["mood"] is not None and not asked["no_faces"]
    wanted = {
        "faces": (asked["faces"] or read) and not detector,
        "restoration": asked["restore"] == "auto",
        "mood": asked["mood"] is not None,
        "expression": read,
    }
    return [name for name, is_wanted in wanted.items() if is_wanted]


def options_of(wishes: Mapping[str, Any]) -> PlanOptions:
    """Those of the wishes that the planner knows, checked. Raises OptionError."""
    names = [f.name for f in fields(PlanOptions)]
    return PlanOptions.parse(**{name: wishes[name] for name in names if name in wishes})
