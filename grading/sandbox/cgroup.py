"""A kernel's limit on the memory of a whole sandbox, where this process may set one.

Root usually may; an ordinary user may where a control group was delegated. Elsewhere the judge measures from outside
(`grading.sandbox.usage`), which holds as well, a quarter of a second later.

Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
"""

import contextlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

MOUNT = Path("/sys/fs/cgroup")
NAME = "reach-{process}-{time}"
MADE_BY = re.compile(r"reach-(\d+)-\d+")


@dataclass(frozen=True)
class OutOfMemory:
    """How many processes the kernel has ended for want of memory, and how often a group was at its own limit then.

    Where processes were ended and the group was not at its limit, the machine had no memory left.
    """

    kills: int
    limits_reached: int = 0


class MemoryGroup:
    """A control group of its own. `join` puts a process, and all that it starts, under the limit."""

    def __init__(self, folder: Path):
        self._folder = folder

    def join(self) -> None:
        """Put this process in; for `preexec_fn`."""
        (self._folder / "cgroup.procs").write_text(str(os.getpid()))

    def out_of_memory(self) -> OutOfMemory:
        """What the kernel has counted in here so far, by either version of control groups."""
        with contextlib.suppress(OSError):
            events = (self._folder / "memory.events").read_text()
            return OutOfMemory(_number(r"^oom_kill (\d+)$", events), _number(r"^oom (\d+)$", events))
        with contextlib.suppress(OSError):
            control, failed = ((self._folder / f"memory.{name}").read_text() for name in ("oom_control", "failcnt"))
            return OutOfMemory(_number(r"^oom_kill (\d+)$", control), _number(r"^(\d+)$", failed))
        return OutOfMemory(0)

    def remove(self) -> None:
        """Take the group away, once its processes have ended; the kernel may need a moment for that."""
        for _ in range(50):
            with contextlib.suppress(OSError):
                return self._folder.rmdir()
            time.sleep(0.1)


def memory_group(megabytes: float, mount: Path = MOUNT) -> MemoryGroup | None:
    """A group with this limit (10^6 bytes), or None where none can be made."""
    for parent, limit in _places(mount):
        _remove_stale(parent)
        folder = parent / NAME.format(process=os.getpid(), time=time.monotonic_ns())
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            with (folder / limit).open("r+") as file:  # an existing file: the kernel's, not one that we make
                file.write(str(int(megabytes * 1e6)))
            return MemoryGroup(folder)
        except OSError:
            folder.rmdir()
    return None


def out_of_memory_on_this_machine() -> OutOfMemory:
    """The kernel's count for all processes there are."""
    with contextlib.suppress(OSError):
        return OutOfMemory(_number(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text()))
    return OutOfMemory(0)


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text, re.MULTILINE)
    return int(found[1]) if found else 0


def _remove_stale(parent: Path) -> None:
    """Take away the groups of processes that were killed before they could. One that is in use cannot be removed."""
    for folder in parent.glob("reach-*"):
        made_by = MADE_BY.fullmatch(folder.name)
        if made_by and not psutil.pid_exists(int(made_by[1])):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _places(mount: Path) -> list[tuple[Path, str]]:
    """Where groups can be made, and the file that limits them: in this process's own group, version 2 and then 1."""
    places = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            places.insert(0, (mount / path.lstrip("/"), "memory.max"))
        elif "memory" in controllers.split(","):
            places.append((mount / "memory" / path.lstrip("/"), "memory.limit_in_bytes"))
    return places
