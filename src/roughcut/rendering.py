"""From a plan to a proved film: units copied or encoded, loudness beside them, one muxer, the proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from roughcut.assembly import assemble, coded_pictures
from roughcut.errors import PlanError
from roughcut.media.bitstream import BitstreamError
from roughcut.media.carried import Carried, carried
from roughcut.media.codecs import container_of, encoder_for, fitted
from roughcut.media.coded_sound import SoundEncoder
from roughcut.media.music import check_music
from roughcut.media.mux import CodedVideo, FilmMuxer
from roughcut.media.picture import Film, FilmPicture
from roughcut.media.probe import probe
from roughcut.media.proof import Proof
from roughcut.media.remux import codec_name
from roughcut.media.segment import SegmentWriter, beside_copies, part_delay, part_ending, part_packets
from roughcut.parts import PartMaker, parts_folder
from roughcut.proving import proved
from roughcut.records import F32, FilmSpec, Progress, no_progress
from roughcut.records.effects import Music
from roughcut.soundtrack import Soundtrack
from roughcut.synthesis import Media, film_grid, synthesizer
from roughcut.timebase import format_time, nearest_frame
from roughcut.timeline.grid import UniformGrid
from roughcut.timeline.otio import require_media
from roughcut.timeline.plan import Plan
from roughcut.units import Cutting, Smart, encoded_units, smart_units


@dataclass(frozen=True, kw_only=True)
class EditResult:
    """What a render or edit left behind."""

    film: Path
    plan: Plan
    proof: Proof
    seconds: dict[str, float]
    """Wall time per step."""
    timeline: Path | None = None
    looks: Path | None = None
    """The folder of `.cube` files."""
    reports: tuple[Path, ...] = ()
    copied: int = 0
    """Frames taken over from the source as they are coded there."""
    resumed: int = 0
    """Frames that an interrupted render had finished."""
    remarks: tuple[str, ...] = field(default=())
    """What was not done as planned, in words."""

    def files(self) -> list[tuple[str, Path]]:
        """Label and path of everything written."""
        named = [("film", self.film), ("timeline", self.timeline), ("looks", self.looks)]
        named += [("report", p) for p in self.reports]
        return [(label, path) for label, path in named if path is not None]

    def notes(self) -> list[str]:
        """The plan's notes and the render's remarks."""
        copied = f"{self.copied} of {self.proof.frames_found} frames are the source's own, not encoded again"
        resumed = f"{self.resumed} of {self.proof.frames_found} frames were found finished"
        counts = [words for words, frames in ((copied, self.copied), (resumed, self.resumed)) if frames]
        return [*self.plan.notes, *counts, *self.remarks]

    def verdict(self) -> str:
        """One line: how long, how many clips, in sync or not."""
        worst = max((abs(j.seconds) for j in self.proof.joins), default=0.0)
        length = format_time(self.proof.streams[0].count.expected_seconds)
        sync = f"sound within {worst * 1000:.1f} ms at every join" if self.proof.joins else "no sound"
        return f"{length}, {len(self.plan.clips)} clips, {self.proof.frames_found} frames as planned, {sync}"

    def json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "film": str(self.film),
            "timeline": None if self.timeline is None else str(self.timeline),
            "looks": None if self.looks is None else str(self.looks),
            "reports": [str(p) for p in self.reports],
            "clips": len(self.plan.clips),
            "copied_frames": self.copied,
            "resumed_frames": self.resumed,
            "proof": self.proof.to_dict(),
            "seconds": {k: round(v, 3) for k, v in self.seconds.items()},
            "notes": self.notes(),
        }


def render_plan(
    plan: Plan,
    out: Path,
    *,
    timeline: Path | None = None,
    smart: Smart = "auto",
    resume: bool = False,
    hardware: bool = False,
    probed: Media | None = None,
    progress: Progress = no_progress,
) -> EditResult:
    """Render, then measure what was written; the film gets its name when it holds what was planned.

    Args:
        smart: `auto` copies the packets of what nothing is done to where source and film are alike, `always` takes the
            source's codec for the film and refuses where nothing can be copied, `never` encodes all.
        resume: use finished parts of an interrupted render, and leave them when this one is interrupted.
        hardware: try the machine's encoders before those of software.
        probed: what the sources are, where that is known already.

    Raises:
        InputError, PlanError, OutputError: see `pipeline.render`. ProofError: the film is not what was planned.
    """
    require_media(plan)
    began = perf_counter()
    for effect in plan.effects:
        if isinstance(effect, Music):
            check_music(effect.path)
    media = probed or {s.id: probe(s.path) for s in plan.used()}
    given = plan
    plan = _with_codec(plan, out, media) if smart == "always" else plan
    spec, losses = fitted(plan.spec, out)
    plan = replace(plan, spec=spec)
    beside = carried(plan, media, container_of(out).format)
    with parts_folder(out, resume=resume) as folder:
        job = _Render(plan, out, media, beside, folder, hardware, progress)
        cutting = job.cut("never" if hardware else smart)
        try:
            made = job.film(cutting)
        except BitstreamError as error:
            cutting = replace(encoded_units(job.grid), remarks=(f"all was encoded anew: {error}",))
            made = job.film(cutting)
    remarks = (*losses, *beside.remarks, *job.remarks, *cutting.remarks)
    seconds = {**made.seconds, "all": perf_counter() - began}
    resumed = made.resumed if resume else 0  # a second try may have found parts of the first
    return replace(made, plan=given, timeline=timeline, remarks=remarks, seconds=seconds, resumed=resumed)


class _Render:
    """One film in the making."""

    def __init__(
        self,
        plan: Plan,
        out: Path,
        media: Media,
        beside: Carried,
        folder: Path,
        hardware: bool,
        progress: Progress,
    ) -> None:
        self._plan, self._out, self._media, self._beside = plan, out, media, beside
        self._folder, self._progress = folder, progress
        self.grid, self.remarks = film_grid(plan, media)
        self._encoder, remark = encoder_for(plan.spec, container_of(out), hardware=hardware)
        self.remarks += [remark] if remark else []

    def cut(self, smart: Smart) -> Cutting:
        """The film's units."""
        with synthesizer(self._plan, self.grid, self._media) as effects:
            untouched = list(effects.untouched())
        if smart == "never":
            return encoded_units(self.grid)
        cutting = smart_units(self._plan, self.grid, untouched, self._media, self._encoder)
        if smart == "always" and not cutting.copied:
            reason = "; ".join(cutting.remarks) or "something is done to every picture"
            raise PlanError("nothing can be copied", where=self._out, got=reason, next_step="use --smart auto")
        return cutting

    def film(self, cutting: Cutting) -> EditResult:
        """Encode what is missing, put it together, prove it, name it."""
        began = perf_counter()
        encoder = beside_copies(self._encoder) if cutting.copied else self._encoder
        parts = PartMaker(self._plan, self.grid, self._media, encoder, self._folder, self._out)
        with Soundtrack(self._plan, self.grid, self._media, self._out) as sound:
            finished = parts.make([u for u in cutting.units if u.copy is None], self._progress)
            pictures = coded_pictures(self._plan, cutting, parts, encoder)
            with FilmMuxer(self._out, self._plan.spec, self.grid, pictures.video, self._beside) as film:
                assemble(self._plan.spec.rate, self.grid, pictures, sound, film, self._progress)
                remark = sound.remark()
                rendered = perf_counter()
                proof = proved(film.temporary, self._plan, self.grid, name=self._out)
                film.publish()
        self.remarks += [remark] if remark else []
        seconds = {"render": rendered - began, "proof": perf_counter() - rendered}
        return EditResult(
            film=self._out, plan=self._plan, proof=proof, seconds=seconds, copied=cutting.copied, resumed=finished
        )


