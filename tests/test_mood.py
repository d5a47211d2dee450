"""Mood, from film to curves: cues known by construction, what must not matter does not, no face without being asked."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from media import Sound, write_media
from roughcut import pipeline
from roughcut.cli.commands import app
from roughcut.errors import InputError, OptionError, OutputError, RoughcutError
from roughcut.evaluation.expression import expression_part
from roughcut.features.expression import CLASSES, ExpressionReader
from roughcut.models import store
from roughcut.records import Features, FrameTimes, Mood, Transition
from roughcut.records.faces import Faces, FaceSigns
from roughcut.temporal.mapper import BlockStream
from roughcut.temporal.mood import ABSOLUTE, COLUMNS, MASKS, RELATIVE, MoodMapper, measured, network_rows

PORTRAITS = Path(__file__).parents[2] / "shared" / "data" / "faces" / "portraits.csv"
RATE, HALF = Fraction(25, 2), 12  # seconds of each half
SOUND_RATE = 48_000


def drama(path: Path, *, sound: bool = True, gain: float = 1.0) -> Path:
    """Twelve seconds of one still grey picture in near silence, then twelve of loud noise and a new picture each
    second, in which all moves."""
    rng = np.random.default_rng(3)
    calm = np.kron(rng.integers(90, 150, (9, 16, 1), np.uint8), np.ones((10, 10, 3), np.uint8))
    frames = [calm] * int(HALF * RATE)
    for n in range(int(HALF * RATE)):
        if n % 12 == 0:
            wild = np.kron(rng.integers(0, 255, (9, 16, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
        frames.append(np.roll(wild, (3 * n, 5 * n), (0, 1)))
    loud = np.repeat([0.004, 0.4], HALF * SOUND_RATE) * rng.uniform(-1, 1, 2 * HALF * SOUND_RATE) * gain
    track = Sound(samples=np.stack([loud, loud]).astype(np.float32)) if sound else None
    return write_media(path, frames, rate=RATE, sound=track)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drama(tmp_path_factory.mktemp("mood") / "drama.mp4")


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that were loaded; those that see faces cannot be."""
    loaded: list[str] = []
    real = store.load

    def load(name: str) -> store.Model:
        loaded.append(name)
        assert name not in ("faces", "expression")
        return real(name)

    monkeypatch.setattr(store, "load", load)
    return loaded


def made(rows: int = 40, *, sound: bool = True, light: float = 1.0, gain: float = 0.0) -> Features:
    """Ten frames a second; the second half moves five times as much, is brighter and 20 dB louder."""
    rng = np.random.default_rng(0)
    count = rows * 5
    late = np.arange(count) >= count // 2
    stats = np.stack([0.3 + 0.2 * late, np.full(count, 0.2), 0.002 + 0.008 * late, np.full(count, 0.01)], 1) * light
    frames = np.arange(0, count, 5)
    pictures = (rng.integers(0, 200, (len(frames), 9, 16, 3)) * light).astype(np.uint8)
    loud = np.repeat([-40.0, -20.0], rows * 5 // 2) + gain
    mel = np.tile(np.linspace(0, -4, 40), (len(loud), 1)) + gain * np.log(10) / 10
    return Features(
        times=FrameTimes(pts=np.arange(count) + 7, end_pts=count + 7, time_base=Fraction(1, 10)),
        frame_stats=stats.astype(np.float32), picture_frames=frames, embeddings=np.zeros((len(frames), 4), np.float32),
        pictures=pictures, sound=np.column_stack([mel, loud, loud]).astype(np.float32) if sound else np.zeros((0, 42)),
        speech=np.full(rows * 125 // 8 if sound else 0, 0.25, np.float32),
    )  # fmt: skip


def column(rows: np.ndarray, name: str) -> np.ndarray:
    return rows[:, COLUMNS.index(name)]


def test_measures_are_what_was_made() -> None:
    """Each column holds the number that the film was made with; a cut is no motion."""
    features = made()
    features.frame_stats[100, 2] = 0.9  # the cut
    rows = measured(features, [Transition(kind="cut", start=99, end=100, probability=1.0)], None)
    assert rows.shape == (40, 11)
    motion = np.exp(column(rows, "motion")) - 0.002
    assert motion[[5, 30]] == pytest.approx(
        [0.002 / 2.5 / 0.22, 0.01 / 2.5 / 0.22], rel=1e-3
    )  # per 1/25 s, of contrast
    assert np.exp(column(rows, "brightness"))[[5, 30]] == pytest.approx([0.32, 0.52], rel=1e-3)
    assert column(rows, "pace") == pytest.approx(np.full(40, -np.log(10.0)), rel=1e-5)
    assert column(rows, "loudness")[[5, 30]] == pytest.approx([-40, -20], abs=0.01)
    assert column(rows, "speech") == pytest.approx(np.full(40, 0.25))
    assert np.isnan(rows[:, :4]).all()


def test_faces_lie_in_their_half_second() -> None:
    """A look fills its half second and those after it, until the next look."""
    smiling = FaceSigns(count=3, size=0.25, smile=0.9, valence=0.8)
    looks = [(Fraction(7, 10), FaceSigns()), (Fraction(7, 10) + 2, smiling), (Fraction(7, 10) + 3, FaceSigns())]
    rows = measured(made(8), [], looks)
    assert column(rows, "smile") == pytest.approx([0] * 4 + [0.9] * 2 + [0] * 2)
    assert column(rows, "faces") == pytest.approx([0] * 4 + [2.0] * 2 + [0] * 2)
    known = network_rows(rows)[:, -len(MASKS) :]
    assert known[:, 0].all()
    assert known[:, 1].tolist() == [0] * 4 + [1] * 2 + [0] * 2


class BrightIsHappy:
    """Stands for the expression network: bright faces are happy, dark ones sad."""

    version = "bright"

    def run(self, faces: np.ndarray) -> dict[str, np.ndarray]:
        happy = np.where(faces.mean((1, 2)) > 128, 9.0, -9.0)
        return {"logits": np.stack([happy * (name == "happy") - happy * (name == "sad") for name in CLASSES], 1)}


def test_large_faces_count_more_and_tiny_ones_not() -> None:
    """A bright face of twice the side outweighs a dark one four to one; one of three pixels is left out."""
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[10:50, 10:50] = 250
    boxes = np.array([[10, 10, 50, 50], [100, 10, 120, 30], [150, 50, 153, 53]], np.float32)
    faces = Faces(boxes=boxes, scores=np.ones(3, np.float32), points=np.zeros((3, 5, 2), np.float32))
    signs = ExpressionReader(BrightIsHappy())(picture, faces)  # type: ignore[arg-type]
    assert (signs.count, signs.size) == (2, pytest.approx(0.2))
    assert (signs.smile, signs.valence) == (pytest.approx(0.8, abs=1e-3), pytest.approx(0.6, abs=1e-3))
    tiny = Faces(boxes=boxes[2:], scores=faces.scores[2:], points=faces.points[2:])
    assert ExpressionReader(BrightIsHappy())(picture, tiny) == FaceSigns()  # type: ignore[arg-type]


@pytest.mark.parametrize(("light", "gain"), [(0.5, 0.0), (1.0, 12.0), (1.0, -12.0)])
def test_exposure_and_gain_do_not_matter(light: float, gain: float) -> None:
    """Half the light, or sound 12 dB louder or quieter, moves neither curve by more than a few hundredths."""
    mapper = MoodMapper()
    plain, other = (mapper.map(f, [], None) for f in (made(), made(light=light, gain=gain)))
    for a, b in zip(plain.curves()[:2], other.curves()[:2], strict=True):
        assert np.abs(a.values - b.values).max() < 0.05


def test_what_is_not_known_means_nothing() -> None:
    """Without sound, cuts and faces, whatever stands in those columns leaves the answer as it is, to the bit."""
    model = store.load("mood")
    rows = network_rows(measured(made(sound=False), [], None))
    other = rows.copy()
    own = [ABSOLUTE.index(COLUMNS.index(n)) for n in ("valence", "smile", "faces", "size", "pace", "speech")]
    beside = [len(ABSOLUTE) + RELATIVE.index(COLUMNS.index(n)) for n in ("pace", "loudness", "centroid")]
    other[:, own + beside] = 3.0

    def answers(given: np.ndarray) -> Any:
        stream = BlockStream(model)
        return [stream.push(given), stream.finish()]

    for a, b in zip(answers(rows), answers(other), strict=True):
        assert all((a[head] == b[head]).all() for head in a)


def test_a_stream_in_parts_is_the_whole() -> None:
    """Rows pushed in parts of any size give the very numbers of the whole film."""
    rows = np.random.default_rng(1).normal(size=(700, 19)).astype(np.float32)
    whole, parts = BlockStream(store.load("mood")), BlockStream(store.load("mood"))
    wanted = [whole.push(rows), whole.finish()]
    given = [*(parts.push(part) for part in np.split(rows, [1, 60, 61, 333, 690])), parts.finish()]
    for head in ("valence", "arousal"):
        assert (np.concatenate([g[head] for g in wanted]) == np.concatenate([g[head] for g in given])).all()


def test_excitement_is_heard_and_seen(film: Path, blind: list[str]) -> None:
    """Arousal is low in the still half and high in the other; no network that sees faces is loaded."""
    found = pipeline.mood(film, expressions=False)
    arousal = found.mood.arousal.values
    assert arousal[2:20].max() < 0 < arousal[-20:-2].min()
    assert arousal[-20:-2].mean() - arousal[2:20].mean() > 0.8
    assert not found.mood.faces
    assert "mood" in blind
    assert found.stretches[0].word in ("calm", "down")
    assert found.stretches[-1].word in ("tense", "up")
    assert found.stretches[0].range.start == 0
    assert all(a.range.end == b.range.start for a, b in zip(found.stretches, found.stretches[1:], strict=False))
    assert found.stretches[-1].range.end == found.times.range.end


def test_pictures_alone_tell_it_too(tmp_path: Path) -> None:
    """Without a sound track the still half is calmer, and the network is less sure than with one."""
    silent = pipeline.mood(drama(tmp_path / "silent.mp4", sound=False), expressions=False).mood
    assert silent.arousal.values[-20:-2].mean() - silent.arousal.values[2:20].mean() > 0.5


def test_faces_are_read_only_when_asked(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The expressions of a film without faces: read, none found, the same rows from the cache."""
    first = pipeline.mood(film)
    assert first.mood.faces
    monkeypatch.setattr("roughcut.expressions.read_timed_rgb", lambda *a, **k: pytest.fail("decoded again"))
    assert (pipeline.mood(film).mood.valence.values == first.mood.valence.values).all()


@pytest.mark.skipif(not PORTRAITS.exists(), reason="the shared portraits are not here")
def test_smiling_faces_are_pleasant(tmp_path: Path) -> None:
    """Of a film of real portraits of persons never learned from, grave, smiling, grave, the middle is most pleasant;
    without reading faces it is not."""
    with PORTRAITS.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if expression_part(row["person"]) == "test"]
    smiling, grave = ([row["file"] for row in rows if row["label"] == name] for name in ("happiness", "neutral"))
    frames = []
    for name in (*grave[:5], *smiling[:5], *grave[5:10]):
        sheet = Image.new("RGB", (320, 240), (90, 90, 90))
        with Image.open(PORTRAITS.parents[1] / name) as portrait:
            portrait.thumbnail((300, 230))
            sheet.paste(portrait, (10, 5))
        frames += [np.asarray(sheet)] * 20
    film = write_media(tmp_path / "faces.mp4", frames, rate=Fraction(10))
    read, unread = (pipeline.mood(film, expressions=e).mood.valence.values for e in (True, False))
    before, smiles, after = (read[a + 2 : a + 18].mean() for a in (0, 20, 40))
    assert smiles > 0.3
    assert smiles - max(before, after) > 0.3
    assert unread[22:38].mean() < smiles


@pytest.mark.parametrize(("wish", "early"), [("calm", True), ("tense", False)])
def test_the_plan_takes_what_is_wished(film: Path, wish: str, early: bool, blind: list[str]) -> None:
    """Of the two halves, eight seconds come from the calm one or from the tense one; the reason is named."""
    plan = pipeline.plan_files([film], target="8s", keep="highlights", mood=wish, no_faces=True)
    half = [sum(float(c.range.duration) for c in plan.clips if (c.range.middle < HALF) == e) for e in (True, False)]
    assert half[0 if early else 1] > 7
    assert any(f"{wish}, as wished" in c.decision.words for c in plan.clips)
    assert "--no-faces: the mood was told by pictures and sound alone" in plan.notes


def test_any_prefers_nothing(film: Path) -> None:
    """`any` finds the mood and plans as without a wish; without a wish it is not looked for."""
    plain = pipeline.analyze(film)
    assert plain.mood is None
    told = pipeline.analyze(film, mood=True, expressions=False)
    assert isinstance(told.mood, Mood)
    assert pipeline.plan(told, target="8s", mood="any").clips == pipeline.plan(plain, target="8s").clips
    with pytest.raises(OptionError, match=r"the mood is not known \(got drama\.mp4\)"):
        pipeline.plan(plain, target="8s", mood="calm")


def test_the_report_tells_the_mood(film: Path, tmp_path: Path) -> None:
    """The curves and stretches stand in both reports when asked for, and nowhere else."""
    asked = pipeline.edit(film, tmp_path / "a.mp4", target="6s", mood="calm", no_faces=True)
    told = json.loads(asked.reports[1].read_text())
    mood = told["footage"][0]["mood"]
    assert [c["name"] for c in mood["curves"]] == ["valence", "arousal", "valence_confidence", "arousal_confidence"]
    assert len(mood["curves"][0]["values"]) == 48
    assert mood["stretches"][0]["word"] in ("calm", "down")
    assert (told["recipe"]["wishes"]["mood"], told["recipe"]["wishes"]["no_faces"]) == ("calm", "True")
    assert "mood" in told["recipe"]["networks"]
    assert "expression" not in told["recipe"]["networks"]
    assert "mood: arousal" in asked.reports[0].read_text()
    plain = pipeline.edit(film, tmp_path / "b.mp4", target="6s")
    assert json.loads(plain.reports[1].read_text())["footage"][0]["mood"] is None
    assert "mood: arousal" not in plain.reports[0].read_text()


def test_the_command_tells_and_draws(film: Path, tmp_path: Path) -> None:
    """JSON with exact times and both curves; a PNG; a table for people."""
    picture = tmp_path / "mood.png"
    done = CliRunner().invoke(app, ["mood", str(film), "--no-faces", "--json", "--plot", str(picture)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["start"], told["end"], told["faces_read"]) == ("0", "24", False)
    assert told["curves"]["arousal"]["step"] == "1/2"
    assert len(told["curves"]["valence"]["values"]) == 48
    assert told["stretches"][0]["start"] == "0"
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG"
    done = CliRunner().invoke(app, ["mood", str(film), "--no-faces"])
    assert "arousal" in done.stdout


def test_short_and_silent_films(tmp_path: Path) -> None:
    """One frame, and a film of a tenth of a second, have a mood of one row."""
    for count in (1, 2):
        short = write_media(tmp_path / f"{count}.mp4", [np.full((90, 160, 3), 90, np.uint8)] * count, rate=Fraction(20))
        found = pipeline.mood(short)
        assert len(found.mood.valence.values) == 1
        assert np.isfinite([c.values for c in found.mood.curves()]).all()
        assert len(found.stretches) == 1


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (["mood", "none.mp4"], InputError, "no such file"),
        (["mood", "text.mp4"], InputError, "text.mp4"),
        (["mood", "{film}", "--plot", "a.jpg"], OutputError, "the picture's name ends in .png"),
        (["mood", "{film}", "--plot", "text.mp4/a.png"], OutputError, "text.mp4"),
        (["mood", "{film}", "--detector", "text.mp4"], RoughcutError, "text.mp4"),
        (["edit", "{film}", "-o", "a.mp4", "--mood", "sad"], OptionError, "allowed: up, calm, tense, any"),
        (["plan", "{film}", "-o", "a.otio", "--no-faces"], OptionError, "says how the mood is found"),
        (["edit", "{film}", "-o", "a.mp4", "--mood", "up", "--no-faces", "--faces", "hide"], OptionError,
         "--faces looks for faces"),
    ],
)  # fmt: skip
def test_wrong_wishes_are_refused(
    given: list[str], kind: type[Exception], message: str, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is one line that says what is allowed, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no film")
    done = CliRunner().invoke(app, [word.format(film=film) for word in given])
    assert done.exit_code != 0
    assert isinstance(done.exception, kind), done.output
    assert message in str(done.exception)
    assert [p.name for p in tmp_path.iterdir()] == ["text.mp4"]


def test_no_pictures_no_mood() -> None:
    """Where nothing decoded the curves are empty."""
    none = replace(made(), times=FrameTimes(pts=np.zeros(0, np.int64), end_pts=0, time_base=Fraction(1, 10)))
    assert all(not len(c.values) for c in MoodMapper().map(none, [], None).curves())
