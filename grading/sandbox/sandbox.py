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
        library: the files of the course's `utils` that are in it, see `grading.sandbox.library`; None for all.
        brief: the warm process imports only what every submission needs, and is ready seconds earlier.

    Raises:
        NoSandbox: where none can be made.
    """

    def __init__(
        self,
        data: Path | None = None,
        unsafe: bool = False,
        most_megabytes: float = 4_000,
        library: frozenset[str] | None = None,
        brief: bool = False,
    ):
        if not unsafe:
            bubblewrap.check_available()
        self._most_megabytes = most_megabytes
        self._group: MemoryGroup | None = None
        self._data, self._unsafe, self._library, self._brief = data, unsafe, library, brief
        self._warm: subprocess.Popen | None = None
        self._is_ready = False
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
            self._warm, self._is_ready = None, False
            self._errors.close()
        if self._group is not None:
            self._group.remove()
            self._group = None

    def start(self) -> None:
        """Start the warm process without waiting for it: it imports for seconds, as its caller may in that time."""
        self.close()
        self._control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self._group = None if self._unsafe else memory_group(self._most_megabytes)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the warm process)
        with theirs:
            self._warm = subprocess.Popen(
                self._command(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                preexec_fn=self._group and self._group.join,
            )

    def wait_until_ready(self) -> None:
        """Wait for the warm process, and start one where there is none.

        Raises NoSandbox, with what the warm process wrote, if it does not start.
        """
        if self._warm is None or self._is_ready and self._warm.poll() is not None:
            self.start()
        if self._is_ready:
            return
        try:
            self._receive(WARM_UP_SECONDS)
            self.warm_megabytes = self.memory()
        except (ConnectionError, TimeoutError) as error:
            self._errors.seek(0)
            said = self._errors.read()[-2000:].decode(errors="replace").strip()
            self.close()
            raise bubblewrap.NoSandbox(f"The warm process did not start ({error}): {said}") from None
        self._is_ready = True

    def start_process(self, limits: Limits) -> "StudentProcess":
        """A fresh process for one submission, locked in and waiting. Raises MachineAtFault where none can be had."""
        self.wait_until_ready()
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

    def _command(self, control: int) -> list[str]:
        if self._unsafe:
            return bubblewrap.unsafe_command(control, self._brief)
        return bubblewrap.start_command(self._data, self._library, control, self._brief)

    def _receive(self, seconds: float) -> dict[str, Any]:
        """The next message of the warm process."""
        self._control.settimeout(seconds)
        message = self._control.recv(65_536)
        if not message:
            raise ConnectionError("it is gone")
        return json.loads(message)
