"""One damaged file through probe, analyze and edit, and what is to be said of how that went."""

from __future__ import annotations

import resource
import shutil
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import roughcut
from roughcut.errors import ProofError, RoughcutError

SILENT = (".gif",)  # formats that tell neither length nor damage: what is gone from their middle cannot be known
TELLABLE = 3  # frames: a file that promises no length cannot know that fewer are gone from its ends
LIMIT_SECONDS, LIMIT_BYTES = 30, 10**9


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`verdict` is film, error (one clear line) or, where roughcut is at fault, anything else."""

    name: str
    verdict: str
    words: str = ""
    frames: int = 0
    warnings: int = 0
    seconds: float = 0.0
    peak: int = 0
    """Most memory the process has held so far, bytes."""

    @property
    def good(self) -> bool:
        """True where the promise of the input layer was kept."""
        return self.verdict in ("film", "error") and self.seconds < LIMIT_SECONDS and self.peak < LIMIT_BYTES

    def to_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def judge(path: Path, folder: Path, whole_frames: int) -> Outcome:
    """Probe, analyse and edit `path` into `folder`, which must be as empty as before where no film comes of it.

    Args:
        whole_frames: frames of the undamaged file; a film of it that lost some has to say so.
    """
    began = perf_counter()
    film = folder / "film.mp4"
    found: dict[str, object] = {}
    try:
        roughcut.probe(path)
        analysis = roughcut.analyze(path)
        found["warnings"], found["frames"] = len(analysis.warnings), len(analysis.features.times)
        result = roughcut.edit(path, film, keep="all", force=True)
        verdict, words = "film", "; ".join(analysis.warnings)
        if not film.is_file() or result.proof.problems:
            verdict, words = "unproved", "; ".join(result.proof.problems)
        elif (
            path.suffix not in SILENT
            and not analysis.warnings
            and len(analysis.features.times) < whole_frames - TELLABLE
        ):
            verdict, words = "unnamed loss", f"{len(analysis.features.times)} of {whole_frames} frames"
    except ProofError as error:
        verdict, words = "unproved", str(error)
    except RoughcutError as error:
        verdict, words = ("error", str(error)) if "\n" not in str(error) else ("many lines", str(error))
        debris = [p.name for p in folder.iterdir() if p != path]
        if debris:
            verdict, words = "debris", f"{', '.join(debris)} after: {error}"
    except Exception:
        verdict, words = "traceback", traceback.format_exc(limit=-4)
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    seconds = perf_counter() - began
    return Outcome(name=path.name, verdict=verdict, words=words, seconds=round(seconds, 2), peak=_peak(), **found)  # type: ignore[arg-type]


def _peak() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
