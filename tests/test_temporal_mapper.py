"""The trunk: a stream cut anywhere says what the whole film says, in PyTorch and in ONNX Runtime."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")


from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from roughcut.errors import ModelError  # noqa: E402
from roughcut.models import store  # noqa: E402
from roughcut.networks.heads import ClassifyHead, TagHead, TaskNetwork  # noqa: E402
from roughcut.networks.temporal import MapperConfig, TemporalMapper  # noqa: E402
from roughcut.temporal.mapper import BlockStream, Logits, sigmoid  # noqa: E402
from roughcut.training import export  # noqa: E402
from roughcut.training.tasks import Recipe  # noqa: E402

CONFIG = MapperConfig(inputs=5, hidden=8, block=16, lookahead=8)
RECIPE = Recipe(task="toy", config={}, seed=0, data="none", steps=0, wall_seconds=0.0, scores={})
HEADS = {"tag": {"kind": "tag"}, "kind": {"kind": "classify"}}


@pytest.fixture(scope="module")
def network() -> TaskNetwork:
    torch.manual_seed(0)
    return TaskNetwork(TemporalMapper(CONFIG), {"tag": TagHead(16, 2), "kind": ClassifyHead(16, 5)}).eval()


@pytest.fixture(scope="module")
def model(network: TaskNetwork, tmp_path_factory: pytest.TempPathFactory) -> store.Model:
    path = tmp_path_factory.mktemp("toy") / "toy.onnx"
    export.export_stream(network, path)
    stream = {"block": CONFIG.block, "lookahead": CONFIG.lookahead, "context": 0}
    export.write_card(path, version="1", recipe=RECIPE, data=[], stream=stream, heads=HEADS)
    return store.load_path(path)


def streamed(model: store.Model, rows: np.ndarray, cuts: list[int]) -> Logits:
    stream = BlockStream(model)
    edges = [0, *sorted(c for c in cuts if c <= len(rows)), len(rows)]
    parts = [stream.push(rows[a:b]) for a, b in itertools.pairwise(edges)]
    parts.append(stream.finish())
    return {name: np.concatenate([p[name] for p in parts]) for name in HEADS}


@settings(max_examples=25, deadline=None)
@given(length=st.integers(1, 90), cuts=st.lists(st.integers(0, 90), max_size=6), seed=st.integers(0, 99))
def test_stream_equals_whole_film(
    network: TaskNetwork, model: store.Model, length: int, cuts: list[int], seed: int
) -> None:
    """Any chunking gives bit for bit the same numbers, and within 1e-5 those of PyTorch over the whole film."""
    rows = np.random.default_rng(seed).normal(size=(length, 5)).astype(np.float32)
    whole, chunked = streamed(model, rows, []), streamed(model, rows, cuts)
    with torch.no_grad():
        wanted = network(torch.from_numpy(rows)[None])
    for name in HEADS:
        assert np.array_equal(whole[name], chunked[name])
        np.testing.assert_allclose(chunked[name], wanted[name][0].numpy(), atol=1e-5)


@pytest.mark.parametrize("length", [1, 15, 16, 17, 40, 50])
def test_padding_changes_nothing(network: TaskNetwork, length: int) -> None:
    """A film in a padded batch gets the numbers it gets alone, whatever the padding holds."""
    rows = torch.randn(2, 50, 5)
    rows[0, length:] = 1e3
    with torch.no_grad():
        together = network(rows, torch.tensor([length, 50]))
        alone = network(rows[:1, :length])
    torch.testing.assert_close(together["tag"][0, :length], alone["tag"][0], atol=1e-5, rtol=0)


def test_lookahead_is_all_that_later_rows_reach(network: TaskNetwork) -> None:
    """A row further than block and lookahead away does not change an answer: latency is bounded."""
    rows = torch.randn(1, 60, 5)
    changed = rows.clone()
    changed[:, CONFIG.block + CONFIG.lookahead :] += 5.0
    with torch.no_grad():
        before, after = network(rows)["tag"], network(changed)["tag"]
    assert torch.equal(before[:, : CONFIG.block], after[:, : CONFIG.block])
    assert not torch.equal(before[:, CONFIG.block :], after[:, CONFIG.block :])


def test_empty_stream(model: store.Model) -> None:
    """A film without rows gives empty answers of the right width."""
    stream = BlockStream(model)
    assert stream.push(np.zeros((0, 5), np.float32))["tag"].shape == (0, 2)
    assert stream.finish()["kind"].shape == (0, 5)


def test_stream_needs_its_contract(model: store.Model) -> None:
    """A network that is no trunk is refused by name."""
    other = store.Model(name="plain", version="1", card={}, session=None)
    with pytest.raises(ModelError, match="plain: not a temporal network"):
        BlockStream(other)


def test_sigmoid_is_safe_far_out() -> None:
    """Extreme logits give 0 and 1 without a warning."""
    np.testing.assert_allclose(sigmoid(np.array([-1e4, 0.0, 1e4], np.float32)), [0.0, 0.5, 1.0], atol=1e-6)


def test_wrong_sizes_are_refused() -> None:
    """A trunk without rows or layers is a mistake of the caller."""
    with pytest.raises(ValueError, match="positive sizes"):
        MapperConfig(inputs=0)
