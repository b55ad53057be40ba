"""Asks for core dumps, and crashes with something secret in its memory."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import resource

attempt(resource.setrlimit, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if os.fork() == 0:
    os.chdir("/tmp")
    os.abort()
got("a core dump") if [name for name in os.listdir("/tmp") if "core" in name] else None
