"""What people ask to be laid on a plan: captions, title, logo, music, another shape, steady and clean pictures.

Paths of the frame are found here once, by a look at each clip's small pictures, and ride in the plan: rendering only
follows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np

from roughcut.effects.overlays import logo_picture
from roughcut.effects.views import stabilised
from roughcut.errors import OptionError
from roughcut.media.music import check_music
from roughcut.media.picture import Film, FilmPicture
from roughcut.media.retime import film_subtitles
from roughcut.media.rgb import read_timed_rgb
from roughcut.media.stills import stills_at
from roughcut.models import store
from roughcut.planner.framing import follow_path
from roughcut.planner.options import PlanOptions
from roughcut.planner.shake import roughness, shake_path
from roughcut.records import (
    U8,
    Cue,
    FilmSpec,
    MediaInfo,
    Progress,
    Speech,
    SubtitleStream,
    SubtitleTrack,
    TrackSpec,
)  # fmt: skip
from roughcut.records.effect import Effect
from roughcut.records.effects import (
    Caption,
    Captions,
    Denoise,
    Logo,
    Music,
    Reframe,
    Sharpen,
    Stabilise,
    Title,
)  # fmt: skip
from roughcut.records.faces import FaceTrack
from roughcut.spatial.restoration import RestorationMapper, reduced
from roughcut.timeline.plan import Clip, Decision, Plan
from roughcut.timeline.srt import read_srt
from roughcut.timeline.warp import seen_range

SMALL, STEADY = 160, 256  # pixels: longest side of the pictures that are looked at; turning is told from larger ones
TRIPOD, MOST_MARGIN = 0.001, 0.06  # shares of the picture: shake below is none; what is cut off at each edge at most
STEADIER = 0.85  # of the shake may be left, or the clip is left alone
TITLE_LASTS = Fraction(3)
GLANCES = 5  # pictures of a clip that its noise and softness are judged by


def check_finish(options: PlanOptions, files: int) -> None:
    """Refuse, before any work, what cannot be laid on the film.

    Raises:
        OptionError, InputError: naming the option or the file.
    """
    if options.captions is not None:
        if files > 1:
            got, step = f"{files} files", "caption each film by itself"
            raise OptionError("captions go with one file's time", where="--captions", got=got, next_step=step)
        read_srt(options.captions)
    if options.music is not None:
        check_music(options.music)
    if options.logo is not None:
        logo_picture(options.logo)


def finished(
    plan: Plan,
    media: Mapping[str, MediaInfo],
    options: PlanOptions,
    progress: Progress,
    speech: Mapping[str, Sequence[Speech]],
    faces: Mapping[str, Sequence[FaceTrack]] = MappingProxyType({}),
) -> Plan:
    """The plan with all that was asked for. `media`, `speech` and `faces` are of its sources by id."""
    if options.reframe is not None:
        plan = replace(plan, spec=shaped(plan.spec, options.reframe))
        plan = _each(plan, media, progress, "framing", lambda clip, info: _reframe(clip, info, plan.spec, faces))
    if options.stabilise:
        plan = _each(plan, media, progress, "steadying", _stabilise)
    if options.denoise:
        clips = tuple(replace(c, effects=(Denoise(strength=options.denoise), *c.effects)) for c in plan.clips)
        plan = plan.with_clips(clips)
    if options.restore == "auto" and not plan.spec.colour.is_hdr:  # the network learned on SDR pictures
        mapper = RestorationMapper(store)
        plan = _each(plan, media, progress, "restoring", lambda clip, info: _restore(clip, info, plan.spec, mapper))
    if options.music is not None and not plan.spec.tracks:
        plan = replace(plan, spec=replace(plan.spec, tracks=(TrackSpec(),)))
    return replace(plan, effects=(*plan.effects, *_over(plan, options, speech)))


def _over(plan: Plan, options: PlanOptions, speech: Mapping[str, Sequence[Speech]]) -> list[Effect]:
    found: list[Effect] = []
    if options.captions is not None:
        found.append(Captions(cues=film_captions(plan, options.captions)))
    if options.title is not None:
        lasts = min(TITLE_LASTS, plan.film_frames() / plan.spec.rate)
        start = min(Fraction(1, 2), plan.film_frames() / plan.spec.rate - lasts)
        found.append(Title(text=options.title, start=start, duration=lasts))
    if options.logo is not None:
        found.append(Logo(path=options.logo.absolute()))
    if options.music is not None:
        found.append(Music(path=options.music.absolute(), speech=spoken(plan, speech)))
    return found


def spoken(plan: Plan, speech: Mapping[str, Sequence[Speech]]) -> tuple[tuple[Fraction, Fraction], ...]:
    """When someone speaks in the film, from when someone speaks in its sources."""
    stream = SubtitleStream(index=0, codec="subrip")
    heard = {
        name: (
            SubtitleTrack(stream=stream, cues=tuple(Cue(start=s.range.start, end=s.range.end, text="") for s in said)),
        )
        for name, said in speech.items()
    }
    found: list[tuple[Fraction, Fraction]] = []
    for cue in (c for track in film_subtitles(plan, heard) for c in track.cues):
        start = max(cue.start, found[-1][1]) if found else cue.start  # cues of two clips may meet
        if cue.end > start:
            found.append((start, cue.end))
    return tuple(found)


def film_captions(plan: Plan, srt: Path) -> tuple[Caption, ...]:
    """The cues of a file, given in the time of the plan's first source, where they are heard in the film."""
    cues = tuple(Cue(start=c.start, end=c.end, text=c.text) for c in read_srt(srt))
    track = SubtitleTrack(stream=SubtitleStream(index=0, codec="subrip"), cues=cues)
    moved = film_subtitles(plan, {plan.sources[0].id: (track,)})
    return tuple(Caption(start=c.start, end=c.end, text=c.text) for c in moved[0].cues) if moved else ()


