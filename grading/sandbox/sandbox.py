"""One sandbox with a warm process in it, and the students' processes that are forked from it."""

import contextlib
import json
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from grading.sandbox import bubblewrap
from grading.sandbox.cgroup import MemoryGroup, memory_group
from grading.sandbox.usage import below, megabytes, processor_seconds
from grading.worker import wire
from grading.worker.isolation import Limits
from utils.checking.calling import WALL_FACTOR

WARM_UP_SECONDS = 120
START_SECONDS = 30
END_SECONDS = 20
WATCH_SECONDS = 0.25  # between two looks at what a submission uses
CREDENTIALS = struct.Struct("iII")  # process, user, group: what the kernel says of a sender, see unix(7)


@dataclass(frozen=True)
class Ended:
    """What a student's process used: CPU seconds, and its largest resident size."""

    seconds: float
    peak_megabytes: float


class SandboxLost(Exception):
    """The sandbox itself has ended, which no submission can bring about: somebody killed it, or memory ran out."""


class TooMuchMemory(Exception):
    """All processes of a submission together went over the limit."""


class TooMuchTime(Exception):
    """All processes of a submission together took more processor time than they had for a reply."""


class Sandbox:
    """`start_process()` gives a fresh process for one submission. Use it in a `with`, or close it.

    Args:
        data: a folder that submissions may read as $REACH_DATA.
        unsafe: no sandbox at all, for files that one wrote oneself.
        most_megabytes: of memory and private files, for the warm process and the students' together; the kernel holds
            to it where it lets us ask.
        library: the files of the course's `utils` that are in it, see `grading.sandbox.library`; None for all.

    Raises:
        NoSandbox: where none can be made.
    """

    def __init__(
        self,
        data: Path | None = None,
        unsafe: bool = False,
        most_megabytes: float = 4_000,
        library: frozenset[str] | None = None,
    ):
        if not unsafe:
            bubblewrap.check_available()
        self._most_megabytes = most_megabytes
        self._group: MemoryGroup | None = None
        self._data, self._unsafe, self._library = data, unsafe, library
        self._warm: subprocess.Popen | None = None
        self._started = 0

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """End the warm process and all that were forked from it. The next `start_process` starts another one."""
        if self._warm is not None:
            self._control.close()
            self._warm.kill()
            self._warm.wait()
            self._warm = None
        if self._group is not None:
            self._group.remove()
            self._group = None

    def start_process(self, limits: Limits) -> "StudentProcess":
        """A fresh process for one submission, locked in and waiting."""
        if self._warm is None or self._warm.poll() is not None:
            self.close()
            self._start()
        self._started += 1
        channel, theirs = socket.socketpair()
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # the kernel adds whose the first word is
        with theirs:
            request = {"start": self._started, "limits": asdict(limits)}
            socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno()])
        return StudentProcess(self, self._started, channel, limits)

    def end_process(self, number: int) -> Ended:
        """End one of the processes and all that it started."""
        try:
            self._control.send(json.dumps({"end": number}).encode())
            return Ended(**self._receive(END_SECONDS))
        except (OSError, ValueError, TypeError):  # a warm process that does not answer is replaced
            self.close()
            return Ended(0.0, 0.0)

    def lost(self) -> bool:
        """Whether the warm process has ended."""
        if self._warm is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):  # it may be about to
                self._warm.wait(0.2)
        return self._warm is None or self._warm.poll() is not None

    def kills(self) -> int:
        """How many processes the kernel has ended in this sandbox for want of memory, where it tells."""
        return self._group.kills() if self._group else 0

    def memory(self) -> float:
        """Megabytes that everything in the sandbox uses now."""
        return megabytes(below(self._warm.pid)) if self._warm else 0.0

    def _start(self) -> None:
        self._control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self._group = None if self._unsafe else memory_group(self._most_megabytes)
        with tempfile.TemporaryFile() as errors:
            with theirs:
                self._warm = subprocess.Popen(
                    self._command(theirs.fileno()),
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    preexec_fn=self._group and self._group.join,
                )
            try:
                self._receive(WARM_UP_SECONDS)
                self.warm_megabytes = self.memory()
            except (ConnectionError, TimeoutError) as error:
                self.close()
                errors.seek(0)
                said = errors.read()[-2000:].decode(errors="replace").strip()
                raise bubblewrap.NoSandbox(f"The warm process did not start ({error}): {said}") from None

    def _command(self, control: int) -> list[str]:
        return (
            bubblewrap.unsafe_command(control)
            if self._unsafe
            else bubblewrap.start_command(self._data, self._library, control)
        )

    def _receive(self, seconds: float) -> dict[str, Any]:
        """The next message of the warm process."""
        self._control.settimeout(seconds)
        message = self._control.recv(65_536)
        if not message:
            raise ConnectionError("it is gone")
        return json.loads(message)


