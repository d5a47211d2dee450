"""Imports point down only, and stages never import each other: the house in docs/architecture.md, held by a test."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "roughcut"

# Floor by floor, lowest first. A module imports from floors below its own; rooms on one floor do not know each other.
FLOORS: list[set[str]] = [
    {"errors", "oklab", "splines"},
    {"timebase"},
    {"records"},
    {"timeline", "models"},
    {"media", "features", "temporal", "spatial", "effects"},  # the stages
    {"planner"},
    {"report"},
    {"synthesis", "claims", "finishing"},
    {"units", "soundtrack", "proving"},
    {"parts"},
    {"assembly"},
    {"watching", "expressions", "rendering", "results"},  # the two halves of the pipeline
    {"reporting", "wishes", "shotlist", "momentlist", "moodlist", "people", "grading", "look_files"},
    {"pipeline"},
    {"batch"},
    {"demo"},
    {"networks"},
    {"evaluation"},
    {"training"},
    {"cli"},
    {"__main__"},
]
LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}
ONLY_IN = {"av": {"media"}, "torch": {"networks", "training", "evaluation"}, "PyOpenColorIO": {"effects"}}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Absolute names of all modules a file imports, function-level imports included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            if node.module == "roughcut":
                found |= {f"roughcut.{alias.name}" for alias in node.names}
    return found


FILES = sorted(p for p in SOURCE.rglob("*.py") if p.parent != SOURCE or p.name != "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    """A file imports its own room and rooms on lower floors, nothing else."""
    room = room_of(path)
    assert room in LEVEL, f"{room} stands on no floor: add it to FLOORS"
    for name in imported(path):
        if not name.startswith("roughcut."):
            continue
        other = name.split(".")[1]
        if other in LEVEL:
            assert other == room or LEVEL[other] < LEVEL[room], f"{path.name} ({room}) imports {name}"


@pytest.mark.parametrize("library", ONLY_IN)
def test_libraries_stay_in_their_rooms(library: str) -> None:
    """PyAV is imported by media alone, PyTorch by training rooms alone, OpenColorIO by effects alone."""
    rooms = {room_of(p) for p in FILES if any(n.split(".")[0] == library for n in imported(p))}
    assert rooms <= ONLY_IN[library]


def test_import_is_light() -> None:
    """`import roughcut` loads neither PyTorch nor PyAV nor ONNX Runtime."""
    code = "import sys, roughcut; print(*({'torch', 'av', 'onnxruntime', 'PyOpenColorIO', 'typer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_files_stay_short() -> None:
    """No source file is longer than 400 lines."""
    lengths = {str(p.relative_to(SOURCE)): len(p.read_text(encoding="utf-8").splitlines()) for p in FILES}
    assert {name: n for name, n in lengths.items() if n > 400} == {}
