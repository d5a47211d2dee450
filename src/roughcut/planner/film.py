"""What the film is written as: the size, rate, colour and sound of the source that fills most of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from roughcut.planner.pieces import Footage, Piece, source_id
from roughcut.records import Analysis, FilmSpec
from roughcut.timeline.plan import Source

LAYOUTS = ("mono", "stereo", "5.1", "7.1")


def film_source(index: int, analysis: Analysis) -> Source:
    """The plan's entry for an analysed file."""
    media = analysis.media
    return Source(
        id=source_id(index),
        path=media.path.absolute(),
        available=analysis.features.times.range,
        rate=media.video.rate,
        width=media.video.width,
        height=media.video.height,
        digest=media.digest,
        has_sound=bool(media.audio),
    )


def film_spec(footage: Footage, pieces: Sequence[Piece]) -> FilmSpec:
    """The dominant source decides: a film of many sizes and rates takes those of what is seen longest."""
    shown = [sum((p.range.duration for p in pieces if p.source == i), Fraction(0)) for i in range(len(footage))]
    media = footage[max(range(len(footage)), key=lambda i: shown[i])].media
    sound = next((m.media.audio[0] for m in [footage[shown.index(max(shown))], *footage] if m.media.audio), None)
    return FilmSpec(
        width=media.video.width,
        height=media.video.height,
        rate=media.video.rate,
        colour=media.video.colour,
        bit_depth=10 if media.video.bit_depth > 8 else 8,
        sound_rate=None if sound is None else (sound.rate if sound.rate in (44_100, 48_000) else 48_000),
        layout=sound.layout if sound is not None and sound.layout in LAYOUTS else "stereo",
        tags={k: v for k, v in media.tags.items() if k in ("creation_time", "title", "language")},
    )
