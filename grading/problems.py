"""The error that every part of grading raises for what an instructor can put right."""

from pathlib import Path


class GradingError(Exception):
    """Says what was wrong, what was expected and what to do; the command prints it without a traceback."""


class Busy(GradingError):
    """Another run is at work, on this machine or another. It ends by itself, and then this one can begin."""


def nothing_released(root: Path) -> GradingError:
    """What to do in a class's folder in which nothing was handed out."""
    first = f"reach-grade release 01_convolution --class {root}"
    return GradingError(f"Nothing was released in {root}. Begin with: {first}")
