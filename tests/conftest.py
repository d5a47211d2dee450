"""Every test has its own cache, so that none sees what another left and none touches the user's."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache shared by the tests of one run."""
    monkeypatch.setenv("ROUGHCUT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """14 s at 320x180: a person speaks twice with a long pause, then a bare wall, then a landscape; four shots."""
    from fractions import Fraction

    import numpy as np
    from PIL import Image

    from media import Sound, write_media
    from roughcut.demo import scenes
    from roughcut.demo.voice import RATE, ambience, sentence

    rng = np.random.default_rng(7)
    track = ambience(14 * RATE, rng)
    for start, length in TALK:
        words = sentence(length, rng)
        track[round(start * RATE) : round(start * RATE) + len(words)] += words
    cuts = [(scenes.speaker(lambda t: 0.5), 0, 7), (scenes.wall, 7, 9), (scenes.hills, 9, 12), (scenes.beach, 12, 14)]

    def frames():  # type: ignore[no-untyped-def]
        for n in range(14 * 25):
            scene, began, _ = next(c for c in cuts if c[1] <= n / 25 < c[2])
            if n % 2 == 0 or n / 25 == began:  # two frames alike: drawing is the slow part
                picture = np.asarray(Image.fromarray(scene(n / 25 - began)).resize((320, 180)))
            yield picture

    sound = Sound(samples=np.stack([track, track]).astype(np.float32))
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    return write_media(path, frames(), rate=Fraction(25), sound=sound)


TALK = ((0.6, 2.2), (4.4, 2.0), (9.6, 1.8))
"""Start and length of the sentences of `talk`, seconds."""
