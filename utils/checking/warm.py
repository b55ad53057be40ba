"""What answers commonly import without knowing it, imported before any clock runs."""

from functools import cache

import torch


@cache
def warm_up() -> None:
    """Take one step with an optimizer and one with `torch.func`: the first of either imports 800 modules of torch."""
    weight = torch.ones(1, requires_grad=True)
    weight.grad = torch.zeros(1)
    for optimizer in (torch.optim.SGD, torch.optim.AdamW):
        optimizer([weight], lr=0.1).step()
    torch.func.vmap(torch.func.grad(lambda x: x.square().sum()))(torch.ones(1, 1))
