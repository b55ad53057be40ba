"""What an answer is asked, and what one call of it came to; neither needs torch to be read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, eq=False)
class Case:
    """One case of an exercise, and the part of its points that it belongs to.

    `index` seeds the answer's random numbers, `secret` those of a measurement.
    """

    args: tuple
    index: int
    secret: int
    part: str = ""


class Problem(StrEnum):
    """Why a call gave no value that could be compared."""

    NOT_ATTEMPTED = "was not attempted"
    NOT_A_FUNCTION = "is not a function"
    PARAMETERS = "has the wrong number of parameters"
    RAISED = "raised an error"
    RAN_TOO_LONG = "ran too long"
    RETURNED_NOTHING = "returned None"
    NOT_PLAIN = "returned the wrong type"
    CHANGED_ARGUMENTS = "changed its arguments"
    MALFORMED = "came back in a form that no check sends"


@dataclass(frozen=True)
class Outcome:
    """What one call of an answer came to: a plain value, or a problem with a sentence about it.

    `seconds` are those of the processor that the answer used, not those of the clock. `on_gpu`: the value was there.
    """

    value: Any = None
    problem: Problem | None = None
    detail: str = ""
    printed: str = ""
    seconds: float = 0.0
    on_gpu: bool = False
