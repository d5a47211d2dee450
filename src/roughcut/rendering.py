"""From a plan to a proved film: readers for the effect synthesis, loudness in two passes, the film, the proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from roughcut.effects.looks import apply_look
from roughcut.effects.sound import limited, target_gain
from roughcut.effects.synthesizer import EffectSynthesizer
from roughcut.effects.tone import Tone, tone_between
from roughcut.errors import ProofError
from roughcut.media.audio import SoundReader
from roughcut.media.carried import carried
from roughcut.media.codecs import container_of, fitted
from roughcut.media.decode import grid_frames
from roughcut.media.encode import FilmWriter
from roughcut.media.loudness import measure_loudness
from roughcut.media.picture import Conformer, Film, FilmPicture
from roughcut.media.probe import probe
from roughcut.media.proof import Proof, measure
from roughcut.records import F32, FilmSpec, MediaInfo, Progress, no_progress
from roughcut.timebase import format_time, nearest_frame
from roughcut.timeline.otio import require_media
from roughcut.timeline.plan import Plan, Source


@dataclass(frozen=True, kw_only=True)
class EditResult:
    """What a render or edit left behind."""

    film: Path
    plan: Plan
    proof: Proof
    seconds: dict[str, float]
    """Wall time per step."""
    timeline: Path | None = None
    reports: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = field(default=())
    """What was not done as planned, in words."""

    def files(self) -> list[tuple[str, Path]]:
        """Label and path of everything written."""
        named = [("film", self.film), ("timeline", self.timeline), *(("report", p) for p in self.reports)]
        return [(label, path) for label, path in named if path is not None]

    def notes(self) -> list[str]:
        """The plan's notes and the render's remarks."""
        return [*self.plan.notes, *self.remarks]

    def verdict(self) -> str:
        """One line: how long, how many clips, in sync or not."""
        worst = max((abs(j.seconds) for j in self.proof.joins), default=0.0)
        length = format_time(self.proof.frames_found / self.plan.spec.rate)
        sync = f"sound within {worst * 1000:.1f} ms at every join" if self.proof.joins else "no sound"
        return f"{length}, {len(self.plan.clips)} clips, {self.proof.frames_found} frames as planned, {sync}"

    def json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "film": str(self.film),
            "timeline": None if self.timeline is None else str(self.timeline),
            "reports": [str(p) for p in self.reports],
            "clips": len(self.plan.clips),
            "proof": self.proof.to_dict(),
            "seconds": {k: round(v, 3) for k, v in self.seconds.items()},
            "notes": self.notes(),
        }


def render_plan(
    plan: Plan,
    out: Path,
    *,
    timeline: Path | None = None,
    hardware: bool = False,
    progress: Progress = no_progress,
) -> EditResult:
    """Render, then measure what was written; `hardware` tries encoders of the machine before those of software.

    Raises:
        InputError, PlanError, OutputError: see `pipeline.render`. ProofError: the film is not what was planned.
    """
    spec, losses = fitted(plan.spec, out)
    require_media(plan)
    began = perf_counter()
    remarks = [*losses, *_write(replace(plan, spec=spec), out, hardware, progress)]
    rendered = perf_counter()
    proof = measure(out, plan)
    if proof.problems:
        raise ProofError("; ".join(proof.problems), where=out, next_step="please report this with the timeline")
    seconds = {"render": rendered - began, "proof": perf_counter() - rendered}
    return EditResult(film=out, plan=plan, proof=proof, seconds=seconds, timeline=timeline, remarks=tuple(remarks))


def _write(plan: Plan, out: Path, hardware: bool, progress: Progress) -> list[str]:
    """Write the film; returns what was not done as planned."""
    with ExitStack() as open_files:
        media = {s.id: probe(s.path) for s in plan.sources if any(c.source == s.id for c in plan.clips)}
        beside = carried(plan, media, container_of(out).format)
        synthesizer = EffectSynthesizer(plan, *_readers(plan, media, open_files), apply_look)
        gain, remark = _gain(plan, synthesizer, progress)
        total = float(plan.film_frames() / plan.spec.rate)
        with FilmWriter(out, plan.spec, beside, hardware=hardware) as film:
            sounds = [_Sound(film, synthesizer, k, gain) for k in range(len(plan.spec.tracks))]
            for n, picture in enumerate(synthesizer.pictures()):
                film.write_picture(picture)  # type: ignore[arg-type]  # our readers give FilmPictures
                for sound in sounds:
                    sound.write_to((n + 1) / plan.spec.rate)
                progress("rendering", float((n + 1) / plan.spec.rate), total)
    return [*beside.remarks, *(words for words in (remark, film.remark) if words)]


class _Sound:
    """One track on its way into the film, as far as the pictures have come."""

    def __init__(self, film: FilmWriter, synthesizer: EffectSynthesizer, track: int, gain: float) -> None:
        self._film, self._track = film, track
        self._rate = film.spec.tracks[track].rate
        self._blocks = limited(synthesizer.sound(track), gain, self._rate)
        self._heard = 0

    def write_to(self, end: Fraction) -> None:
        """Write at least all samples before film time `end`."""
        due = nearest_frame(end, Fraction(self._rate))
        while self._heard < due and (block := next(self._blocks, None)) is not None:
            self._film.write_sound(block, self._track)
            self._heard += block.shape[1]


def _gain(plan: Plan, synthesizer: EffectSynthesizer, progress: Progress) -> tuple[float, str | None]:
    """First pass over the main track alone: the gain that brings it to the loudness target. All tracks get it."""
    if not plan.spec.tracks or plan.loudness_target is None:
        return 1.0, None
    main = min(plan.track, len(plan.spec.tracks) - 1)
    track = plan.spec.tracks[main]
    total = float(plan.film_frames() / plan.spec.rate)
    heard = _told(synthesizer.sound(main), track.rate, total, progress)
    measured = measure_loudness(heard, track.rate, track.layout)
    return target_gain(measured.integrated, plan.loudness_target)


def _told(blocks: Iterable[F32], rate: int, total: float, progress: Progress) -> Iterator[F32]:
    done = 0
    for block in blocks:
        yield block
        done += block.shape[1]
        progress("measuring loudness", done / rate, total)


def _readers(plan: Plan, media: dict[str, MediaInfo], open_files: ExitStack) -> tuple[Any, Any]:
    """The synthesizer's readers: pictures conformed to the film, sound at its rate and layout."""
    film = Film(plan.spec)
    conformers = {source: Conformer(info, film, _tone(info, film)) for source, info in media.items()}
    sounds: dict[tuple[str, int], SoundReader] = {}

    def read_pictures(source: Source, start: Fraction, count: int) -> Iterator[FilmPicture]:
        for frame in grid_frames(media[source.id], start, count, plan.spec.rate):
            yield conformers[source.id].picture(frame)

    def read_sound(source: Source, track: int, start: Fraction, samples: int) -> F32:
        key, wanted = (source.id, track), plan.spec.tracks[track]
        if key not in sounds:
            reader = SoundReader(media[source.id], wanted.rate, wanted.layout, track=track)
            sounds[key] = open_files.enter_context(reader)
        return sounds[key].read(start, samples)

    return read_pictures, read_sound


def _tone(info: MediaInfo, film: Film) -> Tone | None:
    return tone_between(info.video.colour, film.spec.colour, info.video.peak)


def write_film(path: Path, spec: FilmSpec, frames: Iterable[np.ndarray], sound: F32 | None) -> Path:
    """Write RGB frames [h, w, 3] and [channels, n] sound as a film, without a plan."""
    spec, _ = fitted(spec, path)
    film = Film(spec)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FilmWriter(path, spec) as writer:
        for n, rgb in enumerate(frames):
            writer.write_picture(FilmPicture(film.from_rgb(rgb), film))
            if sound is not None:
                first, last = (nearest_frame(k / spec.rate, Fraction(spec.tracks[0].rate)) for k in (n, n + 1))
                writer.write_sound(sound[:, first:last])
    return path
