"""Registers code for the end of the process: atexit, destructors, weak references, fork hooks."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import atexit
import os
import time
import weakref


class Last:
    def __del__(self):
        time.sleep(1000)


last = Last()
weakref.finalize(last, time.sleep, 1000)
atexit.register(time.sleep, 1000)
os.register_at_fork(before=lambda: got("hook in the parent") if os.path.exists("/the/classroom") else None)
