"""All commands, in the order that the help lists them: importing a file registers its commands on the app."""

from roughcut.cli import (
    edit_commands,
    faces_command,
    grade_command,
    learn_commands,
    look_commands,
    models_command,
    moments_command,
    mood_command,
)
from roughcut.cli.app import app

__all__ = [
    "app",
    "edit_commands",
    "faces_command",
    "grade_command",
    "learn_commands",
    "look_commands",
    "models_command",
    "moments_command",
    "mood_command",
]
