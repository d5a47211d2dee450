"""The map that brings colours near to those of a reference: part of a look, after its correction."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from roughcut.records.effect import ParameterError

Pair = tuple[float, float]
KNOTS = tuple(k / 8 for k in range(9))
"""OKLab lightness at which a match says what it becomes."""
NEUTRAL: Pair = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Match:
    """Colours as in a reference, in OKLab; `effects/match.py` has the formulas. All defaults are the identity.

    Raises:
        ParameterError: a value is out of range, or lightness does not rise.
    """

    reference: str = ""
    """What the colours are brought near to, for people."""
    strength: float = 1.0
    """0 (not) to 1 (all the way)"""
    cube: Path | None = None
    """A `.cube` file that is itself the map; then only `strength` counts beside it."""
    lightness: tuple[float, ...] = KNOTS
    """What the lightnesses `KNOTS` become; 0..1, rising"""
    shadows: Pair = NEUTRAL
    """What is added to a and b in the shadows ..."""
    mids: Pair = NEUTRAL
    highlights: Pair = NEUTRAL
    chroma: tuple[Pair, Pair] = ((1.0, 0.0), (0.0, 1.0))
    """Rows of the matrix that a and b are multiplied by"""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ParameterError("strength", self.strength, "0 to 1")
        rising = all(b > a for a, b in pairwise(self.lightness))
        if len(self.lightness) != len(KNOTS) or not rising or not all(0 <= v <= 1 for v in self.lightness):
            raise ParameterError("lightness", self.lightness, f"{len(KNOTS)} rising numbers, 0 to 1")
        for name in ("shadows", "mids", "highlights"):
            if not all(-0.2 <= v <= 0.2 for v in getattr(self, name)):
                raise ParameterError(name, getattr(self, name), "-0.2 to 0.2")
        if not all(-4 <= v <= 4 for row in self.chroma for v in row):
            raise ParameterError("chroma", self.chroma, "-4 to 4")
