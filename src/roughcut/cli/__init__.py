"""The command line: parse, call the library, print. Nothing is decided here."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. Errors meant for people are one line and exit code 2; Ctrl-C is 130."""
    from roughcut.cli.app import app
    from roughcut.cli.display import complain
    from roughcut.errors import RoughcutError

    try:
        app()
    except RoughcutError as error:
        complain(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
