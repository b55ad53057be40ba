"""LSTM and GRU, one step after the other and with every gate on view: what torch's fused layers hide.

Shapes: B sequences, T steps, C numbers in, H cells. Each class has the weights of torch's own layer, under its names
for the parts, and the tests prove that it computes the same. It takes a hundred times as long, which is why models are
trained with torch's.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Trace:
    """What an LSTM did at each step, all (B, T, H): its gates, its candidate, its cell and what it showed."""

    f: Tensor  # forget gate: the share of the old cell that is kept
    i: Tensor  # input gate
    g: Tensor  # candidate
    o: Tensor  # output gate
    c: Tensor  # the cell
    h: Tensor  # the hidden state


class GatedLSTM(nn.Module):
    """The LSTM of Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000), gate by gate.

    x (B, T, C) in; states h (B, T, H) out. With `forgets=False` the cell keeps all that it has, as in 1997.
    """

    def __init__(self, inputs: int, cells: int, forgets: bool = True):
        super().__init__()
        self.cells, self.forgets = cells, forgets
        self.forget, self.input, self.candidate, self.output = (nn.Linear(inputs + cells, cells) for _ in range(4))

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """x (B, C), h and c (B, H) in; f, i, g, o and the new c and h out, each (B, H)."""
        seen = torch.cat([h, x], 1)  # (B, H + C)
        f = self.forget(seen).sigmoid() if self.forgets else torch.ones_like(c)
        i, o = self.input(seen).sigmoid(), self.output(seen).sigmoid()
        g = self.candidate(seen).tanh()
        c = f * c + i * g
        return f, i, g, o, c, o * c.tanh()

    def trace(self, x: Tensor, alive: Tensor | None = None) -> Trace:
        """Read x (B, T, C) from an empty state. Where `alive` (B, H) is 0, a cell is emptied after every step."""
        h = c = x.new_zeros(len(x), self.cells)
        steps = []
        for vector in x.unbind(1):
            *gates, c, h = self.step(vector, h, c)
            if alive is not None:
                c, h = c * alive, h * alive  # tanh(0) is 0: an empty cell shows nothing
            steps.append((*gates, c, h))
        return Trace(*(torch.stack(part, 1) for part in zip(*steps, strict=True)))

    def forward(self, x: Tensor) -> Tensor:
        return self.trace(x).h

    @torch.no_grad()
    def copy(self, layer: nn.LSTM | nn.LSTMCell) -> "GatedLSTM":
        """Take the weights of torch's layer (its first, forward), which stacks i, f, g, o and has two biases."""
        from_x, from_h, *biases = _weights(layer)
        parts = (self.input, self.forget, self.candidate, self.output)
        for part, of_x, of_h, b, b2 in zip(parts, *(w.chunk(4) for w in (from_x, from_h, *biases)), strict=True):
            part.weight.copy_(torch.cat([of_h, of_x], 1))
            part.bias.copy_(b + b2)
        return self


class GatedGRU(nn.Module):
    """The GRU of Cho et al. (2014), gate by gate: x (B, T, C) in; states h (B, T, H) out.

    The reset gate weighs the old state *before* the product with a matrix, as in the paper, or `after` it, as in torch.
    `z` is the share that is kept, as in torch and in the paper.
    """

    def __init__(self, inputs: int, cells: int, after: bool = True):
        super().__init__()
        self.cells, self.after = cells, after
        self.reset, self.update = (nn.Linear(inputs + cells, cells) for _ in range(2))
        self.from_x, self.from_h = nn.Linear(inputs, cells), nn.Linear(cells, cells)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        """x (B, C) and h (B, H) in; the new h out."""
        seen = torch.cat([h, x], 1)  # (B, H + C)
        r, z = self.reset(seen).sigmoid(), self.update(seen).sigmoid()
        old = r * self.from_h(h) if self.after else self.from_h(r * h)
        n = (self.from_x(x) + old).tanh()
        return z * h + (1 - z) * n

    def forward(self, x: Tensor) -> Tensor:
        h, states = x.new_zeros(len(x), self.cells), []
        for vector in x.unbind(1):
            h = self.step(vector, h)
            states.append(h)
        return torch.stack(states, 1)

    @torch.no_grad()
    def copy(self, layer: nn.GRU | nn.GRUCell) -> "GatedGRU":
        """Take the weights of torch's layer (its first, forward), which stacks r, z, n and has two biases."""
        of_x, of_h, b, b2 = (weight.chunk(3) for weight in _weights(layer))
        for number, part in enumerate((self.reset, self.update)):
            part.weight.copy_(torch.cat([of_h[number], of_x[number]], 1))
            part.bias.copy_(b[number] + b2[number])
        for part, weight, bias in ((self.from_x, of_x[2], b[2]), (self.from_h, of_h[2], b2[2])):
            part.weight.copy_(weight)
            part.bias.copy_(bias)
        return self


