"""The look of every clip: each shot's correction, and over all of them the colours of a reference."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from roughcut.effects.looks import apply_look
from roughcut.planner.options import PlanOptions
from roughcut.planner.pieces import Footage, Piece
from roughcut.records import F32, U8, Analysis, Look, LookControls, Match
from roughcut.records.rows import part
from roughcut.spatial.mapper import inside_bars
from roughcut.spatial.matching import Take, agreed
from roughcut.spatial.reference import match_of
from roughcut.spatial.skin import skin_kept
from roughcut.timeline.plan import Clip, Decision

SEEN_OF_SHOT = 6  # pictures that tell what a shot looks like beside others
FACE_INNER = 0.6  # share of a face's box that is surely skin
MOST_COMPARED = 240  # pictures of a film that are compared with a reference


def looks_of(
    pieces: Sequence[Piece], footage: Footage, options: PlanOptions, reference: U8 | None = None
) -> list[Look | None]:
    """One look per piece, None where nothing is changed.

    Args:
        reference: pictures [N, h, w, 3] of `options.like`, where that is no `.cube`.
    """
    corrected = _corrections(pieces, footage) if options.look == "auto" else [Look() for _ in pieces]
    looks = [softened(look, options.look_strength) for look in corrected]
    if options.like is not None and options.look_strength:
        match = _match(pieces, footage, corrected, options.like, reference)
        if match is not None:
            looks = [replace(look, match=replace(match, strength=options.look_strength)) for look in looks]
    return [None if look.is_identity() else look for look in looks]


def _corrections(pieces: Sequence[Piece], footage: Footage) -> list[Look]:
    """Each piece's correction, those of one scene drawn together, skin kept."""
    shots = list(dict.fromkeys((p.source, p.shot) for p in pieces))
    takes = [_take(footage[source], shot) for source, shot in shots]
    found = {
        (source, shot): skin_kept(look, take.pixels, _faces(footage[source], shot), laid)
        for (source, shot), take, look in zip(shots, takes, agreed(takes, laid), strict=True)
    }
    return [found[p.source, p.shot] for p in pieces]


def _take(analysis: Analysis, number: int) -> Take:
    features, rows = analysis.features, _seen(analysis, number)
    pixels = [scene(part(features.pictures, row, row + 1)[0]) for row in rows]
    mean = sum(part(features.embeddings, row, row + 1)[0] for row in rows) + np.zeros(features.embeddings.shape[1:])
    return Take(
        pixels=np.concatenate(pixels) if pixels else np.zeros((1, 3), np.uint8),
        embedding=np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32),
        look=analysis.looks[number],
    )


def _seen(analysis: Analysis, number: int) -> NDArray[np.int64]:
    """Rows of a few pictures of a shot, evenly chosen; none where it has none."""
    shot = analysis.timing.shots[number]
    first, stop = np.searchsorted(analysis.features.picture_frames, [shot.first, shot.stop])
    return np.unique(np.linspace(first, stop - 1, SEEN_OF_SHOT).round().astype(np.int64))[: stop - first]


def _faces(analysis: Analysis, number: int) -> U8 | None:
    """Pixels [m, 3] of a shot's faces, None where nobody looked for them."""
    if analysis.faces is None:
        return None
    features, found = analysis.features, [np.zeros((0, 3), np.uint8)]
    for row in _seen(analysis, number):
        t = features.times.time(int(features.picture_frames[row]))
        for track in (track for track in analysis.faces if track.within.contains(t)):
            at = min(max(bisect_right(track.times, t) - 1, 0), len(track.times) - 1)
            found.append(_inner(part(features.pictures, row, row + 1)[0], track.boxes[at]))
    return np.concatenate(found)


def _inner(picture: U8, box: F32) -> U8:
    """The pixels [m, 3] of the middle of a box (shares of the picture): skin, not hair."""
    height, width = picture.shape[:2]
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * FACE_INNER / 2
    left, top = np.floor(np.clip(middle - half, 0, 1) * (width, height)).astype(int)
    right, bottom = np.ceil(np.clip(middle + half, 0, 1) * (width, height)).astype(int)
    pixels: U8 = picture[top:bottom, left:right].reshape(-1, 3)
    return pixels


