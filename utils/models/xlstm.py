"""The two cells of xLSTM: Beck et al., "xLSTM: Extended Long Short-Term Memory", 2024.

Shapes: B sequences, T steps, C channels; an mLSTM has H heads of D = C / H. Gates are exponentials here, which may be
larger than 1, so that a step can outweigh all that was written before. A normaliser n keeps the sum of what was
written, and a stabiliser m the largest exponent: all is stored times e^{−m}, and nothing overflows.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.models.stateful import State, Stateful


class SLSTM(Stateful):
    """The scalar cell. Its gates read the last hidden state ("memory mixing"), so one step waits for the other::

        c_t = f c_{t−1} + i z    n_t = f n_{t−1} + i    h_t = o ⊙ c_t / n_t
        z = tanh(…), o = σ(…), i = exp(…), f = σ(…)

    All of these are (B, C).
    """

    def __init__(self, width: int, forget: float = 3.0):
        super().__init__()
        self.from_x, self.from_h = nn.Linear(width, 4 * width), nn.Linear(width, 4 * width, bias=False)
        nn.init.constant_(self.from_x.bias[width : 2 * width], forget)  # rows i, f, z, o; forget gates begin open

    def start(self, x: Tensor) -> State:
        zero = x.new_zeros(len(x), x.shape[-1])
        return zero, zero, zero, zero - torch.inf  # h, c, n, m: all (B, C)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c, n, m = state
        log_i, f, z, o = (self.from_x(x) + self.from_h(h)).chunk(4, -1)
        log_f = F.logsigmoid(f)
        top = torch.maximum(log_f + m, log_i).detach()  # the new stabiliser
        f, i = torch.exp(log_f + m - top), torch.exp(log_i - top)
        c, n = f * c + i * z.tanh(), f * n + i
        h = o.sigmoid() * c / n
        return h, (h, c, n, top)


class MLSTM(Stateful):
    """The matrix cell: each head stores pairs of key and value in a D × D matrix, and is asked by a query::

        C_t = f C_{t−1} + i v kᵀ    n_t = f n_{t−1} + i k    h_t = o ⊙ C_t q / max(|n_t · q|, 1)

    Its gates read x alone. So it can also be computed without steps, as attention whose weights (T, T) are
    q_t · k_s times the gates between s and t: `forward`. (The paper's block puts a convolution and more around it.)
    """

    def __init__(self, width: int, heads: int = 2, forget: float = 3.0):
        super().__init__()
        self.heads = heads
        self.qkv, self.gates = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, 2 * heads)
        self.o, self.out = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        nn.init.constant_(self.gates.bias[heads:], forget)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """x (B, T, C) in; q, k, v (B, H, T, D), and the logarithms of i and f (B, H, T)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        log_i, f = self.gates(x).mT.chunk(2, 1)
        return q, k / k.shape[-1] ** 0.5, v, log_i, F.logsigmoid(f)

    def start(self, x: Tensor) -> State:
        B, H, D = len(x), self.heads, x.shape[-1] // self.heads
        return x.new_zeros(B, H, D, D), x.new_zeros(B, H, D), x.new_zeros(B, H) - torch.inf  # C, n, m

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (C, n, m), parts = state, self.project(x[:, None])
        q, k, v, log_i, log_f = (part[:, :, 0] for part in parts)  # (B, H, D) and (B, H)
        top = torch.maximum(log_f + m, log_i).detach()  # the new stabiliser
        f, i = torch.exp(log_f + m - top)[..., None], torch.exp(log_i - top)[..., None]
        C = f[..., None] * C + i[..., None] * v[..., :, None] * k[..., None, :]  # (B, H, D, D)
        n = f * n + i * k
        size = torch.maximum((n * q).sum(-1).abs(), torch.exp(-top))  # the 1 of the formula, times e^{−m}
        h = (C @ q[..., None])[..., 0] / size[..., None]
        return self.out(self.o(x).sigmoid() * h.flatten(1)), (C, n, top)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v, log_i, log_f = self.project(x)
        kept = log_f.cumsum(-1)  # (B, H, T)
        exponent = kept[..., :, None] - kept[..., None, :] + log_i[..., None, :]  # (B, H, T, T): s written, t asks
        exponent = exponent.masked_fill(torch.ones_like(exponent, dtype=torch.bool).triu(1), -torch.inf)
        top = exponent.amax(-1, keepdim=True).detach()
        weights = q @ k.mT * torch.exp(exponent - top)
        size = torch.maximum(weights.sum(-1, keepdim=True).abs(), torch.exp(-top))
        h = (weights / size) @ v  # (B, H, T, D)
        return self.out(self.o(x).sigmoid() * h.transpose(1, 2).flatten(2))
