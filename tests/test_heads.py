"""Heads: losses fall where the answer gets better, metrics have the values known by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from roughcut.networks.heads import Adapter, ClassifyHead, RankHead, TagHead  # noqa: E402


def test_adapter_starts_as_identity() -> None:
    """A new task begins with exactly what the trunk says."""
    u = torch.randn(3, 7, 16)
    assert torch.equal(Adapter(16)(u), u)


def test_tag_loss_counts_only_weighted_steps() -> None:
    """A step of weight 0 may say anything; a confident right answer costs nothing."""
    logits = torch.tensor([[[20.0], [-20.0], [20.0]]])
    targets = torch.tensor([[[1.0], [0.0], [0.0]]])
    weights = torch.tensor([[[1.0], [1.0], [0.0]]])
    assert TagHead.loss(logits, targets, weights) < 1e-6
    assert TagHead.loss(logits, targets, torch.ones_like(weights)) > 5
    assert TagHead.loss(logits, targets, torch.zeros_like(weights)) == 0


def test_average_precision_by_hand() -> None:
    """Ranks 1 and 3 of 4 are right: (1/1 + 2/3) / 2."""
    scores = torch.tensor([0.9, 0.8, 0.7, 0.1])
    assert TagHead.metric(scores, torch.tensor([1.0, 0.0, 1.0, 0.0])) == pytest.approx((1 + 2 / 3) / 2)
    assert TagHead.metric(scores, torch.zeros(4)) == 0.0


def test_classify_pools_masked_steps() -> None:
    """Only the stream's own steps have a say in its class; an empty stream counts for nothing."""
    logits = torch.tensor([[[4.0, 0.0], [0.0, 9.0]], [[0.0, 1.0], [0.0, 1.0]]])
    mask = torch.tensor([[1, 0], [0, 0]]).bool()
    classes = torch.tensor([0, 0])
    assert ClassifyHead.metric(logits, classes, mask) == 1.0
    assert ClassifyHead.loss(logits, classes, mask) == pytest.approx(0.01815, rel=1e-3)
    assert ClassifyHead.metric(logits, classes, torch.zeros(2, 2).bool()) == 0.0


def test_rank_prefers_the_right_order() -> None:
    """The right order costs less than its reverse, masked candidates do not matter, tau is 1 and -1."""
    worth = torch.tensor([[0.0, 1.0, 2.0]])
    mask = torch.ones(1, 3)
    assert RankHead.loss(worth, worth, mask) < RankHead.loss(worth.flip(1), worth, mask)
    wild = torch.tensor([[0.0, 1.0, 50.0]])
    short = torch.tensor([[1.0, 1.0, 0.0]])
    assert RankHead.loss(wild, worth, short) == pytest.approx(float(RankHead.loss(worth, worth, short)))
    assert RankHead.metric(worth[0], worth[0]) == pytest.approx(1.0)
    assert RankHead.metric(worth[0].flip(0), worth[0]) == pytest.approx(-1.0)
    assert RankHead.metric(torch.ones(3), worth[0]) == 0.0
