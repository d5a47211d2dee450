"""The command line as a person meets it: help, exit codes, JSON, one-line errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image


def roughcut(*arguments: object, timeout: int = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roughcut", *map(str, arguments)],
        capture_output=True, text=True, timeout=timeout, env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )  # fmt: skip


def test_every_command_has_help() -> None:
    """The commands of the README exist, and every option says what it does."""
    listed = roughcut("--help").stdout
    for command in (
        "edit",
        "analyze",
        "plan",
        "render",
        "verify",
        "probe",
        "shots",
        "demo",
        "train",
        "evaluate",
        "presets",
    ):
        assert command in listed
    from roughcut.cli.commands import app

    for command in app.registered_commands:
        assert command.callback.__doc__  # type: ignore[union-attr]


def test_edit_probe_and_shots(talk: Path, tmp_path: Path) -> None:
    """edit writes its files and prints where; probe and shots give JSON that machines read."""
    done = roughcut("edit", talk, "-o", tmp_path / "cut.mp4", "--target", "5s")
    assert done.returncode == 0, done.stderr
    assert "cut.mp4" in done.stdout
    assert "cut.report.html" in done.stdout
    assert json.loads(roughcut("probe", talk, "--json").stdout)["video"]["rate"] == "25"
    listed = json.loads(roughcut("shots", talk, "--json").stdout)
    assert [t["end"] for t in listed["transitions"]] == [175, 225, 300]
    assert listed["frames"] == 350


def test_dry_run_and_plan_only(talk: Path, tmp_path: Path) -> None:
    """--dry-run writes nothing; --plan-only the timeline and its looks alone; render makes the film of it."""
    dry = roughcut("edit", talk, "-o", tmp_path / "cut.mp4", "--dry-run", "--json")
    assert json.loads(dry.stdout)["clips"]
    assert list(tmp_path.iterdir()) == []
    assert roughcut("edit", talk, "-o", tmp_path / "cut.mp4", "--plan-only").returncode == 0
    assert {p.name for p in tmp_path.iterdir()} - {"cut.looks"} == {"cut.otio"}
    made = roughcut("render", tmp_path / "cut.otio", "-o", tmp_path / "film.mp4", "--json")
    assert json.loads(made.stdout)["proof"]["ok"]
    good = roughcut("verify", tmp_path / "film.mp4", "--plan", tmp_path / "cut.otio")
    assert good.returncode == 0, good.stderr
    assert "the film is what was planned" in good.stdout
    other = roughcut("verify", talk, "--plan", tmp_path / "cut.otio", "--quick", "--json")
    assert (other.returncode, json.loads(other.stdout)["ok"]) == (1, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("edit", "no.mp4", "-o", "x.mp4"), "no.mp4: no such file"),
        (("edit", "TALK", "-o", "x.mp4", "--target", "soon"), "--target: not a time"),
        (("edit", "TALK", "-o", "x.mp4", "--keep", "most"), "--keep: unknown value"),
        (("edit", "TALK", "-o", "x.abc"), "unknown kind of film"),
        (("edit", "TALK", "-o", "x.mp4", "--target", "3h"), "the target is longer than the footage"),
        (("edit", "TALK", "-o", "x.mp4", "--preset", "mpeg9"), "--preset: unknown preset"),
        (("edit", "TALK", "-o", "x.mp4", "--preset", "prores"), "prores does not go into such a file"),
        (("edit", "TALK", "-o", "x.mp4", "--hardware", "on"), "--hardware: unknown value"),
        (("edit", "TALK", "-o", "x.mp4", "--effects", "lots"), "--effects: unknown value"),
        (("edit", "TALK", "-o", "x.mp4", "--reframe", "3:2"), "--reframe: unknown value"),
        (("edit", "TALK", "-o", "x.mp4", "--denoise", "7"), "--denoise: out of range"),
        (("edit", "TALK", "-o", "x.mp4", "--captions", "no.srt"), "no.srt: the captions cannot be read"),
        (("edit", "TALK", "-o", "x.mp4", "--captions", "TALK"), "no captions were found"),
        (("edit", "TALK", "-o", "x.mp4", "--logo", "TALK"), "the logo is no picture"),
        (("edit", "TALK", "-o", "x.mp4", "--music", "no.mp3"), "no.mp3: no such file"),
        (("render", "no.otio", "-o", "x.mp4"), "no.otio: no such timeline"),
        (("verify", "no.mp4", "--plan", "no.otio"), "no.mp4: no such file"),
        (("verify", "TALK", "--plan", "no.otio"), "no.otio: no such timeline"),
        (("train", "cooking", "--data", "d.jsonl", "-o", "r"), "no such task"),
        (("evaluate", "cooking", "--data", "d"), "no such task"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(
    talk: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Each bad call says what is wrong, without a traceback, and writes nothing."""
    places = {"TALK": str(talk), "x.mp4": str(tmp_path / "x.mp4"), "x.abc": str(tmp_path / "x.abc")}
    done = roughcut(*(places.get(a, a) for a in arguments))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ on Windows")
def test_ctrl_c_leaves_no_debris(talk: Path, tmp_path: Path) -> None:
    """Interrupted while it renders, edit ends with 130 and no film, whole or half, is left."""
    arguments = [sys.executable, "-m", "roughcut", "edit", str(talk), "-o", str(tmp_path / "cut.mp4"), "--keep", "all"]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while (
        time.monotonic() < until and not any(".part" in p.name for p in tmp_path.iterdir()) and process.poll() is None
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the render was done before the signal came")
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_effects_lists_the_catalogue(tmp_path: Path) -> None:
    """Every effect with its parameters, as words and as JSON; sheets are drawn when asked for, never over others."""
    listed = {e["name"]: e for e in json.loads(roughcut("effects", "--json").stdout)}
    assert {"dissolve", "wipe", "push-in", "speed", "captions", "music", "loudness"} <= set(listed)
    amount = listed["vignette"]["parameters"][0]
    assert (amount["name"], amount["default"], amount["allowed"]) == ("amount", "0.25", "0 to 1")
    drawn = roughcut("effects", "--previews", tmp_path / "sheets")
    assert drawn.returncode == 0
    assert len(list((tmp_path / "sheets").glob("*.png"))) >= 18
    again = roughcut("effects", "--previews", tmp_path / "sheets")
    assert again.returncode == 2
    assert "it exists" in again.stderr


def test_an_edit_with_everything_on_it(talk: Path, tmp_path: Path) -> None:
    """Captions, title, logo, music, another shape, steady and clean: one film, proved, with its reasons told."""
    (tmp_path / "a.srt").write_bytes("1\n00:00:00,500 --> 00:00:03,000\nGuten Tag, über alles.\n".encode("utf-16"))
    Image.new("RGBA", (40, 20), (200, 0, 0, 128)).save(tmp_path / "logo.png")
    out = tmp_path / "cut.mp4"
    done = roughcut(
        "edit", talk, "-o", out, "--effects", "rich", "--captions", tmp_path / "a.srt", "--title", "Talk", "--logo",
        tmp_path / "logo.png", "--music", talk, "--reframe", "1:1", "--stabilise", "--denoise", "0.3", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["proof"]["problems"] == []
    video = json.loads(roughcut("probe", out, "--json").stdout)["video"]
    assert video["width"] == video["height"]
    report = json.loads(out.with_suffix(".report.json").read_text())
    assert [e["effect"] for e in report["effects"]] == ["captions", "title", "logo", "music"]
    assert all(any(e["effect"] == "reframe" for e in clip["effects"]) for clip in report["clips"])
