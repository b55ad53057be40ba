"""Grading has no GPU. For a submission that asks for one by name, these names mean the processor here.

A notebook that was written on Colab or a Mac has `x.cuda()` or `device="mps"` in it, and its values are the same on a
processor. So devices are replaced wherever torch takes one, what waits for a GPU or tidies it up does nothing, and what
only a GPU has (events, streams, its own memory) is an error that says so. `torch.cuda.is_available()` stays False.
Nothing of this is in force for a submission that does not ask: it costs time at every call of torch.
"""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from utils.checking.gpu import DEVICE, NAMES

SETTINGS = ("set_device", "manual_seed", "manual_seed_all", "seed", "seed_all", "set_per_process_memory_fraction")
RESETS = tuple(f"reset_{what}" for what in ("peak_memory_stats", "max_memory_allocated", "accumulated_memory_stats"))
NOTHING_TO_DO = ("synchronize", "empty_cache", "ipc_collect", *SETTINGS, *RESETS)
ONLY_ON_A_GPU = ("Event", "Stream", "ExternalStream", "CUDAGraph", "graph", "stream", "make_graphed_callables")
TYPES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
TAKE_A_DEVICE = ("set_default_device", "set_default_tensor_type", "load")


class Processor(TorchFunctionMode):
    """In here torch's functions work on the processor, whatever device they are told. It holds for one thread."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        if name in NAMES and args:
            return args[0].clone()  # a GPU has a copy, which may be changed
        if name == "pin_memory":
            return args[0]
        told = {key: on_processor(value, key) for key, value in kwargs.items() if key != "pin_memory"}
        places = tuple(on_processor(value, "device" if name == "to" else "") for value in args)
        result = function(*places, **told)
        moved = name == "to" and any(new is not old for new, old in zip(places, args, strict=True))
        moved |= name == "to" and kwargs.get("device") is not told.get("device")
        return result.clone() if moved and result is args[0] else result


def on_processor(value: Any, name: str = "") -> Any:
    """The processor for a GPU's device or type of tensor; any other argument as it is."""
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type in NAMES else value
    if isinstance(value, str):
        return "cpu" if DEVICE.fullmatch(value) else value.replace("torch.cuda.", "torch.")
    is_number = name == "device" and type(value) is int  # torch's short form for a GPU of this number
    return "cpu" if is_number else value


class Generator(torch.Generator):
    """Random numbers of the processor, for whatever device."""

    def __new__(cls, device: Any = "cpu") -> torch.Generator:
        return super().__new__(cls, on_processor(device, "device"))  # pyright: ignore[reportCallIssue]


def without_gpu(ask: Callable) -> Callable:
    """The same way of asking, with the GPU's names meaning the processor: an answer is asked in a thread of its own."""

    @functools.wraps(ask)
    def on_the_processor(*args: Any) -> Any:
        with Processor():
            return ask(*args)

    return on_the_processor


def replace_gpu() -> None:
    """From now on this process has the processor under the GPU's names. There is no way back."""
    import torch._dynamo  # it looks once, when it is imported, at all of torch, and takes what stands twice for a fault

    Processor().__enter__()  # for the cells, which run in this thread
    for name in TAKE_A_DEVICE:
        setattr(torch, name, _told_the_processor(getattr(torch, name)))
    torch.Generator = Generator
    for module in (torch.cuda, torch.cuda.memory, torch.cuda.random, torch.mps, torch.mps.event, torch.xpu):
        stand_ins = dict.fromkeys(NOTHING_TO_DO, _nothing)
        stand_ins |= {name: _refuses(f"{module.__name__}.{name}") for name in ONLY_ON_A_GPU}
        stand_ins["_lazy_init"] = _refuses("this")  # torch's own code calls it, in C too, before anything on a GPU
        for name in stand_ins.keys() & vars(module).keys():
            setattr(module, name, stand_ins[name])
    for name in TYPES:
        setattr(torch.cuda, f"{name}Tensor", getattr(torch, f"{name}Tensor"))
    torch.cuda.device = torch.cuda.device_of = _nowhere
    torch.cuda.current_device = lambda: 0


def _told_the_processor(function: Callable) -> Callable:
    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Any:
        return function(*map(on_processor, args), **{key: on_processor(value) for key, value in kwargs.items()})

    return told


def _nothing(*args: Any, **kwargs: Any) -> None:
    """There is no GPU to wait for, to choose or to tidy up."""


def _nowhere(*args: Any) -> contextlib.AbstractContextManager:
    return contextlib.nullcontext()


def _refuses(what: str) -> Callable:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"Grading has no GPU, and {what} needs one. Write an answer that works on a processor too.")

    return refuse
