"""Muon: an optimizer that steps equally far in every direction in which the gradient of a matrix points."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # a x + b x³ + c x⁵ brings any x of (0, 1] near 1 when applied a few times


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made nearly orthogonal before each step (Jordan et al. 2024, "Muon").

    The gradient of a weight matrix points in a few directions strongly and in many weakly. Here all of them count
    the same: a step moves the matrix by `lr` times one whose singular values are all about 1, times
    √(rows / columns) where it is taller than wide.

    A kernel (O, I, K, K) is the matrix (O, I · K · K). Two to four square matrices side by side, such as the gates of
    an LSTM (4 C, C) or what leads back from four times the width (C, 4 C), count as so many matrices.

    (torch.optim.Muon computes in bfloat16, which many processors emulate, and takes such a stack as one matrix.)

    Args:
        matrices: parameters of two or more dimensions, without embeddings and the last layer: AdamW suits those.
        lr: how far a step moves a matrix, in every direction.
        momentum: how much of the mean gradient is kept from step to step.
        weight_decay: as in AdamW, times `lr`.
        iterations: how often the polynomial is applied.
    """

    def __init__(
        self,
        matrices: Iterable[Tensor],
        lr: float = 0.05,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        iterations: int = 5,
    ):
        super().__init__(list(matrices), dict(lr=lr, momentum=momentum, weight_decay=weight_decay))
        self.iterations = iterations

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        for group in self.param_groups:
            alike: dict[tuple, list[tuple[Tensor, Tensor]]] = {}  # by shape: one batched product costs less than many
            for p in group["params"]:
                if p.grad is None:
                    continue
                direction = parts(self._look_ahead(p, p.grad, group["momentum"]).flatten(1))  # (k, rows, columns)
                alike.setdefault(direction.shape[1:], []).append((p, direction))
            for pairs in alike.values():
                parameters, directions = zip(*pairs, strict=True)
                steps = orthogonal(torch.cat(directions), self.iterations).split([len(d) for d in directions])
                for p, step in zip(parameters, steps, strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    taller = max(1.0, step.shape[1] / step.shape[2]) ** 0.5
                    p.sub_(whole(step, p.shape), alpha=group["lr"] * taller)

    def _look_ahead(self, p: Tensor, gradient: Tensor, momentum: float) -> Tensor:
        """The mean gradient as the next step will see it (Nesterov)."""
        mean = self.state[p].setdefault("mean", torch.zeros_like(p))
        mean.lerp_(gradient, 1 - momentum)
        return torch.lerp(gradient, mean, momentum)


def parts(matrix: Tensor) -> Tensor:
    """(k C, C) or (C, k C) to squares (k, C, C), k up to 4; any other matrix (rows, columns) to (1, rows, columns)."""
    rows, columns = matrix.shape
    if columns > rows:
        return parts(matrix.mT).mT
    return matrix.unflatten(0, (-1, columns)) if rows % columns == 0 and rows <= 4 * columns else matrix[None]


def whole(parts: Tensor, shape: torch.Size) -> Tensor:
    """The way back, (k, rows, columns) to the shape of a parameter."""
    if shape[0] < shape[1:].numel():
        return parts.mT.flatten(0, 1).mT.reshape(shape)
    return parts.reshape(shape)


def orthogonal(matrices: Tensor, iterations: int = 5) -> Tensor:
    """Matrices (k, rows, columns) with singular values near 1 and the same singular vectors (Newton and Schulz)."""
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonal(matrices.mT, iterations).mT
    a, b, c = COEFFICIENTS
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(iterations):
        gram = x @ x.mT  # (k, rows, rows)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)  # (a + b g + c g²) x
    return x


def hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """The weights that Muon suits: matrices and kernels of layers, but of no embedding and not of the last layer."""
    layers = [m for m in model.modules() if not list(m.children()) and list(m.parameters())]
    apart = {id(p) for m in layers if isinstance(m, nn.Embedding) or m is layers[-1] for p in m.parameters()}
    theirs = (p for layer in layers for p in layer.parameters() if p.dim() > 1 and id(p) not in apart)
    return list(dict.fromkeys(theirs))  # a weight that two layers share is one
