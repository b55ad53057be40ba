"""The error that every part of grading raises for what an instructor can put right."""


class GradingError(Exception):
    """Says what was wrong, what was expected and what to do; the command prints it without a traceback."""


class Busy(GradingError):
    """Another run is at work, on this machine or another. It ends by itself, and then this one can begin."""
