"""Noise and softness: the filters do what they say, labels are what a search finds, and doubt leaves pictures alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from golden.make_effects import film, picture
from media import write_media
from roughcut.effects.chain import Moment, treated
from roughcut.errors import DataError, OptionError
from roughcut.evaluation.restoration import HARM, light_of, picture_of, ssim, ssim_table, treated_by
from roughcut.evaluation.restoration_set import degraded, fault
from roughcut.finishing import finished
from roughcut.media.filters import Filters
from roughcut.media.probe import probe
from roughcut.models import store
from roughcut.planner import PlanOptions
from roughcut.records import U8, no_progress
from roughcut.records.effects import Denoise
from roughcut.rendering import render_plan
from roughcut.spatial.restoration import (
    DENOISE,
    PATCH,
    SHARPEN,
    WORTH,
    Restoration,
    RestorationMapper,
    best,
    patches_of,
    reduced,
)  # fmt: skip
from test_render import plan_of, source_of

F = Fraction


def scene(width: int = 320, height: int = 240, seed: int = 4) -> U8:
    """Shapes with sharp edges over slow shades: what a good picture has."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    made = 110 + 50 * np.sin(x / 90 + 1) + 30 * np.cos(y / 60)
    for _ in range(60):
        cy, cx, r = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(4, 30)
        inside = np.hypot(y - cy, x - cx) < r if rng.random() < 0.5 else (abs(y - cy) < r) & (abs(x - cx) < r / 2)
        made = np.where(inside, made * 0.3 + 0.7 * rng.uniform(20, 235), made)
    return np.clip(made, 0, 255)[..., None].repeat(3, 2).astype(np.uint8)


GOOD = scene()


# ---------------------------------------------------------------- the filters


@pytest.mark.parametrize("depth", [8, 10])
def test_denoise_takes_noise_out_at_every_depth(depth: int) -> None:
    """Noise of deviation 12 falls to less than half at a fitting strength, by either filter."""
    made = film(depth, 320, 240)
    scale = 1 if depth == 8 else 257
    noisy = np.clip(GOOD + np.random.default_rng(1).normal(0, 12, GOOD.shape[:2])[..., None], 0, 255)
    good, given = (picture(made).with_rgb((p * scale).astype(made.dtype)) for p in (GOOD.astype(float), noisy))
    moment = Moment(part=0, frame=0, source_time=F(0), size=(320, 240))
    clean = treated(given, (Denoise(strength=0.55),), moment, Filters(made))
    before, after = (np.std(p.planes()[0].astype(float) - good.planes()[0]) for p in (given, clean))
    assert after < 0.5 * before
    assert clean.planes()[0].dtype == good.planes()[0].dtype


def test_sharpen_never_breaks_a_picture() -> None:
    """At full strength edges stand out more, and no level runs away from its neighbours' range by half of all."""
    given = picture_of(GOOD)
    sharp = light_of(treated_by(given, 0.0, 1.0))
    soft = light_of(given)
    assert np.abs(np.diff(sharp, axis=1)).mean() > np.abs(np.diff(soft, axis=1)).mean()
    assert ssim(sharp, soft) > 0.8


# ---------------------------------------------------------------- the measure


def test_ssim_is_one_for_itself_and_falls_with_noise() -> None:
    """1 for equal pictures; constants by the formula; less with more noise; the same both ways."""
    light = light_of(picture_of(GOOD))
    assert ssim(light, light) == pytest.approx(1.0, abs=1e-6)
    flat = [np.full((40, 40), v, np.float32) for v in (100.0, 120.0)]
    c1 = (0.01 * 255) ** 2
    assert ssim(*flat) == pytest.approx((2 * 100 * 120 + c1) / (100**2 + 120**2 + c1), abs=1e-4)
    rng = np.random.default_rng(0)
    few, many = (light + rng.normal(0, s, light.shape).astype(np.float32) for s in (4, 15))
    assert 1 > ssim(few, light) > ssim(many, light) > 0
    assert ssim(few, light) == pytest.approx(ssim(light, few), abs=1e-6)
    assert ssim(np.ones((3, 4), np.float32), np.ones((3, 4), np.float32)) == pytest.approx(1.0)


