"""What the processes of a sandbox use, seen from outside."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import psutil


def below(process: int) -> list[psutil.Process]:
    """All processes that this one, or one below it, has started and that are still there."""
    try:
        return psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def megabytes(processes: Iterable[psutil.Process]) -> float:
    """Memory of these processes, in 10^6 bytes; pages that several share are counted once.

    Files in a sandbox's own file systems are not processes' memory; their size has a limit of its own.
    """
    return sum(map(_share, processes)) / 1e6


def processor_seconds(processes: Iterable[psutil.Process]) -> float:
    """Processor time of these processes, and of their children that have ended, since they began."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def queue_seconds(processes: Iterable[psutil.Process]) -> dict[tuple[int, str], float]:
    """{(process, thread): seconds that it has been ready to run and had no processor}, of threads that are there.

    Source: the kernel's Documentation/scheduler/sched-stats.rst, on /proc/PID/schedstat. Empty where it does not tell.
    """
    waited = {}
    for process in processes:
        for tasks in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, ValueError):  # a thread that has just ended
                _, in_queue, _ = tasks.read_text().split()
                waited[process.pid, tasks.parent.name] = int(in_queue) / 1e9
    return waited


def _share(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().pss
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0
    except psutil.AccessDenied:  # too much, never too little
        return process.memory_info().rss
