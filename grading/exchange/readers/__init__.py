"""Exports of learning platforms, one module each. Each says whether files are its own, and what their names tell.

A school's own reader is a module of another package, named in its entry points under `reach.readers`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import PurePosixPath
from typing import Any

from grading.exchange.archives import Found
from grading.exchange.clues import Clues
from grading.problems import GradingError

GROUP = "reach.readers"
PLAIN = "plain"  # reads what no other reader knows

# Where two recognize as much, those before that could not take others' files for their own.
OURS = (
    "gradescope",
    "blackboard",
    "moodle",
    "brightspace",
    "canvas",
    "ilias",
    "github_classroom",
    "nbgrader",
    "google",
)


def names() -> list[str]:
    """Readers that can be named, a school's own first."""
    return [*sorted(one.name for one in entry_points(group=GROUP)), *OURS, PLAIN]


def read(files: Sequence[Found], known: Sequence[str], name: str = "") -> tuple[str, dict[PurePosixPath, Clues | None]]:
    """The name of the reader, and what it says of each file; None for a platform's own files.

    Args:
        files: all that was found, see `archives.files_in`.
        known: the assignments that were released.
        name: the reader; without it, a school's own that recognizes the files, or the one of ours that knows most.

    Raises GradingError if there is no such reader, or a school's own breaks.
    """
    if name and name not in names():
        raise GradingError(f"There is no reader {name!r}. There are: {', '.join(names())}.")
    name = name or _recognized(files, known)
    everything = _ask(PLAIN, "clues", files, known)
    return name, everything if name == PLAIN else everything | _ask(name, "clues", files, known)


def takes_back(name: str) -> bool:
    """Whether the platform takes feedback back in a zip: then its reader has a third function, `goes_back`."""
    with _explained(name):
        return hasattr(_module(name), "goes_back")


def goes_back(name: str, file: PurePosixPath, page: str) -> PurePosixPath | None:
    """Where a page stands in the zip that the platform takes back; None if the file's name does not tell.

    Args:
        name: a reader that `takes_back`.
        file: what was handed in, as the platform called it, see `Receipt.file`.
        page: what the page is to be called.
    """
    return _ask(name, "goes_back", file, page)


def _recognized(files: Sequence[Found], known: Sequence[str]) -> str:
    """The reader that recognizes the largest share of the files.

    A platform puts its own words in front of the names that students choose. These may look like another platform's,
    in all files of a student who is alone in an export; so of several the one counts that leaves most to the student.
    """
    schools = (one for one in names() if one not in (*OURS, PLAIN))
    if own := next((one for one in schools if _ask(one, "recognizes", files, known)), ""):
        return own
    shares = {one: _ask(one, "recognizes", files, known) for one in OURS}
    best = [one for one in OURS if shares[one] and shares[one] == max(shares.values())]
    return max(best, key=lambda one: _left_to_students(_ask(one, "clues", files, known)), default=PLAIN)


def _left_to_students(told: dict[PurePosixPath, Clues | None]) -> int:
    """How many characters of the files' names are not the platform's."""
    return sum(len(str(clues.own)) for clues in told.values() if clues)


def _ask(name: str, question: str, *about):
    with _explained(name):
        return getattr(_module(name), question)(*about)


def _module(name: str) -> Any:  # a `Reader`, maybe with `goes_back`
    theirs = entry_points(group=GROUP, name=name)
    return theirs[name].load() if theirs else import_module(f"{__name__}.{name}")


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a school's own is somebody else's code, which may do anything
        if not entry_points(group=GROUP, name=name):
            raise
        raise GradingError(
            f"Your school's reader {name!r} breaks: {type(error).__name__}: {error}. Correct it, or name another one: "
            f"--reader plain."
        ) from error