def _with_codec(plan: Plan, out: Path, media: Media) -> Plan:
    """The plan with the codec of the source that fills most of the film, where the container holds it."""
    shown = {name: sum(c.range.duration for c in plan.clips if c.source == name) for name in media}
    found = codec_name(media[max(shown, key=lambda name: shown[name])])
    codec = next((c for c in container_of(out).codecs if c == found), plan.spec.codec)
    return replace(plan, spec=replace(plan.spec, codec=codec))


def write_film(path: Path, spec: FilmSpec, frames: Iterable[np.ndarray], sound: F32 | None) -> Path:
    """Write RGB frames [h, w, 3] and [channels, n] sound as a film, without a plan."""
    spec, _ = fitted(spec, path)
    film, (encoder, _) = Film(spec), encoder_for(spec, container_of(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with parts_folder(path, resume=False) as folder:
        part = folder / f"film{part_ending(spec)}"
        count = 0
        with SegmentWriter(part, spec, encoder, path) as writer:
            for rgb in frames:
                writer.write(FilmPicture(film.from_rgb(rgb), film))
                count += 1
        video = CodedVideo(like=part, tag=encoder.tag, delay=part_delay(part, spec.rate))
        with FilmMuxer(path, spec, UniformGrid(count, spec.rate), video) as muxer:
            encode = None if sound is None else SoundEncoder(spec, container_of(path), 0)
            for n, packet in enumerate(part_packets(part, 0, spec.rate, None)):
                muxer.write_packet(packet)
                if sound is not None and encode is not None:
                    first, last = (nearest_frame(k / spec.rate, Fraction(spec.tracks[0].rate)) for k in (n, n + 1))
                    muxer.write_sound(encode.encode(sound[:, first:last]))
            muxer.write_sound(encode.finish() if encode is not None else ())
            muxer.close()
            muxer.publish()
    return path
