"""Looks that change within a shot: when they do, how they run, and that every path shows the same."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from media import flat, write_media
from roughcut import pipeline, units
from roughcut.effects.looks import apply_look
from roughcut.errors import PlanError
from roughcut.look_files import looks_beside, write_timeline
from roughcut.media.probe import probe
from roughcut.media.rgb import read_rgb
from roughcut.planner.colour import softened
from roughcut.records import FilmSpec, Look, LookControls, LookKey
from roughcut.spatial.drift import LEAST_PICTURES, camera_path, chosen_keys, drift_keys
from roughcut.splines import monotone
from roughcut.timebase import TimeRange
from roughcut.timeline.metadata import from_plain, to_plain
from roughcut.timeline.otio import read_otio
from roughcut.timeline.plan import Clip, Decision, Join, Plan, Source

WHY = Decision(code="by_hand", words="made for a test")
N = 16
TIMES = [F(k, 2) for k in range(N)]
DRIFTING = Look(
    controls=LookControls(exposure=0.1, gamma=0.2),
    keys=(
        LookKey(time=F(1), controls=LookControls(exposure=-0.4, gamma=0.2)),
        LookKey(time=F(2), controls=LookControls(exposure=0.2, gamma=0.2)),
        LookKey(time=F(4), controls=LookControls(exposure=0.6, gamma=0.2)),
    ),
)


def scene(width: int = 300, seed: int = 0) -> np.ndarray:
    """[60, width, 3] of soft blots in all lights."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.15, 0.6, (12, width // 5, 3)) * np.linspace(0.6, 1.2, width // 5)[:, None]
    return np.kron(coarse, np.ones((5, 5, 1)))


def shot(moving: float = 0, stops: np.ndarray | None = None, noise: float = 1.0) -> np.ndarray:
    """[N, 36, 64, 3] of a camera that goes `moving` pixels per picture, its gain in stops [N] or [N, 3]."""
    gains = np.zeros(N) if stops is None else stops
    gains = np.broadcast_to(np.reshape(gains, (N, -1)), (N, 3))
    rng, whole = np.random.default_rng(1), scene()
    made = []
    for k in range(N):
        left = round(moving * k)
        seen = whole[10:46, left : left + 64] * 2 ** (gains[k] / 2.2)
        made.append((seen * 255 + rng.normal(0, noise, seen.shape)).clip(0, 255).astype(np.uint8))
    return np.stack(made)


def keys(pictures: np.ndarray) -> tuple[LookKey, ...]:
    return drift_keys(pictures, np.ones(len(pictures), np.float32), TIMES, LookControls(gamma=0.3))


# ---------------------------------------------------------------- when


@pytest.mark.parametrize("channels", [np.array([1, 1, 1.0]), np.array([0.4, 0, -0.4])])
def test_a_drifting_camera_gets_a_few_keys_that_undo_it(channels: np.ndarray) -> None:
    """Exposure and white balance that wander over a still scene: after the look the pictures are alike."""
    wander = np.sin(np.linspace(0, 3, N))[:, None] * channels
    pictures = shot(stops=wander)
    found = keys(pictures)
    assert 2 <= len(found) <= 6
    assert all(key.controls.gamma == 0.3 for key in found)
    plain = tuple(replace(key, controls=replace(key.controls, gamma=0.0)) for key in found)
    look = Look(keys=plain)
    after = np.stack([apply_look(p, look.at(t)) for p, t in zip(pictures, TIMES, strict=True)])
    means = [p.reshape(N, -1, 3).mean(1) for p in (pictures, after)]
    assert np.ptp(means[1], axis=0).max() < 0.3 * np.ptp(means[0], axis=0).max()


