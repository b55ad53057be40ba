"""What the first cell of every notebook calls, and the cells that wait for an exercise."""

import contextlib
import os
import platform
import statistics
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from importlib.metadata import version
from typing import TYPE_CHECKING

from utils import frontend
from utils.strict import strict

if TYPE_CHECKING:
    import torch


def setup(seed: int = 0) -> "torch.device":
    """Fix the seeds, set the style of the figures, say which versions run, and return the device to use."""
    from utils.plotting.alt_text import describe_figures
    from utils.plotting.style import use_style
    from utils.training import pick_device, seed_everything

    seed_everything(seed)
    use_style()
    describe_figures()
    device = pick_device()
    if os.environ.get("REACH_REQUIRE_CUDA") == "1" and device.type != "cuda":
        raise RuntimeError(f"REACH_REQUIRE_CUDA=1 asks for CUDA, but the only device here is {device}.")
    print(f"Python {platform.python_version()}, torch {version('torch')}, running on {device}.")
    return device


answer_in_use: ContextVar[str] = ContextVar("answer_in_use", default="")
"""The name of the learner's answer that a cell uses: inside its `payoff`. Elsewhere it is empty."""


@contextlib.contextmanager
def payoff(name: str) -> Iterator[None]:
    """A cell that uses the learner's own answer, and never stops "Run all".

    While the answer is a stub, it waits politely. Where a wrong answer breaks in it, one line points to the check. In
    strict mode (`REACH_STRICT=checks`: the solutions, CI) whatever breaks is an error.
    """
    token = answer_in_use.set(name)
    try:
        yield
    except Exception as error:
        if strict("checks"):
            raise
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")  # no half-drawn figure below the message
        answer = _answer_that_raised(error) or name
        if isinstance(error, NotImplementedError):
            print(f"This cell waits for your `{answer}`. Write it above, then run this cell again.")
        elif missing := _missing_in_the_cell(error):
            print(f"This cell needs `{missing}`. Run the cells above it first, then this one again.")
        else:
            what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            print(f"Your `{answer}` broke in this cell ({what}). See what its check says above.")
    finally:
        answer_in_use.reset(token)


def _missing_in_the_cell(error: Exception) -> str:
    """The name that the cell itself does not find: whoever wrote the answer has skipped a cell. Empty for all else."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    if isinstance(error, NameError) and frame.f_code.co_name == "<module>":
        return error.name or ""
    return ""


def _answer_that_raised(error: Exception) -> str:
    """The exercise of this notebook whose answer raised it, or called what did: a cell may use several."""
    for frame, _ in reversed([*traceback.walk_tb(error.__traceback__)]):
        name = frame.f_code.co_qualname.partition(".")[0]  # of a class, for its methods
        if hasattr(frame.f_globals.get("check"), name):
            return name
    return ""


HEADLINE = "application/vnd.reach.headline+json"
"""The media type under which a lesson's headline results are stored in its notebook; `make course` collects them."""


def headline(data: str | None = None, **results: float | int | str | list | dict) -> None:
    """State a lesson's headline results, once, in its last section: shown as text, stored for programs.

    Args:
        data: the data set that was used ("mnist", "digits", …); None for a lesson without data.
        results: numbers, strings, lists of numbers (one for each seed), or dicts of these.
    """
    text = "\n".join(f"{name.replace('_', ' ')}: {as_text(value)}" for name, value in results.items())
    frontend.show({HEADLINE: {"data": data, "headline": results}, "text/plain": text})


def as_text(value: float | int | str | list | dict) -> str:
    """A headline value for people. Five digits, so that a mean of five accuracies is not rounded up."""
    if isinstance(value, dict):
        return "; ".join(f"{str(name).replace('_', ' ')} {as_text(item)}" for name, item in value.items())
    if isinstance(value, list):
        text = ", ".join(map(as_text, value))
        measured = all(isinstance(item, float) for item in value)  # whole numbers are often one for each setting
        return f"{text} (mean {as_text(statistics.fmean(value))})" if measured and len(value) > 1 else text
    return f"{value:.5g}" if isinstance(value, float) else str(value)
