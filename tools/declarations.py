"""An exercise that cannot be declared is a problem of its author's, told like every other: one line, with its place."""

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
    except ValueError as error:
        if problem := of_an_exercise(error):
            raise BuildError([problem]) from error
        raise


def of_an_exercise(error: ValueError) -> str:
    """What is wrong with how an exercise was declared, and where; "" if the error is of another kind."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    checks = COURSE / "utils" / "checks"
    if own := [(file, line) for file, line in frames if file.parent == checks and file.name != "__init__.py"]:
        file, line = own[0]
        return f"{file.relative_to(COURSE)}:{line}: {error}"
    return str(error) if frames[-1][0].parent == COURSE / "utils" / "checking" else ""
