"""Which sound track decisions are made on."""

from __future__ import annotations

from roughcut.errors import OptionError
from roughcut.media.language import language_of
from roughcut.records import AudioStream, MediaInfo


def heard_track(info: MediaInfo, wish: str | int | None) -> int:
    """Index into `info.audio` of the track to listen to; 0 where the file has no sound.

    Args:
        wish: a number from 1, or a language such as `eng`; None takes the track flagged default, else the first.

    Raises:
        OptionError: the file has sound, but no such track.
    """
    if wish is None or not info.audio:
        return next((k for k, track in enumerate(info.audio) if track.default), 0)
    found = _numbered(info, str(wish)) if str(wish).isdecimal() else _spoken(info, str(wish))
    if found is None:
        listed = ", ".join(f"{k} ({track_words(track)})" for k, track in enumerate(info.audio, 1))
        raise OptionError("no such sound track", where=f"--track, {info.path}", got=repr(str(wish)), allowed=listed)
    return found


def track_words(track: AudioStream) -> str:
    """`deu, Commentary, 5.1`."""
    return ", ".join(filter(None, (track.language or "no language", track.title, track.layout)))


def _numbered(info: MediaInfo, wish: str) -> int | None:
    return int(wish) - 1 if 1 <= int(wish) <= len(info.audio) else None


def _spoken(info: MediaInfo, wish: str) -> int | None:
    language = language_of(wish.lower())
    return next((k for k, track in enumerate(info.audio) if track.language and track.language == language), None)
