"""A kernel's limit on the memory of a whole sandbox, where this process may set one.

Root usually may; an ordinary user may where a control group was delegated. Elsewhere the judge measures from outside
(`grading.sandbox.usage`), which holds as well, a quarter of a second later.

Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
"""

import contextlib
import os
import re
import time
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")


class MemoryGroup:
    """A control group of its own. `join` puts a process, and all that it starts, under the limit."""

    def __init__(self, folder: Path):
        self._folder = folder

    def join(self) -> None:
        """Put this process in; for `preexec_fn`."""
        (self._folder / "cgroup.procs").write_text(str(os.getpid()))

    def kills(self) -> int:
        """How many processes the kernel has ended in here for want of memory."""
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                found = re.search(r"^oom_kill (\d+)$", (self._folder / name).read_text(), re.MULTILINE)
                return int(found[1]) if found else 0
        return 0

    def remove(self) -> None:
        """Take the group away, once its processes have ended; the kernel may need a moment for that."""
        for _ in range(50):
            with contextlib.suppress(OSError):
                return self._folder.rmdir()
            time.sleep(0.1)


def memory_group(megabytes: float, mount: Path = MOUNT) -> MemoryGroup | None:
    """A group with this limit (10^6 bytes), or None where none can be made."""
    for parent, limit in _places(mount):
        folder = parent / f"reach-{os.getpid()}-{time.monotonic_ns()}"
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
