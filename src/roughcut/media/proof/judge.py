"""What of the measurements breaks the plan, and where; what merely differs; what is odd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from roughcut.media.carried import LOST_IN
from roughcut.media.proof.found import GOOD, FrameMatch, Proof, SegmentProof, at
from roughcut.media.proof.packets import Pictures
from roughcut.media.retime import film_chapters, film_subtitles
from roughcut.media.subtitles import codec_in, read_subtitles
from roughcut.records import AudioStream, MediaInfo, TrackSpec
from roughcut.timebase import fraction_text
from roughcut.timeline.plan import Plan

SOUND_SLACK = 0.05  # seconds by which sound may be longer or shorter than the pictures: a codec's last packet
_COLOUR = ("matrix", "primaries", "transfer", "full_range")


def problems(found: Proof, plan: Plan, pictures: Pictures) -> Iterator[str]:
    """What makes the film not the one that was planned, each with its place."""
    yield from _format(found, plan)
    yield from _counts(found, plan, pictures)
    yield from _sync(found, plan)
    for segment in found.segments:
        for name, match in segment.frames():
            if match.likeness not in GOOD:
                yield f"{_place(segment, name, match)} {_wrong(match)}"


def _format(found: Proof, plan: Plan) -> Iterator[str]:
    video, spec, audio = found.media.video, plan.spec, found.media.audio
    if (video.width, video.height) != (spec.width, spec.height):
        yield f"the film is {video.width}x{video.height}, planned is {spec.width}x{spec.height}"
    for name in _COLOUR:
        wanted, got = getattr(spec.colour, name), getattr(video.colour, name)
        if None not in (wanted, got) and wanted != got:
            yield f"colour {name.replace('_', ' ')} is tagged {got}, planned is {wanted}"
    if len(audio) != len(spec.tracks):
        yield f"{len(audio)} sound tracks were found, {len(spec.tracks)} planned"
    for k, (track, wished) in enumerate(zip(audio, spec.tracks, strict=False), 1):
        if track.language and wished.language and track.language != wished.language:
            yield f"sound track {k} is tagged {track.language}, planned is {wished.language}"


def _counts(found: Proof, plan: Plan, pictures: Pictures) -> Iterator[str]:
    video, *sounds = found.streams
    if video.count.found != video.count.expected:
        yield f"{video.count.found} frames were found, {video.count.expected} planned"
    if video.off_grid > max(found.media.video.time_base, Fraction(1, 1000)):
        yield f"frames lie up to {video.off_grid * 1000:.1f} ms off the film's grid of {fraction_text(plan.spec.rate)}"
    if pictures.dts_falls:
        yield f"the decoding times of {pictures.dts_falls} packets do not rise"
    slack = max(float(1 / plan.spec.rate), SOUND_SLACK)
    for sound in sounds[: len(plan.spec.tracks)]:
        if not sound.count.found:
            yield f"sound track {sound.track} is empty"
        elif abs(sound.count.found_seconds - sound.count.expected_seconds) > slack:
            c = sound.count
            yield f"sound track {sound.track} lasts {c.found_seconds:.3f} s, planned is {c.expected_seconds:.3f} s"
        for t, length in sound.gaps:
            if abs(length) > slack:
                yield f"sound track {sound.track} jumps by {length * 1000:+.0f} ms {at(t)}"


def _sync(found: Proof, plan: Plan) -> Iterator[str]:
    frame = float(1 / plan.spec.rate)
    for join in found.joins:
        worst = max((join.seconds, join.heard or 0.0), key=abs)
        if abs(worst) > frame:
            side = "late" if worst > 0 else "early"
            yield f"the sound of track {join.track} is {abs(worst) * 1000:.0f} ms {side} {at(join.film_time)}"
        elif join.note.startswith("missing"):
            yield f"track {join.track} is silent {at(join.film_time)} where the source is not"


def _place(segment: SegmentProof, name: str, match: FrameMatch) -> str:
    return f"clip {segment.clip} ({segment.name}), {name} frame {at(match.film_time)}:"


def _wrong(match: FrameMatch) -> str:
    if match.likeness == "shifted":
        return f"shows the source {abs(match.shift) * 1000:.0f} ms too {'late' if match.shift > 0 else 'early'}"
    return "is not there" if match.likeness == "missing" else "is not the source's picture"


def differences(found: Proof, plan: Plan, media: Mapping[str, MediaInfo]) -> Iterator[str]:
    """What is not as in the plan and yet no fault of time or content."""
    video, spec = found.media.video, plan.spec
    if video.bit_depth != spec.bit_depth:
        yield f"{video.bit_depth} bits, planned are {spec.bit_depth}"
    for name in _COLOUR[:3]:
        if getattr(spec.colour, name) is not None and getattr(video.colour, name) is None:
            yield f"colour {name} is not tagged, planned is {getattr(spec.colour, name)}"
    for k, (track, wished) in enumerate(zip(found.media.audio, spec.tracks, strict=False), 1):
        yield from (f"sound track {k}: {words}" for words in _track(track, wished))
    lost = LOST_IN.get(found.path.suffix.lower().lstrip("."), set())
    for name, value in spec.tags.items():
        if name not in lost and found.media.tags.get(name) != value:
            yield f"the tag {name} is {found.media.tags.get(name, 'not there')}, planned is {value}"
    yield from _beside(found, plan, media)


def _track(found: AudioStream, wished: TrackSpec) -> Iterator[str]:
    for name in ("rate", "layout", "language", "title"):
        wanted, got = getattr(wished, name), getattr(found, name)
        if wanted and wanted != got and not (name == "language" and got):
            yield f"{name} is {got or 'not tagged'}, planned is {wanted}"


def _beside(found: Proof, plan: Plan, media: Mapping[str, MediaInfo]) -> Iterator[str]:
    """Subtitles and chapters that the sources have and the film should."""
    container = found.path.suffix.lower().lstrip(".").replace("mkv", "matroska")
    tracks = film_subtitles(plan, {s: read_subtitles(info) if info.subtitles else () for s, info in media.items()})
    wanted = len([t for t in tracks if t.cues and codec_in(container, t.stream.codec)])
    if len(found.media.subtitles) != wanted:
        yield f"{len(found.media.subtitles)} subtitle tracks were found, {wanted} planned"
    chapters = len(film_chapters(plan, {s: info.chapters for s, info in media.items()}))
    if len(found.media.chapters) != chapters:
        yield f"{len(found.media.chapters)} chapters were found, {chapters} planned"


def oddities(found: Proof) -> Iterator[str]:
    """What a person may want to look at."""
    for segment in found.segments:
        for name, match in segment.frames():
            if match.likeness == "damaged":
                yield f"{_place(segment, name, match)} cannot be proved, the footage is damaged"
    for join in found.joins:
        if join.note == "unlike the source":
            yield f"the sound of track {join.track} does not resemble the source's {at(join.film_time)}"
    for stream in found.streams:
        for t, length in stream.gaps:
            yield f"sound track {stream.track} jumps by {length * 1000:+.1f} ms {at(t)}"