def _weights(layer: nn.RNNBase | nn.RNNCellBase) -> tuple[Tensor, ...]:
    """From x, from h, and both biases of a layer of torch's, which must have biases."""
    end = "_l0" if isinstance(layer, nn.RNNBase) else ""
    return tuple(getattr(layer, f"{name}{end}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))


@torch.no_grad()
def open_forget_gates(layer: nn.LSTM | nn.GRU, bias: float | Tensor) -> nn.LSTM | nn.GRU:
    """Begin with this bias in the gate that keeps: f of an LSTM, z of a GRU. A number, or one for each cell (H,).

    torch has two biases, which add up: one is set, and the other is 0 there. The gates' weights on x and h stay.
    """
    cells = slice(layer.hidden_size, 2 * layer.hidden_size)  # i, f, g, o or r, z, n: the second of them in both
    for name, value in layer.named_parameters():
        if name.startswith("bias_ih"):
            value[cells] = bias
        elif name.startswith("bias_hh"):
            value[cells] = 0
    return layer


@torch.no_grad()
def chrono(layer: nn.LSTM | nn.GRU, longest: float) -> nn.LSTM | nn.GRU:
    """Begin with time scales spread from 2 steps to `longest` (Tallec and Ollivier 2018, "chrono initialisation").

    The bias of the gate that keeps is ln(u), u uniform from 1 to `longest` − 1, so that its scale is about u + ½ steps.
    An LSTM's input gate begins with −ln(u): who keeps for long, writes little at a time. Raises ValueError below 3.
    """
    if longest < 3:
        raise ValueError(f"longest={longest}; expected at least 3 steps.")
    bias = torch.empty(layer.hidden_size).uniform_(1, longest - 1).log()
    open_forget_gates(layer, bias)
    if isinstance(layer, nn.LSTM):
        for name, value in layer.named_parameters():
            if name.startswith("bias"):
                value[: layer.hidden_size] = -bias if name.startswith("bias_ih") else 0
    return layer


def between_cells(lstm: GatedLSTM, x: Tensor, alone: bool = False, probes: int = 64) -> tuple[Tensor, Tensor]:
    """How strongly the last cell depends on the cell k steps before: by its direct path, and in all, (B, T) each.

    Both are Frobenius norms of Jacobians ∂c_T / ∂c_{T−k}, k = 0 … T − 1, for each sequence of x (B, T, C). The direct
    path is the product of the forget gates, a diagonal matrix. The whole comes from gradients of random sums of the
    last cell (Hutchinson), with an error of some percent. `alone` cuts what runs through h: the direct path is left.
    """
    h = c = x.new_zeros(len(x), lstm.cells)
    cells, gates = [], []
    for vector in x.unbind(1):
        f, *_, c, h = lstm.step(vector, h.detach() if alone else h, c)
        cells.append(c)
        gates.append(f.detach())
    sums = torch.randn(probes, *c.shape, generator=torch.Generator().manual_seed(0))
    gradients = torch.autograd.grad(c, cells, sums, is_grads_batched=True)  # T times (probes, B, H)
    total = [gradient.square().sum(2).mean(0).sqrt() for gradient in gradients[::-1]]
    product, direct = torch.ones_like(gates[0]), []
    for f in reversed(gates):
        direct.append(product.norm(dim=1))
        product = product * f
    return torch.stack(direct, 1), torch.stack(total, 1)
