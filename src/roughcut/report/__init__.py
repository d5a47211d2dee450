"""What was done and why, for people (one HTML file that opens offline) and for machines (JSON)."""

from roughcut.report.data import FilmResult
from roughcut.report.write import write_report

__all__ = ["FilmResult", "write_report"]
