"""Takes from this process what Python lacks on Windows, so far as that can be done on Linux.

`python -m tests.windows_like tests/test_checking.py` runs a test file that way. Other people's packages are imported
before, since they ask for the system and take its own way.
"""

import contextlib
import importlib
import os
import signal
import sys
import time

MODULES = ("crypt", "fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
NAMES = {
    os: "chown fork forkpty getgid getpgid killpg mkfifo nice setsid sched_getaffinity uname wait",
    signal: "SIGALRM SIGHUP SIGUSR1 alarm pthread_kill setitimer",
    time: "clock_gettime pthread_getcpuclockid tzset",
}
OTHERS = (
    "torch matplotlib.pyplot sklearn IPython ipykernel.ipkernel ipywidgets jupyter_client nbval hypothesis requests"
)


def pretend() -> None:
    """From now on, this process lacks them."""
    for name in OTHERS.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]  # so an import of it fails
    for module, names in NAMES.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)


if __name__ == "__main__":
    pretend()
    import pytest

    sys.exit(pytest.main(sys.argv[1:]))
