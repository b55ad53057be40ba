"""Where a model is trained and measured: on the GPU if there is one."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import torch
from torch import Tensor, nn


def pick_device() -> torch.device:
    """The GPU where CUDA finds one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def on_fastest_device(model: nn.Module) -> Iterator[torch.device]:
    """Lend the model to the GPU if there is one, in the memory format that is faster for images.

    Afterwards it is on its own device and in its own format again, so that other cells need not care.
    """
    home = next((p.device for p in model.parameters()), torch.device("cpu"))
    contiguous = {name for name, tensor in _tensors(model) if tensor.is_contiguous()}
    # torch documents a memory format alone, but has no overload for it.
    model.to(pick_device()).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    try:
        yield pick_device()
    finally:
        model.to(home)
        for name, tensor in _tensors(model):
            if name in contiguous:
                tensor.data = tensor.data.contiguous()


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return chain(model.named_parameters(), model.named_buffers())
