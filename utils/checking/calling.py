"""Call an answer that nobody trusts yet, and say what happened in plain values.

This half of a check runs beside the answer: in the notebook's own process, or in another one when a submission is
graded. What leaves it is an `Outcome`, made of plain values alone.
"""

import contextlib
import copy
import ctypes
import inspect
import io
import sysconfig
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch

from utils.checking.compare import difference
from utils.checking.describe import shorten
from utils.checking.plain import NotPlain, to_plain, type_name

MAX_PRINTED = 2_000
PATIENCE = 0.5  # seconds that an answer gets to end after it was told to stop


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


@dataclass(frozen=True)
class Outcome:
    """What one call of an answer came to: a plain value, or a problem with a sentence about it."""

    value: Any = None
    problem: Problem | None = None
    detail: str = ""
    printed: str = ""
    seconds: float = 0.0


class _TimeUp(BaseException):
    """Raised inside an answer that ran too long. Not an Exception, so `except Exception` does not catch it."""


class _Printed(io.TextIOBase):
    """What an answer prints, to standard output or error: keeps the beginning, counts the rest."""

    def __init__(self) -> None:
        self.kept, self.count = "", 0

    def write(self, text: str) -> int:
        self.count += len(text)
        self.kept += text[: MAX_PRINTED - len(self.kept)]
        return len(text)


def direct(answer: Callable, *args: Any) -> Any:
    """The usual way to ask: call the answer with the case's values."""
    return answer(*args)


def call(answer: Any, args: tuple, *, ask: Callable = direct, seconds: float = 5.0, seed: int = 0) -> Outcome:
    """Ask `answer` about one case and return the outcome; never raises what the answer raises.

    Args:
        answer: what the learner handed in.
        args: the case, plain values. The answer gets a copy.
        ask: turns an answer and a case into a plain value; it runs beside the answer.
        seconds: the answer is stopped after that long.
        seed: torch's random numbers inside the answer start from here; those outside are left as they were.
    """
    given = copy.deepcopy(args)
    before = to_plain(given)
    result: dict[str, Any] = {}
    printed = _Printed()

    def run() -> None:
        try:
            result["value"] = ask_seeded(answer, given, ask, seed)
        except BaseException as error:  # an answer may raise anything, SystemExit and KeyboardInterrupt included
            result["error"] = error

    started = time.monotonic()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        finished = _run_with_deadline(run, seconds)
    spent = {"printed": _report_printed(printed), "seconds": time.monotonic() - started}
    if not finished or isinstance(result.get("error"), _TimeUp):
        return Outcome(problem=Problem.RAN_TOO_LONG, detail=_too_long(finished, seconds), **spent)
    if "error" in result:
        return Outcome(**_explain_error(result["error"]), **spent)
    return _inspect_value(result["value"], before, given, spent)


def ask_seeded(answer: Callable, args: tuple, ask: Callable, seed: int) -> Any:
    """What `ask` gives for this case, with torch's random numbers from `seed` on and its state put back after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ask(answer, *args)


def signature_problem(answer: Any, reference: Callable, count: int | None) -> Outcome | None:
    """None if `answer` can be called as `reference` is, else an outcome that says why not.

    `count` is the number of values that a case hands over, or None to take it from the reference.
    """
    if not callable(answer):
        detail = f"You passed {type_name(answer)}. Pass the function itself, by its name and without a call."
        return Outcome(problem=Problem.NOT_A_FUNCTION, detail=detail)
    try:
        theirs = inspect.signature(answer)
    except (TypeError, ValueError):
        return None  # some built-in functions have no signature; the call itself will tell
    names = list(inspect.signature(reference).parameters)
    count = len(names) if count is None else count
    try:
        theirs.bind(*range(count))
    except TypeError:
        have = list(theirs.parameters)
        detail = (
            f"It is called with {_values(count)} ({', '.join(names[:count])}), by position; "
            f"yours has {len(have)} ({', '.join(have) or 'none'})."
        )
        return Outcome(problem=Problem.PARAMETERS, detail=detail)
    return None


def _values(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"


def _run_with_deadline(run: Callable[[], None], seconds: float) -> bool:
    """Run in a thread of its own, so that the notebook gets its kernel back whatever the answer does."""

    def until_told_to_stop() -> None:
        with contextlib.suppress(_TimeUp):
            run()

    thread = threading.Thread(target=until_told_to_stop, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:  # also when the learner interrupts the cell
        deadline = time.monotonic() + PATIENCE
        while thread.is_alive() and time.monotonic() < deadline:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_TimeUp))
            thread.join(0.05)
    return not thread.is_alive()


def _too_long(finished: bool, seconds: float) -> str:
    text = f"It was still running after {seconds:.1f} s. Is there a loop that never ends?"
    return text if finished else text + " It could not be stopped: restart the kernel."


def _report_printed(printed: _Printed) -> str:
    if printed.count <= MAX_PRINTED:
        return printed.kept
    return f"{printed.kept}\n... and {printed.count - MAX_PRINTED:,} characters more"


def _explain_error(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_learners(frame.filename)]
    if isinstance(error, NotImplementedError) and own and frames[-1] is own[-1] and _is_stub(error, own[-1].line):
        return {"problem": Problem.NOT_ATTEMPTED, "detail": own[-1].name}
    detail = shorten(f"{type(error).__name__}: {_message(error)}".rstrip(": "))
    if own:
        detail += f"\nin line {own[-1].lineno} of that code: {shorten(own[-1].line or '', 120)}".rstrip(": ")
    return {"problem": Problem.RAISED, "detail": detail}


def _is_stub(error: NotImplementedError, line: str | None) -> bool:
    """A stub raises the error itself; torch raises one too, with a message, where an operation is missing."""
    return "NotImplementedError" in line if line else not error.args


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(an error whose message cannot be shown)"


_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_HERE = str(Path(__file__).parents[1])


def _is_learners(filename: str) -> bool:
    return not filename.startswith((*_LIBRARIES, _HERE, "<frozen"))


def _inspect_value(value: Any, before: list, given: tuple, spent: dict) -> Outcome:
    for index, (was, now) in enumerate(zip(before, given, strict=True)):
        if _changed(was, now):
            return Outcome(problem=Problem.CHANGED_ARGUMENTS, detail=str(index), **spent)
    if value is None:
        detail = "It returned None. Is there a `return` at the end?"
        return Outcome(problem=Problem.RETURNED_NOTHING, detail=detail, **spent)
    try:
        return Outcome(value=to_plain(value), **spent)
    except NotPlain as error:
        detail = f"It returned {error}. A check compares numbers, strings, tensors, and lists or dicts of them."
        return Outcome(problem=Problem.NOT_PLAIN, detail=detail, **spent)


def _changed(was: Any, now: Any) -> bool:
    try:
        return difference(was, to_plain(now), rtol=0, atol=0) is not None
    except NotPlain:
        return True
