"""Validation curves for TensorBoard, if asked for and installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from roughcut.errors import OptionError
from roughcut.training.loop import Log


def board_log(out: Path, log: Log | None, wanted: bool) -> Log | None:
    """`log`, and beside it a writer of TensorBoard events in `out/board` where `wanted`.

    Raises:
        OptionError: wanted, but TensorBoard is not installed.
    """
    if not wanted:
        return log
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise OptionError(
            "TensorBoard is not installed", where="tensorboard", next_step="pip install tensorboard"
        ) from error
    writer = SummaryWriter(str(out / "board"))

    def both(line: Mapping[str, float]) -> None:
        for name in line.keys() - {"step"}:
            writer.add_scalar(name, line[name], int(line["step"]))
        writer.flush()
        if log is not None:
            log(line)

    return both
