"""Moments: rows with context, targets from people, the bridge, the network, and the curves of odd films."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from roughcut.errors import DataError, OptionError
from roughcut.evaluation.annotations import LabelledFilm, read_annotations, read_folds
from roughcut.evaluation.correlation import agreement, spearman
from roughcut.evaluation.moments import METHODS
from roughcut.evaluation.run import evaluate
from roughcut.models import store
from roughcut.networks.moments import MomentNetwork, PictureMoments
from roughcut.records import Features, FrameTimes
from roughcut.temporal.likeness import Likeness
from roughcut.temporal.mapper import sigmoid
from roughcut.temporal.moments import (
    HEADS,
    NEAR_ROWS,
    PARTS,
    WIDE_ROWS,
    MomentMapper,
    context_blocks,
    context_rows,
    fused,
    grid_blocks,
    grid_rows,
    near_rows,
)
from roughcut.training.captions import CaptionSpace
from roughcut.training.export import export_stream
from roughcut.training.folds import RECIPE
from roughcut.training.importance import Bridge, Ridge, Stream, caption_stream, picture_stream, targets
from roughcut.training.moments import correlation
from roughcut.training.settings import read_config

CAPTIONS = ("a dog runs", "a red car", "a man speaks", "the dog sleeps", "a car stops", "a man and a dog", "blue water")


def features(embeddings: np.ndarray, frames: list[int], count: int, rate: int = 25) -> Features:
    return Features(
        times=FrameTimes(pts=np.arange(count) + 3, end_pts=count + 3, time_base=Fraction(1, rate)),
        frame_stats=np.zeros((count, 4), np.float32),
        picture_frames=np.array(frames, np.int64),
        embeddings=embeddings.astype(np.float32),
        pictures=np.zeros((len(frames), 36, 64, 3), np.uint8),
        sound=np.zeros((0, 42), np.float32),
        speech=np.zeros(0, np.float32),
    )


def test_grid_holds_means_and_fills_gaps() -> None:
    """Pictures of one half second are averaged; a half second without one repeats the last that had one."""
    rows = grid_rows(features(np.array([[1.0], [3.0], [7.0]]), [0, 5, 40], 60))
    np.testing.assert_allclose(rows[:, 0], [2, 2, 2, 7, 7])


def test_context_is_the_mean_around() -> None:
    """Every column of the context equals the mean of the rows it names, computed one by one."""
    rows = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    found = context_rows(rows).reshape(80, PARTS, 3)
    for i in (0, 1, 2, 40, 79):
        before = rows[max(i - NEAR_ROWS, 0) : i] if i else rows[:1]
        wide = rows[max(i - WIDE_ROWS, 0) : i + WIDE_ROWS + 1]
        wanted = [rows[i], before.mean(0), rows[i : i + NEAR_ROWS + 1].mean(0), wide.mean(0), rows.mean(0)]
        np.testing.assert_allclose(found[i], wanted, atol=1e-5)


def test_targets_say_what_people_said() -> None:
    """A rise is an accent where it begins, a low flat stretch is a lull, and the higher row has the higher rank."""
    scores = np.array([1.0] * 20 + [4.0] * 10 + [2.0, 3.0] * 8, np.float32)
    keep, rank, accent, lull = targets(film(scores[None])).T
    assert set(np.flatnonzero(accent[:25])) <= {18, 19, 20, 21}
    assert accent[19:22].any()
    assert lull[5:14].all()
    assert not lull[18:].any()
    assert rank[:20].max() < rank[20:30].min()
    assert keep.mean() == pytest.approx(0, abs=1e-5)


def test_flat_scores_have_no_moments() -> None:
    """A film that people scored evenly has no accent and gives no infinite target."""
    found = targets(film(np.full((1, 30), 3.0)))
    assert np.isfinite(found).all()
    assert not found[:, 2].any()


def test_caption_space_is_deterministic_and_close_for_like() -> None:
    """Fitting twice gives equal rows; shared rare words bring captions together; unknown words give the zero row."""
    one, two = CaptionSpace.fit(CAPTIONS, 4), CaptionSpace.fit(CAPTIONS[::-1], 4)
    np.testing.assert_allclose(one.embed(CAPTIONS), two.embed(CAPTIONS), atol=1e-5)
    dog, other_dog, water = one.embed(["a dog runs", "the dog sleeps", "blue water"])
    assert dog @ other_dog > dog @ water
    assert not one.embed(["zzz"]).any()


def test_caption_space_needs_captions() -> None:
    """Too few captions for the dimensions asked for are named."""
    with pytest.raises(DataError, match="too few captions"):
        CaptionSpace.fit(CAPTIONS, 64)


def test_bridge_finds_a_linear_map() -> None:
    """Where captions are a linear function of pictures, the bridge finds it and keeps distances."""
    rng = np.random.default_rng(0)
    pictures, truth = rng.normal(size=(200, 6)), rng.normal(size=(6, 3))
    meanings = pictures @ truth + 1
    bridge = Bridge.fit(pictures, meanings, ["a", "b"] * 100, 1e-6)
    np.testing.assert_allclose(bridge(pictures.astype(np.float32)), meanings, atol=1e-3)


def film(scores: np.ndarray, name: str = "tvsum/x") -> LabelledFilm:
    captions = tuple(CAPTIONS[i % len(CAPTIONS)] for i in range(scores.shape[1]))
    return LabelledFilm(name=name, captions=captions, scores=scores.astype(np.float32))


def test_picture_stream_knows_where_it_looked() -> None:
    """Rows take the meaning of the latest picture; only rows near a picture count."""
    plain = Bridge(np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    stream = picture_stream(film(np.ones((2, 20))), [4, 12], np.array([[1.0, 0], [0, 1.0]], np.float32), plain)
    np.testing.assert_array_equal(stream.rows[:12, 0], 1)
    np.testing.assert_array_equal(stream.rows[12:, 1], 1)
    assert stream.weights.tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]


def linear_films() -> list[Stream]:
    space = CaptionSpace.fit(CAPTIONS, 4)
    rng = np.random.default_rng(0)
    films = []
    for _ in range(4):
        captions = tuple(rng.choice(CAPTIONS, 60))
        scores = np.array([3.0 * ("dog" in c) + 1 for c in captions], np.float32)
        films.append(caption_stream(LabelledFilm(name="tvsum/x", captions=captions, scores=scores[None]), space))
    return films


def test_heads_begin_as_ridge() -> None:
    """A network started from a ridge regression says what the ridge says, up to the constant, and ranks a new film."""
    *training, new = linear_films()
    ridge = Ridge(training, 0.01)
    network = MomentNetwork(4, HEADS, hidden=8, layers=2, dropout=0.5).eval()
    network.start_linear("keep", torch.from_numpy(ridge.weights).float(), -ridge.middle)
    with torch.no_grad():
        said = network(torch.from_numpy(new.rows)[None])["keep"][0, :, 0].numpy()
    np.testing.assert_allclose(said, ridge(new), atol=1e-4)
    assert spearman(said, new.targets[:, :1].T) > 0.8


def test_exported_network_streams_as_pytorch(tmp_path: Path) -> None:
    """Blocks through ONNX Runtime give the probabilities of the whole film through PyTorch."""
    torch.manual_seed(0)
    network = MomentNetwork(4, HEADS, hidden=8, layers=2, dropout=0.5)
    whole = PictureMoments(network, torch.randn(6, 4), torch.randn(4)).eval()
    path = tmp_path / "moments.onnx"
    assert export_stream(whole, path, columns=PARTS * 6) < 1e-4
    trunk = network.trunk.config
    inputs = {"rows": ["n"], "block": [], "h": [2, 1, 8], "c": [2, 1, 8]}
    card = {
        "format": store.CARD_FORMAT, "name": "moments", "version": "t", "sha256": store.digest(path),
        "inputs": {n: {"dtype": "int64" if n == "block" else "float32", "shape": s} for n, s in inputs.items()},
        "outputs": {n: {"dtype": "float32", "shape": [1, "b", 1]} for n in (*HEADS, "h_next", "c_next")},
        "heads": {n: {} for n in HEADS},
        "stream": {"block": trunk.block, "lookahead": trunk.lookahead, "context": 0},
    }  # fmt: skip
    card["inputs"]["rows"]["shape"] = [1, "n", PARTS * 6]
    path.with_suffix(".json").write_text(json.dumps(card))
    seen = features(np.random.default_rng(0).normal(size=(400, 6)), list(range(0, 4800, 12)), 4800, rate=24)
    keep, *_ = MomentMapper(store.load_path(path)).map(seen)
    with torch.no_grad():
        context = context_rows(grid_rows(seen))
        shown = whole(torch.from_numpy(context)[None])["keep"][0, :, 0].numpy()
    wanted = fused(shown, Likeness(lambda: [near_rows(context)], len(context)))
    assert len(keep.values) == 400
    np.testing.assert_allclose(keep.values, sigmoid(wanted), atol=1e-5)


@pytest.mark.parametrize("pictures", [0, 1, 7])
def test_odd_films(pictures: int) -> None:
    """A film without a picture has empty curves; one of a single frame and a constant one have finite ones in 0..1."""
    embeddings = np.tile(np.eye(1, 128), (pictures, 1))
    frames = [12 * i for i in range(pictures)]
    for curve in MomentMapper().map(features(embeddings, frames, max(12 * pictures - 11, 1))):
        assert len(curve.values) == (0 if pictures == 0 else max((12 * pictures - 12) // 13 + 1, 1))
        assert np.isfinite(curve.values).all()
        assert (np.abs(curve.values - 0.5) <= 0.5).all()
        assert curve.start == Fraction(3, 25)


def test_agreement_with_oneself_and_with_nobody() -> None:
    """The mean person agrees perfectly on SumMe; a constant agrees with nobody; the reverse disagrees."""
    scores = np.random.default_rng(0).integers(0, 2, (9, 40))
    one = film(scores, "summe/x")
    assert agreement(one.mean, one).rho == pytest.approx(1)
    assert agreement(one.mean, one).tau == pytest.approx(1)
    assert agreement(np.ones(40, np.float32), one).rho == 0
    assert agreement(-one.mean, one).tau == pytest.approx(-1)


def test_weighted_correlation() -> None:
    """Rows of weight 0 do not count; what rises together correlates to 1."""
    ours = torch.tensor([[1.0, 2.0, 3.0, 99.0]])
    weights = torch.tensor([[1.0, 1.0, 1.0, 0.0]])
    assert float(correlation(ours, 2 * ours + 1, weights)) == pytest.approx(1)
    assert float(correlation(ours, torch.tensor([[3.0, 2.0, 1.0, 5.0]]), weights)) == pytest.approx(-1)


def test_the_recipe_of_the_folds_is_the_one_that_ships() -> None:
    """What `evaluate` trains is what `configs/moments.toml` says and the card of the network tells."""
    assert read_config(Path(__file__).parents[1] / "configs" / "moments.toml") == RECIPE
    assert store.load("moments").card["recipe"]["config"] == RECIPE


def write_annotations(folder: Path) -> None:
    for name, scores in (("tvsum", "user_scores"), ("summe", "user_summary")):
        with h5py.File(folder / f"{name}_anno.h5", "w") as file:
            for i in range(2):
                group = file.create_group(f"video_{i}")
                group["captions"] = json.dumps(["a dog", "a cat", "a car"])
                group["picks"] = [0, 15, 30]
                group[scores] = np.arange(2 * 31).reshape(2, 31) % 5
    (folder / "splits").mkdir()
    for title in ("TVSum", "SumMe"):
        lines = [f"{title}/split{i}/video_{1 - i}/video_{i}" for i in range(2)]
        (folder / "splits" / f"csta_{title}_splits.txt").write_text("\n".join(lines))


def test_annotations_are_read_at_the_picks(tmp_path: Path) -> None:
    """Scores are taken at the picks; folds name test films."""
    write_annotations(tmp_path)
    found = read_annotations(tmp_path / "tvsum_anno.h5", "tvsum")
    assert [f.name for f in found] == ["tvsum/video_0", "tvsum/video_1"]
    np.testing.assert_array_equal(found[0].scores, [[0, 0, 0], [1, 1, 1]])
    assert read_folds(tmp_path, "summe") == [{"summe/video_0"}, {"summe/video_1"}]


def test_wrong_annotations_are_named(tmp_path: Path) -> None:
    """A file that is not HDF5, an unknown set, and a missing split each give one clear line."""
    (tmp_path / "tvsum_anno.h5").write_text("no")
    with pytest.raises(DataError, match=r"tvsum_anno\.h5: the annotations cannot be read"):
        read_annotations(tmp_path / "tvsum_anno.h5", "tvsum")
    with pytest.raises(DataError, match="unknown set of annotations"):
        read_annotations(tmp_path / "tvsum_anno.h5", "ovp")
    with pytest.raises(DataError, match="the split cannot be read"):
        read_folds(tmp_path, "tvsum")


def test_evaluation_measures_predictions(tmp_path: Path) -> None:
    """Predictions equal to the mean person's scores rank SumMe perfectly; the shipped network may not be measured."""
    write_annotations(tmp_path)
    films = {f.name: f for name in ("tvsum", "summe") for f in read_annotations(tmp_path / f"{name}_anno.h5", name)}
    for fold in range(2):
        said = {f"{name}/video_{fold}": [0.1, 0.2, 0.3] for name in ("tvsum", "summe")}
        methods = [m for m in METHODS if m != "random"]
        key = {f"tvsum/video_{fold}": [0.3, 0.1]}
        folder = tmp_path / "runs" / f"fold-{fold}"
        folder.mkdir(parents=True)
        (folder / "predictions.json").write_text(
            json.dumps(
                {
                    "captions": dict.fromkeys(methods, said),
                    "pictures": dict.fromkeys(methods, key),
                    "steps": {f"tvsum/video_{fold}": [2, 0]},
                    "timing": {f"{head}_{part}": 0.25 for head in ("accent", "lull") for part in ("ap", "share")},
                }
            )
        )
    report = evaluate("moments", tmp_path, models=tmp_path / "runs", split="csta")
    wanted = agreement(np.array([0.1, 0.2, 0.3], np.float32), films["summe/video_0"])
    assert report.json()["captions"]["network"]["summe"][0]["rho"] == pytest.approx(wanted.rho)
    assert "network" in report.table()
    with pytest.raises(DataError, match="the shipped network has seen these films"):
        evaluate("moments", tmp_path)
    with pytest.raises(OptionError, match="not an option"):
        evaluate("moments", tmp_path, models=tmp_path / "runs", split="canonical")


