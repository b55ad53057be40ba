"""Makes a sparse file of a terabyte, and maps it."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import mmap
import os

for path in ("/tmp/sparse", "/dev/shm/sparse"):
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    got("a terabyte", path) if attempt(os.ftruncate, descriptor, 1 << 40) is not None else None
    got("a terabyte", path) if attempt(os.posix_fallocate, descriptor, 0, 1 << 40) is not None else None
    attempt(mmap.mmap, descriptor, 1 << 40)
