"""Ways to write a film, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from roughcut.errors import OptionError
from roughcut.records.picture import Codec, FilmSpec, Speed


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A codec with its settings."""

    codec: Codec
    words: str
    """What it is good for, in one line."""
    crf: int = 20
    speed: Speed = "fast"
    bit_depth: int | None = None
    """None: the footage's."""
    ending: str = ".mp4"
    """Of a film whose name was not chosen."""

    def on(self, spec: FilmSpec) -> FilmSpec:
        """The film written this way."""
        depth = spec.bit_depth if self.bit_depth is None else self.bit_depth
        return replace(spec, codec=self.codec, crf=self.crf, speed=self.speed, bit_depth=depth)


PRESETS = {
    "h264": Preset(codec="h264", words="plays everywhere"),
    "h264-small": Preset(codec="h264", words="for sending: smaller, plays everywhere", crf=26, speed="good"),
    "h264-best": Preset(codec="h264", words="for keeping: hardly to be told from the footage", crf=15, speed="best"),
    "hevc": Preset(codec="hevc", words="smaller than h264 at the same quality; phones, televisions, Apple"),
    "hevc-10bit": Preset(codec="hevc", words="the same with 10 bit: HDR, skies without bands", bit_depth=10),
    "av1": Preset(codec="av1", words="small and free of royalties; players since about 2020"),
    "vp9": Preset(codec="vp9", words="free of royalties; every browser; 8 bit", ending=".webm"),
    "prores": Preset(codec="prores", words="ProRes 422 HQ, for going on in another editor: large", ending=".mov"),
    "draft": Preset(codec="h264", words="a quick look", crf=30, speed="draft"),
}


def named_preset(name: str) -> Preset:
    """A preset by its name. Raises OptionError for an unknown one."""
    try:
        return PRESETS[name]
    except KeyError:
        allowed = ", ".join(PRESETS)
        step = "see what each is with: roughcut presets"
        raise OptionError("unknown preset", where="--preset", got=repr(name), allowed=allowed, next_step=step) from None