@pytest.mark.parametrize(("count", "size", "given"), [(500, 64, 64), (500, 64, 7), (41, 16, 200), (1, 8, 8)])
def test_blocks_are_the_whole(count: int, size: int, given: int) -> None:
    """Context rows made in blocks equal those of the whole film, however many rows come at a time."""
    rows = np.random.default_rng(1).normal(size=(count, 6)).astype(np.float32)
    blocks = list(context_blocks(lambda: (rows[at : at + given] for at in range(0, count, given)), size))
    assert len(blocks) <= count // size + 1
    np.testing.assert_allclose(np.concatenate(blocks), context_rows(rows), atol=1e-6)


def test_grid_blocks_are_the_grid() -> None:
    """The grid in blocks is bit-equal to the grid at once, with cells of many pictures, of one and of none."""
    rng = np.random.default_rng(2)
    frames = np.unique(rng.integers(0, 4000, 150)).tolist()
    seen = features(rng.normal(size=(len(frames), 5)), frames, 4000)
    whole = np.concatenate(list(grid_blocks(seen, 10_000)))
    np.testing.assert_array_equal(np.concatenate(list(grid_blocks(seen, 13))), whole)
    seconds = np.array(frames) / 25
    inside = (seconds >= 10) & (seconds < 10.5)
    last = np.flatnonzero(seconds < 10.5)[-1:]
    wanted = seen.embeddings[inside if inside.any() else last].mean(0)
    np.testing.assert_allclose(whole[20], wanted, atol=1e-6)
