"""Call an answer that nobody trusts yet, and say what happened in plain values.

This half of a check runs beside the answer: in the notebook's own process, or in another one when a submission is
graded. What leaves it is an `Outcome`, made of plain values alone.
"""

import inspect
import sys
import traceback
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from types import GeneratorType
from typing import Any

import torch

from utils.checking.capture import Printed, captured
from utils.checking.compare import difference
from utils.checking.deadline import WALL_FACTOR, TimeUp, run_with_deadline
from utils.checking.gpu import advice_on, on_gpu
from utils.checking.lane import Lane
from utils.checking.learners import is_learners
from utils.checking.outcome import Case, Outcome, Problem
from utils.checking.plain import NotPlain, copied, readable, to_plain, type_name
from utils.checking.shorten import shorten
from utils.checking.state import fixed_state, seed_all, set_for_all_threads
from utils.checking.warm import warm_up

LEAST_SECONDS = 0.1  # that a case has, however long the others took
OURS = 10.0  # times the seconds of an answer, for the course's own code: no answer is to blame for a busy machine
LAST = (Problem.NOT_ATTEMPTED, Problem.RAN_TOO_LONG)  # after these no case would tell anything new

__all__ = ["OURS", "WALL_FACTOR", "Outcome", "Problem", "call", "call_each", "direct", "measure", "signature_problem"]


def direct(answer: Callable, *args: Any) -> Any:
    """The usual way to ask: call the answer with the case's values."""
    return answer(*args)


def call(answer: Any, args: tuple, *, ask: Callable = direct, seconds: float = 5.0, seed: int = 0) -> Outcome:
    """Ask `answer` about one case and return the outcome; never raises what the answer raises.

    Args:
        answer: what the learner handed in.
        args: the case, plain values. The answer gets a copy.
        ask: turns an answer and a case into a plain value; it runs beside the answer.
        seconds: of the processor; the answer is stopped when it has used that many, or has waited several times as
            long. Where it was importing modules, it is asked once more, since the next call will not have to.
        seed: random numbers inside the answer start from here; those outside are left as they were.
    """
    with fixed_state(), Lane() as lane:
        return _call(answer, args, ask, seconds, seed, lane)


def call_each(
    answer: Any, cases: Iterable[Case], *, ask: Callable = direct, seconds: float = 5.0, first_alone: bool = True
) -> Generator[Outcome, None, None]:
    """Ask about case after case, and stop after one where going on would tell nothing more.

    All have `seconds` together, except that the first, with `first_alone`, has that time for itself: it may have to
    import what the others find there.
    """
    left, alone = seconds, first_alone
    threads = torch.get_num_threads()
    with fixed_state(), Lane() as lane:
        for case in cases:
            set_for_all_threads(torch.float32, threads)  # whatever the call before has made of it
            outcome = _call(answer, case.args, ask, max(left, LEAST_SECONDS), case.index, lane)
            left -= 0.0 if alone else outcome.seconds
            alone = False
            yield outcome
            if outcome.problem in LAST:
                return


def _call(answer: Any, args: tuple, ask: Callable, seconds: float, seed: int, lane: Lane) -> Outcome:
    if ask is not direct:
        warm_up()
    loaded = len(sys.modules)
    outcome, stopped = _call_once(answer, args, ask, seconds, seed, lane)
    if outcome.problem is Problem.RAN_TOO_LONG and stopped and len(sys.modules) > loaded:
        outcome, _ = _call_once(answer, args, ask, seconds, seed, lane)
    return outcome


def _call_once(answer: Any, args: tuple, ask: Callable, seconds: float, seed: int, lane: Lane) -> tuple[Outcome, bool]:
    """The outcome, and whether the answer's thread is over."""
    result: dict[str, Any] = {}
    printed = Printed()

    def work() -> None:
        try:
            seed_all(seed)
            result.update(_ask_and_inspect(answer, args, ask))
        except BaseException as error:  # an answer may raise anything, SystemExit and KeyboardInterrupt included
            result.update(_explain_error(error))

    with captured(printed):
        run = run_with_deadline(work, seconds, lane)
    if not run.ended or not result or result.get("problem") is Problem.RAN_TOO_LONG:
        stuck = "\nIt could not be stopped: restart the kernel." if run.alive else ""
        result = {"problem": Problem.RAN_TOO_LONG, "detail": (run.where + stuck).strip()}
    result["detail"] = readable(result.get("detail", ""))
    return Outcome(**result, printed=readable(printed.report()), seconds=run.seconds), not run.alive


