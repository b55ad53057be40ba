"""Takes memory that is shared, so that limits of one process do not count it.

Ends: at a limit
Named: memory|MB|too long
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import mmap

    hoard = mmap.mmap(-1, 1 << 32)
    np.frombuffer(hoard, np.uint8)[::4096] = 1
