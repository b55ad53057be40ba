"""An answer's calls share a thread only as long as nobody could tell."""

import contextvars
import sys
import threading

import pytest
import torch

from utils.checking.calling import call_each
from utils.checking.lane import Lane
from utils.checking.outcome import Case

COUNTED = contextvars.ContextVar("COUNTED", default=0)


ENTERED = torch.inference_mode()


def threads_of(*functions) -> list[threading.Thread]:
    """The thread that each ran in."""
    seen = []
    with Lane() as lane:
        for function in functions:
            lane.start(lambda function=function: (seen.append(threading.current_thread()), function())).wait()
    return seen


def nothing() -> None:
    pass


def test_calls_that_leave_nothing_share_a_thread():
    assert len(set(threads_of(nothing, lambda: torch.ones(3).sum(), nothing))) == 1


def raise_an_error() -> None:
    raise SystemExit("whatever")


@pytest.mark.parametrize(
    "leave",
    [
        lambda: torch.set_grad_enabled(False),
        lambda: torch.set_default_device("meta"),
        lambda: torch.autocast("cpu").__enter__(),
        lambda: ENTERED.__enter__(),
        lambda: sys.settrace(lambda *event: None),
        raise_an_error,
    ],
    ids=["gradients off", "a device", "autocast", "inference", "a trace", "an error"],
)
def test_a_call_that_leaves_something_has_had_its_thread_alone(leave):
    first, second = threads_of(leave, nothing)
    assert first is not second


def test_a_call_does_not_see_the_context_of_the_one_before():
    seen = []
    threads_of(lambda: COUNTED.set(1), lambda: seen.append(COUNTED.get()))
    assert seen == [0]


def test_each_case_is_called_as_if_it_were_the_first():
    def answer(number):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        return [number, str(torch.ones(1).dtype)]

    outcomes = list(call_each(lambda n: (torch.is_grad_enabled(), str(torch.ones(1).dtype), answer(n)), cases(2)))
    assert [outcome.value[:2] for outcome in outcomes] == [(True, "torch.float32")] * 2
    assert torch.get_default_dtype() is torch.float32 and torch.is_grad_enabled()


def test_after_a_call_that_ran_too_long_no_other_is_asked():
    def endless(number):
        while True:
            number += 1

    [outcome] = call_each(endless, cases(3), seconds=0.2)
    assert outcome.problem == "ran too long"


def cases(count: int) -> list[Case]:
    return [Case((number,), number, 0) for number in range(count)]
