"""What goes into the film beside pictures and sound, and what does not, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from roughcut.media.audio import channels_of
from roughcut.media.retime import film_chapters, film_subtitles
from roughcut.media.subtitles import codec_in, read_subtitles
from roughcut.records import KEPT_TAGS, Chapter, MediaInfo, SubtitleTrack
from roughcut.timeline.plan import Plan

LOST_IN = {
    "mp4": {"language", "make", "model"},
    "mov": {"album_artist", "composer", "description", "synopsis", "show", "episode_id", "network", "keywords",
            "language", "lyrics"},
}  # fmt: skip
"""Tags that FFmpeg's muxers have no place for."""
PLACES = ("location", "gps", "iso6709")


@dataclass(frozen=True, kw_only=True)
class Carried:
    """Subtitles and chapters of a film, in film time; `remarks` name what is missing."""

    subtitles: tuple[SubtitleTrack, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    remarks: tuple[str, ...] = ()


NOTHING = Carried()


def carried(plan: Plan, media: Mapping[str, MediaInfo], container: str) -> Carried:
    """What the film of a plan carries in a container of FFmpeg's names; `media` are the probed sources by id.

    Raises:
        InputError: a source cannot be read any more.
    """
    ends: dict[str, Fraction] = {}
    for clip in plan.clips:
        ends[clip.source] = max(clip.range.end + 1 / plan.spec.rate, ends.get(clip.source, clip.range.end))
    used = {source: media[source] for source in ends}
    subtitles = film_subtitles(plan, {s: read_subtitles(info, until=ends[s]) for s, info in used.items()})
    several = len(plan.sources) > 1
    streams = (f"{m.path.name}: {words}" if several else words for m in used.values() for words in m.others)
    words = (*streams, *_sound_words(plan, used), *_tag_words(plan, used, container), *_cue_words(subtitles, container))
    return Carried(
        subtitles=tuple(t for t in subtitles if t.cues and codec_in(container, t.stream.codec)),
        chapters=film_chapters(plan, {s: info.chapters for s, info in used.items()}),
        remarks=tuple(dict.fromkeys(words)),
    )


def _sound_words(plan: Plan, used: Mapping[str, MediaInfo]) -> Iterator[str]:
    """Tracks that lose channels, or have no place at all."""
    for info in used.values():
        for number, (heard, track) in enumerate(zip(info.audio, plan.spec.tracks, strict=False), 1):
            if heard.channels > channels_of(track.layout):
                yield f"{info.path.name}: sound track {number} ({heard.layout}) is mixed to {track.layout}"
        if len(info.audio) > len(plan.spec.tracks):
            yield f"{info.path.name}: the film has {len(plan.spec.tracks)} of its {len(info.audio)} sound tracks"


def _tag_words(plan: Plan, used: Mapping[str, MediaInfo], container: str) -> Iterator[str]:
    names = sorted({name for info in used.values() for name in info.tags})
    if any(place in name for name in names for place in PLACES):
        yield "where it was taken (location) is left out of the film's tags, for privacy"
    unknown = [n for n in names if n not in KEPT_TAGS and not any(place in n for place in PLACES)]
    lost = sorted(set(plan.spec.tags) & LOST_IN.get(container, set()))
    if unknown or lost:
        yield f"tags not carried over: {', '.join([*unknown, *lost])}"


def _cue_words(subtitles: tuple[SubtitleTrack, ...], container: str) -> Iterator[str]:
    for number, track in enumerate(subtitles, 1):
        codec = codec_in(container, track.stream.codec)
        named = f"subtitle track {number} ({', '.join(filter(None, (track.stream.codec, track.stream.language)))})"
        if codec is None:
            yield f"{named} is not carried over: {container} holds no text subtitles"
        elif not track.cues:
            yield f"{named} says nothing in what was kept, so the film has no such track"
        elif track.stream.codec == "ass" and codec != "ass":
            yield f"{named} is written as {codec}: its words are kept, its styles are not"
