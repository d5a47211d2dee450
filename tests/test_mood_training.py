"""Mood learned and measured: drawn films, the sums beside the network, the task, and words for moods."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from footage import make_analysis
from roughcut.planner import PlanOptions, make_plan
from roughcut.planner.mood import CHANGE, EVEN, TOWARD, WORDS, ranks, stretches
from roughcut.records import Curve, Mood
from roughcut.report.mood_chart import LINES, SHADES, MoodChart
from roughcut.report.time_chart import MARGIN, WIDTH
from roughcut.timebase import TimeRange

torch = pytest.importorskip("torch")

from typer.testing import CliRunner  # noqa: E402

from roughcut.cli.commands import app  # noqa: E402
from roughcut.errors import DataError, OptionError  # noqa: E402
from roughcut.evaluation import mood as measuring  # noqa: E402
from roughcut.evaluation.expression import expression_part  # noqa: E402
from roughcut.evaluation.mood_films import DRAWN, SCORES, Statistics, drawn_film, drawn_films, from_scores, to_scores  # noqa: E402
from roughcut.evaluation.mood_scenes import in_turns  # noqa: E402
from roughcut.evaluation.run import evaluate  # noqa: E402
from roughcut.models import store  # noqa: E402
from roughcut.temporal.mood import COLUMNS, HEADS, network_rows  # noqa: E402
from roughcut.training.mood import agreement  # noqa: E402
from roughcut.training.mood_statistics import calibrated  # noqa: E402
from roughcut.training.run import train  # noqa: E402

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    return Statistics.from_json(store.load("mood").card["statistics"])


def mood(valence: list[float], arousal: list[float], sure: float = 0.5) -> Mood:
    def curve(name: str, values: list[float]) -> Curve:
        return Curve(name=name, start=Fraction(0), step=Fraction(1, 2), values=np.array(values, np.float32))

    flat = [sure] * len(valence)
    return Mood(
        valence=curve("valence", valence), arousal=curve("arousal", arousal), faces=True,
        valence_confidence=curve("valence_confidence", flat), arousal_confidence=curve("arousal_confidence", flat),
    )  # fmt: skip


def test_the_same_seed_draws_the_same_films(statistics: Statistics) -> None:
    """Films follow from the seed alone; others follow from another; moods lie in -1..1, unknown columns are NaN."""
    first, again = (list(drawn_films(statistics, 5, 12)) for _ in range(2))
    other = list(drawn_films(statistics, 6, 12))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a.measures, b.measures)
        assert a.mood.shape[0] != c.mood.shape[0] or (a.mood != c.mood).any()
        assert np.abs(a.mood).max() <= 1
        assert np.isfinite(network_rows(a.measures)).all()
    silent = [np.isnan(film.measures[:, 8:]).all() for film in drawn_films(statistics, 1, 100)]
    assert 0.1 < np.mean(silent) < 0.35


def test_drawn_rows_have_the_spread_of_real_ones(statistics: Statistics) -> None:
    """Over many films the median and quartiles of motion, brightness and loudness are those of the clips."""
    films = list(drawn_films(statistics, 2, 150))
    for name in ("motion", "brightness", "loudness"):
        values = np.concatenate([film.measures[:, COLUMNS.index(name)] for film in films])
        z = to_scores(values[np.isfinite(values)].astype(np.float64), statistics.quantiles[name])
        assert abs(np.median(z)) < 0.3
        assert 0.7 < z.std() < 1.5


def test_scores_and_back() -> None:
    """Normal scores and values are each other's inverse, beyond the outermost quantiles too."""
    quantiles = [-3.0, -2.0, -1.5, 0.0, 1.0, 4.0, 5.0]
    z = np.linspace(-4, 4, 33)
    assert to_scores(from_scores(z, quantiles), quantiles) == pytest.approx(z, abs=1e-6)
    assert from_scores(SCORES, quantiles) == pytest.approx(quantiles)


