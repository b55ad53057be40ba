"""The process of one submission, seen from the judge's side: what it is asked, what it uses, how it ended."""

import contextlib
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import psutil

from grading.sandbox import bubblewrap
from grading.sandbox.usage import below, processor_seconds, queue_seconds
from grading.worker.isolation import Limits
from utils.checking.deadline import WALL_FACTOR

if TYPE_CHECKING:
    from grading.sandbox.sandbox import Sandbox

START_SECONDS = 30
WATCH_SECONDS = 0.25  # between two looks at what a submission uses
STARVED = 0.1  # of the time by the clock: who waited longer for a processor may blame the machine
CREDENTIALS = struct.Struct("iII")  # process, user, group: what the kernel says of a sender, see unix(7)


@dataclass(frozen=True)
class Ended:
    """What a student's process used: CPU seconds, and its largest resident size."""

    seconds: float
    peak_megabytes: float


class MachineAtFault(Exception):
    """The machine did not give a submission what its limits allow it. The message says what was lacking."""


class SandboxLost(MachineAtFault):
    """The sandbox itself has ended, which no submission can bring about: somebody killed it, or memory ran out."""

    def __init__(self) -> None:
        super().__init__("the sandbox was ended from outside")


class TooMuchMemory(Exception):
    """All processes of a submission together went over the limit."""


class TooMuchTime(Exception):
    """All processes of a submission together took more processor time than they had for a reply."""


class StudentProcess:
    """Whatever comes back through `ask` is untrusted.

    Attributes:
        starved: seconds, so far, in which it was ready to run while it was asked, and the machine had no processor for
            it. Not counted are the first tenth of a second of each question, and what its own processes took.
    """

    def __init__(self, sandbox: "Sandbox", number: int, channel: socket.socket, limits: Limits):
        self._sandbox, self._number, self._channel, self._limits = sandbox, number, channel, limits
        self._out_of_memory = sandbox.out_of_memory()
        self._ended: Ended | None = None
        self.starved = 0.0
        try:
            channel.settimeout(START_SECONDS)
            word, sender = _first_word(channel)
            if word != b"!":
                self._gone_before_it_began()
            self._process = psutil.Process(sender)
            self._seconds = processor_seconds([self._process])
        except (OSError, psutil.Error):
            self.end()
            raise MachineAtFault(f"the machine could not start a process in {START_SECONDS} s") from None

    def seconds(self) -> float:
        """Processor time, up to its last reply, of the process and of what it started and has waited for."""
        return self._seconds

    def ask(self, request: dict[str, Any] | bytes, seconds: float) -> Any:
        """Send a request and return the reply, plain values of any shape.

        Args:
            request: what `grading.worker.student` understands, or the same as a frame that was packed before. Where a
                request has several replies, an empty frame waits for the next one.
            seconds: of processor time, of all processes of the submission together. On the clock it may take
                WALL_FACTOR times as long.

        Raises:
            TooMuchTime, wire.TooSlow: if no whole reply came within the processor time, or by the clock.
            wire.BadMessage: if what came is no message, or the process is gone.
            TooMuchMemory: if the submission's processes went over the limit.
            MachineAtFault: if no reply came since the machine lacked memory or a processor, or the sandbox is gone.
        """
        from grading.worker import wire  # it imports torch, and the warm process is to start before that

        wall_seconds = seconds * WALL_FACTOR
        watch = _Watch(self, seconds)
        self._channel.settimeout(wall_seconds)
        try:
            self._channel.sendall(request if isinstance(request, bytes) else wire.pack(request))
            return wire.receive(self._channel, wall_seconds, meanwhile=watch)
        except (wire.TooSlow, TimeoutError):
            watch.look_at_the_queue()
            if was_starved(self.starved - watch.starved_before, wall_seconds):
                raise MachineAtFault("the machine was too busy to run it") from None
            raise wire.TooSlow from None
        except (wire.Gone, OSError):
            self._gone()
        finally:
            watch.close()
            self._seconds = max(self._seconds, processor_seconds([self._process]))

    def end(self) -> Ended:
        """End the process and all that it started, and say what it used."""
        if self._ended is None:
            self._channel.close()
            self._ended = self._sandbox.end_process(self._number)
        return self._ended

    def memory(self) -> float:
        """Megabytes that are in use in the sandbox, beyond those of the warm process."""
        return self._sandbox.memory() - self._sandbox.warm_megabytes

    def _gone_before_it_began(self) -> NoReturn:
        if self._sandbox.lost():
            raise SandboxLost
        if self._sandbox.out_of_memory().kills > self._out_of_memory.kills:
            raise MachineAtFault("the machine had no memory left")
        raise bubblewrap.NoSandbox("A process could not be locked in: the kernel refused a namespace or a filter.")

    def _gone(self) -> NoReturn:
        """Raise what says why the process has ended, and whose doing it was."""
        from grading.worker import wire

        if self._sandbox.lost():
            raise SandboxLost from None
        now = self._sandbox.out_of_memory()
        if now.kills > self._out_of_memory.kills:
            if now.limits_reached > self._out_of_memory.limits_reached or self._took_its_memory():
                raise TooMuchMemory from None
            raise MachineAtFault("the machine had no memory left") from None
        raise wire.Gone("the process has ended") from None

    def _took_its_memory(self) -> bool:
        """Whether one of its processes, which have ended, had taken all the memory that the submission has."""
        return self.end().peak_megabytes - self._sandbox.warm_megabytes > self._limits.memory_megabytes


def was_starved(waited: float, clock: float) -> bool:
    """Whether of so many seconds by the clock a submission waited that many for a processor that it did not get."""
    return waited > STARVED * clock


class _Watch:
    """Looks at what a submission uses while a reply is awaited, and raises once that is too much.

    Call it often: it looks four times a second.
    """

    def __init__(self, student: StudentProcess, seconds: float):
        self.starved_before = student.starved
        self._student, self._seconds = student, seconds
        self._looked, self._stop_at = 0.0, None
        self._used = 0.0
        self._queue: dict[tuple[int, str], float] | None = None

    def __call__(self) -> None:
        if time.monotonic() - self._looked < WATCH_SECONDS:
            return
        if self._student.memory() > self._student._limits.memory_megabytes:
            raise TooMuchMemory
        used = self.look_at_the_queue()
        self._stop_at = used + self._seconds if self._stop_at is None else self._stop_at
        if used > self._stop_at:
            raise TooMuchTime
        self._looked = time.monotonic()

    def look_at_the_queue(self) -> float:
        """Add up how long the submission has waited for a processor; return how long it has had one."""
        processes = [self._student._process, *below(self._student._process.pid)]
        used, queue = processor_seconds(processes), queue_seconds(processes)
        if self._queue is not None:
            longest = max((waited - self._queue.get(one, waited) for one, waited in queue.items()), default=0.0)
            self._student.starved += max(0.0, longest - (used - self._used))
        self._used, self._queue = used, queue
        return used

    def close(self) -> None:
        """A last look, where there was a first."""
        if self._queue is not None:
            with contextlib.suppress(psutil.Error):
                self.look_at_the_queue()


def _first_word(channel: socket.socket) -> tuple[bytes, int]:
    """The byte that a process sends when it is locked in, and the number that it has out here; b"" if it is gone."""
    word, attached, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(CREDENTIALS.size))
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
    return word, CREDENTIALS.unpack(attached[0][2])[0] if attached else 0
