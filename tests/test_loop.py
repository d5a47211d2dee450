"""The training loop: a run killed and resumed ends with the weights of one that was not."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from roughcut.errors import DataError, ModelError, OptionError  # noqa: E402
from roughcut.training import checkpoint, registry, run, tasks  # noqa: E402
from roughcut.training.loop import average_in, fit, rate_at  # noqa: E402
from roughcut.training.settings import LoopSettings, read_config  # noqa: E402


class Line:
    """Learn y = 3x - 1; dropout makes the steps random."""

    name = "line"

    def __init__(self, stop_at: int | None = None, poison_at: int | None = None, best_at: int | None = None) -> None:
        self.stop_at, self.poison_at, self.best_at, self.validations = stop_at, poison_at, best_at, 0

    def network(self) -> nn.Module:
        return nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.1), nn.Linear(8, 1))

    def batch(self, step: int) -> tasks.Batch:
        if step == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        x = torch.randn(16, 1, generator=torch.Generator().manual_seed(step))
        return {"x": x, "y": 3 * x - 1 + (float("nan") if step == self.poison_at else 0.0)}

    def loss(self, network: nn.Module, batch: tasks.Batch) -> Tensor:
        return ((network(batch["x"]) - batch["y"]) ** 2).mean()

    def validate(self, network: nn.Module) -> dict[str, float]:
        self.validations += 1
        if self.best_at is not None:
            return {"score": -abs(self.validations - self.best_at)}
        x = torch.linspace(-1, 1, 9)[:, None]
        return {"score": -float(((network(x) - 3 * x + 1) ** 2).mean())}

    def export(self, network: nn.Module, folder: Path, recipe: tasks.Recipe) -> list[Path]:
        path = folder / "line.txt"
        path.write_text(recipe.task)
        return [path]


SETTINGS = LoopSettings(steps=60, rate=0.03, validate_every=20, warmup=5)


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in network.state_dict().items()}


def test_learns_and_keeps_the_best(tmp_path: Path) -> None:
    """The loop learns; history has a line per validation; the best weights come back."""
    result = fit(Line(), tmp_path, SETTINGS, seed=3)
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 40, 60]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert result.scores["score"] == max(line["score"] for line in lines)
    assert (result.ended, result.steps) == ("finished", 60)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_resume_continues_exactly(average: float, tmp_path: Path) -> None:
    """Ctrl-C at step 33 saves and returns; the resumed run ends with the uninterrupted run's weights, or their mean."""
    settings = replace(SETTINGS, average=average)
    whole = fit(Line(), tmp_path / "whole", settings, seed=1)
    stopped = fit(Line(stop_at=33), tmp_path / "parts", settings, seed=1)
    assert (stopped.ended, stopped.steps) == ("interrupted", 34)
    resumed = fit(Line(), tmp_path / "parts", settings, seed=1, resume=True)
    assert resumed.steps == 60
    for name, value in weights(whole.network).items():
        assert torch.equal(value, weights(resumed.network)[name])
    assert list((tmp_path / "parts").glob("*.part")) == []
    assert len(list((tmp_path / "parts").glob("checkpoint-*.safetensors"))) == 1


def test_averaged_weights_are_what_is_judged(tmp_path: Path) -> None:
    """With `average`, the exported weights are the running mean of those after each step; counters are copied."""
    mean, network = (nn.BatchNorm1d(2) for _ in range(2))
    with torch.no_grad():
        network.weight.fill_(3.0)
        network.num_batches_tracked.fill_(7)
    average_in(mean, network, 0.75)
    assert mean.weight.tolist() == [1.5, 1.5]
    assert int(mean.num_batches_tracked) == 7
    short = LoopSettings(steps=8, validate_every=8, average=0.5)
    plain = fit(Line(), tmp_path / "plain", replace(short, average=0.0)).network
    averaged = fit(Line(), tmp_path / "averaged", short).network
    assert not torch.equal(plain[0].weight, averaged[0].weight)
    with pytest.raises(OptionError, match=r"average: a decay lies in \[0, 1\) \(got 1.0\)"):
        LoopSettings(average=1.0)


def test_seeds_differ(tmp_path: Path) -> None:
    """Another seed gives another network; the same seed the same."""
    short = LoopSettings(steps=5, validate_every=5)
    a, b, c = (fit(Line(), tmp_path / str(i), short, seed=s).network for i, s in enumerate((0, 0, 1)))
    assert torch.equal(a[0].weight, b[0].weight)
    assert not torch.equal(a[0].weight, c[0].weight)