def test_the_table_is_what_each_pair_of_strengths_gives() -> None:
    """A cell is the SSIM of the picture under those two filters; noise wants denoising, blur wants sharpening."""
    noisy = degraded(GOOD, "noise=alls=20:all_seed=3")
    table = ssim_table(noisy, GOOD)
    assert table.shape == (len(DENOISE), len(SHARPEN))
    alone = ssim(light_of(treated_by(picture_of(noisy), DENOISE[3], SHARPEN[1])), light_of(picture_of(GOOD)))
    assert table[3, 1] == pytest.approx(alone, abs=1e-6)
    assert np.unravel_index(table.argmax(), table.shape)[0] >= 2
    soft = ssim_table(degraded(GOOD, "gblur=sigma=1.0"), GOOD)
    assert np.unravel_index(soft.argmax(), soft.shape)[1] >= 1
    clean = ssim_table(GOOD, GOOD)
    assert clean.argmax() == 0


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_faults_of_the_held_out_set_move_nothing(kind: int) -> None:
    """Whatever the fault, the picture keeps its size and place, and is worse."""
    rng = np.random.default_rng(kind)
    for _ in range(4):
        made = degraded(GOOD, fault(kind, rng))
        assert made.shape == GOOD.shape
        assert 0.2 < ssim(light_of(picture_of(made)), light_of(picture_of(GOOD))) < 0.999


# ---------------------------------------------------------------- deciding


def table_of(row: int, column: int, gain: float) -> np.ndarray:
    table = np.full((1, len(DENOISE), len(SHARPEN)), -0.05, np.float32)
    table[0, 0, 0], table[0, row, column] = 0.0, gain
    return table


def test_the_surest_gain_is_chosen_and_small_ones_are_left() -> None:
    """Strengths of the best cell; none where it promises less than is worth it."""
    chances = np.full((1, len(DENOISE), len(SHARPEN)), 0.8, np.float32)
    found = best(table_of(3, 0, 0.05), chances)
    assert (found.denoise, found.sharpen, found.probability) == (DENOISE[3], 0.0, pytest.approx(0.8))
    assert best(table_of(0, 2, 0.05), chances).sharpen == SHARPEN[2]
    assert best(table_of(3, 0, WORTH / 2), chances) == Restoration()


def test_one_odd_patch_does_not_decide() -> None:
    """The middle of all patches counts: a patch of confetti among clean ones changes nothing."""
    tables = np.concatenate([table_of(3, 0, 0.3), *[table_of(3, 0, -0.02)] * 4])
    assert best(tables, np.ones_like(tables)) == Restoration()


@pytest.mark.parametrize("size", [(1, 1), (10, 7), (100, 300), (192, 192), (1080, 1920)])
def test_patches_of_any_picture(size: tuple[int, int]) -> None:
    """Inside the picture, even, at most 192 wide; nothing of a picture that shows nothing."""
    rng = np.random.default_rng(0)
    patches = patches_of(rng.integers(0, 255, (*size, 3)).astype(np.uint8))
    assert all(s % 2 == 0 and s <= PATCH for s in patches.shape[1:])
    assert len(patches) == (4 if min(size) > 1 else 0)
    assert len(patches_of(np.full((*size, 3), 90, np.uint8))) == 0


def test_small_films_are_judged_small() -> None:
    """Half the size by averaging; at full size the very picture."""
    assert reduced(GOOD, F(1)) is GOOD
    assert reduced(GOOD, F(1, 2)).shape == (120, 160, 3)


# ---------------------------------------------------------------- with the shipped network

SHIPPED = pytest.mark.skipif("restoration" not in store.names(), reason="no restoration network ships")


def film_of(path: Path, words: str | None) -> Path:
    """A second of a slowly moving scene, with a fault on every picture."""
    wide = scene(400, 240)
    frames = []
    for k in range(25):
        frame = np.ascontiguousarray(wide[:, k * 2 : k * 2 + 320])
        told = None if words is None else words.replace("SEED", str(k + 1))
        frames.append(frame if told is None else degraded(frame, told))
    return write_media(path, frames)


@SHIPPED
def test_a_noisy_film_is_cleaned_and_a_clean_one_left_alone(tmp_path: Path) -> None:
    """Noise leads to a Denoise with reason and probability, and the film is nearer to the truth; clean gives none."""
    noisy, clean = (film_of(tmp_path / f"{n}.mp4", w) for n, w in (("n", "noise=alls=28:all_seed=SEED"), ("c", None)))
    plans = []
    for path in (noisy, clean):
        plan = plan_of([source_of(path)], [("s", F(0), F(1))])
        plan = replace(plan, spec=replace(plan.spec, width=320, height=240))
        plans.append(finished(plan, {"s": probe(path)}, PlanOptions(restore="auto"), no_progress, {}))
    effects = plans[0].clips[0].effects
    assert any(isinstance(e, Denoise) for e in effects)
    assert all(e.decision.code in ("noise", "softness") and 0.5 < e.decision.probability <= 1 for e in effects)
    assert not any(isinstance(e, Denoise) for e in plans[1].clips[0].effects)
    result = render_plan(plans[0], tmp_path / "cut.mp4")
    assert not result.proof.problems


