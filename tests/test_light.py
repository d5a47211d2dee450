"""Changes of light: a lamp that is switched is no cut, and a cut is no lamp."""

from __future__ import annotations

import numpy as np
import pytest

from roughcut.records import U8
from roughcut.temporal.light import changes_of_light

NONE = np.zeros((0, 27, 48, 3), np.uint8)


def picture(seed: int) -> U8:
    """[1, 27, 48, 3]: coarse blocks, as scenes have, between dark and bright."""
    coarse = np.random.default_rng(seed).uniform(30, 150, (1, 9, 12, 3))
    return np.asarray(coarse.repeat(3, 1).repeat(4, 2), np.uint8)


@pytest.mark.parametrize(("gain", "lift"), [(0.5, 0), (1.6, 0), (1, 60), (0.7, -15)])
def test_the_same_picture_in_another_light(gain: float, lift: float) -> None:
    """Found where the light is switched and nowhere else, also where it clips a little and a code adds noise."""
    noise = np.random.default_rng(5).normal(0, 2, (20, 27, 48, 3))
    film = picture(1).repeat(20, 0).astype(float)
    film[8:] = film[8:] * gain + lift
    film = np.clip(film + noise, 0, 255).astype(np.uint8)
    assert np.flatnonzero(changes_of_light(film, NONE)).tolist() == [8]


@pytest.mark.parametrize("seed", range(8))
def test_another_picture_is_a_cut(seed: int) -> None:
    """Neither a cut to another scene, nor one to black or from it, nor something that moves or a jump, is light."""
    here, there, black = picture(seed), picture(seed + 100), np.zeros((1, 27, 48, 3), np.uint8)
    jumped = np.roll(here, 3, axis=2)
    passed = here.copy()
    passed[:, 8:20, 10:22] = 250
    film = np.concatenate([here, there, black, here, jumped, here, passed, here, here])
    assert not changes_of_light(film, NONE).any()


def test_any_chunks_say_the_same() -> None:
    """The last frame of one chunk goes before the next; a film's first frame is never a change."""
    film = np.concatenate([picture(3), (picture(3) * 0.5).astype(np.uint8), picture(3), picture(4)])
    whole = changes_of_light(film, NONE)
    assert whole.tolist() == [False, True, True, False]
    parts = [changes_of_light(film[i : i + 1], film[max(i - 1, 0) : i]) for i in range(4)]
    assert np.concatenate(parts).tolist() == whole.tolist()
    assert changes_of_light(NONE, NONE).shape == (0,)