def measure(function: Callable, value: Any, args: tuple, *, seconds: float = 5.0, seed: int = 0) -> Outcome:
    """Have an exercise's `measure` look at what its `ask` came back with; as `call`, whatever the value holds.

    Args:
        seconds: that the answer had. This takes OURS times as many at most.
    """
    outcome = call(function, (value, *args), seconds=OURS * seconds, seed=seed)
    if outcome.problem is Problem.RAN_TOO_LONG:
        return replace(outcome, detail=f"To measure it took longer than {OURS * seconds:g} s, and was given up.")
    return outcome


def _ask_and_inspect(answer: Callable, args: tuple, ask: Callable) -> dict[str, Any]:
    """The fields of the outcome of one call that returned."""
    given = copied(args)
    value = ask(answer, *given)
    for index, (was, now) in enumerate(zip(args, given, strict=True)):
        if _changed(was, now):
            return {"problem": Problem.CHANGED_ARGUMENTS, "detail": str(index)}
    if value is None:
        return {"problem": Problem.RETURNED_NOTHING, "detail": "It returned None. Is there a `return` at the end?"}
    if isinstance(value, GeneratorType):
        detail = "It returned a generator, which gives its values one by one. Collect them: return list(...)."
        return {"problem": Problem.NOT_PLAIN, "detail": detail}
    try:
        return {"value": to_plain(value), "on_gpu": on_gpu(value)}
    except NotPlain as error:
        found = str(error)
    except Exception:  # an object that misbehaves when it is looked at
        found = "a value that cannot be read"
    detail = f"It returned {found}. A check compares numbers, strings, tensors, and lists or dicts of them."
    return {"problem": Problem.NOT_PLAIN, "detail": detail}


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
        return Outcome(problem=Problem.PARAMETERS, detail=_explain_parameters(answer, theirs, parameters[:count]))
    return None


def _explain_parameters(answer: Any, theirs: inspect.Signature, names: list[str]) -> str:
    called = f"It is called with {_values(len(names))} ({', '.join(names)}), by position; "
    if isinstance(answer, type):
        return f"You passed the class {answer.__name__}. {called}pass a function, or an object that can be called."
    by_name = [name for name, one in theirs.parameters.items() if one.kind is one.KEYWORD_ONLY]
    others = [name for name in theirs.parameters if name not in by_name]
    detail = f"{called}yours takes {len(others)} ({', '.join(others) or 'none'})."
    return detail + (f" {', '.join(by_name)} can only be given by name: remove the `*`." if by_name else "")


def _values(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"


def _explain_error(error: BaseException) -> dict[str, Any]:
    if isinstance(error, TimeUp):
        return {"problem": Problem.RAN_TOO_LONG}
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_learners(frame.filename)]
    if isinstance(error, NotImplementedError) and own and frames[-1] is own[-1] and _is_stub(error, own[-1].line):
        return {"problem": Problem.NOT_ATTEMPTED, "detail": own[-1].name}
    detail = shorten(f"{type(error).__name__}: {_message(error)}".rstrip(": "))
    if own:
        where = "that code" if own[-1].name.startswith("<") else f"`{own[-1].name}`"
        detail += f"\nin line {own[-1].lineno} of {where}: {shorten(own[-1].line or '', 120)}".rstrip(": ")
    if advice := advice_on(_message(error)):
        detail += f"\n{advice}"
    return {"problem": Problem.RAISED, "detail": detail}


def _is_stub(error: NotImplementedError, line: str | None) -> bool:
    """A stub raises the error itself; torch raises one too, with a message, where an operation is missing."""
    return "NotImplementedError" in line if line else not error.args


def _message(error: BaseException) -> str:
    try:
        return str.__str__(str(error))
    except BaseException:
        return "(an error whose message cannot be shown)"


def _changed(was: Any, now: Any) -> bool:
    if was is now:  # a number or a text: what can be changed was copied
        return False
    if type(was) is type(now) is torch.Tensor and was.dtype is now.dtype and torch.equal(was, now):
        return False  # the usual case, ten times as fast as to look for a difference
    try:
        return difference(to_plain(was), to_plain(now), rtol=0, atol=0) is not None
    except NotPlain:
        return True
