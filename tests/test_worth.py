"""What a moment is worth: signals beside importance, and further takes of one scene."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from footage import make_analysis
from roughcut.planner import PlanOptions, make_plan
from roughcut.planner.retakes import Retakes, spoken_share
from roughcut.records import Analysis
from roughcut.records.faces import FaceTrack
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Plan

SECONDS = Fraction(1)


def scenes(order: list[int], *, light: list[float] | None = None, **made: object) -> Analysis:
    """4-second shots of numbered scenes, each a pattern of its own; `light` brightens a shot."""
    analysis = make_analysis([4.0] * len(order), **made)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    patterns, directions = rng.integers(40, 180, (max(order) + 1, 36, 64, 3)), np.eye(max(order) + 1)
    each = len(analysis.features.picture_frames) // len(order)
    gain = light or [1.0] * len(order)
    noise = rng.normal(0, 3, (len(order) * each, 36, 64, 3))
    pictures = np.repeat([patterns[s] * g for s, g in zip(order, gain, strict=True)], each, 0) + noise
    embeddings = np.repeat(directions[order], each, 0) + rng.normal(0, 0.05, (len(order) * each, max(order) + 1))
    return replace(
        analysis,
        features=replace(
            analysis.features,
            pictures=np.clip(pictures, 0, 255).astype(np.uint8),
            embeddings=embeddings.astype(np.float32),
        ),
    )


def kept(plan: Plan) -> list[int]:
    """Numbers of the 4-second shots that clips are of."""
    return [int(c.range.start / 4) for c in plan.clips]


def highlights(footage: Analysis, seconds: int) -> Plan:
    return make_plan([footage], PlanOptions(target=seconds * SECONDS, keep="highlights", transitions="cuts"))


def test_one_take_of_each_scene_is_kept() -> None:
    """Of three takes of the best scene the best is kept, though all three beat the other scenes, and it says so."""
    footage = scenes([0, 1, 0, 2, 0], light=[1, 1, 1.2, 1, 0.8], keep=[0.8, 0.4, 0.9, 0.3, 0.85])
    plan = highlights(footage, 12)
    assert kept(plan) == [1, 2, 3]
    assert "the best of 3 takes" in plan.clips[1].decision.words


def test_a_fixed_camera_still_fills_its_film() -> None:
    """Where every shot is alike, further ones are kept all the same: there is nothing better."""
    plan = highlights(scenes([0] * 6, keep=[0.1, 0.9, 0.2, 0.8, 0.3, 0.7]), 12)
    assert kept(plan) == [1, 3, 5]


def test_a_speaker_seen_again_is_no_retake() -> None:
    """Shots of one speaker from one place are kept side by side."""
    speech = [(0.2, 3.8), (8.2, 11.8)]
    plan = highlights(scenes([0, 1, 0], keep=[0.9, 0.2, 0.8], speech=speech), 8)
    assert kept(plan) == [0, 2]


def test_takes_are_found_across_files() -> None:
    """The same scene in two files is one; another scene, and shots of black, are takes of nothing."""
    one, two, black = scenes([0, 1]), scenes([0, 2]), make_analysis([4, 4], same_scene=True)
    found = Retakes([one, scenes([0, 1])], {(0, 0), (1, 0), (1, 1)}).lesser({(0, 0): 1.0, (1, 0): 2.0, (1, 1): 1.0})
    assert found == {(0, 0): (1, 0)}
    assert Retakes([two], {(0, 0), (0, 1)}).lesser({(0, 0): 1.0, (0, 1): 2.0}) == {}
    assert Retakes([black], {(0, 0), (0, 1)}).lesser({(0, 0): 1.0, (0, 1): 2.0}) == {}


def test_sound_and_speech_break_ties() -> None:
    """Of shots that look alike in worth, the one that is loud, and the one where somebody speaks, are kept."""
    footage = make_analysis([4] * 4, keep=[0.5] * 4, speech=[(4.5, 7.5)])
    loud = footage.timing.loudness.values.copy()
    loud[120:160] = -10.0
    timing = replace(footage.timing, loudness=replace(footage.timing.loudness, values=loud))
    plan = highlights(replace(footage, timing=timing), 8)
    assert kept(plan) == [1, 3]
    assert "somebody speaks" in plan.clips[0].decision.words
    assert "heard above the rest" in plan.clips[1].decision.words


def test_black_and_titles_on_black_are_no_highlights() -> None:
    """Black with a line of small print and a still title on black are left out for less important shots; what moves in
    the dark is kept."""
    footage = make_analysis([4] * 4, keep=[0.9, 0.95, 0.3, 0.8])
    stats = footage.features.frame_stats.copy()
    stats[:100, :3] = (0.0037, 0.0202, 0.01)
    stats[100:200, :3] = (0.03, 0.09, 0.0)
    stats[300:, :3] = (0.02, 0.05, 0.02)  # fireworks
    plan = highlights(replace(footage, features=replace(footage.features, frame_stats=stats)), 8)
    assert kept(plan) == [2, 3]


def test_importance_outweighs_all_else() -> None:
    """A quiet still shot that people would keep beats a loud one that they would not."""
    footage = make_analysis([4] * 4, keep=[0.9, 0.2, 0.1, 0.1], speech=[(8.5, 11.5)])
    assert kept(highlights(footage, 4)) == [0]


@pytest.mark.parametrize(("a", "b", "share"), [(0, 4, 0.5), (1, 2, 1.0), (3, 9, 0.5), (20, 22, 0.0)])
def test_spoken_share(a: int, b: int, share: float) -> None:
    """The share of a stretch that lies within speech, whatever of it begins before or ends after."""
    footage = make_analysis([24], speech=[(1, 3), (6, 12)])
    assert spoken_share(footage, TimeRange(Fraction(a), Fraction(b))) == pytest.approx(share)


def test_close_ups_are_moments_where_faces_are_followed() -> None:
    """Of shots that are worth the same, that with a large face is kept, if faces are to be followed."""
    footage = make_analysis([4.0] * 4, keep=[0.5] * 4)
    near = np.tile(np.array([0.3, 0.2, 0.6, 0.8], np.float32), (9, 1))
    far = np.tile(np.array([0.3, 0.2, 0.35, 0.3], np.float32), (9, 1))
    faces = tuple(
        FaceTrack(
            number=k + 1, times=tuple(Fraction(4 * shot) + Fraction(i, 2) for i in range(8)), boxes=boxes[:8],
            scores=np.ones(8, np.float32), within=TimeRange(Fraction(4 * shot), Fraction(4 * shot + 4)),
        )
        for k, (shot, boxes) in enumerate(((0, far), (2, near)))
    )  # fmt: skip
    seen = replace(footage, faces=faces)
    options = PlanOptions(target=4 * SECONDS, keep="highlights", transitions="cuts", faces="follow")
    plan = make_plan([seen], options)
    assert kept(plan) == [2]
    assert "a face is near" in plan.clips[0].decision.words
    assert "a face is near" not in highlights(seen, 4).clips[0].decision.words