@SHIPPED
def test_photographs_are_not_harmed() -> None:
    """The drawn scene as it is loses less than a thousandth; noisy, it gains."""
    mapper = RestorationMapper(store)
    found = mapper.judge([GOOD])
    kept = light_of(treated_by(picture_of(GOOD), found.denoise, found.sharpen))
    assert ssim(kept, light_of(picture_of(GOOD))) > 1 - HARM
    noisy = degraded(GOOD, "noise=alls=25:all_seed=5")
    found = mapper.judge([noisy])
    mended = light_of(treated_by(picture_of(noisy), found.denoise, found.sharpen))
    goal = light_of(picture_of(GOOD))
    assert ssim(mended, goal) > ssim(light_of(picture_of(noisy)), goal) + 0.05


@SHIPPED
def test_a_picture_that_shows_nothing_is_left_alone() -> None:
    """Black, and no picture at all."""
    mapper = RestorationMapper(store)
    assert mapper.judge([np.zeros((200, 300, 3), np.uint8)]) == Restoration()
    assert mapper.judge([]) == Restoration()


@SHIPPED
def test_evaluate_restoration(tmp_path: Path) -> None:
    """Pairs in, a row for every method out; a picture of another size is named."""
    from roughcut.evaluation.run import evaluate

    for side in ("degraded", "target"):
        (tmp_path / side).mkdir()
    Image.fromarray(GOOD).save(tmp_path / "target" / "a.png")
    Image.fromarray(degraded(GOOD, "noise=alls=25:all_seed=5")).save(tmp_path / "degraded" / "a.png")
    report = evaluate("restoration", tmp_path)
    rows = report.json()["scores"]
    assert list(rows) == ["none", "fixed", "ours", "best possible"]
    assert rows["none"]["clean"] == pytest.approx(1.0, abs=1e-5)
    assert rows["none"]["degraded"] < rows["ours"]["degraded"] <= rows["best possible"]["degraded"] + 1e-9
    assert "ours" in report.table()
    Image.fromarray(GOOD[:100]).save(tmp_path / "degraded" / "a.png")
    with pytest.raises(DataError, match="differ in size"):
        evaluate("restoration", tmp_path)


def test_wishes_that_exclude_each_other() -> None:
    """A strength by hand beside a learned one, and a word that is none."""
    with pytest.raises(OptionError, match="chooses the strength itself"):
        PlanOptions(restore="auto", denoise=0.3)
    with pytest.raises(OptionError, match="--restore"):
        PlanOptions(restore="some")  # type: ignore[arg-type]


# ---------------------------------------------------------------- training


def test_training_pairs_are_what_they_say(tmp_path: Path) -> None:
    """Faulty patches with their gains, 0 for doing nothing; clean ones gain nothing; the second time from the cache."""
    pytest.importorskip("torch")
    from roughcut.training.manifest import read
    from roughcut.training.restoration_pairs import load_pairs

    Image.fromarray(GOOD).save(tmp_path / "a.png")
    row = '{"file": "a.png", "labels": {"material": "still"}, "split": "train"}\n'
    (tmp_path / "m.jsonl").write_text(row)
    given = (read(tmp_path / "m.jsonl"), "train", 8, 0.5, 1, tmp_path / "cache", no_progress)
    pairs = load_pairs(*given)  # type: ignore[arg-type]
    assert pairs.patches.shape == (8, PATCH, PATCH)
    assert not pairs.gains[:, 0, 0].any()
    assert 0 < pairs.clean.sum() < 8
    assert pairs.gains[pairs.clean].max() <= 0
    again = load_pairs(*given)  # type: ignore[arg-type]
    np.testing.assert_array_equal(pairs.gains, again.gains)


def test_a_few_steps_train_and_export(tmp_path: Path) -> None:
    """Three steps leave an ONNX file that says what PyTorch says, with a card, and run on patches of another size."""
    pytest.importorskip("torch")
    from roughcut.training.run import train

    Image.fromarray(GOOD).save(tmp_path / "a.png")
    rows = [f'{{"file": "a.png", "labels": {{"material": "still"}}, "split": "{s}"}}\n' for s in ("train", "val")]
    (tmp_path / "m.jsonl").write_text("".join(rows))
    (tmp_path / "c.toml").write_text("[task]\nrounds = 8\nbatch = 4\nclean = 0.5\n")
    result = train("restoration", tmp_path / "m.jsonl", tmp_path / "run", config=tmp_path / "c.toml", steps=3)
    model = store.load_path(result.models[0])
    found = model.run(patches=np.zeros((2, 64, 90), np.uint8))
    assert found["gain"].shape == (2, len(DENOISE), len(SHARPEN))
    assert (found["gain"][:, 0, 0] == 0).all()
    assert model.card["denoise"] == list(DENOISE)
