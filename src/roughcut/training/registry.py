"""The tasks by name. Each is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

from roughcut.errors import OptionError
from roughcut.training.tasks import TaskBuilder


def _shots() -> TaskBuilder:
    from roughcut.training.shots import ShotTask

    return ShotTask


def _encoder() -> TaskBuilder:
    from roughcut.training.encoder import EncoderTask

    return EncoderTask


def _moments() -> TaskBuilder:
    from roughcut.training.moments import MomentTask

    return MomentTask


def _colour() -> TaskBuilder:
    from roughcut.training.colour import ColourTask

    return ColourTask


def _expression() -> TaskBuilder:
    from roughcut.training.expression import ExpressionTask

    return ExpressionTask


def _faces() -> TaskBuilder:
    from roughcut.training.faces import FaceTask

    return FaceTask


def _mood() -> TaskBuilder:
    from roughcut.training.mood import MoodTask

    return MoodTask


def _restoration() -> TaskBuilder:
    from roughcut.training.restoration import RestorationTask

    return RestorationTask


TASKS: dict[str, Callable[[], TaskBuilder]] = {
    "shots": _shots,
    "encoder": _encoder,
    "moments": _moments,
    "colour": _colour,
    "expression": _expression,
    "faces": _faces,
    "mood": _mood,
    "restoration": _restoration,
}
"""Name -> a function that imports the task's class only when it is asked for."""


def find(name: str) -> TaskBuilder:
    """The builder of a task.

    Raises:
        OptionError: there is no such task.
    """
    if name not in TASKS:
        raise OptionError("no such task", where="train", got=name, allowed=", ".join(sorted(TASKS)))
    return TASKS[name]()
