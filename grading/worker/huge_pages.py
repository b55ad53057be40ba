"""Memory in huge pages, so that a fork, and the end of what was forked, has a hundredth as many pages to look at.

Sources: madvise(2), and the kernel's Documentation/admin-guide/mm/transhuge.rst.
"""

import ctypes
from pathlib import Path

HUGE = 2 << 20  # bytes
MADV_COLLAPSE = 25


def use_huge_pages() -> None:
    """Put this process's memory, as it is now, into huge pages where the kernel can: from Linux 6.1 on."""
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for begin, end in _own_memory():
        begin, end = -(-begin // HUGE) * HUGE, end // HUGE * HUGE
        if begin < end:
            libc.madvise(begin, end - begin, MADV_COLLAPSE)  # what it refuses stays as it was


def _own_memory() -> list[tuple[int, int]]:
    """Addresses at which memory of no file begins and ends, without the stacks."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    own = [words for words in lines if words[1] == "rw-p" and (len(words) == 5 or words[5] == "[heap]")]
    return [(int(begin, 16), int(end, 16)) for begin, _, end in (words[0].partition("-") for words in own)]
