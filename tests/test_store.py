"""The store opens only networks that are what their card says."""

from __future__ import annotations

import json
import weakref
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from roughcut.errors import ModelError  # noqa: E402
from roughcut.models import store  # noqa: E402
from roughcut.training import export  # noqa: E402
from roughcut.training.tasks import Recipe  # noqa: E402

RECIPE = Recipe(task="toy", config={}, seed=0, data="none", steps=0, wall_seconds=0.0, scores={"score": 0.5})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A network that doubles rows of three."""
    network = torch.nn.Linear(3, 3, bias=False)
    network.weight.data = 2 * torch.eye(3)
    path = tmp_path / "double.onnx"
    axes = {"rows": {0: "n"}, "out": {0: "n"}}
    export.to_onnx(network, {"rows": torch.ones(2, 3)}, path, outputs=["out"], axes=axes)
    export.write_card(path, version="7", recipe=RECIPE, data=["nothing"])
    return path


def test_load_and_run(path: Path) -> None:
    """A checked network runs by name; its card and version are at hand; the same file is opened once."""
    model = store.load_path(path)
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(model.run(rows=rows)["out"], 2 * rows)
    assert (model.name, model.version, model.card["validation"]) == ("double", "7", {"score": 0.5})
    assert store.load_path(path) is model


def test_networks_are_let_go(path: Path) -> None:
    """After `release` nothing holds a network that nobody uses, and the next one who wants it has it opened."""
    held = weakref.ref(store.load_path(path))
    assert held() is not None
    store.release()
    assert held() is None
    rows = np.ones((1, 3), np.float32)
    assert np.array_equal(store.load_path(path).run(rows=rows)["out"], 2 * rows)


def test_altered_network_is_refused(path: Path) -> None:
    """One changed byte is noticed."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not the one its card describes"):
        store.load_path(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "roughcut.model.0"}, "another format .*roughcut.model.0.*allowed: roughcut.model.1"),
        ({"sha256": None}, "lacks fields .*sha256"),
        ({"outputs": {"other": {}}}, "the card's outputs are not the network's .*other.*allowed: out"),
    ],
)
def test_wrong_card_is_refused(path: Path, change: dict[str, object], message: str) -> None:
    """A card of another format, with a gap, or of another network is named with what is wrong."""
    beside = path.with_suffix(".json")
    card = {**json.loads(beside.read_text()), **change}
    beside.write_text(json.dumps({k: v for k, v in card.items() if v is not None}))
    with pytest.raises(ModelError, match=message):
        store.load_path(path)


def test_missing_or_broken_card(path: Path) -> None:
    """Without a readable card nothing runs."""
    path.with_suffix(".json").write_text("{")
    with pytest.raises(ModelError, match="the card cannot be read"):
        store.load_path(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="has no card"):
        store.load_path(path)


def test_unknown_name() -> None:
    """A network that is not shipped is refused by name."""
    with pytest.raises(ModelError, match="nosuch: no such network; allowed: "):
        store.load("nosuch")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"rows": np.ones((2, 4), np.float32)}, r"input rows .*float32 \[2, 4\].*allowed: float32 \['n', 3\]"),
        ({"rows": np.ones((2, 3))}, r"input rows .*float64"),
        ({"lines": np.ones((2, 3), np.float32)}, r"other inputs .*lines.*allowed: \['rows'\]"),
    ],
)
def test_inputs_are_checked(path: Path, inputs: dict[str, np.ndarray], message: str) -> None:
    """Another name, type or shape than the contract's gives an error that shows both."""
    with pytest.raises(ModelError, match=message):
        store.load_path(path).run(**inputs)


def test_shipped_networks_are_small_and_whole() -> None:
    """Every shipped network opens, is at most 10 MB, and says on what it was trained and what it scored."""
    for name in store.names():
        model = store.load(name)
        assert (store.FOLDER / f"{name}.onnx").stat().st_size <= store.MAX_BYTES
        assert model.card["licence"]
        assert model.card["training_data"]
        assert model.card["recipe"]["seed"] is not None


def test_export_notices_a_difference(path: Path) -> None:
    """A file that is not the module's is caught by the equality test."""
    other = torch.nn.Linear(3, 3, bias=False)
    with pytest.raises(ModelError, match="PyTorch and ONNX disagree"):
        export.check_equal(other, path, [{"rows": torch.ones(2, 3)}])
