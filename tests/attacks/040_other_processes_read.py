"""Reads and writes the memory, environment and open files of every process it can see."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os

for pid in [os.getppid(), *range(1, 400)]:
    if pid in (os.getpid(), 0):
        continue
    for name in ("environ", "cmdline", "maps"):
        content = attempt(lambda: open(f"/proc/{pid}/{name}").read())
        if content:
            print(pid, content[:200])
            got("something of process", pid, name) if pid > 1 else None
    if attempt(os.open, f"/proc/{pid}/mem", os.O_RDWR) is not None and pid != 1:
        got("the memory of process", pid)
    for number in range(64):
        if pid > 1 and attempt(os.open, f"/proc/{pid}/fd/{number}", os.O_RDONLY) is not None:
            got("a file of process", pid)
