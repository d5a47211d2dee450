"""What a person may ask of the planner."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from roughcut.errors import OptionError
from roughcut.records import named_preset
from roughcut.timebase import parse_time

Keep = Literal["auto", "speech", "highlights", "all"]
Looks = Literal["auto", "none"]
Transitions = Literal["auto", "cuts", "dissolves"]
Vfr = Literal["constant", "keep"]


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Options of `roughcut plan` and `roughcut edit`.

    Raises:
        OptionError: a value is not one of those allowed, or the target is not longer than 0 s.
    """

    target: Fraction | None = None
    """Longest film wanted, in seconds; None lets the footage decide."""
    keep: Keep = "auto"
    look: Looks = "auto"
    transitions: Transitions = "auto"
    sdr: bool = False
    """True: an HDR film is brought to SDR."""
    vfr: Vfr = "constant"
    """Of footage at a variable rate: one constant rate, or its pictures at their own times."""
    preset: str | None = None
    """How the film is written, by a name of `records.PRESETS`; None: the usual codec of its kind of file."""

    def __post_init__(self) -> None:
        for name, allowed in (("keep", Keep), ("look", Looks), ("transitions", Transitions), ("vfr", Vfr)):
            value = getattr(self, name)
            if value not in get_args(allowed):
                raise OptionError(
                    "unknown value", where=f"--{name}", got=repr(value), allowed=", ".join(get_args(allowed))
                )
        if self.preset is not None:
            named_preset(self.preset)
        if self.target is not None and self.target <= 0:
            raise OptionError("a film lasts longer than 0 s", where="--target", got=f"{float(self.target):g} s")

    @classmethod
    def parse(
        cls,
        *,
        target: str | Fraction | int | None,
        keep: str,
        look: str,
        transitions: str,
        sdr: bool = False,
        vfr: str = "constant",
        preset: str | None = None,
    ) -> PlanOptions:
        """Options from what people write; `target` as text (`60s`, `1:30`), whole seconds or a Fraction."""
        seconds = parse_time(target, where="--target") if isinstance(target, str) else target
        return cls(
            target=None if seconds is None else Fraction(seconds),
            keep=keep,  # type: ignore[arg-type]  # checked in __post_init__
            look=look,  # type: ignore[arg-type]
            transitions=transitions,  # type: ignore[arg-type]
            sdr=sdr,
            vfr=vfr,  # type: ignore[arg-type]
            preset=preset,
        )
