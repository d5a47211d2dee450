"""Why something in a plan is as it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Why something is as it is."""

    code: str
    """Stable short name: `speech`, `highlight`, `dead_air`, `over_budget`, `soft_change`, ..."""
    words: str
    """The reason as a sentence for people."""
    probability: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a probability lies in 0..1, got {self.probability}")
