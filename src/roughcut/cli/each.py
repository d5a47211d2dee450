"""`roughcut edit --out-dir`: one film of each file, told file by file, and the sum at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from roughcut import batch
from roughcut.batch import Job, Outcome
from roughcut.cli import display, shown
from roughcut.errors import OptionError
from roughcut.records import named_preset

_WORDS = {"made": "made", "there": "made already", "failed": "failed", "planned": "planned"}


def one_folder(out: Path | None, out_dir: Path | None) -> Path:
    """The folder of `--out-dir`. Raises OptionError unless it is given, and `-o` is not."""
    if out_dir is None or out is not None:
        raise OptionError(
            "a film or a folder", where="edit", got="neither" if out is None else "both",
            allowed="-o FILM to join all files, or --out-dir DIR for one film each",
        )  # fmt: skip
    return out_dir


def edit(
    files: Sequence[Path], out_dir: Path, *, preset: str | None, hardware: str, smart: str | None,
    resume: bool, plan_only: bool, dry_run: bool,
    force: bool, cache: bool, as_json: bool, quiet: bool, **wishes: Any,
) -> None:  # fmt: skip
    """Edit or plan all files; exit code 2 where one of them failed."""
    ending = ".mp4" if preset is None else named_preset(preset).ending
    jobs = batch.jobs_for(files, out_dir, ending=ending)
    for job in jobs:
        if job.note and not quiet:
            display.note(job.note)
    found: list[Outcome] = []
    with display.progress(quiet or as_json) as progress:
        options = {"cache": cache, "force": force, "progress": progress, "preset": preset, **wishes}
        if plan_only or dry_run:
            each = batch.plan_each(jobs, write=not dry_run, **options)
        else:
            each = batch.edit_each(jobs, hardware=hardware, smart=smart, resume=resume, **options)
        for outcome in each:
            found.append(outcome)
            if not as_json:
                _tell(outcome, f"{len(found)} of {len(jobs)}", quiet=quiet)
    _sum_up(found, jobs, as_json=as_json, quiet=quiet)
    if any(o.state == "failed" for o in found):
        raise typer.Exit(2)


def _tell(outcome: Outcome, number: str, *, quiet: bool) -> None:
    if outcome.error is not None:
        display.complain(f"{number}: {outcome.error}")
        return
    verdict = f": {outcome.result.verdict()}" if outcome.result else ""
    display.say(f"{number}: {_WORDS[outcome.state]} {outcome.job.film}{verdict}")
    for note in outcome.result.notes() if outcome.result and not quiet else ():
        display.note(f"{outcome.job.source.name}: {note}")
    if outcome.plan is not None:
        shown.plan(outcome.plan, outcome.timeline, as_json=False, quiet=quiet)


def _sum_up(found: Sequence[Outcome], jobs: Sequence[Job], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        plans = [{} if o.plan is None else {"plan": shown.plan_json(o.plan, o.timeline)} for o in found]
        display.say_json([o.json() | planned for o, planned in zip(found, plans, strict=True)])
    elif not quiet and len(jobs) > 1:
        counts = Counter(_WORDS[o.state] for o in found)
        display.say(f"{len(jobs)} files: " + ", ".join(f"{n} {words}" for words, n in counts.items()))
        for outcome in found:
            if outcome.error is not None:
                display.say(f"  failed: {outcome.job.source}")
