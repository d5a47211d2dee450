"""Timeline files: what was written comes back exactly; what others changed is taken as far as it can be rendered."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings

from roughcut.timeline.otio import read_otio, write_otio
from roughcut.timeline.plan import Plan
from strategies import plans

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(plan=plans())
@QUICK
def test_reading_back_gives_the_same_plan(tmp_path: Path, plan: Plan) -> None:
    """Any plan is equal to itself after a way through a file, notes aside none are added."""
    write_otio(plan, tmp_path / "cut.otio")
    assert read_otio(tmp_path / "cut.otio") == plan
