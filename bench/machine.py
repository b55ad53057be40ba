"""The machine that a number was measured on: it is stored beside the number."""

import os
import platform
from pathlib import Path

import torch

THREADS = 1  # of torch, in every bench and record


def prepare() -> None:
    """One core of a CPU, whole trainings and the real data: without these, loading stops with a DataError."""
    os.environ.update(CUDA_VISIBLE_DEVICES="", REACH_STRICT="data", REACH_TRAINING="")
    torch.set_num_threads(THREADS)


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
    return cpuinfo("model name") or platform.processor() or platform.machine()


def kind() -> str:
    """Vendor and widest vector instructions, as in "AMD, AVX2": ratios of training times differ between kinds.

    Where the environment keeps torch, oneDNN or MKL from wider ones that the processor has, the kind says "simulated".
    """
    vendor = cpuinfo("vendor_id")
    vendor = {"AuthenticAMD": "AMD", "GenuineIntel": "Intel"}.get(vendor, vendor or platform.machine())
    used = torch.backends.cpu.get_cpu_capability()
    instructions = {"AVX512": "AVX-512"}.get(used, used)
    return f"{vendor}, {instructions}" + (" simulated" if limited() else "")


def limited() -> bool:
    """Whether a setting holds back a processor that knows AVX-512."""
    settings = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
    return "avx512f" in cpuinfo("flags").split() and any(os.environ.get(name) for name in settings)


def cpuinfo(field: str) -> str:
    """What Linux says of the first processor; empty where it says nothing."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == field), "")
