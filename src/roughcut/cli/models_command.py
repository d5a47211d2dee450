"""`models`: the networks that ship, and those that can be fetched."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from roughcut.cli import display
from roughcut.cli.app import app
from roughcut.cli.options import Json, Quiet

models = typer.Typer(help="The networks that ship, and those of others that can be fetched.")
app.add_typer(models, name="models")


@models.callback(invoke_without_command=True)
def listed(context: typer.Context, as_json: Json = False) -> None:
    """The networks that ship, and those of others that can be fetched."""
    if context.invoked_subcommand is not None:
        return
    shipped, published = _shipped(), _published()
    if as_json:
        display.say_json({"shipped": shipped, "published": published})
        return
    rows = [(m["name"], m["version"], f"{m['bytes']:,}", m["description"]) for m in shipped]
    display.table(("ships", "version", "bytes", ""), rows)
    for m in published:
        where = m["file"] or f"not here: `roughcut models fetch {m['name']}`"
        display.say(f"\n{m['name']}, by others ({m['licence']}, {m['bytes']:,} bytes) {m['does']}\n  {where}")


@models.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Which one: a name that `roughcut models` lists.")],
    source: Annotated[
        str | None,
        typer.Option("--from", help="Take it from this file or address; its content must be the same.", metavar="FILE"),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bring a network of others into your data folder. Nothing else in roughcut uses the internet."""
    from roughcut.models import fetched

    with display.progress(quiet or as_json) as progress:
        path = fetched.fetch(name, source=source, progress=progress)
    one = fetched.PUBLISHED[name]
    if as_json:
        display.say_json({"name": name, "file": str(path), "sha256": one.sha256, "licence": one.licence})
    else:
        display.say(f"{name}    {path}")


def _shipped() -> list[dict[str, Any]]:
    from roughcut.models import store

    cards = {name: store.read_card(store.FOLDER / f"{name}.onnx") for name in store.names()}
    return [
        {
            "name": name, "version": str(card["version"]), "bytes": card["bytes"], "sha256": card["sha256"],
            "licence": card["licence"], "description": card.get("description", ""),
        }
        for name, card in cards.items()
    ]  # fmt: skip


def _published() -> list[dict[str, Any]]:
    from dataclasses import asdict

    from roughcut.models import fetched

    return [
        {**asdict(one), "file": str(fetched.place(name)) if fetched.is_here(name) else None}
        for name, one in fetched.PUBLISHED.items()
    ]
