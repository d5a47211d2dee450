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
WATCHERS = ("encoder", "shots_frames", "shots")
FORMAT = 2  # rises when the arrays change their meaning


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one pass gave: X, and the transitions found in every frame of it."""

    features: Features
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
            draft.keep(key, _meta(seen))
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


def _meta(seen: Seen) -> dict[str, Any]:
    times = seen.features.times
    return {
        "end_pts": times.end_pts,
        "time_base": str(times.time_base),
        "transitions": [asdict(t) for t in seen.transitions],
        "losses": list(seen.losses),
    }


def _from_entry(arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> Seen:
    times = FrameTimes(pts=arrays["pts"], end_pts=meta["end_pts"], time_base=Fraction(meta["time_base"]))
    return Seen(
        features=Features(times=times, **{name: arrays[name] for name in ARRAYS}),
        transitions=tuple(Transition(**t) for t in meta["transitions"]),
        losses=tuple(meta["losses"]),
    )
