"""What a submission's process replied, once it has been looked at: an outcome, or an incident with a name."""

from typing import Any

from nbformat import NotebookNode

from utils.checking.calling import Outcome, Problem
from utils.checking.plain import NotPlain, readable, to_plain

MAX_TEXT = 5_000  # characters of what an answer raised or printed


class Incident(Exception):
    """The submission did something that kept it from being asked on; the message says what."""


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
