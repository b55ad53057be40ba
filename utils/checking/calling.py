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
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch

from utils.checking.compare import difference
from utils.checking.describe import shorten
from utils.checking.plain import NotPlain, readable, to_plain, type_name

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
    MALFORMED = "came back in a form that no check sends"


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
    result: dict[str, Any] = {}
    printed = _Printed()

    def run() -> None:
        try:
            torch.default_generator.manual_seed(seed)  # torch.manual_seed asks every kind of accelerator, slowly
            result.update(_ask_and_inspect(answer, args, ask))
        except BaseException as error:  # an answer may raise anything, SystemExit and KeyboardInterrupt included
            result.update(_explain_error(error))

    started = time.monotonic()
    with torch_as_it_was(), _quiet(printed):
        finished = _run_with_deadline(run, seconds)
    if not finished or not result or result.get("problem") is Problem.RAN_TOO_LONG:
        detail = "" if finished else "It could not be stopped: restart the kernel."
        result = {"problem": Problem.RAN_TOO_LONG, "detail": detail}
    result["detail"] = readable(result.get("detail", ""))
    return Outcome(**result, printed=readable(_report_printed(printed)), seconds=time.monotonic() - started)


def measure(measure: Callable, value: Any, args: tuple, *, seconds: float = 5.0, seed: int = 0) -> Outcome:
    """Have an exercise's `measure` look at what its `ask` came back with; as `call`, whatever the value holds."""
    return call(measure, (value, *args), seconds=seconds, seed=seed)


def _ask_and_inspect(answer: Callable, args: tuple, ask: Callable) -> dict[str, Any]:
    """The fields of the outcome of one call that returned."""
    given = copy.deepcopy(args)
    before = to_plain(given)
    value = ask(answer, *given)
    for index, (was, now) in enumerate(zip(before, given, strict=True)):
        if _changed(was, now):
            return {"problem": Problem.CHANGED_ARGUMENTS, "detail": str(index)}
    if value is None:
        return {"problem": Problem.RETURNED_NOTHING, "detail": "It returned None. Is there a `return` at the end?"}
    try:
        return {"value": to_plain(value)}
    except NotPlain as error:
        found = str(error)
    except Exception:  # an object that misbehaves when it is looked at
        found = "a value that cannot be read"
    detail = f"It returned {found}. A check compares numbers, strings, tensors, and lists or dicts of them."
    return {"problem": Problem.NOT_PLAIN, "detail": detail}


@contextlib.contextmanager
def torch_as_it_was() -> Iterator[None]:
    """Put torch's random state and default dtype back at the end, whoever changed them."""
    dtype = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)


@contextlib.contextmanager
def _quiet(printed: _Printed) -> Iterator[None]:
    """Catch what is printed, and print warnings without the line that they came from, which is often one of ours."""
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
        warnings.showwarning = lambda message, category, *where: printed.write(f"{category.__name__}: {message}\n")
        yield


def signature_problem(answer: Any, parameters: list[str], count: int) -> Outcome | None:
    """None if `answer` can be called with `count` values for the first `parameters`, else an outcome on why not."""
    if not callable(answer):
        detail = f"You passed {type_name(answer)}. Pass the function itself, by its name and without a call."
        return Outcome(problem=Problem.NOT_A_FUNCTION, detail=detail)
    if inspect.iscoroutinefunction(answer):
        return Outcome(problem=Problem.NOT_A_FUNCTION, detail="It is defined by `async def`. Write `def`.")
    try:
        theirs = inspect.signature(answer)
    except Exception:
        return None  # some built-in functions have no signature; the call itself will tell
    try:
        theirs.bind(*range(count))
    except TypeError:
        return Outcome(problem=Problem.PARAMETERS, detail=_explain_parameters(theirs, parameters[:count]))
    return None


def _explain_parameters(theirs: inspect.Signature, names: list[str]) -> str:
    by_name = [name for name, one in theirs.parameters.items() if one.kind is one.KEYWORD_ONLY]
    others = [name for name in theirs.parameters if name not in by_name]
    detail = f"It is called with {_values(len(names))} ({', '.join(names)}), by position; "
    detail += f"yours takes {len(others)} ({', '.join(others) or 'none'})."
    return detail + (f" {', '.join(by_name)} can only be given by name: remove the `*`." if by_name else "")


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


def _report_printed(printed: _Printed) -> str:
    if printed.count <= MAX_PRINTED:
        return printed.kept
    return f"{printed.kept}\n... and {printed.count - MAX_PRINTED:,} characters more"


def _explain_error(error: BaseException) -> dict[str, Any]:
    if isinstance(error, _TimeUp):
        return {"problem": Problem.RAN_TOO_LONG}
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
        return str.__str__(str(error))
    except BaseException:
        return "(an error whose message cannot be shown)"


_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_HERE = str(Path(__file__).parents[1])


def _is_learners(filename: str) -> bool:
    return not filename.startswith((*_LIBRARIES, _HERE, "<frozen"))


def _changed(was: Any, now: Any) -> bool:
    try:
        return difference(was, to_plain(now), rtol=0, atol=0) is not None
    except NotPlain:
        return True
