"""The error tree. Everything roughcut raises on purpose is a `RoughcutError`.

    RoughcutError
    ├── InputError      a file given by the user cannot be used        (missing, no video, unreadable)
    ├── OutputError     the result cannot be written                   (folder read-only, disk full)
    ├── OptionError     an option or argument has a value out of range
    ├── PlanError       a timeline says something that cannot be rendered
    ├── ModelError      a shipped or trained network is missing, altered or of another shape
    ├── DataError       a training manifest or label file is wrong
    └── ProofError      the written film is not what the plan asked for

A message answers: what happened, where, what was got, what is allowed, what to do next.
"""

from __future__ import annotations


class RoughcutError(Exception):
    """Base of all errors meant for people. The command line prints it as one line and exits with 2.

    Args:
        what: what is wrong, one clause without a full stop.
        where: the file, option or place in a file.
        got: the offending value, if it helps.
        allowed: what would have been accepted.
        next_step: what the reader can do now.
    """

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        got: object = None,
        allowed: object = None,
        next_step: str | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.got = None if got is None else str(got)
        self.allowed = None if allowed is None else str(allowed)
        self.next_step = next_step
        super().__init__(self._line())

    def _line(self) -> str:
        line = self.what if self.where is None else f"{self.where}: {self.what}"
        if self.got is not None:
            line += f" (got {self.got})"
        if self.allowed is not None:
            line += f"; allowed: {self.allowed}"
        if self.next_step is not None:
            line += f". {self.next_step[:1].upper()}{self.next_step[1:]}"
        return " ".join(line.split())


class InputError(RoughcutError):
    """A file given by the user cannot be used."""


class OutputError(RoughcutError):
    """The result cannot be written where it was asked for."""


class OptionError(RoughcutError):
    """An option or argument has a value that is not allowed."""


class PlanError(RoughcutError):
    """A timeline cannot be read or asks for something that cannot be rendered."""


class ModelError(RoughcutError):
    """A network is missing, was altered, or has another shape than its card says."""


class DataError(RoughcutError):
    """A manifest, label file or dataset is wrong."""


class ProofError(RoughcutError):
    """The written film does not hold what the plan asked for."""
