"""Writes into the files in which the kernel keeps what it thinks of a process, those of its threads and children too."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os

NAMES = ["oom_score_adj", "oom_adj", "coredump_filter", "timerslack_ns", "clear_refs", "autogroup", "loginuid", "comm"]
NAMES += [
    "attr/current",
    "attr/exec",
    "uid_map",
    "gid_map",
    "setgroups",
    "projid_map",
    "make-it-fail",
    "fail-nth",
    "mem",
]


def try_all(who):
    for name in NAMES:
        for value in (b"0", b"-1000", b"7", b"root", b"0 0 1"):
            if attempt(lambda: os.write(os.open(f"/proc/{who}/{name}", os.O_WRONLY), value)):
                got("written to", who, name, value)


for task in os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else ():
    try_all(f"self/task/{task}")
for who in ("self", "thread-self", "1", str(os.getpid())):
    try_all(who)
if not os.fork():
    try_all("self")
    os._exit(0)
os.wait()


# %% output_size
def output_size(*case):
    return 0
