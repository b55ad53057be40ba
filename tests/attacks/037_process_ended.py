"""Ends its process in every way: os._exit, abort, a wild pointer, a full stack.

Named: ended its own process
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import os

    os._exit(0)


# %% conv2d
def conv2d(*case):
    import ctypes

    ctypes.string_at(1)


# %% max_pool2d
def max_pool2d(*case):
    import os
    import sys

    sys.setrecursionlimit(10**9)
    os.abort()
