"""What a submission's process replied, once it has been looked at: an outcome, or an incident with a name."""

from typing import Any

from nbformat import NotebookNode

from utils.checking.calling import LAST, Outcome, Problem
from utils.checking.plain import NotPlain, readable, to_plain

MAX_TEXT = 5_000  # characters of what an answer raised or printed


class Incident(Exception):
    """The submission did something that kept it from being asked on; the message says what."""


def outcomes_of(reply: Any, seconds: float, arguments: list[int]) -> list[Outcome]:
    """The outcomes of the next calls that a reply claims, at least one; the first of them has all the seconds.

    Args:
        reply: what came.
        seconds: of the processor that it took.
        arguments: for each call that has no outcome yet, with how many it was called.

    Raises Incident if it holds anything else.
    """
    if not isinstance(reply, list) or not 0 < len(reply) <= len(arguments):
        raise Incident("sent what is no reply")
    times = [seconds] + [0.0] * (len(reply) - 1)
    outcomes = [outcome_of(*one) for one in zip(reply, times, arguments, strict=False)]
    if any(outcome.problem in LAST for outcome in outcomes[:-1]):
        raise Incident("sent what is no reply")
    return outcomes


def outcome_of(reply: Any, seconds: float, arguments: int) -> Outcome:
    """The outcome that a reply claims. Raises Incident if it is none."""
    if not isinstance(reply, dict):
        raise Incident("sent what is no reply")
    detail, printed = reply.get("detail", ""), reply.get("printed", "")
    if not isinstance(detail, str) or not isinstance(printed, str):  # str() of anything else may take for ever
        raise Incident("sent what is no reply")
    detail, printed = readable(detail[:MAX_TEXT]), readable(printed[:MAX_TEXT])
    try:
        problem = None if reply.get("problem") is None else Problem(reply["problem"])
        value = to_plain(reply.get("value"))
    except (ValueError, NotPlain):
        raise Incident("sent what is no reply") from None
    made_up = problem is Problem.CHANGED_ARGUMENTS and detail not in map(str, range(arguments))
    if made_up or problem is Problem.MALFORMED:
        raise Incident("sent what is no reply")
    return Outcome(value=None if problem else value, problem=problem, detail=detail, printed=printed, seconds=seconds)


def error_in(outputs: list[NotebookNode]) -> str:
    """The error that a cell ended with, as its outputs say; empty if there is none."""
    errors = [output for output in outputs if output.output_type == "error"]
    return f"{errors[0].ename}: {errors[0].evalue}"[:300] if errors else ""
