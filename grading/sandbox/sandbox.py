"""One sandbox with a warm process in it, and the students' processes that are forked from it."""

import contextlib
import json
import socket
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grading.sandbox import bubblewrap
from grading.sandbox.cgroup import MemoryGroup, OutOfMemory, memory_group, out_of_memory_on_this_machine
from grading.sandbox.process import Ended, SandboxLost, StudentProcess
from grading.sandbox.usage import below, megabytes
from grading.worker.isolation import Limits

WARM_UP_SECONDS = 120
END_SECONDS = 20


class Sandbox:
    """`start_process()` gives a fresh process for one submission. Use it in a `with`, or close it.

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
        """A fresh process for one submission, locked in and waiting. Raises MachineAtFault where none can be had."""
        if self._warm is None or self._warm.poll() is not None:
            self.close()
            self._start()
        self._started += 1
        channel, theirs = socket.socketpair()
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # the kernel adds whose the first word is
        with theirs:
            request = {"start": self._started, "limits": asdict(limits)}
            try:
                socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno()])
            except OSError:
                raise SandboxLost from None
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

    def out_of_memory(self) -> OutOfMemory:
        """How often memory ran out so far: in this sandbox where the kernel tells, else on the whole machine."""
        return self._group.out_of_memory() if self._group else out_of_memory_on_this_machine()

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
        return bubblewrap.unsafe_command(control) if self._unsafe else bubblewrap.start_command(self._data, control)

    def _receive(self, seconds: float) -> dict[str, Any]:
        """The next message of the warm process."""
        self._control.settimeout(seconds)
        message = self._control.recv(65_536)
        if not message:
            raise ConnectionError("it is gone")
        return json.loads(message)
