"""One sandbox with a warm process in it, and the students' processes that are forked from it."""

import contextlib
import json
import socket
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grading.sandbox import bubblewrap
from grading.sandbox.cgroup import MemoryGroup, memory_group
from grading.sandbox.memory import megabytes_in_use
from grading.worker import wire
from grading.worker.isolation import Limits

WARM_UP_SECONDS = 120
START_SECONDS = 30
END_SECONDS = 20


@dataclass(frozen=True)
class Ended:
    """What a student's process used: CPU seconds, and its largest resident size."""

    seconds: float
    peak_megabytes: float


class SandboxLost(Exception):
    """The sandbox itself has ended, which no submission can bring about: somebody killed it, or memory ran out."""


class TooMuchMemory(Exception):
    """All processes of a submission together went over the limit."""


class Sandbox:
    """A context manager. `student()` gives a fresh process for one submission.

    Args:
        data: a folder that submissions may read as $REACH_DATA.
        unsafe: no sandbox at all, for files that one wrote oneself.
        most_megabytes: of memory and private files, for the warm process and the students' together; the kernel holds
            to it where it lets us ask.

    Raises:
        NoSandbox: where none can be made.
    """

    def __init__(self, data: Path | None = None, unsafe: bool = False, most_megabytes: float = 4_000):
        if not unsafe:
            bubblewrap.check_available()
        self._most_megabytes = most_megabytes
        self._group: MemoryGroup | None = None
        self._data, self._unsafe = data, unsafe
        self._warm: subprocess.Popen | None = None
        self._started = 0

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *error) -> None:
        self._stop()

    def student(self, limits: Limits) -> "Student":
        """A fresh process for one submission, locked in and waiting."""
        if self._warm is None or self._warm.poll() is not None:
            self._stop()
            self._start()
        self._started += 1
        channel, theirs = socket.socketpair()
        with theirs:
            request = {"start": self._started, "limits": asdict(limits)}
            socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno()])
        return Student(self, self._started, channel, limits)

    def end(self, number: int) -> Ended:
        """End one of the processes and all that it started."""
        try:
            self._control.send(json.dumps({"end": number}).encode())
            return Ended(**self._hear(END_SECONDS))
        except (OSError, ValueError, TypeError):  # a warm process that does not answer is replaced
            self._stop()
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
        return megabytes_in_use(self._warm.pid) if self._warm else 0.0

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
                self._hear(WARM_UP_SECONDS)
                self.warm_megabytes = self.memory()
            except (ConnectionError, TimeoutError) as error:
                self._stop()
                errors.seek(0)
                said = errors.read()[-2000:].decode(errors="replace").strip()
                raise bubblewrap.NoSandbox(f"The warm process did not start ({error}): {said}") from None

    def _command(self, control: int) -> list[str]:
        return bubblewrap.unsafe_command(control) if self._unsafe else bubblewrap.start_command(self._data, control)

    def _stop(self) -> None:
        if self._warm is not None:
            self._control.close()
            self._warm.kill()
            self._warm.wait()
            self._warm = None
        if self._group is not None:
            self._group.remove()
            self._group = None

    def _hear(self, seconds: float) -> dict[str, Any]:
        """The next message of the warm process."""
        self._control.settimeout(seconds)
        message = self._control.recv(65_536)
        if not message:
            raise ConnectionError("it is gone")
        return json.loads(message)


class Student:
    """The process of one submission, seen from the judge's side. Whatever comes back through `ask` is untrusted."""

    def __init__(self, sandbox: Sandbox, number: int, channel: socket.socket, limits: Limits):
        self._sandbox, self._number, self._channel, self._limits = sandbox, number, channel, limits
        self._looked, self._kills = 0.0, sandbox.kills()
        channel.settimeout(START_SECONDS)
        if channel.recv(1) != b"!":
            raise bubblewrap.NoSandbox("A process could not be locked in: the kernel refused a namespace or a filter.")

    def ask(self, request: dict[str, Any], seconds: float) -> Any:
        """Send a request and return the reply, plain values of any shape.

        Raises:
            wire.TooSlow: if no whole reply came in time.
            wire.BadMessage: if what came is no message, or the process is gone.
            TooMuchMemory: if the submission's processes went over the limit.
            SandboxLost: if the whole sandbox is gone.
        """
        self._channel.settimeout(seconds)
        try:
            self._channel.sendall(wire.pack(request))
        except TimeoutError:
            raise wire.TooSlow from None
        except OSError:
            self._gone()
        try:
            return wire.receive(self._channel, seconds, meanwhile=self._look_at_memory)
        except wire.Gone:
            self._gone()

    def end(self) -> Ended:
        """End the process and all that it started, and say what it used."""
        self._channel.close()
        return self._sandbox.end(self._number)

    def _gone(self) -> None:
        if self._sandbox.lost():
            raise SandboxLost
        if self._sandbox.kills() > self._kills:
            raise TooMuchMemory
        raise wire.Gone("the process has ended") from None

    def _look_at_memory(self) -> None:
        if time.monotonic() - self._looked < 0.25:
            return
        used = self._sandbox.memory() - self._sandbox.warm_megabytes
        self._looked = time.monotonic()
        if used > self._limits.memory_megabytes:
            raise TooMuchMemory
