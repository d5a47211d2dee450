"""Covers: what lies under them is gone, what lies beside them is untouched; who is covered; voices silenced."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from golden.make_effects import film, picture
from roughcut.effects.covers import box_then, covered, rounded
from roughcut.effects.sound import silenced
from roughcut.errors import OptionError
from roughcut.media.picture import place_in
from roughcut.planner.covers import FaceWish, is_sure, keyed
from roughcut.planner.options import PlanOptions
from roughcut.records.effect import ParameterError
from roughcut.records.effects import Cover, Mute
from roughcut.records.faces import FaceTrack
from roughcut.timebase import TimeRange

SECOND = Fraction(1)
BOX = (0.25, 0.25, 0.75, 0.75)
STILL = Cover(times=(Fraction(0), SECOND), boxes=(BOX, BOX))


def track(number: int = 1, score: float = 0.9, looks: int = 6, x: float = 0.4) -> FaceTrack:
    boxes = np.array([[x + 0.02 * k, 0.4, x + 0.1 + 0.02 * k, 0.55] for k in range(looks)], np.float32)
    times = tuple(SECOND + Fraction(k, 10) for k in range(looks))
    within = TimeRange(Fraction(1, 2), times[-1] + Fraction(1, 2))
    return FaceTrack(number=number, times=times, boxes=boxes, scores=np.full(looks, score, np.float32), within=within)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("how", ["solid", "mosaic", "blur"])
def test_under_it_all_is_gone_and_beside_it_nothing(depth: int, how: str) -> None:
    """Inside the rounded box little is left of the detail, under a solid cover nothing; outside all is the same."""
    given = picture(film(depth, 128, 72))
    made = covered(given, replace(STILL, how=how), Fraction(1, 2))
    inside = np.zeros((72, 128), bool)
    inside[18:54, 32:96] = rounded(64, 36)
    before, after = given.planes()[0].astype(int), made.planes()[0].astype(int)
    np.testing.assert_array_equal(before[~inside], after[~inside])
    detail = [np.abs(np.diff(plane[28:44, 48:80], axis=1)).mean() for plane in (before, after)]
    assert detail[1] < detail[0] / 2
    if how == "solid":
        for plane, black in zip(made.planes(), made.black(), strict=True):
            assert (plane[plane.shape[0] // 2, plane.shape[1] // 3 : plane.shape[1] // 2] == black).all()


def test_from_the_first_time_to_the_last_all_between_two_boxes_is_covered() -> None:
    """Between two keys both boxes and what lies between; nothing before and after; a cover without times is neutral."""
    other = (0.5, 0.3, 0.9, 0.8)
    moving = Cover(times=(SECOND, 2 * SECOND), boxes=(BOX, other))
    assert box_then(moving, SECOND) == box_then(moving, Fraction(3, 2)) == (0.25, 0.25, 0.9, 0.8)
    assert box_then(moving, 2 * SECOND) == other
    assert box_then(moving, Fraction(1, 2)) is None
    assert box_then(moving, Fraction(5, 2)) is None
    given = picture(film())
    assert covered(given, moving, Fraction(5, 2)) is given


def test_boxes_beyond_the_border_are_cut_there() -> None:
    """Half outside, wholly outside, larger than the picture: no error, and the corner is covered."""
    given = picture(film())
    for box, corner in (((-0.5, -0.5, 0.5, 0.5), True), ((1.2, 1.2, 1.5, 1.5), False), ((-1, -1, 2, 2), True)):
        made = covered(given, Cover(times=(SECOND,), boxes=(box,)), SECOND)
        assert (made.planes()[0][0, 0] == made.black()[0]) is np.bool_(corner) or not corner
    with pytest.raises(ParameterError, match="boxes"):
        Cover(times=(SECOND,), boxes=((0.5, 0, 0.4, 1),))
    with pytest.raises(ParameterError, match="rise"):
        Mute(ranges=((SECOND, SECOND),))


def test_a_track_is_covered_with_room_around_it() -> None:
    """At every look the cover holds the box as it was found and more; it begins before and ends after the looks."""
    one = track()
    times, boxes = keyed(one)
    assert (times[0], times[-1]) == (one.within.start, one.within.end)
    for t, box in zip(one.times, one.boxes, strict=True):
        key = boxes[times.index(t)]
        assert (key[:2] < box[:2]).all()
        assert (key[2:] > box[2:]).all()


def test_who_is_covered() -> None:
    """Everyone, some, all but some; those nobody can be sure of always."""
    tracks = [track(1), track(2), track(3, score=0.65), track(4, looks=2)]
    names = {1: "Anna", 2: "Ben"}
    assert [is_sure(t) for t in tracks] == [True, True, False, False]

    def hidden(text: str) -> list[int]:
        return [t.number for t in FaceWish.parse(text).chosen(tracks, names)]

    assert hidden("hide") == [1, 2, 3, 4]
    assert hidden("hide anna") == hidden("hide:1") == [1, 3, 4]
    assert hidden("hide-except ben") == [1, 3, 4]
    assert hidden("hide-except 1, 2") == [3, 4]
    assert hidden("hide-except 3") == [1, 2, 3, 4]
    with pytest.raises(OptionError, match=r"nobody of that name \(got carl\).*Anna, Ben"):
        hidden("hide carl")
    for text in ("show", "", "hide-except", "follow anna"):
        with pytest.raises(OptionError, match="what to do with faces"):
            FaceWish.parse(text)
    assert not FaceWish.parse("follow").hides
    with pytest.raises(OptionError, match="Add --faces hide"):
        PlanOptions(faces="follow", cover="blur")
    with pytest.raises(OptionError, match="Add --faces hide"):
        PlanOptions(cover="blur")


def test_shares_follow_the_picture_into_a_film_of_another_shape() -> None:
    """A source of 4:3 stands in the middle of a film of 16:9, on even pixels."""
    from types import SimpleNamespace

    spec = film(width=320, height=180).spec
    info = SimpleNamespace(video=SimpleNamespace(width=640, height=480))
    assert place_in(spec, info) == (40, 0, 240, 180)  # type: ignore[arg-type]


def test_silence_fades_in_before_and_out_after() -> None:
    """Nothing is heard inside; ten samples before and after fade; the rest is as it was. Blocks meet without a seam."""
    given = np.ones((2, 100), np.float32)
    made = silenced(given, 50, [(80, 120)], 10)
    assert (made[:, 30:70] == 0).all()
    assert (made[:, :20] == 1).all()
    assert (np.diff(made[0, 20:31]) < 0).all()
    parts = [silenced(given[:, :40], 50, [(80, 120)], 10), silenced(given[:, 40:], 90, [(80, 120)], 10)]
    np.testing.assert_array_equal(np.concatenate(parts, 1), made)
