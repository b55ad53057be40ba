"""The selective state-space layer of Mamba: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State
Spaces", 2023. Shapes: B sequences, T steps, C channels, N numbers of state for each channel.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.models.scan import scan
from utils.models.stateful import ShortConvolution, State, Stateful


class SelectiveSSM(Stateful):
    """The core, "S6": each channel has N decaying memories, and each step says how far to decay and what to write::

        h_t = exp(Δ_t A) ⊙ h_{t−1} + Δ_t B_t x_t        y_t = C_t · h_t + D x_t

    Δ_t > 0 (one for each channel), B_t and C_t (N numbers each) are made from x_t: that is the *selection*. With
    `selective=False` they are the same at each step, as in the state-space layers before it. A (C, N) is always fixed
    and negative. (The paper makes Δ through a narrower matrix; here it is a full one.)
    """

    def __init__(self, width: int, state: int = 16, selective: bool = True):
        super().__init__()
        self.state, self.selective = state, selective
        self.log_A = nn.Parameter(torch.arange(1.0, state + 1).log().repeat(width, 1))  # A = −1, −2, …, −N
        self.D = nn.Parameter(torch.ones(width))
        self.delta = nn.Linear(width, width)
        self.B, self.C = (nn.Linear(width, state, bias=not selective) for _ in range(2))
        step = torch.exp(torch.empty(width).uniform_(math.log(0.001), math.log(0.1)))  # as the paper begins
        with torch.no_grad():
            self.delta.bias.copy_(step + torch.log(-torch.expm1(-step)))  # softplus of it is `step`
            if not selective:
                self.B.bias.fill_(1.0)
                nn.init.normal_(self.C.bias)

    def gates(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of x (…, C): what is kept (…, C, N), what is written (…, C, N), and how it is read, C_t (…, N)."""
        source = x if self.selective else torch.zeros_like(x)  # zeros leave the biases alone
        delta = F.softplus(self.delta(source))  # (…, C)
        kept = torch.exp(delta[..., None] * -self.log_A.exp())  # (…, C, N), between 0 and 1
        written = (delta * x)[..., None] * self.B(source)[..., None, :]  # (…, C, N)
        return kept, written, self.C(source)

    def start(self, x: Tensor) -> State:
        return (x.new_zeros(len(x), x.shape[-1], self.state),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        kept, written, read = self.gates(x)
        h = kept * state[0] + written  # (B, C, N)
        return (h * read[:, None]).sum(-1) + self.D * x, (h,)

    def forward(self, x: Tensor) -> Tensor:
        kept, written, read = self.gates(x)
        h = scan(kept, written)  # (B, T, C, N)
        return (h * read[:, :, None]).sum(-1) + self.D * x


class Mamba(Stateful):
    """The block around it: a short causal convolution before, and a gate after. It needs no attention and no MLP::

        u, z = W x        y = W′ (S6(silu(conv(u))) ⊙ silu(z))

    The paper doubles the width inside (`expand=2`), convolves over 4 steps, and has N = 16.
    """

    def __init__(self, width: int, state: int = 16, selective: bool = True, expand: int = 1, kernel: int = 4):
        super().__init__()
        inner = expand * width
        self.into, self.out = nn.Linear(width, 2 * inner, bias=False), nn.Linear(inner, width, bias=False)
        self.conv = ShortConvolution(inner, kernel)
        self.ssm = SelectiveSSM(inner, state, selective)

    def start(self, x: Tensor) -> State:
        u, _ = self.into(x).chunk(2, -1)
        return *self.conv.start(u), *self.ssm.start(u)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        u, z = self.into(x).chunk(2, -1)
        u, recent = self.conv.step(u, state[:1])
        y, h = self.ssm.step(F.silu(u), state[1:])
        return self.out(y * F.silu(z)), (*recent, *h)

    def forward(self, x: Tensor) -> Tensor:
        u, z = self.into(x).chunk(2, -1)
        return self.out(self.ssm(F.silu(self.conv(u))) * F.silu(z))
