"""The error that every part of grading raises for what an instructor can put right."""

from grading.classroom import Classroom


class GradingError(Exception):
    """Says what was wrong, what was expected and what to do; the command prints it without a traceback."""


class Busy(GradingError):
    """Another run is at work, on this machine or another. It ends by itself, and then this one can begin."""


def nothing_released(classroom: Classroom) -> GradingError:
    """What to do in a class's folder in which nothing was handed out."""
    first = classroom.command("release", "01_convolution")
    return GradingError(f"Nothing was released in {classroom.root}. Begin with: {first}")
