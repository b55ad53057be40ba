"""`reach-grade` in a process of its own that Ctrl-C ends."""

import sys

# Whoever started the tests in the background had SIGINT ignored, and a child inherits that.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from grading.cli import main; main()"
)


def reach_grade_command(*words: object) -> list[str]:
    """What to start."""
    return [sys.executable, "-c", PROGRAM, *map(str, words)]
