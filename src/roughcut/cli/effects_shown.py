"""`roughcut effects`: the catalogue as people and machines read it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from roughcut.cli import display
from roughcut.effects.catalogue import catalogue as listed


def catalogue(previews: Path | None, *, force: bool, as_json: bool) -> None:
    """All effects; with `previews`, a sheet of each in that folder."""
    drawn: dict[str, Path] = {}
    if previews is not None:
        from roughcut.demo.sheets import draw_sheets

        with display.progress(as_json) as progress:
            drawn = draw_sheets(previews, force=force, progress=progress)
    entries = listed()
    if as_json:
        sheets = {name: str(path) for name, path in drawn.items()}
        display.say_json([asdict(e) | {"preview": sheets.get(e.name)} for e in entries.values()])
        return
    for entry in entries.values():
        display.say(f"{entry.name} ({entry.on}): {entry.words}")
        for p in entry.parameters:
            display.say(f"    {p.name:12s} {p.default:8s} {p.allowed}{': ' if p.words else ''}{p.words}")
    for path in drawn.values():
        display.say(str(path))
