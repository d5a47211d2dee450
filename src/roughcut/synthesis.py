"""The effect synthesis wired to the media: source pictures conformed to the film, sound at its rates and layouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

from roughcut.effects.looks import apply_look
from roughcut.effects.synthesizer import EffectSynthesizer
from roughcut.effects.tone import tone_between
from roughcut.media.audio import SoundReader
from roughcut.media.bitstream import BitstreamError
from roughcut.media.decode import frames_at
from roughcut.media.filters import Filters
from roughcut.media.music import MusicReader
from roughcut.media.picture import Conformer, Film, FilmPicture, covering
from roughcut.media.probe import probe
from roughcut.media.shown import shown_times
from roughcut.records import F32, MediaInfo
from roughcut.timeline.grid import ConstantGrid, FrameGrid
from roughcut.timeline.plan import Plan, Source
from roughcut.timeline.variable import VariableGrid
from roughcut.timeline.warp import warp_of

Media = Mapping[str, MediaInfo]
"""The probed sources of a plan by id."""


def film_grid(plan: Plan, media: Media) -> tuple[FrameGrid, list[str]]:
    """The film's frames, and in words why they are not at the sources' own times where that was asked for."""
    used = [media[name].video for name in {c.source for c in plan.clips}]
    if not plan.spec.variable or not any(v.variable or v.rate != plan.spec.rate for v in used):
        return ConstantGrid(plan), []
    if any(warp_of(c) is not None for c in plan.clips):
        return ConstantGrid(plan), ["the film's rate is constant: clips of another speed have no times of their own"]
    try:
        return VariableGrid(plan, [shown_times(media[c.source], c.range) for c in plan.clips]), []
    except BitstreamError as error:
        return ConstantGrid(plan), [f"the film's rate is constant: {error}"]


def frames_of(plan: Plan) -> int:
    """How many frames the film of a plan will have. Raises InputError where a source of a variable film is missing."""
    if not plan.spec.variable:
        return plan.film_frames()
    return len(film_grid(plan, {source.id: probe(source.path) for source in plan.used()})[0])


@contextmanager
def synthesizer(plan: Plan, grid: FrameGrid, media: Media) -> Iterator[EffectSynthesizer]:
    """An effect synthesizer with readers of its own; each thread needs one."""
    with ExitStack() as open_files:
        readers = _Readers(plan, media, open_files)
        yield EffectSynthesizer(
            plan, grid, readers.pictures, readers.sound, apply_look, Filters(readers.film), readers.music
        )


class _Readers:
    """What the synthesizer reads through; files are closed with `open_files`."""

    def __init__(self, plan: Plan, media: Media, open_files: ExitStack) -> None:
        self._plan, self._media, self._open_files = plan, media, open_files
        self.film = Film(plan.spec)
        self._conformers: dict[tuple[str, bool], Conformer] = {}
        self._musics: dict[tuple[Path, int], MusicReader] = {}
        self._sounds: dict[tuple[str, int], SoundReader] = {}

    def pictures(self, source: Source, times: Sequence[Fraction], cover: bool) -> Iterator[FilmPicture]:
        info, key = self._media[source.id], (source.id, cover)
        if key not in self._conformers:
            film = Film(covering(self.film.spec, info)) if cover else self.film
            tone = tone_between(info.video.colour, film.spec.colour, info.video.peak)
            self._conformers[key] = Conformer(info, film, tone)
        for frame in frames_at(info, times):
            yield self._conformers[key].picture(frame)

    def music(self, path: Path, track: int, first: int, samples: int) -> F32:
        if (path, track) not in self._musics:
            wanted = self._plan.spec.tracks[track]
            reader = MusicReader(path, wanted.rate, wanted.layout)
            self._musics[path, track] = self._open_files.enter_context(reader)
        return self._musics[path, track].read(first, samples)

    def sound(self, source: Source, track: int, start: Fraction, samples: int) -> F32:
        key, wanted = (source.id, track), self._plan.spec.tracks[track]
        if key not in self._sounds:
            reader = SoundReader(self._media[source.id], wanted.rate, wanted.layout, track=track)
            self._sounds[key] = self._open_files.enter_context(reader)
        return self._sounds[key].read(start, samples)
