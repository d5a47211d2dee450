"""The border to FFmpeg: its errors become roughcut's, its chatter stays off the terminal, its losses are counted."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.container import InputContainer

from roughcut.errors import InputError, OutputError

VIDEO_NEXT = "give a video file that a player opens"


@dataclass
class Losses:
    """What could not be decoded while a file was read."""

    packets: int = 0
    undecoded: int = 0
    """Packets of which no picture came, though nobody complained."""
    corrupt: int = 0
    """Pictures that the decoder patched up."""
    gaps: list[str] = field(default_factory=list)
    """Where pictures may be missing, in words."""
    frames: int = 0
    """Frames whose timestamps do not rise: of joined or damaged files."""
    cut_off: bool = False
    """The file ended before its end."""

    def words(self) -> list[str]:
        """One sentence per kind of loss; empty where nothing was lost."""
        said = []
        if self.packets:
            said.append(f"{self.packets} damaged packets were skipped")
        if self.undecoded:
            said.append(f"{self.undecoded} pictures could not be decoded")
        if self.corrupt:
            said.append(f"{self.corrupt} pictures are damaged and were patched up by the decoder")
        said += self.gaps
        if self.frames:
            said.append(f"{self.frames} frames were left out: their timestamps lie far back")
        if self.cut_off:
            said.append("the file is cut off: what decodes was used")
        return said


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """A file opened for reading, closed afterwards.

    Raises:
        InputError: missing, a folder, unreadable, empty, or not media.
    """
    check_file(path)
    try:
        # `file:` keeps a name like `talk: one.mp4` from being read as an address
        container = av.open(f"file:{path}", metadata_errors="replace")
    except FileNotFoundError:  # gone since it was checked
        raise InputError("no such file", where=path, next_step="check the path") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError(
            "not a video file, or a damaged one", where=path, got=reason(error), next_step=VIDEO_NEXT
        ) from error
    with container:
        yield container


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """FFmpeg's and the system's complaints about writing as OutputError."""
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC
        what = "the disk is full" if full else "the film cannot be written"
        step = "free some space" if full else "choose a folder that exists and may be written to"
        raise OutputError(what, where=path, got=reason(error), next_step=step) from error


def check_file(path: Path) -> None:
    """Raise InputError unless `path` is a file with something in it that may be read."""
    try:
        if path.is_dir():
            raise InputError("a folder, not a file", where=path, next_step="name the files in it")
        if not stat.S_ISREG(path.stat().st_mode):  # opening a FIFO would wait for ever, a device may never end
            raise InputError("not a plain file", where=path, next_step="copy what it gives into a file first")
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError("the file is empty", where=path, next_step=VIDEO_NEXT)
    except FileNotFoundError:
        raise InputError("no such file", where=path, next_step="check the path") from None
    except PermissionError:
        raise InputError("the file may not be read", where=path, next_step="check its permissions") from None
    except (OSError, ValueError) as error:
        raise InputError("the file cannot be read", where=path, got=reason(error)) from error


def reason(error: Exception) -> str:
    """FFmpeg's or the system's own words, without codes and paths."""
    return str(getattr(error, "strerror", None) or error)


def quiet_ffmpeg() -> None:
    """Keep FFmpeg's own log off the terminal; called by the verbs, never at import."""
    av.logging.set_level(None)
