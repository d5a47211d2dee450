"""Both reports to their files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from roughcut.records import Analysis
from roughcut.report.data import FilmResult, report_data
from roughcut.report.page import page
from roughcut.report.pictures import ApplyLook, Still
from roughcut.timeline.files import replace_text
from roughcut.timeline.plan import Plan


def write_report(
    html_path: Path | str,
    json_path: Path | str,
    analyses: Sequence[Analysis],
    plan: Plan,
    result: FilmResult,
    still: Still,
    apply_look: ApplyLook,
) -> None:
    """Write `cut.report.html` (one file, opens offline, at most about 3 MB) and `cut.report.json`.

    Args:
        still: gives the picture of a file at a time; where it raises a RoughcutError, the page goes without.
        apply_look: that picture under a look, for the before and after.

    Raises:
        OutputError: a file cannot be written; what stood there is untouched.
    """
    replace_text(Path(html_path), page(analyses, plan, result, still, apply_look))
    data = report_data(analyses, plan, result)
    encoder = json.JSONEncoder(indent=1, allow_nan=False)
    # part by part, because a long film's text is as large again; and last, because it says that all is there
    replace_text(Path(json_path), chain(encoder.iterencode(data), "\n"))