class StudentProcess:
    """The process of one submission, seen from the judge's side. Whatever comes back through `ask` is untrusted."""

    def __init__(self, sandbox: Sandbox, number: int, channel: socket.socket, limits: Limits):
        self._sandbox, self._number, self._channel, self._limits = sandbox, number, channel, limits
        self._kills = sandbox.kills()
        channel.settimeout(START_SECONDS)
        word, sender = _first_word(channel)
        if word != b"!":
            raise bubblewrap.NoSandbox("A process could not be locked in: the kernel refused a namespace or a filter.")
        self._process = psutil.Process(sender)

    def seconds(self) -> float:
        """Processor time of the process, and of what it started and has waited for."""
        return processor_seconds([self._process])

    def ask(self, request: dict[str, Any], seconds: float) -> Any:
        """Send a request and return the reply, plain values of any shape.

        Args:
            request: what `grading.worker.student` understands.
            seconds: of processor time, of all processes of the submission together. On the clock it may take
                WALL_FACTOR times as long.

        Raises:
            TooMuchTime, wire.TooSlow: if no whole reply came within the processor time, or by the clock.
            wire.BadMessage: if what came is no message, or the process is gone.
            TooMuchMemory: if the submission's processes went over the limit.
            SandboxLost: if the whole sandbox is gone.
        """
        wall_seconds = seconds * WALL_FACTOR
        self._channel.settimeout(wall_seconds)
        try:
            self._channel.sendall(wire.pack(request))
        except TimeoutError:
            raise wire.TooSlow from None
        except OSError:
            self._gone()
        try:
            return wire.receive(self._channel, wall_seconds, meanwhile=self._watch(seconds))
        except wire.Gone:
            self._gone()

    def end(self) -> Ended:
        """End the process and all that it started, and say what it used."""
        self._channel.close()
        return self._sandbox.end_process(self._number)

    def _gone(self) -> None:
        if self._sandbox.lost():
            raise SandboxLost
        if self._sandbox.kills() > self._kills:
            raise TooMuchMemory
        raise wire.Gone("the process has ended") from None

    def _watch(self, seconds: float) -> Callable[[], None]:
        """What to call while a reply is awaited: it raises as soon as the submission has used too much."""
        looked, stop_at = 0.0, None

        def look() -> None:
            nonlocal looked, stop_at
            if time.monotonic() - looked < WATCH_SECONDS:
                return
            if self._sandbox.memory() - self._sandbox.warm_megabytes > self._limits.memory_megabytes:
                raise TooMuchMemory
            used = processor_seconds([self._process, *below(self._process.pid)])
            stop_at = used + seconds if stop_at is None else stop_at
            if used > stop_at:
                raise TooMuchTime
            looked = time.monotonic()

        return look


def _first_word(channel: socket.socket) -> tuple[bytes, int]:
    """The byte that a process sends when it is locked in, and the number that it has out here; b"" if it is gone."""
    word, attached, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(CREDENTIALS.size))
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
    return word, CREDENTIALS.unpack(attached[0][2])[0] if attached else 0
