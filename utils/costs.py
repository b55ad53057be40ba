"""What things cost, and how costs grow with length. Such costs are {length: cost}, in the order of the lengths."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from utils.modes import evaluation_mode

AT_LEAST = 0.02  # seconds that one measurement takes: below, the clock's own steps would be seen


def processor_seconds(calls: Mapping[str, Callable[[], object]], rounds: int = 5) -> dict[str, list[float]]:
    """Seconds of processor time that one call of each takes, a number for each round.

    The calls take turns, so that what slows the machine down slows all of them. They run on one thread, and the time of
    other programs and threads does not count. Compare the times of one round with each other.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        repeats = {name: _repeats(call) for name, call in calls.items()}
        taken: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds):
            for name, call in calls.items():
                taken[name].append(_seconds(call, repeats[name]) / repeats[name])
        return taken
    finally:
        torch.set_num_threads(threads)


def _repeats(call: Callable[[], object]) -> int:
    """How often to call it in one measurement. The first call warms up, and counts only where it is slow anyway."""
    if _seconds(call, 1) > AT_LEAST:
        return 1
    return 1 + int(AT_LEAST / max(_seconds(call, 1), 1e-6))


def _seconds(call: Callable[[], object], times: int) -> float:
    began = time.thread_time()
    for _ in range(times):
        call()
    return time.thread_time() - began


def memory_kept(forward: Callable[[], torch.Tensor], model: torch.nn.Module) -> int:
    """Bytes that a forward pass keeps for the backward pass, the model's own parameters not counted.

    A storage counts once and as a whole, so a view of a long tensor counts as that tensor.
    """
    kept, own = {}, {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = forward()
    del result
    return sum(size for place, size in kept.items() if place not in own)


def slope(costs: Mapping[int, float]) -> float:
    """The exponent p of the power law cost = a · length^p that fits best (least squares of the logarithms)."""
    return float(np.polyfit(np.log(list(costs)), np.log(list(costs.values())), 1)[0])


def crossing(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """The length where the first cost overtakes the second, between two measured ones; nan where it never does.

    Raises ValueError where they were not measured at the same lengths.
    """
    if list(one) != list(other):
        raise ValueError(f"one cost was measured at {list(one)} and the other at {list(other)}; expected the same.")
    ahead = np.log(np.array(list(one.values())) / np.array(list(other.values())))
    logs = np.log(list(one))
    for i in range(len(logs) - 1):
        if ahead[i] < 0 <= ahead[i + 1]:
            share = ahead[i] / (ahead[i] - ahead[i + 1])
            return float(np.exp(logs[i] + share * (logs[i + 1] - logs[i])))
    return float("nan")


class Cost(NamedTuple):
    """What one pass of one example costs."""

    parameters: int
    multiply_adds: int


def cost(module: nn.Module, *inputs: torch.Tensor) -> Cost:
    """Parameters, and multiply-adds of one forward pass, as torch counts them: convolutions and matrix products.

    Biases, normalisation, activations and pooling do not count. On the "meta" device nothing but shapes is computed.
    The inputs are a batch of one; the mode is left as it was.
    """
    with torch.no_grad(), evaluation_mode(module), FlopCounterMode(display=False) as counter:
        module(*inputs)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return Cost(parameters, counter.get_total_flops() // 2)  # a product and its addition are two operations
