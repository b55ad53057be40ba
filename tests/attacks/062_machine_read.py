"""Reads the machine's own secrets: password hashes, keys, homes, logs, devices, the kernel."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import glob
import os

wanted = [
    "/etc/shadow",
    "/etc/passwd",
    "/root/.*",
    "/root/*",
    "/home/*",
    "/var/log/*",
    "/run/*",
    "/boot",
    "/sys/kernel",
]
wanted += [
    "/dev/mem",
    "/dev/kmsg",
    "/dev/sd*",
    "/dev/nvme*",
    "/dev/fuse",
    "/dev/kvm",
    "/dev/nvidia*",
    "/proc/kcore",
    "/proc/kallsyms",
]
for pattern in wanted:
    for path in glob.glob(pattern):
        content = attempt(lambda: open(path, "rb").read(100))
        print(path, content or attempt(os.listdir, path))
        got(path) if content and path not in ("/etc/passwd", "/proc/kallsyms") else None