def test_what_is_clipped_is_hardly_darkened() -> None:
    """Where a part of the picture is white at its brightest, that part is not made grey; the dark part is lifted."""
    pictures = shot(stops=np.sin(np.linspace(0, 5, N)) * 0.6)
    pictures[:, :6] = np.where(np.arange(N)[:, None, None, None] < N // 2, 255, 200)
    exposures = [key.controls.exposure for key in keys(pictures)]
    assert -0.31 < min(exposures) < -0.2
    assert max(exposures) > 0.4


def test_nothing_else_gets_keys() -> None:
    """A still shot, a pan, an exposure that follows what is seen, a lamp that is lit, other pictures: one map."""
    following = [-2.2 * np.log2(p.mean()) for p in shot(moving=6) / 255.0]
    lamp = np.where(np.arange(N) < N // 2, -0.4, 0.4)
    for pictures in (shot(), shot(moving=6), shot(6, np.array(following) - np.mean(following)), shot(stops=lamp)):
        assert keys(pictures) == ()
    other = np.random.default_rng(2).integers(20, 230, (N, 36, 64, 3)).astype(np.uint8)
    assert camera_path(other) is None
    assert keys(other) == ()
    black = np.zeros((LEAST_PICTURES, 36, 64, 3), np.uint8)
    assert drift_keys(black, np.ones(LEAST_PICTURES, np.float32), TIMES[:LEAST_PICTURES], LookControls()) == ()


def test_the_camera_is_followed_through_a_pan() -> None:
    """What drifts is measured within a tenth of a stop, moving or not."""
    wander = np.sin(np.linspace(0, 3, N))
    for moving in (0, 3):
        path = camera_path(shot(moving, wander))
        np.testing.assert_allclose(path, np.repeat(wander[:, None], 3, 1), atol=0.1)


def test_keys_are_few_and_the_curve_near() -> None:
    """A straight drift takes the two ends and little more; a wave a few; the curve stays near everywhere."""
    seconds = np.linspace(0, 30, 60)
    for path, most in ((np.linspace(-0.5, 0.5, 60), 4), (0.4 * np.sin(seconds / 4), 7)):
        chosen = chosen_keys(seconds, path[:, None])
        assert len(chosen) <= most
        near = monotone(seconds[chosen], path[chosen], seconds, level_ends=True)
        assert np.abs(near - path).max() <= 0.06


# ---------------------------------------------------------------- how


def test_a_look_runs_smoothly_through_its_keys() -> None:
    """At a key it is the key, before and after the ends it stays, between it rises; as far as the strength says."""
    assert DRIFTING.at(F(0)).controls.exposure == DRIFTING.at(F(1)).controls.exposure == -0.4
    assert DRIFTING.at(F(2)).controls.exposure == 0.2
    assert DRIFTING.at(F(9)).controls.exposure == 0.6
    run = [DRIFTING.at(F(k, 20)).controls.exposure for k in range(100)]
    assert (np.diff(run) >= 0).all()
    assert np.abs(np.diff(run, 2)).max() < 0.01  # no corner
    assert softened(DRIFTING, 0.5).at(F(2)).controls.exposure == pytest.approx(0.1)
    assert not DRIFTING.is_identity()
    assert Look().at(F(3)) == Look()


def test_keys_travel_in_a_plan() -> None:
    """Exactly; times that do not rise are refused by name."""
    plain = to_plain(DRIFTING)
    assert plain["keys"][0]["time"] == "1"
    assert from_plain(Look, plain, "look") == DRIFTING
    plain["keys"] = plain["keys"][::-1]
    with pytest.raises(PlanError, match="rising times"):
        from_plain(Look, plain, "look")


# ---------------------------------------------------------------- everywhere the same


def film_of(path: Path, cuts: list[F]) -> Plan:
    """Five seconds of a file with a drifting look, in clips that meet at `cuts`."""
    info, edges = probe(path), [F(0), *cuts, F(5)]
    source = Source(id="s", path=path, available=info.range, rate=F(25), width=64, height=48)
    clips = tuple(Clip(source="s", range=TimeRange(a, b), decision=WHY, look=DRIFTING) for a, b in pairwise(edges))
    spec = FilmSpec(width=64, height=48, rate=F(25), tracks=(), crf=4)
    return Plan(sources=(source,), clips=clips, joins=(Join(),) * (len(clips) + 1), spec=spec)


def test_split_and_rendered_in_parts_it_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clip, three clips, many parts, from the timeline: the pictures of each moment are those of `Look.at`."""
    source = write_media(tmp_path / "a.mp4", [flat((100, 100, 100), (64, 48))] * 125, options={"crf": "4"})
    whole = film_of(source, [])
    films = [pipeline.render(whole, tmp_path / "1.mp4").film]
    films.append(pipeline.render(film_of(source, [F(33, 25), F(4)]), tmp_path / "2.mp4").film)
    write_timeline(whole, tmp_path / "3.otio")
    assert read_otio(tmp_path / "3.otio").clips == whole.clips
    monkeypatch.setattr(units, "UNIT_FRAMES", 30)
    monkeypatch.setattr(units, "MAX_UNIT_FRAMES", 30)
    films.append(pipeline.render(tmp_path / "3.otio", tmp_path / "3.mp4").film)
    runs = [np.array([p.mean() for p in read_rgb(probe(film), 32, 24)]) for film in films]
    given = next(iter(read_rgb(probe(source), 32, 24)))
    wanted = np.array([apply_look(given, DRIFTING.at((n + F(1, 2)) / 25)).mean() for n in range(125)])
    for run in runs:
        np.testing.assert_allclose(run, wanted, atol=2.5)  # of 31: what the encoder does
    assert wanted[-1] > wanted[0] + 15


def test_a_cube_for_the_mean_and_for_each_key(tmp_path: Path) -> None:
    """Beside the timeline, named in it; the comment says why there are several."""
    source = write_media(tmp_path / "a.mp4", [flat((100, 100, 100), (64, 48))] * 125)
    write_timeline(film_of(source, [F(2)]), tmp_path / "cut.otio")
    names = [p.name for p in looks_beside(tmp_path / "cut.otio")]
    assert names == ["look-01-key-1.cube", "look-01-key-2.cube", "look-01-key-3.cube", "look-01.cube"]
    text = (tmp_path / "cut.otio").read_text()
    assert text.count('"key_cubes"') == 2
    assert "changes within its shot" in (tmp_path / "cut.looks" / "look-01.cube").read_text()
