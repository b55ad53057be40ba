"""A module of checks that breaks is a problem of its author's, told like every other: one line, with its place."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.lesson import BuildError
from utils.paths import COURSE


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """In here, what is wrong with how an exercise was declared is a BuildError."""
    try:
        yield
    except BuildError:
        raise
    except Exception as error:
        if problem := of_an_exercise(error):
            raise BuildError([problem]) from error
        raise


def of_an_exercise(error: Exception) -> str:
    """What is wrong with a module of checks, and where; "" if the error has nothing to do with one."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):  # the module does not run, so that no frame is its own
        frames = [(Path(error.filename or ""), error.lineno)]
    said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    checks = COURSE / "utils" / "checks"
    if own := [(file, line) for file, line in frames if file.parent == checks and file.name != "__init__.py"]:
        file, line = own[0]
        return f"{file.relative_to(COURSE)}:{line}: {said}"
    declared = isinstance(error, ValueError) and frames[-1][0].parent == COURSE / "utils" / "checking"
    return said if declared else ""
