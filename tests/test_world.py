"""Training in several processes: gradients are averaged, and all processes stay equal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

SCRIPT = """
import sys, torch
from pathlib import Path
from roughcut.training.loop import fit
from roughcut.training.settings import LoopSettings

class Line:
    name = "line"
    def network(self): return torch.nn.Linear(1, 1)
    def batch(self, step): return {"x": torch.full((1, 1), float(step))}
    def loss(self, network, batch): return ((network(batch["x"]) - batch["x"]) ** 2).mean()
    def validate(self, network): return {"score": 0.0}

settings = LoopSettings(steps=3, validate_every=10, clip=1e9)
result = fit(Line(), Path(sys.argv[1]), settings)
print(f"{result.network.weight.item():.7f}")
"""


@pytest.mark.slow
def test_two_processes_agree(tmp_path: Path) -> None:
    """Under torchrun both processes end with the same weights, and one of them keeps the checkpoint."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run([*command, str(tmp_path / "out")], capture_output=True, text=True, check=True, timeout=120)
    weights = done.stdout.split()
    assert len(weights) == 2
    assert weights[0] == weights[1]
    assert (tmp_path / "out" / "checkpoint.json").exists()
