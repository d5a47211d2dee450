"""SubRip files as people have them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roughcut.errors import InputError
from roughcut.records.effects import Caption
from roughcut.timeline.srt import decoded_text, read_srt, without_overlaps

TEXT = "1\n00:00:01,000 --> 00:00:02,500\nGrüße — <i>naïve</i>\n\n2\n00:01:00.5 --> 00:01:02\nzwei\n{\\an8}Zeilen\n"
F = Fraction


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_any_usual_encoding(tmp_path: Path, encoding: str, ends: str) -> None:
    """Letters, line ends and marks come out the same, however the file was written."""
    path = tmp_path / "a.srt"
    path.write_bytes(TEXT.replace("\n", ends).encode(encoding))
    assert read_srt(path) == (
        Caption(start=F(1), end=F(5, 2), text="Grüße — naïve"),
        Caption(start=F(121, 2), end=F(62), text="zwei\nZeilen"),
    )


def test_overlaps_order_and_nonsense(tmp_path: Path) -> None:
    """The earlier cue gives way, cues out of order are put in order, empty and backward ones are left out."""
    path = tmp_path / "a.srt"
    path.write_text(
        "7\n00:00:05,000 --> 00:00:06,000\nlate\n\n1\n00:00:01,000 --> 00:00:04,000\nfirst\n\n"
        "2\n00:00:03,000 --> 00:00:03,500\nsecond\n\n3\n00:00:09,000 --> 00:00:08,000\nbackward\n\n"
        "4\n00:00:10,000 --> 00:00:11,000\n\n5\n00:00:05,000 --> 00:00:07,000\nat once\n"
    )
    assert [(float(c.start), float(c.end), c.text) for c in read_srt(path)] == [
        (1, 3, "first"), (3, 3.5, "second"), (5, 7, "late\nat once"),
    ]  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0", b"words alone", bytes(range(256)), b"1\n00:00:01 --> x\nno"])
def test_files_without_captions(tmp_path: Path, data: bytes) -> None:
    """No crash, one message."""
    path = tmp_path / "a.srt"
    path.write_bytes(data)
    with pytest.raises(InputError, match="no captions were found"):
        read_srt(path)
    with pytest.raises(InputError, match="the captions cannot be read"):
        read_srt(tmp_path / "none.srt")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_text(data: bytes) -> None:
    """Decoding never fails."""
    assert isinstance(decoded_text(data), str)


@settings(max_examples=60, deadline=None)
@given(spans=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=12))
def test_no_two_captions_at_once(spans: list[tuple[int, int]]) -> None:
    """However cues lie, what comes out is in order and one at a time, and every text is kept."""
    cues = [Caption(start=F(a), end=F(a + n), text=str(k)) for k, (a, n) in enumerate(spans)]
    kept = without_overlaps(cues)
    assert all(a.end <= b.start for a, b in pairwise(kept))
    assert sorted(w for c in kept for w in c.text.split("\n")) == sorted(str(k) for k in range(len(spans)))
