"""Machines on a network of their own: network namespaces with cables to a switch, of which one can be pulled out.

A namespace lives as long as a process in it, and that ends with this one. The machine's own network is not touched.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
from contextlib import ExitStack
from typing import Self

NETWORK = "198.18.0"  # RFC 2544 keeps such addresses for tests
AT_THE_SWITCH = f"{NETWORK}.254"
TOOLS = ("ip", "nsenter", "setpriv", "unshare")


class NoNetwork(Exception):
    """Why there is none."""


class Network:
    """A switch, at which one machine is, and others, numbered from 1. Use it in a `with`.

    Raises NoNetwork if a tool is missing, or the system does not let us.
    """

    def __init__(self, machines: int):
        self._count, self._stack = machines, ExitStack()

    def __enter__(self) -> Self:
        if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
            raise NoNetwork(f"not installed: {', '.join(missing)}")
        with ExitStack() as stack:
            self.switch, *machines = (_namespace(stack) for _ in range(1 + self._count))
            _ip(self.switch, "link", "add", "switch", "type", "bridge")
            _set_up(self.switch, "switch", AT_THE_SWITCH)
            for number, machine in enumerate(machines, 1):
                cable = ("link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", str(machine))
                _ip(self.switch, *cable)
                _ip(self.switch, "link", "set", f"port{number}", "master", "switch", "up")
                _set_up(machine, "eth0", f"{NETWORK}.{number}")
            self._machines, self._stack = [self.switch, *machines], stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def start(self, machine: int, command: str, **environment: str) -> None:
        """A shell's command on a machine, 0 for that at the switch. What it starts ends before the network does."""
        words = [*_within(self._machines[machine]), "sh", "-c", command]
        process = subprocess.Popen(words, env=os.environ | environment, start_new_session=True)
        self._stack.callback(_end, process)


def pull_out(machine: int) -> None:
    """From the machine at the switch: nothing gets to this one or away from it, and nobody is told."""
    subprocess.run(["ip", "link", "set", f"port{machine}", "nomaster"], check=True)


def plug_in(machine: int) -> None:
    subprocess.run(["ip", "link", "set", f"port{machine}", "master", "switch"], check=True)


def move_to(namespace: int) -> None:
    """Put this thread, and those that it starts, where this process is."""
    with open(f"/proc/{namespace}/ns/net") as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


def _namespace(stack: ExitStack) -> int:
    """A process that sleeps in a namespace of its own."""
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", "echo; exec sleep infinity"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    stack.callback(_end, process)
    assert process.stdout and process.stderr
    if not process.stdout.readline():
        raise NoNetwork(process.stderr.read().strip())
    return process.pid


def _within(namespace: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{namespace}/ns/net"]


def _ip(namespace: int, *words: str) -> None:
    done = subprocess.run([*_within(namespace), "ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise NoNetwork(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _set_up(namespace: int, name: str, address: str) -> None:
    _ip(namespace, "address", "add", f"{address}/24", "dev", name)
    for one in ("lo", name):
        _ip(namespace, "link", "set", one, "up")


def _end(process: subprocess.Popen) -> None:
    """With all that it has started in its session."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal_number)
            process.wait(10)
    for stream in filter(None, (process.stdout, process.stderr)):
        stream.close()
