"""Options that commands share. What `edit` and `plan` may be asked is declared once, in `wishes`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

Files = Annotated[
    list[Path], typer.Argument(help="Footage: one or more video files, in film order.", metavar="FILES...")
]
File = Annotated[Path, typer.Argument(help="A video file.", metavar="FILE")]
Target = Annotated[
    str | None,
    typer.Option("--target", "-t", help="Longest film wanted: 60s, 1m30s or 1:30."),
]
Keep = Annotated[
    str, typer.Option(help="What to keep: auto (looks at the footage), speech, highlights or all.", metavar="WHAT")
]
Look = Annotated[str, typer.Option(help="Colour: auto (a learned correction per shot) or none.", metavar="LOOK")]
Like = Annotated[
    Path | None,
    typer.Option(
        help="Bring the film's colours near to those of a picture, another film or a .cube, after the correction.",
        metavar="REF",
    ),
]
LookStrength = Annotated[float, typer.Option(help="How far colour is changed: 0 (not) to 1 (as found).")]
Transitions = Annotated[str, typer.Option(help="Joins: auto, cuts or dissolves.", metavar="JOINS")]
Sdr = Annotated[bool, typer.Option("--sdr", help="Bring HDR (PQ, HLG) to SDR; else it keeps its depth and tags.")]
Vfr = Annotated[
    str,
    typer.Option(help="Footage at a variable rate: constant (one rate) or keep (its own times).", metavar="WHICH"),
]
Track = Annotated[
    str | None,
    typer.Option(
        help="Sound track that decisions listen to: a number from 1 or a language such as eng. All tracks are kept.",
        metavar="TRACK",
    ),
]
Preset = Annotated[
    str | None, typer.Option(help="How the film is written; `roughcut presets` lists the names.", metavar="NAME")
]
Hardware = Annotated[
    str,
    typer.Option(help="auto tries the machine's own encoders first: faster, another picture quality.", metavar="WHICH"),
]
Smart = Annotated[
    str | None,
    typer.Option(
        help="Take over the footage's own coded pictures where nothing is done to them: fast, and not a bit is lost. "
        "auto: where footage and film are alike; always: take the footage's codec, refuse where nothing can be taken "
        "over; never: encode all. Left out, it is auto, or never with a preset.",
        metavar="WHEN",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on from what an interrupted render of this film had finished; interrupted again, keep that.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Analyse and plan, print the decisions, write nothing.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace results that exist.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Analyse anew, whatever the cache holds.")]

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
Denoise = Annotated[float, _option("Take noise out everywhere: 0 (not) to 1 (a lot).", "STRENGTH")]
Restore = Annotated[
    str, _option("Noise and softness: none (left alone) or auto (mended where a network is sure to help).", "WHICH")
]

Mood = Annotated[
    str | None,
    typer.Option(
        help="Prefer moments that are up, calm or tense; any: only tell how the film is felt. Expressions of faces are "
        "read for it, unless --no-faces.",
        metavar="MOOD",
    ),
]
NoFaces = Annotated[
    bool, typer.Option("--no-faces", help="Tell the mood by pictures and sound alone: no face is looked for.")
]

FACES = "Faces"


def _faces_option(words: str, metavar: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(help=words, metavar=metavar, rich_help_panel=FACES)
    return found


Faces = Annotated[
    str | None,
    _faces_option(
        "follow (look for faces; --reframe goes with them, close-ups are worth more), or cover them: hide (everyone), "
        '"hide WHO ...", "hide-except WHO ..."; WHO is a number that `roughcut faces` prints, or a name of --people. '
        "Whoever cannot be told for sure is covered.", "WHAT",
    ),
]  # fmt: skip
Cover = Annotated[
    str,
    _faces_option(
        "solid, mosaic or blur. Mosaic and blur are weak: people can be known again under them (3-12 of 100).", "HOW"
    ),
]
People = Annotated[
    Path | None, _faces_option("Names for the numbers: the list saved from the page of `roughcut faces`.", "JSON")
]
MuteVoices = Annotated[
    bool, typer.Option("--mute-voices", help="Silence wherever somebody speaks.", rich_help_panel=FACES)
]
Detector = Annotated[
    Path | None,
    _faces_option(
        "Another face detector than the shipped one: a file of our kind or YuNet's, or yunet once it was fetched "
        "(`roughcut models`).", "ONNX",
    ),
]  # fmt: skip


def wishes(
    target: Target = None,
    keep: Keep = "auto",
    look: Look = "auto",
    like: Like = None,
    look_strength: LookStrength = 1.0,
    transitions: Transitions = "auto",
    sdr: Sdr = False,
    vfr: Vfr = "constant",
    track: Track = None,
    preset: Preset = None,
    effects: Effects = "none",
    captions: Captions = None,
    title: Title = None,
    logo: Logo = None,
    music: Music = None,
    reframe: Reframe = None,
    stabilise: Stabilise = False,
    denoise: Denoise = 0.0,
    restore: Restore = "none",
    faces: Faces = None,
    cover: Cover = "solid",
    people: People = None,
    mute_voices: MuteVoices = False,
    detector: Detector = None,
    mood: Mood = None,
    no_faces: NoFaces = False,
) -> None:
    """What may be asked of a film, by the names that `pipeline.edit` knows them by."""


def with_wishes(command: Callable[..., None]) -> Callable[..., None]:
    """A command with all options of `wishes` in the place of its parameter `asked`, which is given them as a dict."""
    own, asked = inspect.signature(command).parameters, inspect.signature(wishes).parameters

    @wraps(command)
    def called(**given: Any) -> None:
        command(asked={name: given.pop(name) for name in asked}, **given)

    every = [p for name, one in own.items() for p in (asked.values() if name == "asked" else (one,))]
    hints = get_type_hints(command, include_extras=True) | get_type_hints(wishes, include_extras=True)
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what Typer reads
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[p.name]) for p in every]
    )
    return called
