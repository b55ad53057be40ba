"""The optimizer Muon: momentum whose matrices are brought near to orthogonal ones before each step."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the fifth-degree polynomial that pushes singular values towards 1


class Muon(torch.optim.Optimizer):
    """For matrices (rows, columns). A matrix that is a stack of square ones is taken as these, each by itself.

    A step moves each square by `lr` times a nearly orthogonal matrix, so every direction is learned at the same rate.
    Weight decay is that of AdamW. (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".)
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(list(matrices), dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        for group in self.param_groups:
            directions, matrices = [], [p for p in group["params"] if p.grad is not None]
            for p in matrices:
                mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                mean.lerp_(p.grad, 1 - group["momentum"])
                directions.append(squares(torch.lerp(p.grad, mean, group["momentum"])))  # Nesterov's look ahead
            sizes = [len(one) for one in directions]
            parts = orthogonal(torch.cat(directions)).split(sizes)
            for p, part in zip(matrices, parts, strict=True):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(unsquared(part, p.shape), alpha=group["lr"])


def squares(matrix: Tensor) -> Tensor:
    """(k n, n) or (n, k n) to (k, n, n)."""
    rows, columns = matrix.shape
    if rows >= columns:
        return matrix.view(-1, columns, columns)
    return matrix.view(rows, -1, rows).transpose(0, 1)


def unsquared(parts: Tensor, shape: torch.Size) -> Tensor:
    """The way back: (k, n, n) to `shape`."""
    return parts.reshape(shape) if shape[0] >= shape[1] else parts.transpose(0, 1).reshape(shape)


def orthogonal(matrices: Tensor, iterations: int = 5) -> Tensor:
    """Square matrices (k, n, n) with their singular values brought to about 1, by the Newton–Schulz iteration."""
    a, b, c = COEFFICIENTS
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x
