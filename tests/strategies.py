"""Hypothesis strategies for exact times, records and plans, and synthetic analyses for the report's tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from roughcut.records import ColourTags, FilmSpec, Look, LookControls, TrackSpec
from roughcut.records.effects import (
    Caption,
    Captions,
    Cover,
    Freeze,
    Grain,
    Music,
    Mute,
    PushIn,
    Reframe,
    Speed,
    Vignette,
)
from roughcut.timebase import STANDARD_RATES, TimeRange
from roughcut.timeline.plan import OVERLAPPING, Clip, Decision, Dropped, Join, Plan, Source

RATES = st.sampled_from(STANDARD_RATES)
FILM_RATES = st.sampled_from([r for r in STANDARD_RATES if 20 < r <= 60])
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.fractions(min_value=0, max_value=10_000, max_denominator=100_000)


def json_values() -> st.SearchStrategy[Any]:
    """What other tools may write as metadata."""
    leaf = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | FINITE | WORDS
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=5
    )


METADATA = st.dictionaries(WORDS.filter(lambda k: not k.startswith("roughcut")), json_values(), max_size=2)
DECISIONS = st.builds(Decision, code=WORDS, words=WORDS, probability=st.floats(0, 1))
CONTROLS = st.builds(LookControls, **{name: st.floats(-1, 1) for name in LookControls.names()})
GRIDS = st.integers(1, 3).flatmap(
    lambda w: st.lists(st.tuples(*[st.floats(-1, 1)] * w), min_size=1, max_size=3).map(tuple)
)
LOOKS = st.builds(Look, controls=CONTROLS, confidence=st.floats(0, 1), grid=st.none() | GRIDS)
TRACKS = st.builds(
    TrackSpec,
    rate=st.sampled_from([44_100, 48_000]),
    layout=st.sampled_from(["mono", "stereo", "5.1"]),
    language=st.none() | WORDS,
    title=st.none() | WORDS,
    default=st.booleans(),
)
SPECS = st.builds(
    FilmSpec,
    width=st.integers(1, 4000).map(lambda n: 2 * n),
    height=st.integers(1, 4000).map(lambda n: 2 * n),
    rate=FILM_RATES,
    colour=st.builds(ColourTags, matrix=st.none() | WORDS, full_range=st.none() | st.booleans()),
    tracks=st.lists(TRACKS, max_size=3).map(tuple),
    tags=st.dictionaries(WORDS, WORDS, max_size=2),
)
NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=10).filter(lambda n: n not in (".", ".."))


@st.composite
def sources(draw: st.DrawFn, id: str) -> Source:
    """A source of a minute or more; its path is absolute and leads nowhere."""
    start = draw(st.fractions(-1, 1, max_denominator=90_000))
    length = draw(st.fractions(60, 500, max_denominator=90_000))
    return Source(
        id=id,
        path=Path("/nowhere") / id / draw(NAMES.filter(_is_file_name)),
        available=TimeRange(start, start + length),
        rate=draw(RATES),
        width=draw(st.integers(0, 4000)),
        height=draw(st.integers(0, 4000)),
        digest=draw(WORDS),
        tracks=draw(st.integers(0, 4)),
    )


def _is_file_name(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


@st.composite
def clips(draw: st.DrawFn, source: Source, rate: Fraction) -> Clip:
    """A clip of whole film frames, 1 to 10 s, anywhere inside its source with 2 s to spare."""
    frames = draw(st.integers(int(rate), int(10 * rate)))
    room = source.available.duration - 4 - Fraction(frames) / rate
    start = source.available.start + 2 + room * draw(st.fractions(0, 1, max_denominator=1000))
    return Clip(
        source=source.id,
        range=TimeRange(start, start + Fraction(frames) / rate),
        decision=draw(DECISIONS),
        look=draw(st.none() | LOOKS),
        look_decision=draw(st.none() | DECISIONS),
        name=draw(WORDS),
        effects=draw(CLIP_EFFECTS),
        metadata=draw(METADATA),
    )


SHARES = st.floats(0, 1)
CLIP_EFFECTS = st.lists(
    st.one_of(
        st.builds(PushIn, amount=st.floats(-0.5, 0.5), x=SHARES, y=SHARES, decision=DECISIONS),
        st.builds(Vignette, amount=SHARES, decision=DECISIONS),
        st.builds(Speed, rate=st.fractions("1/8", 8, max_denominator=1000), to=st.none() | st.just(Fraction(3, 2))),
        st.builds(Freeze, sound=st.sampled_from(["off", "on"])),
        st.builds(lambda t, x: Cover(how="blur", times=(t,), boxes=((x, x, x + 1, x + 1),)), TIMES, SHARES),
        st.builds(lambda t: Mute(ranges=((t, t + 1), (t + 2, t + 3))), TIMES),
        st.builds(lambda t, x, y: Reframe(times=(t, t + 1), points=((x, y), (y, x))), TIMES, SHARES, SHARES),
    ),
    max_size=2,
).map(tuple)
CUES = st.builds(lambda a, n, text: Caption(start=a, end=a + n, text=text), TIMES, st.just(Fraction(1, 3)), WORDS)


def _in_order(cues: list[Caption]) -> tuple[Caption, ...]:
    return tuple(sorted(cues, key=lambda c: c.start))


FILM_EFFECTS = st.lists(
    st.one_of(
        st.builds(
            Captions,
            cues=st.lists(CUES, max_size=2).map(_in_order),
            font=st.none() | WORDS,
        ),
        st.builds(Grain, amount=st.floats(0, 0.3), seed=st.integers(0, 1000)),
        st.builds(Music, level=st.floats(-60, 12)),
    ),
    max_size=2,
).map(tuple)


def joins(kinds: list[str]) -> st.SearchStrategy[Join]:
    """Joins of up to 1 s."""

    def of(kind: str) -> st.SearchStrategy[Join]:
        lengths = st.just(Fraction(0)) if kind == "cut" else st.fractions("1/10", 1, max_denominator=90_000)
        return st.builds(
            Join,
            kind=st.just(kind),
            duration=lengths,
            direction=st.sampled_from(["left", "right", "up", "down"]),
            softness=SHARES,
            colour=st.sampled_from(["black", "white"]),
            decision=DECISIONS,
            metadata=METADATA,
        )

    return st.sampled_from(kinds).flatmap(of)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans as the planner may make them, with other tools' metadata everywhere."""
    spec = draw(SPECS)
    media = [draw(sources(f"s{i}")) for i in range(draw(st.integers(1, 3)))]
    chosen = draw(st.lists(st.sampled_from(media), min_size=1, max_size=4))
    span = TimeRange(Fraction(0), Fraction(1))
    return Plan(
        sources=tuple(media),
        clips=tuple(draw(clips(s, spec.rate)) for s in chosen),
        joins=(
            draw(joins(["cut", "fade"])),
            *(draw(joins(["cut", "fade", *OVERLAPPING])) for _ in chosen[1:]),
            draw(joins(["cut", "fade"])),
        ),
        spec=spec,
        dropped=tuple(Dropped(source=m.id, range=span.shift(draw(TIMES)), decision=draw(DECISIONS)) for m in media[:1]),
        loudness_target=draw(st.none() | st.floats(-40, 0)),
        track=draw(st.integers(0, 3)),
        name=draw(WORDS),
        effects=draw(FILM_EFFECTS),
        metadata=draw(METADATA),
    )
