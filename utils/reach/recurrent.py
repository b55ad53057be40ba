"""The chain of a recurrent layer: its states, and how strongly the last one depends on each of those before it.

Shapes: T steps, H units. The states of a sequence are (T + 1, H): h_0, before the first input, to h_T.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn


@torch.no_grad()
def states_of(layer: nn.RNNBase, vectors: Tensor) -> Tensor:
    """The states (T + 1, H) of a layer that reads vectors (T, C), from a state of zeros on."""
    states, _ = layer(vectors[None] if layer.batch_first else vectors[:, None])
    states = states.reshape(len(vectors), -1)
    return torch.cat([states.new_zeros(1, states.shape[1]), states])


def tanh_states(W_h: Tensor, inputs: Tensor) -> Tensor:
    """The states (T + 1, H) of h_t = tanh(W_h h_{t−1} + inputs_t), for inputs (T, H) that are weighed already."""
    states = [torch.zeros_like(inputs[0])]
    for one in inputs:
        states.append(torch.tanh(W_h @ states[-1] + one))
    return torch.stack(states)


@torch.no_grad()
def jacobian_norms(W_h: Tensor, states: Tensor | None, steps: int | None = None) -> Tensor:
    """The largest singular value of ∂h_T/∂h_{T−k} for k = 0 to T: (T + 1,), in float64; 1 at k = 0.

    Each step back multiplies by diag(1 − h²) W_h. Without states the chain has no tanh, and each of the `steps` steps
    multiplies by W_h alone.
    """
    factors = _factors(W_h.double(), states, steps or 0)
    product, norms = torch.eye(len(W_h), dtype=torch.float64), [1.0]
    for factor in factors:
        product = product @ factor
        norms.append(torch.linalg.matrix_norm(product, 2).item())
    return torch.tensor(norms, dtype=torch.float64)


def _factors(W_h: Tensor, states: Tensor | None, steps: int) -> Iterator[Tensor]:
    """Those of the chain, the last step first."""
    if states is None:
        yield from [W_h] * steps
    else:
        for state in states[1:].double().flip(0):
            yield (1 - state**2)[:, None] * W_h


def gradient_horizon(W_h: Tensor, states: Tensor, share: float = 0.01) -> int:
    """The first gap k at which the norm of ∂h_T/∂h_{T−k} is below `share`; T + 1 where it never is."""
    below = (jacobian_norms(W_h, states) < share).nonzero()
    return int(below[0]) if len(below) else len(states)
