"""Shots of one scene brought together: nearer to each other, good ones untouched, other scenes left alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest

from media import write_media
from roughcut import pipeline
from roughcut.effects.looks import apply_look
from roughcut.oklab import oklab
from roughcut.records import Look, LookControls, LookKey
from roughcut.spatial.matching import Take, agreed

WARM = LookControls(temperature=0.7, exposure=-0.5, contrast=0.1)  # a camera's fault
HALF = LookControls(temperature=-0.35, exposure=0.25)  # what the blind pass makes of it
ROOM, STREET = (np.eye(8, dtype=np.float32)[k] for k in (0, 1))


def scene(seed: int = 0) -> np.ndarray:
    """[3000, 3] codes: mostly pale, some colours, all lights."""
    rng = np.random.default_rng(seed)
    light = rng.uniform(50, 200, (3000, 1))
    return (
        (light + rng.normal(0, 14, (3000, 3)) + (rng.random((3000, 1)) < 0.2) * (30, -10, -25))
        .clip(0, 255)
        .astype(np.uint8)
    )


def filmed(pixels: np.ndarray, controls: LookControls) -> np.ndarray:
    return apply_look(pixels[None], Look(controls=controls))[0]


def apart(a: np.ndarray, look_a: Look, b: np.ndarray, look_b: Look) -> float:
    """Difference of the two mean colours, OKLab."""
    means = [oklab(apply_look(p[None], k) / 255.0).mean((0, 1)) for p, k in ((a, look_a), (b, look_b))]
    return float(np.linalg.norm(means[0] - means[1]))


def take(pixels: np.ndarray, embedding: np.ndarray = ROOM, look: Look | None = None) -> Take:
    return Take(pixels=pixels, embedding=embedding, look=look or Look())


def test_a_faulty_shot_comes_to_its_good_neighbour() -> None:
    """Half corrected, it is drawn most of the rest of the way; the good one stays as it is."""
    good, bad = scene(), filmed(scene(1), WARM)
    half = Look(controls=HALF, grid=((0.2, -0.2),))
    looks = agreed([take(good), take(bad, look=half)], apply_look)
    assert looks[0] == Look()
    plain = replace(looks[1], grid=None)
    assert looks[1].grid == half.grid
    assert apart(good, looks[0], bad, plain) < 0.4 * apart(good, Look(), bad, Look(controls=HALF))


def test_what_is_not_one_scene_is_left_alone() -> None:
    """Unlike embeddings, none at all, or too many shots between: the very looks come back."""
    good, bad = scene(), filmed(scene(1), WARM)
    half = Look(controls=HALF)
    for other in (STREET, np.zeros(8, np.float32)):
        given = [take(good), take(bad, other, half), take(good)]
        assert agreed(given, apply_look) == [t.look for t in given]
    between = [take(good, np.eye(8, dtype=np.float32)[k]) for k in (2, 3, 4)]
    far = [take(good), *between, take(bad, look=half)]
    assert agreed(far, apply_look) == [t.look for t in far]
    turns = [take(good), between[0], take(bad, look=half)]  # two cameras that take turns are one scene
    assert agreed(turns, apply_look)[2] != half


def test_good_shots_are_not_drawn_to_bad_ones() -> None:
    """A slight correction moves slightly, whatever stands beside it; two that were left alone stay."""
    good, bad = scene(), filmed(scene(1), WARM)
    slight = Look(controls=LookControls(exposure=0.03))
    moved, stayed = agreed([take(good, look=slight), take(bad)], apply_look)
    assert stayed == Look()
    own = np.abs(apply_look(good[None], slight).astype(float) - good).mean()
    further = np.abs(apply_look(good[None], moved).astype(float) - apply_look(good[None], slight)).mean()
    assert further <= 1.2 * own + 0.5
    assert agreed([take(good), take(bad)], apply_look) == [Look(), Look()]


def test_a_scene_resolves_doubt() -> None:
    """A correction that doubt has shrunk goes further where its scene lies the same way, and no further where not."""
    good, bad = scene(), filmed(scene(1), WARM)
    little = LookControls(temperature=-0.09, exposure=0.07)
    gone = []
    for confidence in (1.0, 0.2):
        look = agreed([take(good), take(bad, look=Look(controls=little, confidence=confidence))], apply_look)[1]
        gone.append(apart(good, Look(), bad, look))
    before = apart(good, Look(), bad, Look(controls=little))
    assert gone[1] < gone[0] < before
    assert gone[1] < 0.6 * before
    wrong = Look(controls=LookControls(temperature=0.09, exposure=-0.07), confidence=0.2)
    moved = agreed([take(good), take(bad, look=wrong)], apply_look)[1]
    assert abs(moved.controls.temperature - wrong.controls.temperature) < 0.2


def test_keys_move_with_their_look() -> None:
    """A drifting look keeps its drift."""
    keys = (LookKey(time=F(0), controls=HALF), LookKey(time=F(1), controls=replace(HALF, exposure=0.5)))
    given = [take(scene()), take(filmed(scene(1), WARM), look=Look(controls=HALF, keys=keys))]
    found = agreed(given, apply_look)[1]
    assert found.controls != HALF
    for before, after in zip(keys, found.keys, strict=True):
        shift = found.controls.temperature - HALF.temperature
        assert after.controls.temperature - before.controls.temperature == pytest.approx(shift, abs=2e-4)


def test_two_files_of_one_scene_in_a_film(tmp_path: Path) -> None:
    """Their looks are drawn together across files, and the plan says so; what was asked not to be corrected is not."""
    block = np.kron(np.random.default_rng(5).integers(60, 180, (6, 8, 3)) // 3 + 60, np.ones((16, 16, 1))).astype(
        np.uint8
    )
    faulty = filmed(block.reshape(-1, 3), WARM).reshape(block.shape)
    files = [write_media(tmp_path / f"{n}.mp4", [p] * 75) for n, p in (("good", block), ("bad", faulty))]
    good, bad = (pipeline.analyze(f) for f in files)
    good = replace(good, looks=tuple(Look() for _ in good.looks))
    bad = replace(bad, looks=tuple(Look(controls=HALF, confidence=0.6) for _ in bad.looks))
    made = pipeline.plan([good, bad], keep="all", transitions="cuts")
    assert made.clips[0].look is None
    look = made.clips[-1].look
    assert look is not None
    assert look.controls != HALF
    assert "its neighbours of one scene" in made.clips[-1].look_decision.words
    pixels = [p.reshape(-1, 3) for p in (block, faulty)]
    assert apart(pixels[0], Look(), pixels[1], look) < apart(pixels[0], Look(), pixels[1], Look(controls=HALF))
    alone = pipeline.plan(bad, keep="all", transitions="cuts")
    assert alone.clips[0].look.controls == HALF
    assert all(c.look is None for c in pipeline.plan([good, bad], keep="all", look="none").clips)
