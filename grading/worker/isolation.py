"""From a fork of the warm process to a place where a student's code can do no harm.

The warm process runs in bubblewrap with the right to make namespaces, and nothing else. For each submission it forks
a child into a new PID namespace; the child then gives itself a mount and an IPC namespace, empty private
file systems, limits, an unprivileged user, no capabilities, and a system-call filter. When the child ends, the kernel
ends all that it started, and its files are gone with the last of them.

Sources: namespaces(7), pid_namespaces(7), capabilities(7), prctl(2), mount(2), getrlimit(2).
"""

import contextlib
import ctypes
import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

from grading.worker import filter_calls

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x08000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 16384, 1 << 18
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 4, 24, 38, 47, 4
CAPABILITY_VERSION = 0x20080522
LAST_CAPABILITY = 63
SCRATCH = ("/scratch", "/dev/shm")
PROCESSES, OPEN_FILES = 64, 256
FILES_IN_SCRATCH = 4096

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Megabytes are 10^6 bytes; `memory` holds for each process, and, measured from
    outside, for all of them together."""

    memory_megabytes: int = 2_000
    scratch_megabytes: int = 64
    cpu_seconds: int = 600


class Fork:
    """A child of this process, seen from here. In the child, `Fork.start` returns None.

    Where it is isolated, the child is process 1 of a PID namespace of its own.
    """

    def __init__(self, child: int):
        self._child = child

    @classmethod
    def start(cls, isolated: bool) -> "Fork | None":
        child = _fork_into_a_new_namespace() if isolated else os.fork()
        return cls(child) if child else None

    def end(self) -> resource.struct_rusage:
        """Kill the child, and with it everything in its namespace; return what it used."""
        os.kill(self._child, signal.SIGKILL)
        return os.wait4(self._child, 0)[2]


def begin_a_namespace() -> None:
    """Go on as process 1 of a new PID namespace; the process that calls this waits for the end, and ends too.

    Who would come back to its own namespace needs to own it (see setns(2)), and bubblewrap's belongs to an outer user.
    """
    _call(_libc.unshare, CLONE_NEWPID)
    if child := os.fork():
        os._exit(abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


def _fork_into_a_new_namespace() -> int:
    """As `os.fork`. Of this process, only the one child is to be elsewhere: the next gets a namespace of its own."""
    child, ours = None, os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        _call(_libc.unshare, CLONE_NEWPID)
        child = os.fork()
        return child
    finally:
        if child != 0:
            _call(_libc.setns, ours, CLONE_NEWPID)
        os.close(ours)


def isolate(keep: int, user: int | None, limits: Limits) -> None:
    """Lock this process in, for good. Everything but the file descriptor `keep` is closed.

    Args:
        keep: the channel to the judge.
        user: the user and group to become, where the warm process is root; None where it is not.
        limits: what may be used from here on.
    """
    _close_all_but(keep)
    with contextlib.suppress(OSError):  # where memory runs out, this process goes before the warm one
        Path("/proc/self/oom_score_adj").write_text("1000")
    _private_file_systems(limits)
    _set_limits(limits)
    _give_up_rights(user)
    filter_calls.install(_libc)
    os.chdir(SCRATCH[0])


def _close_all_but(keep: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, keep)
    os.closerange(keep + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _private_file_systems(limits: Limits) -> None:
    _call(_libc.unshare, CLONE_NEWNS | CLONE_NEWIPC)
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    for folder in SCRATCH:
        options = f"size={limits.scratch_megabytes}m,nr_inodes={FILES_IN_SCRATCH},mode=1777"
        _mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, options)
    try:  # read-only, as a process may write there how soon the kernel kills it, and what others are told of it
        _mount("proc", "/proc", "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError:  # some kernels refuse a new one in here; the old one would show the warm process
        _mount("tmpfs", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,nr_inodes=1,mode=555")


def _set_limits(limits: Limits) -> None:
    memory = limits.memory_megabytes * 1_000_000
    scratch = limits.scratch_megabytes * 1_000_000
    for kind, most in [
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_NPROC, PROCESSES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, scratch),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ]:
        resource.setrlimit(kind, (most, most))


def _give_up_rights(user: int | None) -> None:
    for capability in range(LAST_CAPABILITY + 1):
        with contextlib.suppress(OSError):  # this kernel may know fewer
            _call(_libc.prctl, PR_CAPBSET_DROP, capability, 0, 0, 0)
    _call(_libc.prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    _call(_libc.capset, header, (ctypes.c_uint32 * 6)())
    # Changing user made this process's own /proc entries root's, where Python's libraries look.
    _call(_libc.prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
    _call(_libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    source_, kind_ = (None if text is None else text.encode() for text in (source, kind))
    _call(_libc.mount, source_, target.encode(), kind_, ctypes.c_ulong(flags), options.encode())


def _call(function, *args) -> None:
    if function(*args) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function.__name__}: {os.strerror(error)}")
