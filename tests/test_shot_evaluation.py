"""Measuring shot boundaries: counts known by hand, don't-care entries, wrong truths."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from roughcut.errors import DataError, OptionError
from roughcut.evaluation.baselines import frame_difference, histogram_difference, threshold_transitions
from roughcut.evaluation.metrics import ShotScore, match, score_shots, touches
from roughcut.evaluation.run import evaluate
from roughcut.evaluation.shots import read_truths
from roughcut.models import store
from roughcut.records import Transition, TransitionKind

EDITED = Path(__file__).parents[2] / "shared" / "data" / "edited"


def tr(start: int, end: int, kind: TransitionKind = "cut") -> Transition:
    return Transition(kind=kind, start=start, end=end, probability=1)


@pytest.mark.parametrize(("other", "hit"), [((7, 8), False), ((8, 9), True), ((12, 13), True), ((13, 14), False)])
def test_tolerance(other: tuple[int, int], hit: bool) -> None:
    """With tol 2 a cut up to two frames beside another hits it, further ones do not."""
    assert touches(tr(10, 11), tr(*other)) is hit


def test_one_to_one_from_left_to_right() -> None:
    """Two guesses cannot hit one truth; a guess takes the first free truth it touches."""
    pairs = match([tr(10, 11), tr(11, 12)], [tr(11, 12)])
    assert [(g.start, t.start) for g, t in pairs] == [(10, 11)]
    assert len(match([tr(0, 30, "fade")], [tr(3, 4), tr(9, 10)])) == 1


def test_score_by_hand() -> None:
    """Two hits, one of the right kind; one miss; one false alarm; one excused by a don't-care entry."""
    truth = [tr(10, 11), tr(30, 50, "dissolve"), tr(80, 81)]
    guesses = [tr(10, 11), tr(35, 40, "fade"), tr(60, 61), tr(100, 101)]
    score = score_shots(guesses, truth, ignored=[tr(99, 102, "fade")])
    assert score == ShotScore(hits=2, predicted=3, truths=3, right_kind=1)
    assert score.f1 == pytest.approx(2 / 3)
    assert (ShotScore() + score) == score
    assert ShotScore().f1 == 1.0


def test_repeats_inside_one_gradual_are_one_finding() -> None:
    """A second guess on a dissolve that was found is no false alarm; on a cut it is, and so is one on a missed cut."""
    dissolve, cut = tr(30, 50, "dissolve"), tr(80, 81)
    assert score_shots([tr(32, 38), tr(41, 49, "dissolve")], [dissolve]).precision == 1.0
    assert score_shots([tr(79, 80), tr(81, 82)], [cut]).predicted == 2


def test_baselines_find_a_plain_cut() -> None:
    """Black to white is a cut at its frame for both; two changing frames in a row are one gradual change."""
    film = np.zeros((9, 27, 48, 3), np.uint8)
    film[4:] = 255
    for measure in (frame_difference, histogram_difference):
        scores = measure(film)
        assert scores[4] == pytest.approx(1.0)
        assert [(t.kind, t.start, t.end) for t in threshold_transitions(scores, 0.5)] == [("cut", 3, 4)]
    film[4] = 128
    assert [(t.kind, t.start, t.end) for t in threshold_transitions(frame_difference(film), 0.3)] == [
        ("dissolve", 3, 5)
    ]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"frames": 9}, "the truth cannot be read .*transitions"),
        ({"frames": 9, "transitions": [{"type": "swirl", "start": 1, "end": 2}]}, "type 'swirl', allowed: cut"),
        ({"frames": 9, "transitions": [{"type": "cut", "start": 2, "end": 2}]}, "runs forward"),
        ({"frames": 9, "transitions": [{"type": "cut", "start": 8, "end": 9}]}, r"beyond the film \(got 9\)"),
    ],
)
def test_wrong_truth(tmp_path: Path, told: object, message: str) -> None:
    """A truth that is incomplete, of an unknown type, or beyond the film is a DataError with its file."""
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "a.mp4.json").write_text(json.dumps(told))
    with pytest.raises(DataError, match=message):
        read_truths(tmp_path)


def test_nothing_to_evaluate(tmp_path: Path) -> None:
    """An empty folder, a missing folder and an unknown task are told apart."""
    with pytest.raises(DataError, match="no film with a truth"):
        evaluate("shots", tmp_path)
    with pytest.raises(DataError, match="no such data"):
        evaluate("shots", tmp_path / "none")
    with pytest.raises(OptionError, match="no such task"):
        evaluate("dance", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not EDITED.is_dir(), reason="needs the public films in ../shared/data/edited")
@pytest.mark.skipif("shots" not in store.names(), reason="the shot networks are not shipped yet")
def test_network_beats_its_baselines_on_real_films() -> None:
    """On the public films the shipped network is clearly better than a threshold on frame or histogram differences."""
    report = evaluate("shots", EDITED)
    methods = report.json()["methods"]
    network = methods.pop("network")
    assert network["f1"] > 0.85
    assert all(network["f1"] > other["f1"] + 0.15 for other in methods.values())
    assert report.table().splitlines()[1].startswith("network")
