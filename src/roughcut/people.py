"""Who is seen where: a pass over a file's pictures for faces, cached by content, and what people said of them.

Boxes and scores are cached; no picture of a face is, and nothing that a person could be known again by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from roughcut.errors import InputError, OptionError
from roughcut.features import cache
from roughcut.features.faces import FaceDetector, size_for
from roughcut.features.recognition import FaceRecogniser
from roughcut.media.rgb import read_timed_rgb
from roughcut.media.stills import stills_at
from roughcut.planner.covers import FaceWish, is_sure, with_covers
from roughcut.planner.options import PlanOptions
from roughcut.records import F32, U8, Analysis, FrameTimes, MediaInfo, Progress, Speech, Transition, no_progress
from roughcut.records.effects import Mute
from roughcut.records.faces import Faces, FaceTrack, box_overlaps
from roughcut.report.people import people_page
from roughcut.results import claim
from roughcut.spatial.persons import grouped
from roughcut.spatial.tracks import GO_ON, Look, follow
from roughcut.timeline.files import replace_text
from roughcut.timeline.plan import Plan
from roughcut.watching import glance

__all__ = [
    "FoundFaces",
    "find_tracks",
    "hidden",
    "is_sure",
    "known_names",
    "list_faces",
    "persons",
    "read_names",
    "write_sheet",
]
EVERY = 3  # frames from look to look
AROUND_VOICE = Fraction(3, 10)  # seconds
AROUND_FACE = 0.8  # half a thumbnail's side, in sides of the face
LOOKS_TOLD_BY = 5  # of a track, the surest
SAME_BOX = 0.4  # overlap of a track's box and a face found again in the whole picture
FIELDS = ("boxes", "scores", "points")
FORMAT = 1  # rises when the arrays change their meaning


@dataclass(frozen=True, kw_only=True)
class FoundFaces:
    """The faces of a file."""

    media: MediaInfo
    tracks: tuple[FaceTrack, ...]


def list_faces(
    info: MediaInfo, *, network: Path | None, cache: bool = True, progress: Progress = no_progress
) -> FoundFaces:
    """The faces of a file and nothing else.

    Raises:
        InputError: nothing decodes. ModelError: a network is missing or fails.
    """
    detector = face_detector(network)
    seen = glance(info, use_cache=cache, progress=progress)
    cuts = cuts_of(seen.transitions, seen.times)
    return FoundFaces(media=info, tracks=find_tracks(info, cuts, detector=detector, use_cache=cache, progress=progress))


def find_tracks(
    info: MediaInfo,
    cuts: Sequence[Fraction],
    *,
    detector: FaceDetector,
    use_cache: bool,
    progress: Progress,
) -> tuple[FaceTrack, ...]:
    """The faces of a file, looked for in every third frame and in the first one after each cut.

    Args:
        cuts: the first times of shots that begin at once, rising.

    Raises:
        InputError: nothing decodes. ModelError: the detector fails.
    """
    settings = {"format": FORMAT, "only": "faces", "every": EVERY, "cuts": [str(t) for t in cuts]}
    key = cache.key_of(info.digest, {"faces": detector.version}, settings)
    entry = cache.load(key) if use_cache else None
    looks = _looks(entry[0], entry[1]["time_base"]) if entry else None
    if looks is None:
        looks = list(_watched(info, cuts, detector, progress))
        if not looks:
            raise InputError("no frame of the video can be decoded", where=info.path)
        if use_cache:
            _keep(key, info, looks)
    return tuple(follow(looks, cuts, info.range))


def face_detector(network: Path | str | None) -> FaceDetector:
    """The shipped detector, or that of a file. Raises ModelError."""
    return FaceDetector(None if network is None else Path(network))


def hidden(plan: Plan, analyses: Sequence[Analysis], options: PlanOptions) -> Plan:
    """The plan with the faces covered and the voices silenced that the options name.

    Raises:
        OptionError: nobody looked for faces, or a name is unknown. InputError: the list of people cannot be read.
    """
    by_source = {source.id: analysis for source, analysis in zip(plan.sources, analyses, strict=True)}
    if options.mute_voices:
        ranges = {source: voices(analysis.timing.speech) for source, analysis in by_source.items()}
        muted = (replace(c, effects=(Mute(ranges=ranges[c.source]), *c.effects)) for c in plan.clips)
        plan = plan.with_clips(tuple(muted))
    if options.faces is None:
        return plan
    found = {source: analysis.faces for source, analysis in by_source.items()}
    names = {}
    if options.people is not None:
        tracks = [track for part in found.values() for track in part or ()]
        names = known_names(tracks, read_names(options.people), options.people)
    media = {source: analysis.media for source, analysis in by_source.items()}
    return with_covers(plan, found, media, FaceWish.parse(options.faces), options.cover, names)


def voices(speech: Sequence[Speech]) -> tuple[tuple[Fraction, Fraction], ...]:
    """Stretches of speech with room around them, those that meet joined."""
    joined: list[tuple[Fraction, Fraction]] = []
    for one in speech:
        start, end = one.range.start - AROUND_VOICE, one.range.end + AROUND_VOICE
        if joined and start <= joined[-1][1]:
            start = joined.pop()[0]
        joined.append((start, end))
    return tuple(joined)


def cuts_of(transitions: Sequence[Transition], times: FrameTimes) -> list[Fraction]:
    """The first times of the shots that begin at once; a dissolve is no such place: faces live on in it."""
    return [int(times.pts[t.end]) * times.time_base for t in transitions if t.kind == "cut" and t.end < len(times.pts)]


def thumbnails(info: MediaInfo, tracks: Sequence[FaceTrack]) -> dict[int, U8]:
    """Track number -> the square around its face [h, w, 3], at its best look."""
    order = sorted(tracks, key=lambda track: track.times[track.best])
    whole = np.array([info.video.width, info.video.height] * 2)
    found = {}
    for track, picture in zip(order, stills_at(info, [t.times[t.best] for t in order]), strict=True):
        left, top, right, bottom = track.boxes[track.best] * whole
        half = max(right - left, bottom - top) * AROUND_FACE
        x, y = (left + right) / 2, (top + bottom) / 2
        area = (round(x - half), round(y - half), round(x + half), round(y + half))
        found[track.number] = np.asarray(Image.fromarray(picture).crop(area))
    return found


def read_names(path: Path) -> dict[int, str]:
    """Track number -> name, of a list of people: `{"tracks": {"1": "anna", "2": "anna", "3": "ben"}}`.

    Raises:
        InputError: it cannot be read, or is something else.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))["tracks"]
        return {int(number): str(name).strip() for number, name in table.items() if str(name).strip()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "the list of people cannot be read", where=path, got=error, allowed='{"tracks": {"1": "anna"}}',
            next_step="save it from the page that `roughcut faces FILE --sheet people.html` writes",
        ) from error  # fmt: skip