def test_cues_follow_the_mood_they_speak_for(statistics: Statistics) -> None:
    """Over many films motion and loudness rise with arousal, smiles with valence, and not the other way round."""
    rng = np.random.default_rng(4)
    films = [drawn_film(statistics, rng, 120) for _ in range(60)]
    rows, moods = (np.concatenate([getattr(f, name) for f in films]) for name in ("measures", "mood"))

    def together(name: str, head: str) -> float:
        values = rows[:, COLUMNS.index(name)]
        there = np.isfinite(values) & ((rows[:, 2] > 0) if name == "smile" else True)
        return float(np.corrcoef(values[there], moods[there, HEADS.index(head)])[0, 1])

    assert together("motion", "arousal") > 0.3 > abs(together("motion", "valence"))
    assert together("loudness", "arousal") > 0.3 > abs(together("loudness", "valence"))
    assert together("smile", "valence") > 0.3 > abs(together("smile", "arousal"))


def test_concordance_wants_the_values_themselves() -> None:
    """1 for the same, less for a shift or a scale, 0 for a constant; the same in PyTorch."""
    a = np.random.default_rng(0).normal(size=500)
    assert measuring.concordance(a, a) == pytest.approx(1)
    assert measuring.concordance(a * 0, a) == pytest.approx(0)
    assert measuring.concordance(a + 1, a) == pytest.approx(2 * a.var() / (2 * a.var() + 1))
    for b in (a * 2, a + 1, -a):
        assert measuring.concordance(b, a) < 0.81
        given = float(agreement(torch.tensor(b), torch.tensor(a)))
        assert given == pytest.approx(measuring.concordance(b, a), abs=1e-6)


def test_a_kaiser_window_keeps_constants_and_length() -> None:
    """A constant stays, also at the ends; a single row spreads evenly to both sides."""
    assert measuring.kaiser_smoothed(np.ones(30), 9) == pytest.approx(np.ones(30))
    one = np.zeros(31)
    one[15] = 1
    found = measuring.kaiser_smoothed(one, 9)
    assert found == pytest.approx(found[::-1])
    assert len(measuring.kaiser_smoothed(np.ones(3), 61)) == 3


def test_the_network_beats_the_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """On films drawn with another seed it agrees better with both moods than the weighted sum does."""
    monkeypatch.setattr(measuring, "FILMS", 40)
    report = evaluate("mood", None)
    assert isinstance(report, measuring.MoodReport)
    for head in HEADS:
        assert report.ccc["network"][head] > report.ccc["weighted sum, Kaiser window"][head] + 0.02
    assert report.scenes == {}
    assert "weighted sum" in report.table()
    assert json.loads(json.dumps(report.json()))["films"] == 40


def test_scenes_in_turns() -> None:
    """Stretches of one kind and the other, each shot with its own pace."""
    high, low = ([np.full((4, 11), v, np.float32)] * 9 for v in (1, 0))
    rows, is_high = in_turns(high, low, stretch=8)
    assert (rows[:, 0] == is_high).all()
    assert is_high[:16].tolist() == [True] * 8 + [False] * 8
    assert rows[:, COLUMNS.index("pace")] == pytest.approx(np.full(len(rows), -np.log(2.0)))


def test_statistics_of_nothing_are_refused(statistics: Statistics) -> None:
    """Clips without sound, or no faces of a kind, are named."""
    rows = np.random.default_rng(0).normal(size=(50, 11)).astype(np.float32)
    faces = {name: [[0.1, 0.2]] for name in ("happy", "neutral")}
    with pytest.raises(DataError, match=r"nothing to take the spread of \(got negative\)"):
        calibrated([rows], faces, where="m.jsonl")
    rows[:, COLUMNS.index("loudness")] = -70
    with pytest.raises(DataError, match=r"\(got loudness, negative\)"):
        calibrated([rows], faces, where="m.jsonl")


def test_statistics_are_those_of_the_clips(statistics: Statistics) -> None:
    """Clips of one level each have little variance within, clips of noise have nothing else and no flow."""
    rng = np.random.default_rng(0)
    faces = {name: [[0.1, 0.2]] * 40 for name in ("happy", "neutral", "negative")}
    level = [np.tile(rng.normal(size=11), (30, 1)).astype(np.float32) for _ in range(40)]
    noise = [rng.normal(size=(30, 11)).astype(np.float32) for _ in range(40)]
    flat, restless = (calibrated(clips, faces, where="") for clips in (level, noise))
    for name in DRAWN:
        assert flat.within[name] == 0.1
        assert restless.within[name] > 0.9
        assert restless.flow[name] < 0.1
        assert restless.quantiles[name][3] == pytest.approx(0, abs=0.1)
    assert len(flat.faces["happy"]) == 30
    again = Statistics.from_json(json.loads(json.dumps(statistics.as_json())))
    assert again == statistics
    assert len(again.together) == len(DRAWN)


