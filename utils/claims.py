"""A claim: a sentence of a lesson with the measurement that it rests on, tried wherever the lesson runs."""

import os
import re
from collections.abc import Sequence
from statistics import fmean

from utils import data, frontend
from utils.notebook import answer_in_use
from utils.strict import strict
from utils.training import pick_device

CLAIM = "application/vnd.reach.claim+json"
"""The media type under which a claim is stored in its notebook; `make course` collects them."""

Measured = float | int | str | Sequence[float]


class ClaimFailed(AssertionError):
    """Raised in strict mode (`REACH_STRICT=claims`) for a claim that does not hold where it should."""


def claim(
    text: str, holds: bool, *, of: str | None = None, whose: str = "", unit: str = "", **measured: Measured
) -> None:
    """Say a sentence of the lesson with what was measured, in one line: `✓ text: name 2.31 bits, …`.

    A learner sees ✗ and why where it does not hold, and the lesson goes on. In strict mode it is an error, unless the
    run is of another kind than the claim speaks of: other data, a GPU, or a rehearsal (`REACH_TRAINING=short`).

    Args:
        text: the sentence, without a full stop.
        holds: whether it is true here, by what was measured.
        of: the data set that it speaks of, such as "mnist"; None for a claim that holds with any, or without data.
        whose: of whose model it was measured, where a learner's own takes the place of the course's: "your model". Then
            what fails is said to fail with that model, and not on this machine.
        unit: of all the numbers, such as "bits"; say "s of processor time" and not "s" alone.
        measured: what it rests on: numbers, or one number for each seed, shown by mean and range. A name is shown
            with blanks, and `at_1_5` as "at 1.5".

    Raises ClaimFailed; and ValueError for a claim without a measurement, which would be an opinion.
    """
    if not measured:
        raise ValueError(f"The claim {text!r} says nothing of what was measured. Add the numbers: claim(…, bits=2.3).")
    holds, why_not_here = bool(holds), _other_kind_of_run(of)
    numbers = ", ".join(f"{spoken(name)} {shown(value, unit)}" for name, value in measured.items())
    verdict = "✓" if holds else f"✗ not {why_not_here or _blamed(whose)}:"
    stored = {"text": text, "holds": holds, "measured": dict(measured), "unit": unit, "of": of}
    line = f"<small>{frontend.marked_up(f'{verdict} {text}')}: <i>{frontend.marked_up(numbers)}</i></small>"
    frontend.show({CLAIM: stored, "text/html": line, "text/plain": f"{verdict} {text}: {numbers}"})
    if not holds and not why_not_here and strict("claims"):
        raise ClaimFailed(f"{text}: {numbers}")


def _blamed(whose: str) -> str:
    """What fails in a payoff, or of a learner's model, is more likely the learner's code than the machine."""
    if answer := answer_in_use.get():
        return f"with your `{answer}`"
    return f"with {whose}" if whose.startswith("your ") else "on this machine"


def _other_kind_of_run(of: str | None) -> str:
    """In which way this run is none that the claim speaks of; "" where it is one."""
    if of is not None and of not in data.loaded():
        return f"with this data ({', '.join(sorted(data.loaded())) or 'none'} instead of {of})"
    if os.environ.get("REACH_TRAINING"):
        return "in a rehearsal"
    return "on this GPU" if pick_device().type != "cpu" else ""


def spoken(name: str) -> str:
    """The name of a number as a reader sees it. A single digit before an underscore and digits begins a decimal."""
    said = re.sub(r"(?<!\d)(?<!\d_)(\d)_(\d+)(?!\d|_\d)", r"\1.\2", name).replace("_", " ")
    return f"{said}:" if said[-1].isdigit() else said  # two numbers in a row are hard to read


def shown(value: Measured, unit: str) -> str:
    """A measured value as a reader sees it, with its unit; one number for each seed by mean and range."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return f"{_number(value)} {unit}".strip()
    spread = f"{_number(fmean(value))} {unit}".strip()
    if len(value) == 1:
        return spread
    lowest, highest = _number(min(value)), _number(max(value))
    of = f"mean of {len(value)}, {lowest} to {highest}" if lowest != highest else f"each of {len(value)}"
    return f"{spread} ({of})"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
