"""`roughcut evaluate TASK`: the measured figures of a shipped (or just trained) network on labelled data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from roughcut.errors import DataError, OptionError
from roughcut.records import Progress, no_progress


class Report(Protocol):
    """What an evaluation gives back."""

    def table(self) -> str:
        """Text for people: one row per method or part."""

    def json(self) -> dict[str, Any]:
        """The same for machines."""


class Evaluator(Protocol):
    """Measures one task. `models` is the folder the networks are taken from; the shipped ones where None."""

    def __call__(self, data: Any, *, models: Path | None, progress: Progress, **options: Any) -> Report: ...


def _shots() -> Evaluator:
    from roughcut.evaluation.shots import evaluate_shots

    return evaluate_shots


def _moments() -> Evaluator:
    from roughcut.evaluation.moments import evaluate_moments

    return evaluate_moments


def _colour() -> Evaluator:
    from roughcut.evaluation.colour import evaluate_colour

    return evaluate_colour


def _expression() -> Evaluator:
    from roughcut.evaluation.expression import evaluate_expression

    return evaluate_expression


def _faces() -> Evaluator:
    from roughcut.evaluation.faces import evaluate_faces

    return evaluate_faces


def _mood() -> Evaluator:
    from roughcut.evaluation.mood import evaluate_mood

    return evaluate_mood


def _restoration() -> Evaluator:
    from roughcut.evaluation.restoration import evaluate_restoration

    return evaluate_restoration


EVALUATORS: dict[str, Callable[[], Evaluator]] = {
    "colour": _colour,
    "expression": _expression,
    "faces": _faces,
    "moments": _moments,
    "mood": _mood,
    "restoration": _restoration,
    "shots": _shots,
}
"""Name -> a function that imports the evaluator only when it is asked for."""


WITHOUT_DATA = ("mood",)
"""Tasks whose films are drawn; with data they are measured on real pictures too."""


def evaluate(
    task: str, data: Path | None, *, models: Path | None = None, progress: Progress = no_progress, **options: Any
) -> Report:
    """Measure a task on the data in a folder (or file, as the task says); `mood` draws films where there is none.

    Raises:
        OptionError: unknown task, or no data given. DataError: no data there, or the labels are wrong.
    """
    if task not in EVALUATORS:
        raise OptionError("no such task", where="evaluate", got=task, allowed=", ".join(sorted(EVALUATORS)))
    if data is None and task not in WITHOUT_DATA:
        raise OptionError("this task is measured on labelled data", where="evaluate", got=task, next_step="add --data")
    if data is not None and not data.exists():
        raise DataError("no such data", where=data)
    return EVALUATORS[task]()(data, models=models, progress=progress, **options)
