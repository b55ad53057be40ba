"""Leaves daemons behind that ignore every signal, in sessions of their own."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import signal
import time

for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                continue
        if os.fork() == 0:
            os.execv("/bin/sleep", ["LEFT-BY-AN-ATTACK", "1000"])
        time.sleep(1000)


# %% output_size
def output_size(*case):
    return -1
