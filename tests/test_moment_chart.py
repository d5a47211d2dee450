"""`roughcut moments`: what is listed is what `edit` would keep, and the picture shows it where it is."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from roughcut import pipeline
from roughcut.cli.commands import app
from roughcut.records import Curve
from roughcut.report.moment_chart import KEPT, LINE, SHADE, VOICE, WIDTH, Marked, MomentChart, with_stills
from roughcut.timebase import TimeRange


def span(a: float, b: float) -> TimeRange:
    return TimeRange(Fraction(a), Fraction(b))


def columns(picture: Image.Image, colour: tuple[int, int, int], low: int = 0, high: int = WIDTH) -> set[int]:
    """The columns in which a colour stands."""
    there = (np.asarray(picture) == colour).all(-1).any(0)
    return {int(x) for x in np.flatnonzero(there) if low <= x < high}


def curve(values: list[float]) -> Curve:
    return Curve(name="keep", start=Fraction(0), step=Fraction(1, 2), values=np.array(values, np.float32))


def test_stretches_lie_where_they_are() -> None:
    """The shaded columns are those of the kept half of the film, the voice's those of its quarter."""
    chart = MomentChart(span(0, 20), curve([0.5] * 40))
    picture = chart.draw([Marked(range=span(10, 20), importance=0.5)], [Fraction(0)], [span(5, 10)])
    middle, right = WIDTH // 2, WIDTH - 60
    shaded, voiced = columns(picture, SHADE), columns(picture, VOICE, 60)
    assert (min(shaded), max(shaded)) == (pytest.approx(middle, abs=2), pytest.approx(right, abs=2))
    assert (min(voiced), max(voiced)) == (pytest.approx(60 + 370, abs=2), pytest.approx(middle, abs=2))


def test_the_curve_rises_with_importance() -> None:
    """The line runs lower (greater y) where importance is lower."""
    picture = MomentChart(span(0, 20), curve([0.1] * 20 + [0.9] * 20)).draw([], [], [])
    lines = (np.asarray(picture) == LINE).all(-1)
    low, high = np.flatnonzero(lines[:, WIDTH // 4]), np.flatnonzero(lines[:, 3 * WIDTH // 4])
    assert low.mean() - high.mean() == pytest.approx(0.8 * 260, abs=3)


def test_stills_are_the_most_important_and_tied_to_their_moment() -> None:
    """Of many moments those of greatest importance have a still, in order of time, and a line leads to each."""
    ranges = [(span(2 * i, 2 * i + 1), v) for i, v in enumerate([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6, 0.5, 0.55])]
    assert with_stills(ranges) == [1, 3, 4, 5, 6, 7, 8, 9]
    still = np.full((90, 160, 3), 200, np.uint8)
    chart = MomentChart(span(0, 20), curve([0.5] * 40))
    picture = chart.draw([Marked(range=span(18, 19), importance=0.5, still=still)], [], [])
    assert max(columns(picture, KEPT)) == pytest.approx(60 + 18.5 / 20 * (WIDTH - 120), abs=3)


@pytest.mark.parametrize("values", [[], [0.5], [0.5] * 50_000])
def test_odd_curves_are_drawn(values: list[float]) -> None:
    """No value, one value, and seven hours of them."""
    picture = MomentChart(span(0, max(len(values) / 2, 0.04)), curve(values)).draw([], [], [])
    assert picture.width == WIDTH


def test_what_is_listed_is_what_edit_would_keep(talk: Path, tmp_path: Path) -> None:
    """The moments are the clips of the plan of the same target; times lie in the file; the picture is a PNG."""
    done = CliRunner().invoke(
        app, ["moments", str(talk), "--target", "6s", "--json", "--plot", str(tmp_path / "a.png")]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    plan = pipeline.plan(pipeline.analyze(talk), target="6s")
    assert [m["start"] for m in told["moments"]] == [float(c.range.start) for c in plan.clips]
    assert [m["words"] for m in told["moments"]] == [c.decision.words for c in plan.clips]
    assert len(told["keep"]["values"]) == 28
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--plot", "a.jpg"], "the picture's name ends in .png"),
        (["--plot", "there.png"], "exists already"),
        (["--target", "0s"], "longer than 0 s"),
        (["--target", "2h"], "the target is longer than the footage"),
    ],
)
def test_wrong_wishes_are_refused(
    given: list[str], message: str, talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is one line, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    Path("there.png").write_bytes(b"x")
    from roughcut.errors import RoughcutError

    done = CliRunner().invoke(app, ["moments", str(talk), *given])
    assert done.exit_code != 0
    assert isinstance(done.exception, RoughcutError)
    assert message in str(done.exception)
    assert Path("there.png").read_bytes() == b"x"


def test_a_scene_shot_twice_is_kept_once(tmp_path: Path) -> None:
    """Of hills, beach, the hills again in other light, and a wall, nine seconds hold each scene once."""
    from media import write_media
    from roughcut.demo import scenes

    takes = [(scenes.hills, 1.0), (scenes.beach, 1.0), (scenes.hills, 0.85), (scenes.wall, 1.0)]
    frames = [
        np.asarray(Image.fromarray((scene(n / 12) * light).astype(np.uint8)).resize((320, 180)))
        for scene, light in takes
        for n in range(36)
    ]
    path = write_media(tmp_path / "retake.mp4", frames, rate=Fraction(12))
    found = pipeline.moments(path, target="9s", cache=False)
    kept = {int(m.range.start // 3) for m in found.moments}
    assert len(found.analysis.timing.shots) == 4
    assert kept in ({0, 1, 3}, {1, 2, 3})
    assert any("the best of 2 takes" in m.decision.words for m in found.moments)
