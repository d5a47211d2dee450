"""What the film is written as: the size, rate, colour and sound of the source that fills most of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from roughcut.planner.options import PlanOptions
from roughcut.planner.pieces import Footage, Piece, source_id
from roughcut.records import HD_COLOUR, KEPT_TAGS, Analysis, AudioStream, FilmSpec, MediaInfo, TrackSpec, named_preset
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Source

RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)
"""What encoders take, in Hz."""
LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "7.1")
"""What all containers carry by name."""
NEAREST = {"quad(side)": "quad", "5.0(side)": "5.0", "5.1(side)": "5.1", "6.1": "7.1", "7.1(wide)": "7.1"}


def film_source(index: int, media: MediaInfo, available: TimeRange) -> Source:
    """The plan's entry for a file whose pictures cover `available`."""
    return Source(
        id=source_id(index),
        path=media.path.absolute(),
        available=available,
        rate=media.video.rate,
        width=media.video.width,
        height=media.video.height,
        digest=media.digest,
        tracks=len(media.audio),
    )


def dominant(footage: Footage, pieces: Sequence[Piece]) -> Analysis:
    """The file that is seen longest; it decides what the film is written as."""
    shown = [sum((p.range.duration for p in pieces if p.source == i), Fraction(0)) for i in range(len(footage))]
    return footage[max(range(len(footage)), key=lambda i: shown[i])]


def film_spec(footage: Footage, pieces: Sequence[Piece], options: PlanOptions) -> FilmSpec:
    """A film of many sizes and rates takes those of what is seen longest; with `sdr`, HDR becomes BT.709 of 8 bits."""
    media = dominant(footage, pieces).media
    beside = [a.media for a in footage]
    spec = spec_like(media, beside, sdr=options.sdr, variable=options.vfr == "keep")
    return spec if options.preset is None else named_preset(options.preset).on(spec)


def spec_like(
    media: MediaInfo, beside: Sequence[MediaInfo] = (), *, sdr: bool = False, variable: bool = False
) -> FilmSpec:
    """A film of the size, rate, colour and tags of a file, with room for the sound of those beside it."""
    colour, deep = media.video.colour, media.video.bit_depth > 8
    if sdr and colour.is_hdr:
        colour, deep = HD_COLOUR, False
    return FilmSpec(
        width=media.video.width,
        height=media.video.height,
        rate=media.video.rate,
        variable=variable,
        colour=colour,
        bit_depth=10 if deep else 8,
        tracks=film_tracks([media, *beside]),
        tags={k: v for k, v in media.tags.items() if k in KEPT_TAGS},
    )


def light_notes(footage: Footage, pieces: Sequence[Piece], spec: FilmSpec, *, sdr: bool) -> tuple[str, ...]:
    """What happens to HDR on its way into the film."""
    shown = [footage[i].media.video.colour.is_hdr for i in sorted({p.source for p in pieces})]
    if spec.colour.is_hdr:
        said = ["the film is HDR, as its footage is: its colour was left alone"]
        return (*said, "SDR footage stands in it with its white at 203 nits") if not all(shown) else tuple(said)
    if any(shown):
        return ("HDR footage was tone-mapped to SDR (BT.2390, diffuse white at 90 %)",)
    return ("--sdr: the footage is SDR already",) if sdr else ()


def heard(footage: Footage, pieces: Sequence[Piece]) -> Analysis:
    """The file whose choice of a sound track is the film's: the dominant one, else the first that has sound."""
    main = dominant(footage, pieces)
    return next((a for a in (main, *footage) if a.media.audio), main)


def track_notes(main: Analysis) -> tuple[str, ...]:
    """Which track was listened to, where there was a choice."""
    if len(main.media.audio) < 2:
        return ()
    chosen = main.media.audio[main.track]
    named = ", ".join(filter(None, (chosen.language, chosen.title)))
    number = f"{main.track + 1} of {len(main.media.audio)}"
    return (f"decisions and loudness go by sound track {number}{f' ({named})' if named else ''}; all are kept",)


def film_tracks(media: Sequence[MediaInfo]) -> tuple[TrackSpec, ...]:
    """As many tracks as the richest file has; each is what it is in the first of `media` that has it."""
    count = max(len(m.audio) for m in media)
    return tuple(_track(next(m.audio[k] for m in media if k < len(m.audio))) for k in range(count))


def _track(heard: AudioStream) -> TrackSpec:
    layout = NEAREST.get(heard.layout, heard.layout)
    return TrackSpec(
        rate=heard.rate if heard.rate in RATES else 48_000,
        layout=layout if layout in LAYOUTS else "stereo",
        language=heard.language,
        title=heard.title,
        default=heard.default,
    )
