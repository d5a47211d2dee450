"""roughcut: footage in; an edited, graded film and the editable timeline behind it out.

    analysis = roughcut.analyze("talk.mp4")
    plan = roughcut.plan(analysis, target="60s")
    result = roughcut.render(plan, "cut.mp4")

or all three: `roughcut.edit(["talk.mp4"], "cut.mp4", target="60s")`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from roughcut.pipeline import analyze, edit, plan, probe, render, shots

__all__ = ["__version__", "analyze", "edit", "plan", "probe", "render", "shots"]


def __getattr__(name: str) -> Any:
    """The verbs load their machinery at first use, so that `import roughcut` stays light."""
    if name in __all__:
        from roughcut import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module 'roughcut' has no attribute {name!r}")
