"""Imports of thousands of modules, at the start of a process."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Import without the garbage collector, which would look at all that was imported, again and again, and find none.

    What is there at the end is never looked at: a collection in a fork of this process would copy every page of it.
    It saves about a fifth of the time that torch takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
