"""The command line: parse, call the library, print. Nothing is decided here."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from roughcut.errors import RoughcutError


def main() -> None:
    """Run the command line. Errors meant for people are one line and exit code 2; Ctrl-C is 130, SIGTERM 143."""
    try:
        signal.signal(signal.SIGTERM, _told_to_end)
        from roughcut.cli.commands import app
        from roughcut.cli.display import complain

        app()
    except RoughcutError as error:
        complain(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)


def _told_to_end(number: int, frame: FrameType | None) -> None:
    """Leave as Ctrl-C does: files in the making are removed on the way out."""
    sys.exit(128 + number)
