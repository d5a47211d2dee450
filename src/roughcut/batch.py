"""Many files, one film each: what is made already is skipped, a file that fails does not stop the others.

A film is made when it, its timeline and both reports lie there, and the report, which is written last, names the same
source content, options and version. That is all the state there is: a run that was killed is simply started again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from roughcut import pipeline
from roughcut.claims import all_or_none, working_on
from roughcut.errors import OptionError, OutputError, RoughcutError
from roughcut.look_files import claim_looks, looks_beside, looks_or_none
from roughcut.parts import unfinished
from roughcut.records import Progress, no_progress
from roughcut.rendering import EditResult
from roughcut.reporting import report_paths
from roughcut.results import claim
from roughcut.timeline.plan import Plan
from roughcut.wishes import check_encoding, options_of, recipe_of

State = Literal["made", "there", "failed", "planned"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file and the film it becomes; `note` says where the film could not have the file's name."""

    source: Path
    film: Path
    note: str | None = None

    def outputs(self) -> list[Path]:
        """The film and what lies beside it, in the order it is written."""
        html, data = report_paths(self.film)
        return [self.film, self.film.with_suffix(".otio"), html, data]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a file."""

    job: Job
    state: State
    result: EditResult | None = None
    plan: Plan | None = None
    timeline: Path | None = None
    error: RoughcutError | None = None

    def json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "input": str(self.job.source),
            "film": str(self.job.film),
            "state": self.state,
            "note": self.job.note,
            "error": None if self.error is None else str(self.error),
            "result": None if self.result is None else self.result.json(),
        }


def jobs_for(paths: Sequence[Path | str], out_dir: Path | str, *, ending: str = ".mp4") -> list[Job]:
    """One job per different file, in order: `DIR/STEM.mp4`; of files of one stem the later ones get a number.

    Raises:
        OptionError: no file was given. OutputError: a film would replace one of the files.
    """
    different: dict[Path, Path] = {}
    for path in paths:
        different.setdefault(Path(path).resolve(), Path(path))
    files = list(different.values())
    if not files:
        raise OptionError("no file was given", where="FILES", next_step="name at least one video file")
    free = {f.stem.casefold() for f in files}
    taken: set[str] = set()
    jobs = []
    for file in files:
        name, number = file.stem, 2
        while name.casefold() in taken or (name != file.stem and name.casefold() in free):
            name, number = f"{file.stem}-{number}", number + 1
        taken.add(name.casefold())
        note = None if name == file.stem else f"{file} becomes {name}{ending}: another file is called {file.stem}"
        jobs.append(Job(source=file, film=Path(out_dir) / f"{name}{ending}", note=note))
    _check_apart(jobs)
    return jobs


def _check_apart(jobs: Sequence[Job]) -> None:
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        if job.film.resolve() in sources:
            raise OutputError(
                "a film would replace one of the files", where=job.film, next_step="choose another --out-dir"
            )


def edit_each(
    jobs: Sequence[Job],
    *,
    resume: bool = False,
    force: bool = False,
    cache: bool = True,
    progress: Progress = no_progress,
    **wishes: Any,
) -> Iterator[Outcome]:
    """Edit file by file, as `pipeline.edit` does with one; each outcome comes when it is known.

    A film that a killed run was at work on goes on from what it had finished.

    Args:
        resume: interrupted, keep what is finished of the film under way, for the next run.
        force: make all films anew, also those that are made, and replace what lies in their way.
        wishes: target, keep, look, transitions, sdr, vfr, track, preset, hardware, smart, as in `pipeline.edit`.

    Raises:
        OptionError: a wish that no file can fulfil. All else that is wrong with one file is its outcome's `error`.
    """
    options_of(wishes)
    check_encoding(wishes.get("hardware", "off"), wishes.get("smart"))

    def work(job: Job, named: Progress) -> Outcome:
        return _edited(job, resume=resume, force=force, cache=cache, progress=named, wishes=wishes)

    return _each(jobs, work, progress)


def plan_each(
    jobs: Sequence[Job],
    *,
    write: bool = False,
    force: bool = False,
    cache: bool = True,
    progress: Progress = no_progress,
    **wishes: Any,
) -> Iterator[Outcome]:
    """Analyse and plan file by file; with `write`, write the timelines. The rest as in `edit_each`."""
    options_of(wishes)

    def work(job: Job, named: Progress) -> Outcome:
        plan = pipeline.plan_files([job.source], cache=cache, progress=named, **wishes)
        timeline = pipeline.write_plan(plan, job.film.with_suffix(".otio"), force=force) if write else None
        return Outcome(job=job, state="planned", plan=plan, timeline=timeline)

    return _each(jobs, work, progress)


def _each(jobs: Sequence[Job], work: Callable[[Job, Progress], Outcome], progress: Progress) -> Iterator[Outcome]:
    for number, job in enumerate(jobs, 1):
        try:
            yield work(job, _named(progress, f"{number} of {len(jobs)}, {job.source.name}"))
        except RoughcutError as error:
            yield Outcome(job=job, state="failed", error=error)


def is_made(job: Job, recipe: dict[str, Any]) -> bool:
    """True where the film and all beside it are there, made by this recipe."""
    try:
        report = json.loads(report_paths(job.film)[1].read_text(encoding="utf-8"))
        whole = report["film"]["bytes"] == job.film.stat().st_size
        return bool(whole and report["recipe"] == recipe and all(p.is_file() for p in job.outputs()))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _edited(job: Job, *, resume: bool, force: bool, cache: bool, progress: Progress, wishes: dict[str, Any]) -> Outcome:
    recipe = recipe_of([job.source], wishes)
    if not force and is_made(job, recipe):
        return Outcome(job=job, state="there")
    claim(job.outputs(), inputs=[job.source], force=True)  # makes the folder
    with working_on(job.film) as hold:
        replace = force or bool(hold.killed)
        claim(job.outputs(), inputs=[job.source], force=replace)
        claim_looks(job.film, force=replace)
        before = [] if hold.killed else [p for p in job.outputs() if p.exists()]
        looked = bool(looks_beside(job.film)) and not hold.killed
        hold.begin()
        resume = resume or unfinished(job.film)
        options: dict[str, Any] = {"resume": resume, "force": replace, "cache": cache, "progress": progress}
        with all_or_none(job.outputs(), before=before), looks_or_none(job.film, before=looked):
            result = pipeline.edit(job.source, job.film, **options, **wishes)
    return Outcome(job=job, state="made", result=result)


def _named(progress: Progress, name: str) -> Progress:
    def told(stage: str, done: float, total: float) -> None:
        progress(f"{name}: {stage}", done, total)

    return told
