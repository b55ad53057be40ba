"""The state in which answers, references and mistakes run: always the same one, and the learner's own afterwards."""

import contextlib
import random
import sys
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def fixed_state() -> Iterator[None]:
    """Gradients on, float32, the CPU, no autocast, nothing compiled; and at the end all that was found.

    Whoever changed it. What `torch.compile` made runs as it was written: compiling changes no value, and would take
    most of the time that an answer has.

    Put back are the random states of torch (CUDA's too, where it is in use), NumPy and Python, the default dtype and
    the number of threads. Grad mode, default device and autocast belong to a thread in torch, so a thread that is
    started inside begins with torch's own defaults.
    """
    found = _save()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.enable_grad(), torch.autocast("cpu", enabled=False), _on_the_cpu(), _nothing_compiled():
            yield
    finally:
        _restore(*found)


def _on_the_cpu() -> contextlib.AbstractContextManager:
    """Nothing where that is the default already: a default that is set slows every operation of torch down."""
    return contextlib.nullcontext() if default_device().type == "cpu" else torch.device("cpu")


def default_device() -> torch.device:
    """Where a new tensor is made. `torch.get_default_device` of torch 2.6 breaks once a default was taken back."""
    try:
        return torch.get_default_device()
    except AttributeError:
        return torch.empty(0).device


def _nothing_compiled() -> contextlib.AbstractContextManager:
    """Where torch's compiler was imported, and is one that can be told (torch 2.6 and later)."""
    if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
        return torch.compiler.set_stance("force_eager")
    return contextlib.nullcontext()


def is_as_new() -> bool:
    """Whether what torch keeps for each thread is, in this one, what it is in a new one."""
    modes = torch._C._len_torch_function_stack() + torch._C._len_torch_dispatch_stack()
    plain = torch.is_grad_enabled() and not torch.is_inference_mode_enabled() and not torch.is_autocast_enabled("cpu")
    return plain and not modes and default_device().type == "cpu"


def seed_all(seed: int) -> None:
    """Let the random numbers of torch (on the CPU), NumPy and Python start from `seed`."""
    torch.default_generator.manual_seed(seed)  # torch.manual_seed asks every kind of accelerator, slowly
    np.random.seed(seed % 2**32)
    random.seed(seed)


def _save() -> tuple:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    settings = torch.get_default_dtype(), torch.get_num_threads()
    return torch.get_rng_state(), cuda, np.random.get_state(), random.getstate(), settings


def _restore(cpu, cuda, numpy_state, python_state, settings) -> None:
    torch.set_rng_state(cpu)
    if cuda is not None:
        torch.cuda.set_rng_state_all(cuda)
    np.random.set_state(numpy_state)
    random.setstate(python_state)
    set_for_all_threads(*settings)


def set_for_all_threads(dtype: torch.dtype, threads: int) -> None:
    """What torch keeps for all threads: the default dtype, and how many threads an operation takes."""
    torch.set_default_dtype(dtype)
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
