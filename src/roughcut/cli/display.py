"""What people see while they wait and when it is done: progress with time left, tables, one-line errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from roughcut import records

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


MOST_BARS = 6


class Bars:
    """`records.Progress` drawn as one bar per stage, the latest few."""

    def __init__(self, drawn: Progress) -> None:
        self._drawn = drawn
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: float, total: float) -> None:
        if stage not in self._tasks:
            if len(self._tasks) >= MOST_BARS:
                self._drawn.remove_task(self._tasks.pop(next(iter(self._tasks))))
            self._tasks[stage] = self._drawn.add_task(escape(stage), total=total)
        self._drawn.update(self._tasks[stage], completed=min(done, total), total=total)


@contextmanager
def progress(quiet: bool) -> Iterator[records.Progress]:
    """Bars on the terminal's error stream; nothing where it is not a terminal or quiet is asked for."""
    if quiet or not ERR.is_terminal:
        yield records.no_progress
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=ERR) as drawn:
        yield Bars(drawn)


def complain(message: str) -> None:
    """One error line."""
    ERR.print(f"[bold red]error:[/] {escape(message)}")


def note(message: str) -> None:
    """One remark that is not the result."""
    ERR.print(f"[yellow]note:[/] {escape(message)}")


def say(message: str) -> None:
    """One line of result, as it is."""
    OUT.print(escape(message))


def say_json(value: Any) -> None:
    """The result for machines: JSON on standard output, nothing else."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str | None = None) -> None:
    """A plain table."""
    drawn = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(escape(str(cell)) for cell in row))
    OUT.print(drawn)
