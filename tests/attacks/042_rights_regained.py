"""Runs programs that gain rights where they may, writes to the user maps, lifts its own limits."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import resource
import subprocess

for path in ("/proc/self/uid_map", "/proc/self/setgroups", "/proc/self/oom_score_adj", "/proc/sys/kernel/hostname"):
    descriptor = attempt(os.open, path, os.O_WRONLY)
    if descriptor is not None and attempt(os.write, descriptor, b"-1000" if "oom" in path else b"0 0 1"):
        got("to write", path)
for limit in (resource.RLIMIT_NPROC, resource.RLIMIT_CPU, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
    attempt(resource.setrlimit, limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if resource.getrlimit(limit)[1] == resource.RLIM_INFINITY:
        got("no limit", limit)
for command in (
    ["su", "-c", "id -u"],
    ["sudo", "-n", "id", "-u"],
    ["unshare", "-r", "id", "-u"],
    ["bwrap", "--ro-bind", "/", "/", "id"],
):
    run = attempt(lambda: subprocess.run(command, capture_output=True, timeout=2, stdin=subprocess.DEVNULL))
    got(command) if run and run.returncode == 0 else None
got("to be root") if os.getuid() == 0 or os.geteuid() == 0 else None
