"""Makes itself more urgent than all others, keeps its memory from going out, and takes itself off the killer's list."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import ctypes
import os
import resource

before = os.getpriority(os.PRIO_PROCESS, 0)
if attempt(os.setpriority, os.PRIO_PROCESS, 0, before - 1) is None and os.getpriority(os.PRIO_PROCESS, 0) < before:
    got("a higher priority")
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    attempt(os.sched_setscheduler, 0, policy, os.sched_param(50))
    if os.sched_getscheduler(0) == policy:
        got("a real-time class")
for what in (
    resource.RLIMIT_AS,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_DATA,
    resource.RLIMIT_CPU,
    resource.RLIMIT_RTPRIO,
):
    soft, hard = resource.getrlimit(what)
    attempt(resource.setrlimit, what, (resource.RLIM_INFINITY,) * 2)
    if resource.getrlimit(what)[1] != hard:
        got("a limit lifted", what)
was = open("/proc/self/oom_score_adj").read() if os.path.exists("/proc/self/oom_score_adj") else "0"
for score in (-1000, *range(1000)):
    if attempt(lambda: open("/proc/self/oom_score_adj", "wb", buffering=0).write(b"%d" % score)):
        break
if os.path.exists("/proc/self/oom_score_adj") and int(open("/proc/self/oom_score_adj").read()) < int(was):
    got("a place further from the killer", was, "now", open("/proc/self/oom_score_adj").read())
if system_call(251, 1, 0, 1 << 13) == 0 and system_call(252, 1, 0) == 1 << 13:
    got("the disk first: a real-time class of ioprio")
for path in (
    "/proc/sys/vm/drop_caches",
    "/proc/sys/kernel/core_pattern",
    "/sys/fs/cgroup/cgroup.procs",
    "/proc/sysrq-trigger",
):
    if attempt(lambda: open(path, "w").write("1")):
        got("written to", path)
if ctypes.CDLL(None).mlockall(3) == 0 and resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] > 2**30:
    got("all of its memory locked")


# %% output_size
def output_size(*case):
    return 0
