"""The process that judges files: reads `frames<TAB>path` lines, writes a line of JSON for each."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

from fuzz.judge import judge

ADDRESS_SPACE = 6 * 10**9  # networks and threads map more than they hold; what is held is watched from outside


def main() -> None:
    """Judge until the input ends."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["ROUGHCUT_CACHE"] = str(folder.with_name("cache"))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    for line in sys.stdin:
        frames, path = line.rstrip("\n").split("\t", 1)
        print(json.dumps(judge(Path(path), folder, int(frames)).to_dict()), file=answers)


if __name__ == "__main__":
    main()
