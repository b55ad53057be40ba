"""How much memory a sandbox uses, seen from outside."""

import psutil


def megabytes_in_use(process: int) -> float:
    """Memory of all processes below this one, in 10^6 bytes; pages that several share are counted once.

    Files in a sandbox's own file systems are not processes' memory; their size has a limit of its own.
    """
    try:
        below = psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return 0.0
    return sum(map(_share, below)) / 1e6


def _share(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().pss
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0
    except psutil.AccessDenied:  # too much, never too little
        return process.memory_info().rss