def test_the_task_learns_exports_and_says_the_same(
    tmp_path: Path, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few steps in the common loop: the ONNX file says what PyTorch says, and its card draws the same films."""
    monkeypatch.setattr("roughcut.training.mood.statistics_of", lambda manifest, progress: statistics)
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "m.jsonl").write_text('{"file": "a.mp4", "labels": {"material": "shot"}}')
    (tmp_path / "c.toml").write_text(
        "[train]\nsteps = 3\nvalidate_every = 3\n[task]\nhidden = 4\nfilms = 2\nbatch = 2\n"
    )
    made = train("mood", tmp_path / "m.jsonl", tmp_path / "run", config=tmp_path / "c.toml")
    model = store.load_path(made.models[0])
    assert model.card["torch_onnx_difference"] < 1e-4
    assert Statistics.from_json(model.card["statistics"]) == statistics
    assert set(made.scores) >= {"score", "valence_ccc", "arousal_ccc"}
    (tmp_path / "c.toml").write_text("[task]\nhiden = 4\n")
    with pytest.raises(OptionError, match="hiden"):
        train("mood", tmp_path / "m.jsonl", tmp_path / "run2", config=tmp_path / "c.toml")


def test_no_clip_to_learn_from(tmp_path: Path) -> None:
    """A manifest without clips is one line that says what is wanted."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / "m.jsonl").write_text('{"file": "a.jpg", "labels": {"expression": "happy"}}')
    with pytest.raises(DataError, match="no clip to take the spread of"):
        train("mood", tmp_path / "m.jsonl", tmp_path / "run")


def test_persons_stay_in_one_split() -> None:
    """The split goes by the person; half of all persons are never looked at."""
    parts = [expression_part(f"person {i}") for i in range(600)]
    assert 0.43 < parts.count("test") / 600 < 0.57
    assert set(parts) == {"train", "val", "test"}


def test_evaluation_without_data() -> None:
    """Mood can be measured without a data folder, other tasks say that they need one."""
    done = CliRunner().invoke(app, ["evaluate", "shots"])
    assert isinstance(done.exception, OptionError)
    assert "Add --data" in str(done.exception)
    done = CliRunner().invoke(app, ["evaluate", "mood", "--data", "nowhere"])
    assert isinstance(done.exception, DataError)


@pytest.mark.parametrize("seed", range(8))
def test_words_are_the_best_path(seed: int) -> None:
    """No other sequence of words fits better, a change having its price: checked against all of them."""
    values = np.random.default_rng(seed).uniform(-1, 1, (5, 2))
    fit = np.column_stack([values @ np.array(list(TOWARD.values())).T, np.full(5, EVEN)])

    def worth(path: tuple[int, ...]) -> float:
        changes = sum(a != b for a, b in pairwise(path))
        return float(sum(fit[i, k] for i, k in enumerate(path)) - CHANGE * changes)

    best = max(product(range(len(WORDS)), repeat=5), key=worth)
    found = stretches(mood(*values.T.tolist()), TimeRange(Fraction(0), Fraction(5, 2)))
    told = [s.word for s in found for _ in range(round(s.range.duration * 2))]
    assert worth(tuple(WORDS.index(w) for w in told)) == pytest.approx(worth(best), abs=1e-5)


def test_each_word_has_its_side() -> None:
    """Pleasant and excited is up, unpleasant and excited tense, pleasant and quiet calm, else down; little is even."""
    corners = {"up": (0.6, 0.6), "tense": (-0.6, 0.6), "calm": (0.6, -0.6), "down": (-0.6, -0.6), "even": (0.01, 0.0)}
    for word, (v, a) in corners.items():
        (only,) = stretches(mood([v] * 9, [a] * 9), TimeRange(Fraction(0), Fraction(43, 10)))
        assert (only.word, only.range.end) == (word, Fraction(43, 10))


@pytest.mark.parametrize(("wish", "kept"), [("calm", 0), ("tense", 1), ("up", 2)])
def test_wishes_choose_among_equal_shots(wish: str, kept: int) -> None:
    """Of three shots alike, the one of the wished mood is kept; sentences alike are chosen by mood too."""
    lengths, moods = [6, 6, 6], {0: (0.2, -0.8), 1: (-0.6, 0.6), 2: (0.9, 0.3)}
    rows = [moods[i // 12] for i in range(36)]
    felt = mood([v for v, _ in rows], [a for _, a in rows])
    shots = replace(make_analysis(lengths), mood=felt)
    plan = make_plan([shots], PlanOptions(target=Fraction(6), keep="highlights", mood=wish))  # type: ignore[arg-type]
    assert [c.range.start for c in plan.clips] == [6 * kept]
    spoken = [(6 * i + 1.0, 6 * i + 4.0) for i in range(3)]
    talk = replace(make_analysis(lengths, speech=spoken), mood=felt)
    plan = make_plan([talk], PlanOptions(target=Fraction(4), keep="speech", mood=wish))  # type: ignore[arg-type]
    assert {int(c.range.middle // 6) for c in plan.clips} == {kept}


def test_nothing_to_choose_from_is_said() -> None:
    """Where all is kept, a wish changes nothing and the plan says so."""
    footage = [replace(make_analysis([4, 4]), mood=mood([0.0] * 16, [0.1] * 16))]
    plan = make_plan(footage, PlanOptions(keep="all", mood="up"))
    assert "--mood had nothing to choose from: all is kept; give a --target" in plan.notes
    assert not any("--mood" in words for words in make_plan(footage, PlanOptions(keep="all", mood="any")).notes)


def test_ranks_share_what_is_equal() -> None:
    """Equal values have one rank, the mean of theirs."""
    assert ranks([3.0, 1.0, 1.0, 2.0]) == pytest.approx([0.875, 0.25, 0.25, 0.625])


def test_the_chart_shows_stretches_where_they_are() -> None:
    """A stretch's colour fills its columns; arousal's line rises with it; the less is known, the wider the band."""
    felt = mood([0.5] * 40, [-0.6] * 20 + [0.6] * 20)
    whole = TimeRange(Fraction(0), Fraction(20))
    picture = np.asarray(MoodChart(whole, felt).draw(stretches(felt, whole), [Fraction(0)], {}))
    columns = np.flatnonzero((picture == SHADES["calm"]).all(-1).any(0))
    assert (columns.min(), columns.max()) == (MARGIN, pytest.approx(WIDTH // 2, abs=3))
    line, band = LINES["arousal"]
    there = (picture == line).all(-1)
    early, late = (np.flatnonzero(there[:, x]).mean() for x in (WIDTH // 4, 3 * WIDTH // 4))
    assert early - late == pytest.approx(1.2 / 2 * 170, abs=4)
    unsure = np.asarray(MoodChart(whole, mood([0.5] * 40, [0.0] * 40, 0.0)).draw([], [], {}))
    sure = np.asarray(MoodChart(whole, mood([0.5] * 40, [0.0] * 40, 0.9)).draw([], [], {}))
    heights = [int((p == band).all(-1)[:, WIDTH // 3].sum()) for p in (unsure, sure)]
    assert heights[0] > 2 * heights[1] > 0


@pytest.mark.parametrize("rows", [0, 1, 50_000])
def test_odd_moods_are_drawn(rows: int) -> None:
    """No row, one row, and seven hours of them."""
    felt = mood([0.2] * rows, [-0.1] * rows)
    whole = TimeRange(Fraction(0), Fraction(max(rows, 1), 2))
    picture = MoodChart(whole, felt).draw(stretches(felt, whole), [], {})
    assert isinstance(picture, Image.Image)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not here")
@pytest.mark.slow
def test_real_pictures_agree() -> None:
    """Smiling portraits come out above others, happy faces above sad, sport above make-up."""
    report = evaluate("mood", SHARED)
    assert isinstance(report, measuring.MoodReport)
    alone = report.scenes.pop("the same, each clip a film of its own")
    assert all(found["network"] > 0.8 for found in report.scenes.values())
    assert alone["network"] > 0.6
