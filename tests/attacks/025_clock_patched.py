"""Stops the worker's clocks and deadlines, so that an endless answer takes no time.

Ends: at a limit
Named: ran too long|still running
"""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import threading
import time

time.monotonic = time.time = time.perf_counter = lambda: 0.0
threading.Thread.join = lambda self, timeout=None: None


# %% output_size
def output_size(*case):
    while True:
        pass