def persons(found: FoundFaces, recogniser: Path, detector: Path | None, names: Mapping[int, str]) -> dict[int, str]:
    """Track number -> name, where a recogniser takes faces for one person: a name given to one of its faces goes to
    all of them, else it is `person 1`, `person 2` and so on. Tracks nobody can be sure of get none.

    Raises:
        ModelError: the recogniser or the detector cannot be used.
    """
    sure = [track for track in found.tracks if is_sure(track)]
    rows = _rows(found.media, sure, FaceRecogniser(recogniser), face_detector(detector))
    named = dict(names)
    for number, group in enumerate(grouped(sure, rows), 1):
        given = {names[k] for k in group if k in names}
        said = given.pop() if len(given) == 1 else f"person {number}"
        named.update({k: said for k in group if k not in names})
    return named


def _rows(
    info: MediaInfo, tracks: Sequence[FaceTrack], recogniser: FaceRecogniser, detector: FaceDetector
) -> dict[int, F32]:
    """Rows of the surest looks of each track."""
    looks = sorted(
        ((track.times[k], track) for track in tracks for k in np.argsort(-track.scores)[:LOOKS_TOLD_BY]),
        key=lambda look: (look[0], look[1].number),
    )
    whole = np.array([info.video.width, info.video.height] * 2)
    found: dict[int, list[F32]] = {}
    for (t, track), picture in zip(looks, stills_at(info, [t for t, _ in looks]), strict=True):
        faces = detector(picture, GO_ON)
        overlaps = box_overlaps((track.box_at(t) * whole)[None].astype(np.float32), faces.boxes)[0]
        if len(faces) and overlaps.max() >= SAME_BOX:
            found.setdefault(track.number, []).append(recogniser.row(picture, faces.points[int(overlaps.argmax())]))
    return {number: np.stack(rows) for number, rows in found.items()}


def write_sheet(found: FoundFaces, path: Path, names: Mapping[int, str], *, force: bool = False) -> Path:
    """Write the page of people. Raises OutputError where it exists and `force` is off."""
    claim([path], inputs=[found.media.path], force=force)
    faces = thumbnails(found.media, found.tracks)
    replace_text(path, people_page(found.media.path.name, found.tracks, faces, names))
    return path


def known_names(tracks: Sequence[FaceTrack], names: Mapping[int, str], where: Path) -> dict[int, str]:
    """Those names, checked. Raises OptionError for a track that the film does not have."""
    numbers = {track.number for track in tracks}
    other = sorted(set(names) - numbers)
    if other:
        raise OptionError(
            "the list names a track that this film does not have", where=where, got=other[0],
            allowed=f"1 to {len(tracks)}" if tracks else "no track: no face was found",
        )  # fmt: skip
    return dict(names)


def _watched(info: MediaInfo, cuts: Sequence[Fraction], detector: FaceDetector, progress: Progress) -> list[Look]:
    width, height = size_for(info.video.width, info.video.height)
    whole = np.array([width, height] * 2, np.float32)
    firsts, total = frozenset(cuts), float(info.duration)
    found = []
    pictures = read_timed_rgb(info, width, height, wanted=lambda number, t: number % EVERY == 0 or t in firsts)
    for t, rgb in pictures:
        progress("finding faces", min(float(t - info.video.start), total), total)
        faces = detector(rgb, GO_ON)
        shares = Faces(boxes=faces.boxes / whole, scores=faces.scores, points=faces.points / whole[:2])
        found.append(Look(time=t, faces=shares))
    progress("finding faces", total, total)
    return found


def _keep(key: str, info: MediaInfo, looks: Sequence[Look]) -> None:
    base = info.video.time_base
    arrays = {
        "pts": np.array([int(look.time / base) for look in looks], np.int64),
        "counts": np.array([len(look.faces) for look in looks], np.int64),
        **{name: np.concatenate([getattr(look.faces, name) for look in looks]) for name in FIELDS},
    }
    with cache.draft(cached=True) as draft:
        for name, rows in arrays.items():
            shelf = draft.rows(name)
            shelf.append(rows)
            shelf.whole(rows[:0])
        draft.keep(key, {"time_base": str(base)})


def _looks(arrays: Mapping[str, np.ndarray], time_base: str) -> list[Look]:
    ends = np.cumsum(arrays["counts"])
    looks = []
    for pts, start, end in zip(arrays["pts"], ends - arrays["counts"], ends, strict=True):
        part = {name: np.array(arrays[name][start:end]) for name in FIELDS}
        looks.append(Look(time=int(pts) * Fraction(time_base), faces=Faces(**part)))
    return looks
