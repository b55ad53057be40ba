"""Small models that train side by side: one that waits for each step of its own cannot use two cores."""

import contextlib
import io
import sys
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from tqdm import tqdm

WORKERS = 2

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def in_parallel(tasks: Mapping[Key, Callable[[], Value]], label: str = "") -> dict[Key, Value]:
    """Run tasks two at a time, each on one core, below a single bar of progress; what they return, by name.

    What they print themselves is not shown. They share the generators of random numbers, so a task that is to give
    the same every time draws none, or has a generator of its own. An empty label hides the bar.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    bar = tqdm(total=len(tasks), desc=label, unit=" models", file=sys.stdout, disable=not label)
    try:
        with ThreadPoolExecutor(WORKERS) as pool, contextlib.redirect_stdout(io.StringIO()):
            futures = {name: pool.submit(task) for name, task in tasks.items()}
            results = {}
            for name, future in futures.items():
                results[name] = future.result()
                bar.update()
    finally:
        bar.close()
        torch.set_num_threads(threads)
    return results
