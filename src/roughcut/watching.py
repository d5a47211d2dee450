"""One look at a file: the decode pass feeds all analysers at once, and what it gave is cached by content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from roughcut.features import cache
from roughcut.features.frames import FrameFeatures
from roughcut.features.sound import SoundFeatures
from roughcut.media.faults import Losses
from roughcut.media.scan import PICTURES_PER_SECOND, frame_times, scan
from roughcut.models import store
from roughcut.records import Features, FrameTimes, MediaInfo, Progress, Transition
from roughcut.temporal.shots import ShotMapper

ARRAYS = ("frame_stats", "picture_frames", "embeddings", "pictures", "sound", "speech")
SHOT_NETWORKS = ("shots_frames", "shots")
WATCHERS = ("encoder", *SHOT_NETWORKS)
FORMAT = 2  # rises when the arrays change their meaning


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one pass gave: X, and the transitions found in every frame of it."""

    features: Features
    transitions: tuple[Transition, ...]
    losses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What a pass over the pictures alone gave: when every frame is shown, and the transitions among them."""

    times: FrameTimes
    transitions: tuple[Transition, ...]
    losses: tuple[str, ...]


def model_versions(names: Sequence[str]) -> dict[str, str]:
    """Name -> version of shipped networks."""
    return {name: store.load(name).version for name in names}


def watch(info: MediaInfo, *, track: int = 0, use_cache: bool, progress: Progress) -> Seen:
    """Decode a file once, hearing one of its tracks, or take what an earlier pass gave.

    Raises:
        InputError: nothing decodes. ModelError: a network is missing.
    """
    settings = {"format": FORMAT, "picture_rate": str(PICTURES_PER_SECOND), "track": track}
    key = cache.key_of(info.digest, model_versions(WATCHERS), settings)
    entry = cache.load(key) if use_cache else None
    if entry is not None:
        return _from_entry(*entry)
    with cache.draft(cached=use_cache) as draft:
        seen = _watch(info, track, draft, progress)
        if use_cache:
            draft.keep(key, _meta(seen.features.times, seen.transitions, seen.losses))
    return seen


def _watch(info: MediaInfo, track: int, draft: cache.Draft, progress: Progress) -> Seen:
    """One pass. Rows go to disk as they come, so that hours take no more memory than minutes."""
    losses = Losses()
    with cache.draft(cached=False) as scratch:
        eyes, ears = FrameFeatures(shelf=draft.rows), SoundFeatures(shelf=draft.rows)
        shots, pts = ShotMapper(shelf=scratch.rows), draft.rows("pts")
        for batch in scan(info, track=track, progress=progress, losses=losses):
            eyes.push(batch)
            ears.push(batch.sound)
            shots.push(batch.thumbs)
            pts.append(batch.pts)
        transitions = shots.finish().transitions
    rows, heard = eyes.finish(), ears.finish()
    features = Features(
        times=frame_times(info, pts.whole(np.zeros(0, np.int64))),
        frame_stats=rows.frame_stats,
        picture_frames=rows.picture_frames,
        embeddings=rows.embeddings,
        pictures=rows.pictures,
        sound=heard.sound,
        speech=heard.speech,
    )
    return Seen(features=features, transitions=transitions, losses=tuple(losses.words()))


def glance(info: MediaInfo, *, use_cache: bool, progress: Progress) -> Glance:
    """The transitions of a file and nothing else: no sound is decoded, no larger picture made.

    Raises:
        InputError: nothing decodes. ModelError: a network is missing.
    """
    key = cache.key_of(info.digest, model_versions(SHOT_NETWORKS), {"format": FORMAT, "only": "shots"})
    entry = cache.load(key) if use_cache else None
    if entry is not None:
        return _glance_of(*entry)
    with cache.draft(cached=use_cache) as draft:
        seen = _glance(info, draft, progress)
        if use_cache:
            draft.keep(key, _meta(seen.times, seen.transitions, seen.losses))
    return seen


def _glance(info: MediaInfo, draft: cache.Draft, progress: Progress) -> Glance:
    losses, pts = Losses(), draft.rows("pts")
    with cache.draft(cached=False) as scratch:
        shots = ShotMapper(shelf=scratch.rows)
        for batch in scan(info, picture_rate=None, track=None, progress=progress, losses=losses):
            shots.push(batch.thumbs)
            pts.append(batch.pts)
        transitions = shots.finish().transitions
    times = frame_times(info, pts.whole(np.zeros(0, np.int64)))
    return Glance(times=times, transitions=transitions, losses=tuple(losses.words()))


def _meta(times: FrameTimes, transitions: Sequence[Transition], losses: Sequence[str]) -> dict[str, Any]:
    return {
        "end_pts": times.end_pts,
        "time_base": str(times.time_base),
        "transitions": [asdict(t) for t in transitions],
        "losses": list(losses),
    }


def _from_entry(arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> Seen:
    found = _glance_of(arrays, meta)
    return Seen(
        features=Features(times=found.times, **{name: arrays[name] for name in ARRAYS}),
        transitions=found.transitions,
        losses=found.losses,
    )


def _glance_of(arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> Glance:
    return Glance(
        times=FrameTimes(pts=arrays["pts"], end_pts=meta["end_pts"], time_base=Fraction(meta["time_base"])),
        transitions=tuple(Transition(**t) for t in meta["transitions"]),
        losses=tuple(meta["losses"]),
    )
