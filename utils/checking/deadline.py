"""Run an answer for so many seconds of processor time, and see where it stays if it does not end."""

import contextlib
import ctypes
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from types import FrameType
from typing import Protocol

from utils.checking.learners import line_of, own_frames
from utils.checking.shorten import shorten

WALL_FACTOR = 4.0
"""An answer may take this many times its processor seconds by the clock: on a busy machine it waits for its turn."""

PATIENCE = 0.5  # seconds that an answer gets to end after it was told to stop
LOOK_EVERY = 0.05  # seconds


class TimeUp(BaseException):
    """Raised inside an answer that ran too long. Not an Exception, so `except Exception` does not catch it."""


@dataclass(frozen=True)
class Run:
    """How a run went: whether it came to its end by itself, its processor seconds, and where it was stopped."""

    ended: bool
    alive: bool  # it swallowed the order to stop and runs on
    seconds: float
    where: str = ""


class Lane(Protocol):
    """What runs a function in a thread, see `utils.checking.lane`."""

    thread: threading.Thread | None

    def start(self, function: Callable[[], None]) -> threading.Event: ...

    def leave(self) -> None: ...


def run_with_deadline(work: Callable[[], None], seconds: float, lane: Lane) -> Run:
    """Run `work` in a thread of the lane, so that the notebook gets its kernel back whatever the answer does.

    It is stopped after `seconds` of processor time, or after WALL_FACTOR times as many by the clock: a thread that
    sleeps uses no processor. A loop in C that keeps the interpreter's lock cannot be stopped, by nobody.
    """
    clock = _ThreadClock()

    def until_told_to_stop() -> None:
        clock.start()
        with contextlib.suppress(TimeUp):
            work()
        clock.stop()

    over = lane.start(until_told_to_stop)
    thread = lane.thread
    assert thread is not None  # it was started
    sightings = Sightings()
    try:
        _wait(over, thread, clock, seconds, sightings)
        ended = over.is_set()
    finally:  # also when the learner interrupts the cell
        if not over.is_set():
            lane.leave()  # what is still to come to this thread is not for another call
            _stop(over, thread)
    where = "" if ended else sightings.sentence(clock.seconds())
    return Run(ended, not over.is_set(), clock.seconds(), where)


def _wait(
    over: threading.Event, thread: threading.Thread, clock: "_ThreadClock", seconds: float, sightings: "Sightings"
) -> None:
    """Return when the work is over or its time is."""
    last_moment = time.monotonic() + WALL_FACTOR * seconds
    while not over.wait(min(LOOK_EVERY, seconds)) and clock.seconds() < seconds and time.monotonic() < last_moment:
        if clock.seconds() > seconds / 2 or time.monotonic() > last_moment - seconds:
            assert thread.ident is not None  # it was started
            sightings.add(sys._current_frames().get(thread.ident))


def _stop(over: threading.Event, thread: threading.Thread) -> None:
    deadline = time.monotonic() + PATIENCE
    assert thread.ident is not None  # it was started
    while not over.is_set() and time.monotonic() < deadline:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp))
        over.wait(0.05)


class _ThreadClock:
    """Processor seconds of one thread, readable from another; of the whole process where the system cannot tell."""

    def __init__(self) -> None:
        self._read: Callable[[], float] = lambda: 0.0
        self._total: float | None = None

    def start(self) -> None:
        """Called in the thread itself: the clock of a thread that has ended must not be asked for."""
        if hasattr(time, "pthread_getcpuclockid"):
            clock = time.pthread_getcpuclockid(threading.get_ident())
            begin = time.clock_gettime(clock)
            self._read = lambda: time.clock_gettime(clock) - begin
        else:
            begin = time.process_time()
            self._read = lambda: time.process_time() - begin

    def stop(self) -> None:
        self._total = self.seconds()

    def seconds(self) -> float:
        if self._total is None:
            try:
                return self._read()
            except OSError:  # the thread ended between two looks
                return self._total or 0.0
        return self._total


@dataclass
class Sightings:
    """The learner's calls that were open at every look, and the lines at which each was seen."""

    looks: int = 0
    lines: dict[FrameType, list[int]] = field(default_factory=dict)

    def add(self, frame: FrameType | None) -> None:
        own = own_frames(frame)
        if self.looks:
            own = [one for one in own if one in self.lines]
        self.lines = {one: [*self.lines.get(one, ()), one.f_lineno] for one in own}
        self.looks += 1

    def sentence(self, seconds: float) -> str:
        """Where it stayed: a loop is guessed only where one call was open all the time, and went back or began one."""
        if self.looks < 2 or not self.lines:
            return ""
        frame, numbers = next(iter(self.lines.items()))
        if seconds < LOOK_EVERY:
            waits = line_of(frame, max(numbers))
            return f"It used no processor: it waited in line {max(numbers)} of {_name(frame)}: {shorten(waits, 100)}"
        first, last = min(numbers), max(numbers)
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        said = f"All that time it was in {where} of {_name(frame)}: {shorten(line_of(frame, first), 100)}".rstrip(": ")
        loops = any(later < earlier for earlier, later in pairwise(numbers)) or _begins_a_loop(line_of(frame, first))
        return (
            f"{said}\nIs there a loop that never ends? Or one that goes through far too many cases?" if loops else said
        )


def _begins_a_loop(line: str) -> bool:
    return re.search(r"^while\b|\bfor\b.*\bin\b", line.partition("#")[0]) is not None


def _name(frame: FrameType) -> str:
    name = frame.f_code.co_name
    return "the answer" if name.startswith("<") else f"`{name}`"
