"""A picture of plain RGB: how effects are laid on stills, previews and the small pictures of a proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from roughcut.effects.planes import Plane
from roughcut.records import U8


@dataclass(frozen=True)
class RgbPicture:
    """Implements `records.Picture` with red, green and blue as its planes, 8 bits, full range."""

    channels: tuple[Any, ...]

    @classmethod
    def of(cls, rgb: U8) -> RgbPicture:
        """Of [h, w, 3]."""
        return cls(tuple(np.ascontiguousarray(rgb[..., k]) for k in range(3)))

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.channels[0].shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.channels[0].shape[0])

    @property
    def bit_depth(self) -> int:
        """8."""
        return 8

    def planes(self) -> list[Plane]:
        """Red, green, blue."""
        return list(self.channels)

    def black(self) -> tuple[int, int, int]:
        """Black."""
        return (0, 0, 0)

    def with_planes(self, planes: list[Plane]) -> RgbPicture:
        """Of copies of these channels."""
        return RgbPicture(tuple(plane.copy() for plane in planes))

    def planes_of(self, rgb: U8) -> list[Plane]:
        """The channels of [h, w, 3]."""
        return list(self.of(rgb).channels)

    def rgb(self) -> Plane:
        """[h, w, 3]."""
        stacked: Plane = np.stack(self.channels, -1)
        return stacked

    def with_rgb(self, rgb: Plane) -> RgbPicture:
        """Of other RGB."""
        return self.of(rgb.astype(np.uint8, copy=False))
