"""The options of `edit` and `plan` that lay something on the film, in a panel of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PANEL = "Effects"


def _option(words: str, metavar: str | None = None) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(help=words, metavar=metavar, rich_help_panel=PANEL)
    return found


Effects = Annotated[
    str,
    _option(
        "What the planner may do beside cuts: none; subtle (slow push-ins, closer views that hide cuts); "
        "rich (also whips and faster time). Each with its reason.", "HOW MUCH",
    ),
]  # fmt: skip
Captions = Annotated[
    Path | None, _option("Draw these captions into the picture: an .srt in the time of the footage.", "SRT")
]
Title = Annotated[str | None, _option("A title over the first seconds.", "WORDS")]
Logo = Annotated[Path | None, _option("A picture in the upper right corner, PNG with transparency.", "PICTURE")]
Music = Annotated[Path | None, _option("Music under the film, lower where it is heard itself.", "SOUND")]
Reframe = Annotated[str | None, _option("Another shape, following what moves: 9:16, 1:1, 4:5 or 16:9.", "SHAPE")]
Stabilise = Annotated[bool, typer.Option("--stabilise", help="Take camera shake out.", rich_help_panel=PANEL)]
Denoise = Annotated[float, _option("Take noise out: 0 (not) to 1 (a lot).", "STRENGTH")]
