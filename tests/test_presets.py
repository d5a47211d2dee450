"""Presets: named ways to write a film, from the wish to the written file."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

import roughcut
from footage import make_analysis
from media import flat, write_media
from roughcut.cli.commands import app
from roughcut.errors import OptionError, OutputError
from roughcut.media.codecs import CONTAINERS
from roughcut.media.probe import probe
from roughcut.planner import PlanOptions, make_plan
from roughcut.records import PRESETS, FilmSpec, named_preset
from roughcut.timebase import TimeRange
from roughcut.timeline.otio import read_otio, write_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

SPEC = FilmSpec(width=64, height=64, rate=Fraction(25), tracks=())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_reaches_the_plan_and_its_file(tmp_path: Path, name: str) -> None:
    """The plan says codec, quality and speed of its preset, also when it is read back, and keeps the footage's size."""
    footage = [make_analysis([4, 4])]
    plain = make_plan(footage, PlanOptions(keep="all"))
    plan = make_plan(footage, PlanOptions(keep="all", preset=name))
    preset = PRESETS[name]
    assert (plan.spec.codec, plan.spec.crf, plan.spec.speed) == (preset.codec, preset.crf, preset.speed)
    written = {"codec": None, "crf": 20, "speed": "fast", "bit_depth": 8}
    assert replace(plan.spec, **written) == plain.spec  # type: ignore[arg-type]
    write_otio(plan, tmp_path / "cut.otio")
    text = json.loads((tmp_path / "cut.otio").read_text(encoding="utf-8"))
    assert text["metadata"]["roughcut"]["spec"]["codec"] == preset.codec
    assert preset.codec in CONTAINERS[preset.ending].codecs


def test_depth_is_the_footages_unless_named() -> None:
    """hevc-10bit deepens, the others leave the depth alone."""
    assert {name: preset.on(SPEC).bit_depth for name, preset in PRESETS.items() if preset.on(SPEC).bit_depth != 8} == {
        "hevc-10bit": 10
    }
    assert PRESETS["h264"].on(replace(SPEC, bit_depth=10)).bit_depth == 10


def test_unknown_names_list_the_known() -> None:
    """An unknown preset is refused with all that there are."""
    for refuse in (lambda: named_preset("mpeg9"), lambda: PlanOptions(preset="mpeg9")):
        with pytest.raises(OptionError, match="unknown preset") as caught:
            refuse()
        assert caught.value.allowed == ", ".join(PRESETS)


@pytest.mark.parametrize(
    "wrong", [{"crf": 52}, {"crf": -1}, {"bit_depth": 12}, {"codec": "mpeg9"}, {"speed": "veryfast"}]
)
def test_films_that_no_encoder_writes_are_refused(wrong: dict[str, object]) -> None:
    """Quality, depth, codec and speed have their ranges."""
    with pytest.raises(ValueError, match="a film"):
        replace(SPEC, **wrong)


def test_render_writes_it_another_way(tmp_path: Path) -> None:
    """--preset of render goes before what the timeline says; where the file cannot hold it, nothing is written."""
    path = write_media(tmp_path / "flat.mkv", [flat(90, (64, 64))] * 30)
    source = Source(id="s", path=path, available=probe(path).range, rate=Fraction(25), width=64, height=64)
    why = Decision(code="by_hand", words="made for a test")
    clips = (Clip(source="s", range=TimeRange(Fraction(0), Fraction(1)), decision=why),)
    spec = PRESETS["h264-small"].on(SPEC)
    plan = Plan(sources=(source,), clips=clips, joins=(Join(), Join()), spec=spec, loudness_target=None)
    write_otio(plan, tmp_path / "cut.otio")
    assert read_otio(tmp_path / "cut.otio").spec == spec
    as_written = roughcut.render(tmp_path / "cut.otio", tmp_path / "a.mp4")
    otherwise = roughcut.render(tmp_path / "cut.otio", tmp_path / "b.mp4", preset="hevc-10bit")
    assert probe(as_written.film).video.codec == "h264"
    assert (probe(otherwise.film).video.codec, probe(otherwise.film).video.bit_depth) == ("hevc", 10)
    with pytest.raises(OutputError, match="does not go into"):
        roughcut.render(tmp_path / "cut.otio", tmp_path / "c.webm", preset="hevc")
    with pytest.raises(OptionError, match="--hardware"):
        roughcut.render(tmp_path / "cut.otio", tmp_path / "c.mp4", hardware="yes")
    assert not list(tmp_path.glob("*c.*"))


def test_presets_are_listed() -> None:
    """People get a table with every name, machines the settings."""
    run = CliRunner()
    table = run.invoke(app, ["presets"])
    assert table.exit_code == 0
    assert json.loads(run.invoke(app, ["presets", "--json"]).stdout) == {n: vars(p) for n, p in PRESETS.items()}
    for command in ("edit", "plan", "render"):
        assert "--preset" in run.invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
    assert all(name in (table.stdout + table.stderr) for name in PRESETS)
