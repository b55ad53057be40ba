"""Reads variables of the environment, its own command line, host name and user names."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import platform
import socket
import subprocess

print(
    dict(os.environ),
    attempt(lambda: open("/proc/self/environ").read()),
    attempt(lambda: open("/proc/1/environ").read()),
)
print(
    platform.uname(),
    socket.gethostname(),
    subprocess.run("env; hostname; mount", shell=True, capture_output=True, text=True).stdout,
)
