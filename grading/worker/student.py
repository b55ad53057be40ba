"""The process that belongs to one submission: it runs the cells, and calls answers when the judge asks.

Nothing that it sends is believed. It holds what a cheat could want to change, and nothing that would help it.
"""

import base64
import os
import pickle
import random
import socket
import sys
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch

from grading.worker import wire
from grading.worker.cells import Shell, run_cell
from grading.worker.no_compiler import replace_compiler
from grading.worker.no_gpu import replace_gpu, without_gpu
from utils.checking import calling
from utils.checking.calling import Outcome, Problem
from utils.checking.gpu import asks_for_gpu
from utils.checking.outcome import Case
from utils.checking.plain import size

TOGETHER_SECONDS = 0.05  # outcomes that come within this time are sent together
TOGETHER_SIZE = 200_000  # until they hold this much, see `utils.checking.plain.size`
IDLE_SECONDS = 3_600  # an abandoned child does not stay for ever


def serve(channel: socket.socket, shell: Shell) -> None:
    """Answer the judge's requests until it hangs up."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    replace_compiler()
    while True:
        try:
            request = wire.receive(channel, IDLE_SECONDS)
        except (wire.BadMessage, wire.TooSlow):
            return
        channel.settimeout(None)
        for frame in _replies(shell, request):
            channel.sendall(frame)


def _replies(shell: Shell, request: dict[str, Any]) -> Iterator[bytes]:
    if request["do"] == "call":
        del request["do"]
        return _in_few_frames(_call(shell, **request))
    return iter([_reply(shell, request)])


def _reply(shell: Shell, request: dict[str, Any]) -> bytes:
    match request.pop("do"):
        case "run":
            _look_for_modules_here()
            _replace_gpu_for(request["source"])
            outputs = run_cell(shell, request["source"])
            try:
                return wire.pack(outputs)
            except wire.BadMessage as error:
                too_much = f"(The outputs of this cell were not kept: {error}.)"
                return wire.pack([{"output_type": "stream", "name": "stderr", "text": too_much}])
        case "inspect":
            return _pack_outcome(_inspect(shell, **request) or Outcome())
        case "measure":  # the judge's own function on plain values; no student's code is in this process
            return _pack_outcome(calling.call(_load(request.pop("measure")), **request))
    raise ValueError("the judge asked for something unknown")


def _look_for_modules_here() -> None:
    """As in Jupyter, a cell can import the file that an earlier one has just written into the current folder."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    sys.path_importer_cache.pop(os.getcwd(), None)  # what it knew of the folder may be a few milliseconds old


_gpu_replaced = False


def _replace_gpu_for(source: str) -> None:
    """Let a GPU's names mean the processor from the first cell on that asks for one."""
    global _gpu_replaced
    if not _gpu_replaced and asks_for_gpu(source):
        replace_gpu()
        _gpu_replaced = True


def _inspect(shell: Shell, name: str, parameters: list[str], count: int) -> Outcome | None:
    if name not in shell.user_ns:
        return Outcome(problem=Problem.NOT_ATTEMPTED, detail=name)
    return calling.signature_problem(shell.user_ns[name], parameters, count)


def _call(
    shell: Shell, name: str, cases: list[tuple], ask: str, seconds: float, first_alone: bool
) -> Iterator[Outcome]:
    ask_here = without_gpu(_load(ask)) if _gpu_replaced else _load(ask)
    asked = [Case(args, index, secret=0) for index, args in cases]  # the secret stays with the judge
    return calling.call_each(shell.user_ns.get(name), asked, ask=ask_here, seconds=seconds, first_alone=first_alone)


def _in_few_frames(outcomes: Iterator[Outcome]) -> Iterator[bytes]:
    """Frames of one list of outcomes each: what comes soon after one another, and is not large, goes together."""
    waiting, sent = [], time.monotonic()
    for outcome in outcomes:
        waiting.append(outcome)
        if time.monotonic() - sent > TOGETHER_SECONDS or sum(size(one.value) for one in waiting) > TOGETHER_SIZE:
            yield from _pack_outcomes(waiting)
            waiting, sent = [], time.monotonic()
    yield from _pack_outcomes(waiting)


def _pack_outcomes(outcomes: list[Outcome]) -> Iterator[bytes]:
    if not outcomes:
        return
    try:
        yield wire.pack([_fields(one) for one in outcomes])
    except wire.BadMessage as error:
        if len(outcomes) > 1:
            for one in outcomes:
                yield from _pack_outcomes([one])
        else:
            yield wire.pack([_fields(_cannot_be_compared(error))])


@cache
def _load(ask: str):
    """The judge's way of asking, which is the judge's own code: this direction may be unpickled."""
    return pickle.loads(base64.b64decode(ask))


def _pack_outcome(outcome: Outcome) -> bytes:
    try:
        return wire.pack(_fields(outcome))
    except wire.BadMessage as error:
        return wire.pack(_fields(_cannot_be_compared(error)))


def _fields(outcome: Outcome) -> dict[str, Any]:
    problem = outcome.problem and str(outcome.problem)
    return {"value": outcome.value, "problem": problem, "detail": outcome.detail, "printed": outcome.printed}


def _cannot_be_compared(error: wire.BadMessage) -> Outcome:
    detail = f"It returned a value that cannot be compared: {error}."
    return Outcome(problem=Problem.NOT_PLAIN, detail=detail)
