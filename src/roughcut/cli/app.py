"""The Typer app: its name, `--version`, and nothing else; `commands` registers the commands on it."""

from __future__ import annotations

from typing import Annotated

import typer

from roughcut import __version__

app = typer.Typer(
    name="roughcut",
    help="A neural video editor: footage in; an edited, graded film and the editable timeline behind it out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"roughcut {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass
