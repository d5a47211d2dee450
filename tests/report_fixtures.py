"""A small analysis and plan with known contents, for the report's tests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from roughcut.records import (
    U8,
    Analysis,
    AudioStream,
    ColourTags,
    Curve,
    Features,
    FilmSpec,
    FrameTimes,
    Look,
    LookControls,
    MediaInfo,
    Shot,
    Speech,
    Timing,
    Transition,
    VideoStream,
)
from roughcut.report import FilmResult
from roughcut.timebase import TimeRange
from roughcut.timeline.plan import Clip, Decision, Dropped, Join, Plan, Source

SECONDS, SHOT = 120, 10
RATE = Fraction(25)


def seconds(a: float | Fraction, b: float | Fraction) -> TimeRange:
    """A range from plain numbers."""
    return TimeRange(Fraction(a), Fraction(b))


def media(path: Path) -> MediaInfo:
    """Two minutes of 720p at 25 frames a second with sound and a subtitle track."""
    video = VideoStream(
        index=0, codec="h264", width=1280, height=720, coded_width=1280, coded_height=720, rotation=0,
        sample_aspect=Fraction(1), rate=RATE, variable=False, time_base=Fraction(1, 25), start=Fraction(0),
        duration=Fraction(SECONDS), pixel_format="yuv420p", bit_depth=8, colour=ColourTags(matrix="bt709"),
    )  # fmt: skip
    sound = AudioStream(
        index=1, codec="aac", rate=48_000, channels=2, layout="stereo", start=Fraction(0), duration=Fraction(SECONDS)
    )
    return MediaInfo(
        path=path, container="mp4", size_bytes=1, digest="d", duration=Fraction(SECONDS), video=video, audio=(sound,),
        others=("stream 2: timecode",),
    )  # fmt: skip


def analysis(path: Path) -> Analysis:
    """Shots of 10 s, speech in every other one, a keep curve with one hill per shot."""
    frames, rng = int(SECONDS * RATE), np.random.default_rng(0)
    times = FrameTimes(pts=np.arange(frames), end_pts=frames, time_base=1 / RATE)
    t = np.arange(0, SECONDS, 0.1)
    talks = (t // SHOT) % 2 == 0
    keep = 0.35 + 0.3 * np.sin(t * 0.63) ** 2 + 0.08 * rng.standard_normal(len(t)).cumsum() / 10
    speech = np.repeat(talks, 4)[: int(SECONDS / 0.032)] * 0.85 + 0.1 * rng.random(int(SECONDS / 0.032))
    features = Features(
        times=times,
        frame_stats=np.zeros((frames, 4), np.float32),
        picture_frames=np.arange(0, frames, 12),
        embeddings=np.zeros((frames // 12 + 1, 4), np.float32),
        pictures=np.zeros((0, 36, 64, 3), np.uint8),
        sound=np.zeros((len(t), 42), np.float32),
        speech=speech.astype(np.float32),
    )

    def curve(name: str, values: np.ndarray) -> Curve:
        return Curve(name=name, start=Fraction(0), step=Fraction(1, 10), values=values.astype(np.float32))

    starts = range(0, SECONDS, SHOT)
    timing = Timing(
        transitions=tuple(
            Transition(kind="cut", start=int(s * RATE) - 1, end=int(s * RATE), probability=0.98) for s in starts if s
        ),
        shots=tuple(Shot(first=int(s * RATE), stop=int((s + SHOT) * RATE), range=seconds(s, s + SHOT)) for s in starts),
        keep=curve("keep", np.clip(keep, 0, 1)),
        accent=curve("accent", np.zeros(len(t))),
        lull=curve("lull", np.zeros(len(t))),
        speech=tuple(Speech(range=seconds(s, s + SHOT), probability=0.9) for s in starts if s % 20 == 0),
        loudness=curve("loudness", np.where(talks, -22, -48) + 3 * rng.standard_normal(len(t))),
    )
    return Analysis(
        media=media(path),
        features=features,
        timing=timing,
        looks=tuple(Look() for _ in starts),
        models={"encoder": "1.0", "shots": "1.2", "moments": "1.0", "colour": "1.1"},
    )


LOOK = Look(controls=LookControls(temperature=0.32, exposure=0.65, contrast=-0.1, saturation=0.2), confidence=0.87)


def plan(paths: Sequence[Path], clips_per_source: int = 4, length: Fraction = Fraction(6)) -> Plan:
    """The first seconds of the first shots of each file; the rest is dropped."""
    chosen = [(i, s) for i in range(len(paths)) for s in range(clips_per_source)]
    step = Fraction(SECONDS, clips_per_source)
    length = min(length, step / 2)
    clips = tuple(
        Clip(
            source=f"s{i}",
            range=TimeRange(s * step, s * step + length),
            decision=Decision(
                code="highlight", words="The strongest ten seconds of this shot: movement and faces", probability=0.83
            ),
            look=LOOK if n % 2 else None,
            look_decision=Decision(code="cast", words="Too blue and dark", probability=0.9) if n % 2 else None,
        )
        for n, (i, s) in enumerate(chosen)
    )
    fade = Join(kind="fade", duration=Fraction(1), decision=Decision(code="open", words="opens from black"))
    soft = Join(
        kind="dissolve",
        duration=Fraction(4, 5),
        decision=Decision(code="soft_change", words="calm on both sides", probability=0.61),
    )
    between = tuple(soft if n % 3 == 2 else Join() for n in range(1, len(clips)))
    return Plan(
        sources=tuple(
            Source(
                id=f"s{i}", path=path, available=seconds(0, SECONDS), rate=RATE, width=1280, height=720
            ) for i, path in enumerate(paths)
        ),
        clips=clips,
        joins=(fade, *between, fade),
        spec=FilmSpec(width=1280, height=720, rate=RATE),
        dropped=tuple(
            Dropped(
                source=f"s{i}",
                range=TimeRange(s * step + length, (s + 1) * step),
                decision=Decision(code="over_budget", words="Weaker than what fits the target", probability=0.4),
            )
            for i, s in chosen
        ),
    )  # fmt: skip


def _moment(seconds: float) -> dict[str, object]:
    return {"exact": str(Fraction(seconds)), "seconds": seconds}


def _frame(number: int, likeness: str) -> dict[str, object]:
    return {
        "film_frame": number, "film_time": _moment(number / 25), "source_time": _moment(number / 25),
        "likeness": likeness, "film_hash": "00ff00ff00ff00ff", "source_hash": "00ff00ff00ff00fe", "bits": 1,
        "correlation": 0.99, "shift": 0.0,
    }  # fmt: skip


def stream_found(kind: str, track: int, words: str, count: int) -> dict[str, object]:
    length = {"count": count, "seconds": 24.0}
    return {
        "kind": kind, "track": track, "words": words, "expected": length, "found": length, "start": 0.0,
        "off_grid": 0.0, "key_frames": 3, "gaps": [],
    }  # fmt: skip


PROOF = {
    "ok": True,
    "problems": [],
    "differs": [],
    "warnings": [],
    "streams": [
        stream_found("video", 0, "h264 yuv420p", 600),
        stream_found("sound", 1, "aac 48000 Hz stereo", 1_152_000),
    ],
    "decoded_frames": None,
    "joins": [
        {"film_time": _moment(6.0), "track": 1, "offset": 0.0004, "heard": 0.0011, "note": ""},
        {"film_time": _moment(12.0), "track": 1, "offset": -0.0081, "heard": None, "note": "silence"},
    ],
    "segments": [
        {
            "clip": 1, "name": "<i>a</i>", "film_range": {"start": _moment(0.0), "end": _moment(6.0)},
            "first": _frame(0, "matches"), "last": None,
        },
    ],
    "size": [1280, 720],
    "rate": "25",
    "colour": {"matrix": "bt709", "primaries": None, "transfer": None, "full_range": False},
    "tracks": [{"language": None, "title": None, "default": True}],
    "subtitles": 0,
    "chapters": 0,
    "tags": {"title": "<b>cut</b>"},
}  # fmt: skip


def result(film: Path) -> FilmResult:
    """A film that is what was planned."""
    return FilmResult(film=film, sync=PROOF, seconds={"analysis": 12.25, "render": 8.5}, notes=("chapters 1 to 3",))


def grey(path: Path, t: Fraction) -> U8:
    """A still without a file: noise that differs from time to time, the worst case for JPEG's size."""
    return np.random.default_rng(int(t * 100)).integers(0, 255, (180, 320, 3), dtype=np.uint8)


def darker(rgb: U8, look: Look) -> U8:
    """Something to see."""
    return (rgb // 2).astype(np.uint8)
