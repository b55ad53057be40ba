"""The time-mix of RWKV-4: Peng et al., "RWKV: Reinventing RNNs for the Transformer Era", 2023.

Shapes: B sequences, T steps, C channels. Each channel is a memory of its own.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.models.scan import scan
from utils.models.stateful import State, Stateful


class TimeMix(Stateful):
    """A mean over the past in each channel, in which weights fade by e^{−w} a step; the newest counts e^u extra::

                Σ_{i<t} e^{−(t−1−i) w + k_i} v_i + e^{u + k_t} v_t
        wkv_t = ──────────────────────────────────────────────────        y_t = W_o (σ(r_t) ⊙ wkv_t)
                Σ_{i<t} e^{−(t−1−i) w + k_i}     + e^{u + k_t}

    r, k and v are made from a mix of x_t and x_{t−1}. Keys k may be large, so numerator and denominator are both kept
    times e^{−p}, where p_t = max(p_{t−1} − w, k_t) is the largest exponent so far. Nothing overflows.
    """

    def __init__(self, width: int):
        super().__init__()
        self.mix = nn.Parameter(torch.linspace(0, 1, width).repeat(3, 1))  # for r, k, v: the share of x_t
        self.r, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.log_w = nn.Parameter(torch.linspace(-5, 1, width))  # w = e^{log_w}: half-lives from 100 steps to a quarter
        self.u = nn.Parameter(torch.zeros(width))

    def project(self, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gate, key and value (…, C) of x and of what stood one step before it."""
        mixed = [torch.lerp(before, x, share) for share in self.mix]
        return self.r(mixed[0]).sigmoid(), self.k(mixed[1]), self.v(mixed[2])

    def start(self, x: Tensor) -> State:
        zero = x.new_zeros(len(x), x.shape[-1])
        return zero, zero, zero, zero - torch.inf  # x before, numerator, denominator, and p: all (B, C)

    def read(self, k: Tensor, v: Tensor, top: Tensor, bottom: Tensor, p: Tensor) -> Tensor:
        """wkv from the state *before* a step, and the key and value of this step."""
        q = torch.maximum(p, self.u + k).detach()
        old, new = torch.exp(p - q), torch.exp(self.u + k - q)
        return (old * top + new * v) / (old * bottom + new)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        before, top, bottom, p = state
        r, k, v = self.project(x, before)
        y = self.o(r * self.read(k, v, top, bottom, p))
        next_p = torch.maximum(p - self.log_w.exp(), k).detach()
        old, new = torch.exp(p - self.log_w.exp() - next_p), torch.exp(k - next_p)
        return y, (x, old * top + new * v, old * bottom + new, next_p)

    def forward(self, x: Tensor) -> Tensor:
        r, k, v = self.project(x, F.pad(x, (0, 0, 1, -1)))
        w, places = self.log_w.exp(), torch.arange(x.shape[1], device=x.device)[:, None]
        p = ((k + places * w).cummax(1).values - places * w).detach()  # the running maximum, at once
        before = F.pad(p, (0, 0, 1, -1), value=-torch.inf)  # p one step earlier
        kept, new = torch.exp(before - w - p), torch.exp(k - p)
        top, bottom = scan(kept, new * v), scan(kept, new)  # (B, T, C) each
        top, bottom = (F.pad(part, (0, 0, 1, -1)) for part in (top, bottom))  # one step earlier, too
        return self.o(r * self.read(k, v, top, bottom, before))