def laid(pixels: U8, look: Look) -> U8:
    return np.asarray(apply_look(pixels, replace(look, grid=None)), np.uint8)


def softened(look: Look, strength: float) -> Look:
    """The look as far as `strength`, 0..1: at 0 the identity."""
    if not strength:
        return Look(confidence=look.confidence)
    grid = look.grid and tuple(tuple(v * strength for v in row) for row in look.grid)
    match = look.match and replace(look.match, strength=look.match.strength * strength)
    keys = tuple(replace(key, controls=_scaled(key.controls, strength)) for key in look.keys)
    return replace(look, controls=_scaled(look.controls, strength), grid=grid, match=match, keys=keys)


def _scaled(controls: LookControls, strength: float) -> LookControls:
    values = zip(LookControls.names(), controls.values(), strict=True)
    return LookControls(**{name: value * strength for name, value in values})


def matched(path: Path, own: U8, reference: U8 | None) -> Match:
    """What brings pixels [n, 3] near to `path`: a `.cube` as it is, or what its pictures [N, h, w, 3] show."""
    if reference is None:
        return Match(reference=path.name, cube=path.absolute())
    return match_of(own, np.concatenate([scene(picture) for picture in reference]), path.name)


def scene(picture: U8, look: Look | None = None) -> U8:
    """The pixels [n, 3] of a picture [h, w, 3], with a look, without black bars: those say nothing of colour."""
    inside = inside_bars(picture[None])
    shown = picture if look is None else apply_look(picture, look)
    pixels: U8 = np.asarray(shown, np.uint8)[inside].reshape(-1, 3)
    return pixels


def _match(
    pieces: Sequence[Piece], footage: Footage, looks: Sequence[Look], path: Path, reference: U8 | None
) -> Match | None:
    """One map for the whole film; None where nobody knows how the film looks."""
    if reference is None:
        return matched(path, np.zeros((0, 3), np.uint8), None)
    seen = list(_corrected(pieces, footage, looks))
    return matched(path, np.concatenate(seen), reference) if seen else None


def _corrected(pieces: Sequence[Piece], footage: Footage, looks: Sequence[Look]) -> Iterator[U8]:
    """Pixels of the film as its corrections leave them, of evenly chosen small pictures."""
    rows = [(i, int(row)) for i, piece in enumerate(pieces) for row in _rows(piece, footage)]
    for k in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_COMPARED)).round().astype(int)):
        i, row = rows[k]
        features = footage[pieces[i].source].features
        t = features.times.time(int(features.picture_frames[row]))
        yield scene(part(features.pictures, row, row + 1)[0], looks[i].at(t))


def _rows(piece: Piece, footage: Footage) -> np.ndarray:
    """Rows of the pictures inside a piece; the nearest one where there is none."""
    features = footage[piece.source].features
    frames, times = features.picture_frames, features.times
    first, stop = np.searchsorted(frames, [times.frame_at(piece.range.start), times.frame_at(piece.range.end)])
    return np.arange(first, stop) if first < stop else np.arange(min(first, len(frames) - 1), len(frames))[:1]


def graded(clip: Clip, look: Look | None, own: Look) -> Clip:
    """The clip with its look, and why; `own` is what its shot's would be by itself."""
    if look is None:
        return clip
    words = f"colour corrected as predicted for this shot, confidence {look.confidence:.2f}"
    if look.controls != own.controls:
        words += ", with an eye on its neighbours of one scene and on skin"
    if look.keys:
        words += ", against the drift of the camera by keys"
    decision = Decision(code="learned_look", words=words, probability=look.confidence)
    if look.match is not None:
        before = "" if replace(look, match=None).is_identity() else f", {words} before"
        decision = Decision(code="like", words=f"colours near those of {look.match.reference}, as asked{before}")
    return replace(clip, look=look, look_decision=decision)
