"""How a check works. Exercises are declared in `utils.checks`, one module for each lesson::

    lesson = Lesson("03", __name__)

    @lesson.exercise(points=2, hint="Two numbers travel down the stack.")
    def receptive_field(layers):
        \"\"\"Side of the field, in input pixels, of a stack of (kernel, stride) layers.\"\"\"
        return ...                      # the reference: a right answer

    @receptive_field.cases
    def _(rng):
        yield dict(layers=[(3, 1)])     # or a tuple in the order of the arguments; small ones by hand first

    @receptive_field.recipe             # the answer written out, with a switch for each slip
    def _(layers, grow=lambda kernel, jump: (kernel - 1) * jump, first=1):
        return ...

    receptive_field.slip("jump_left_out", grow=...).says("A layer grows the field by (kernel - 1) times the jump.")

    @receptive_field.mistake("You multiplied the kernel sizes.")     # what is no switch of the recipe
    def kernels_multiplied(layers):
        return ...

    receptive_field.wrong("zero", lambda layers: 0).says("…")            # the same, for one line

The rest (messages, diagnosis, time limits, strict mode, grading in another process, the tests) follows from these.
An answer that is no function of plain values (a model, a training step) declares an `ask`, which runs beside the
answer and turns it into plain values; where these could be made up without doing the exercise, the `ask` sends what
can be tested (the steps of a model, its weights), and a `measure` tests it, in a process of its own where an answer is
graded. What cannot be told by equal values is told by a finding, `seen=`, that says in a sentence what it saw.

Points are all given or none. An exercise may give them by parts, each with cases of its own, or by the share of its
cases that pass (`points=Share(3)`); `utils.checking.credit` says what earns nothing::

    @lesson.exercise(points={"values": 2, "no leak": 1}, hint="…")
    def attention(q, k, v): ...

    @attention.cases                    # of the first part
    def _(rng): ...

    @attention.cases("no leak")
    def _(rng): ...
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.checking.cases import normal, uniform
    from utils.checking.declaration import Share
    from utils.checking.exercise import Exercise
    from utils.checking.judging import CheckBroken
    from utils.checking.lesson import Lesson
    from utils.checking.verdict import CheckFailed, Earned, Status, Verdict

__all__ = [
    "CheckBroken",
    "CheckFailed",
    "Earned",
    "Exercise",
    "Lesson",
    "Share",
    "Status",
    "Verdict",
    "normal",
    "uniform",
]

_HOMES = {
    **dict.fromkeys(("normal", "uniform"), "cases"),
    **dict.fromkeys(("CheckFailed", "Earned", "Status", "Verdict"), "verdict"),
    "CheckBroken": "judging",
    "Exercise": "exercise",
    "Lesson": "lesson",
    "Share": "declaration",
}


def __getattr__(name: str) -> Any:
    """Import a name where it is first used (PEP 562): who reads verdicts, as a grader's main process does, needs no
    torch, which takes seconds to import."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