def shaped(spec: FilmSpec, shape: str) -> FilmSpec:
    """The film in another shape: as high as it is where that is narrower, else as wide; both sides even."""
    wide, high = map(int, shape.split(":"))
    if spec.width * high > spec.height * wide:
        return replace(spec, width=max(round(Fraction(spec.height * wide, high) / 2) * 2, 2))
    return replace(spec, height=max(round(Fraction(spec.width * high, wide) / 2) * 2, 2))


def _each(
    plan: Plan, media: Mapping[str, MediaInfo], progress: Progress, stage: str, work: Callable[[Clip, MediaInfo], Clip]
) -> Plan:
    made = []
    for i, clip in enumerate(plan.clips):
        progress(stage, i, len(plan.clips))
        made.append(work(clip, media[clip.source]))
    progress(stage, len(plan.clips), len(plan.clips))
    return plan.with_clips(tuple(made))


def _reframe(clip: Clip, info: MediaInfo, spec: FilmSpec, faces: Mapping[str, Sequence[FaceTrack]]) -> Clip:
    video = info.video
    scale = max(Fraction(spec.width, video.width), Fraction(spec.height, video.height))
    share = float(spec.width / (video.width * scale)), float(spec.height / (video.height * scale))
    times, pictures = _looked_at(clip, info)
    if min(share) > 0.99 or not pictures:
        return replace(clip, effects=(Reframe(), *clip.effects))
    at, points = follow_path(pictures, times, share, faces.get(clip.source, ()))
    return replace(clip, effects=(Reframe(times=at, points=points), *clip.effects))


def _stabilise(clip: Clip, info: MediaInfo) -> Clip:
    times, pictures = _looked_at(clip, info, STEADY)
    path = shake_path(pictures, times)
    if path is None or path.reach <= TRIPOD:
        return clip
    margin = round(min(path.reach + 0.005, MOST_MARGIN), 4)
    found = Stabilise(times=path.times, moves=path.moves, twists=path.twists, margin=margin)
    tried = [found, replace(found, twists=())] if path.twists else [found]
    left = [roughness(_shown(effect, times, pictures)) for effect in tried]
    least = min(left)
    if least > STEADIER * roughness(pictures):  # what moves there is not the camera alone
        return clip
    return replace(clip, effects=(tried[left.index(least)], *clip.effects))


def _shown(effect: Stabilise, times: Sequence[Fraction], pictures: Sequence[U8]) -> list[U8]:
    """The small pictures as the effect would show them."""
    height, width = (side // 2 * 2 for side in pictures[0].shape[:2])
    film = Film(FilmSpec(width=width, height=height, rate=Fraction(25)))
    given = (FilmPicture(film.from_rgb(p[:height, :width]), film) for p in pictures)
    return [np.asarray(stabilised(p, effect, t).rgb(), np.uint8) for p, t in zip(given, times, strict=True)]


def _restore(clip: Clip, info: MediaInfo, spec: FilmSpec, mapper: RestorationMapper) -> Clip:
    """The clip with what would do it good, judged on a few of its pictures at the size they have in the film."""
    seen = seen_range(clip)
    times = [seen.start + seen.duration * Fraction(2 * k + 1, 2 * GLANCES) for k in range(GLANCES)]
    scale = min(Fraction(spec.width, info.video.width), Fraction(spec.height, info.video.height), Fraction(1))
    pictures = (reduced(picture, scale) for picture in stills_at(info, times))
    found = mapper.judge(pictures)
    likely, gain = found.probability, f"expected to win {found.gain:.3f} SSIM"
    laid: list[Effect] = []
    if found.denoise:
        why = Decision(code="noise", words=f"looks noisy: {gain}", probability=likely)
        laid.append(Denoise(strength=found.denoise, decision=why))
    if found.sharpen:
        why = Decision(code="softness", words=f"looks soft: {gain}", probability=likely)
        laid.append(Sharpen(amount=found.sharpen, decision=why))
    return replace(clip, effects=(*laid, *clip.effects)) if laid else clip


def _looked_at(clip: Clip, info: MediaInfo, longest: int = SMALL) -> tuple[list[Fraction], list[U8]]:
    """Times and small pictures [h, w, 3] of what a clip shows."""
    scale = longest / max(info.video.width, info.video.height)
    size = max(round(info.video.width * scale), 8), max(round(info.video.height * scale), 8)
    seen = list(read_timed_rgb(info, *size, seen_range(clip)))
    return [t for t, _ in seen], [rgb for _, rgb in seen]
