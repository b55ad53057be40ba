"""What a batch's judges are told, and what they answer. Nothing large is imported to read either."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grading.results import Graded
from grading.worker.isolation import Limits

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True)
class Times:
    """How much processor time things may take, in seconds. By the clock it may be WALL_FACTOR times as much."""

    cell: float = 60.0
    submission: float = 300.0  # its cells, answers, private checks and measurements together


@dataclass(frozen=True)
class Rules:
    """How a batch is graded. `everything`: run all of a student's cells, not just those that the answers need."""

    seed: int = 0
    limits: Limits = Limits()
    times: Times = Times()
    everything: bool = False


@dataclass(frozen=True)
class Job:
    """A batch: the released notebook, the rules, and an instructor's private checks as (file name, source).

    `data` is a folder, on each worker's machine, that submissions may read. `few`: there are so few submissions that
    the warm process prepares only what all of them need; what else one imports costs it a second or two. `library`:
    the files of `utils` that submissions find, see `grading.sandbox.library`; None for all.
    """

    assignment: str
    released: str
    rules: Rules
    private: tuple[tuple[str, str], ...] = ()
    data: str | None = None
    cold: bool = False
    unsafe: bool = False
    few: bool = False
    library: frozenset[str] | None = None


@dataclass(frozen=True)
class Judged:
    """What a submission came to, and its notebook with the outputs of our run.

    The outputs of the check cells are not in it: they come with the gradebook, see `grading.gradebook.autograded`.
    """

    graded: Graded
    notebook: "NotebookNode"
