"""Forks without end.

Ends: at a limit
Named: still running
"""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import time

born = 0
while True:
    try:
        if os.fork() == 0:
            time.sleep(0.01)
        born += 1
    except OSError:
        time.sleep(0.001)
