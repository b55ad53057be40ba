"""Sends SIGKILL, SIGSTOP and SIGSEGV to its parent, to process 1, and to all processes it may."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import signal

for number in (signal.SIGSTOP, signal.SIGSEGV, signal.SIGKILL):
    for target in [os.getppid(), 0x7FFF_FFFF, *range(2, 3000), -1]:
        if target not in (0, os.getpid()):
            attempt(os.kill, target, number)