def test_stops_when_no_longer_better(tmp_path: Path) -> None:
    """`patience` validations without a better score end the run."""
    settings = LoopSettings(steps=100, validate_every=5, patience=2)
    result = fit(Line(best_at=3), tmp_path, settings)
    assert (result.ended, result.steps, result.scores["score"]) == ("no longer better", 25, 0)


def test_loss_that_is_no_number(tmp_path: Path) -> None:
    """A NaN feature stops training with the step's number."""
    with pytest.raises(DataError, match="step 7: the loss is no longer a number"):
        fit(Line(poison_at=7), tmp_path, SETTINGS)


def test_resume_needs_a_usable_checkpoint(tmp_path: Path) -> None:
    """None at all, another version, another seed, another network, damaged tensors: each is named."""
    with pytest.raises(ModelError, match="no checkpoint to resume from"):
        fit(Line(), tmp_path, SETTINGS, resume=True)
    fit(Line(), tmp_path, LoopSettings(steps=2, validate_every=2))
    with pytest.raises(ModelError, match=r"another seed \(got 5\); allowed: 0"):
        fit(Line(), tmp_path, SETTINGS, seed=5, resume=True)
    wrong = nn.Linear(1, 3)
    with pytest.raises(ModelError, match="weights of another network"):
        checkpoint.load_weights(wrong, tmp_path / "best.safetensors")
    state = checkpoint.read_state(tmp_path)
    (tmp_path / state["tensors"]).write_bytes(b"broken")
    with pytest.raises(ModelError, match="the weights cannot be read"):
        fit(Line(), tmp_path, SETTINGS, resume=True)
    (tmp_path / "checkpoint.json").write_text('{"format": "roughcut.checkpoint.0"}')
    with pytest.raises(ModelError, match=r"another version .*roughcut.checkpoint.0"):
        fit(Line(), tmp_path, SETTINGS, resume=True)


def test_learning_rate_rises_then_falls() -> None:
    """Linear warm-up to the peak, cosine down to a hundredth."""
    settings = LoopSettings(steps=1000, rate=1.0, warmup=10)
    assert rate_at(0, settings) == pytest.approx(0.1)
    assert rate_at(10, settings) == pytest.approx(1.0, rel=1e-2)
    assert rate_at(1000, settings) == pytest.approx(0.01)


def test_train_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`train` reads the config, fits, exports, and leaves a result; a new task is one entry in the registry."""
    monkeypatch.setitem(registry.TASKS, "line", lambda: lambda parts: Line())
    config = tmp_path / "line.toml"
    config.write_text("[train]\nsteps = 8\nvalidate_every = 4\n")
    data = tmp_path / "m.jsonl"
    data.write_text("{}\n")
    seen: list[float] = []
    result = run.train(
        "line", data, tmp_path / "out", config=config, progress=lambda stage, done, total: seen.append(done)
    )
    assert (result.steps, result.models) == (8, (tmp_path / "out" / "line.txt",))
    assert json.loads((tmp_path / "out" / "result.json").read_text())["ended"] == "finished"
    assert seen == list(range(1, 9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[train]\nsteps = 8\nspeed = 1\n", r"\[train\]: unknown setting \(got speed\); allowed: steps, rate"),
        ("[train]\nsteps = 'many'\n", r"\[train\].steps: not a usable value \(got many\)"),
        ("[train]\nsteps = 0\n", "steps: a training setting must be positive"),
        ("[trian]\n", r"other parts \(got trian\)"),
        ("steps = ", "cannot be read"),
    ],
)
def test_wrong_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    """A mistake in a config gives one line with the key and what is allowed."""
    monkeypatch.setitem(registry.TASKS, "line", lambda: lambda parts: Line())
    config = tmp_path / "c.toml"
    config.write_text(text)
    with pytest.raises(OptionError, match=message):
        run.train("line", tmp_path / "m.jsonl", tmp_path / "out", config=config)


def test_unknown_task_and_missing_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are named before anything is written."""
    with pytest.raises(OptionError, match=r"no such task .*got dance"):
        run.train("dance", tmp_path, tmp_path / "out")
    monkeypatch.setitem(registry.TASKS, "line", lambda: lambda parts: Line())
    with pytest.raises(DataError, match="no such manifest"):
        run.train("line", tmp_path / "none.jsonl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_shipped_configs_are_valid() -> None:
    """Every file in configs/ has the two tables and nothing else."""
    for path in sorted((Path(__file__).parents[1] / "configs").glob("*.toml")):
        assert set(read_config(path)) == {"train", "task"}
