"""Exports of learning platforms, one module each. Each says whether files are its own, and what their names tell.

A school's own reader is a module of another package, named in its entry points under `reach.readers`.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Reader
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


def _ask(name: str, question: str, files: Sequence[Found], known: Sequence[str]):
    theirs = entry_points(group=GROUP, name=name)
    if not theirs:
        return getattr(import_module(f"{__name__}.{name}"), question)(files, known)
    try:
        reader: Reader = theirs[name].load()
        return getattr(reader, question)(files, known)
    except Exception as error:  # it is somebody else's code, which may do anything
        raise GradingError(
            f"Your school's reader {name!r} breaks: {type(error).__name__}: {error}. Correct it, or name another one: "
            f"--reader plain."
        ) from error
