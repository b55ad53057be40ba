"""The machine that a number was measured on: it is stored beside the number."""

import platform
from pathlib import Path

import torch

THREADS = 1  # of torch, in every bench and record


def machine() -> dict[str, int | str]:
    """Threads, versions of torch and Python, and the processor's name."""
    return {
        "threads": THREADS,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": processor(),
    }


def sentence() -> str:
    """The same in one line."""
    return "{machine}, {threads} thread, torch {torch}, Python {python}".format(**machine())


def processor() -> str:
    """The processor's name, which platform.processor() does not know on Linux."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
