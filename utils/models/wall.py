"""Ten ways in which information moves, each as one small model with the same reading and the same task.

The task is to keep the last symbol: sequences of fillers with a symbol here and there, and at each position the
question which symbol came last (the *flip-flop* of Liu et al., "Exposing Attention Glitches with Flip-Flop Language
Modeling", NeurIPS 2023, arXiv:2306.00946). The input that matters is known, so the right reach map is known, too.
Shapes: B sequences, T positions, C channels.
"""

import base64
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.models.rwkv import TimeMix
from utils.models.state_space import Mamba, SelectiveSSM
from utils.models.stateful import CausalAttention
from utils.models.wavenet import CausalConv
from utils.models.xlstm import MLSTM

SYMBOLS, TOKENS = 4, 8  # tokens 0 to 3 are symbols, 4 to 7 are fillers
LENGTH = 48
DECADES = 6  # of a map that is stored; what is smaller counts as the smallest


def last_symbol(count: int, seed: int, length: int = LENGTH, often: float = 1 / 16) -> tuple[Tensor, Tensor]:
    """Tokens (count, length) and, for each position, the symbol that came last (count, length).

    Each sequence begins with a symbol; later ones come with probability `often`. The same seed gives the same.
    """
    draw = torch.Generator().manual_seed(seed)
    fillers = torch.randint(SYMBOLS, TOKENS, (count, length), generator=draw)
    symbols = torch.randint(SYMBOLS, (count, length), generator=draw)
    written = torch.rand(count, length, generator=draw) < often
    written[:, 0] = True
    tokens = torch.where(written, symbols, fillers)
    return tokens, tokens.gather(1, last_place(tokens))


def last_place(tokens: Tensor) -> Tensor:
    """Where the last symbol stands, for each position of tokens (…, T): (…, T)."""
    places = torch.arange(tokens.shape[-1]).expand_as(tokens)
    return torch.where(tokens < SYMBOLS, places, 0).cummax(-1).values


class Convolutions(nn.Module):
    """Causal convolutions with a ReLU after each, (B, T, C) in and out."""

    def __init__(self, width: int, dilations: tuple[int, ...], kernel: int):
        super().__init__()
        self.layers = nn.Sequential()
        for dilation in dilations:
            self.layers += nn.Sequential(CausalConv(width, width, kernel, dilation), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.mT).mT


class States(nn.Module):
    """A recurrent layer of torch's, (B, T, C) in and its states out."""

    def __init__(self, layer: nn.RNNBase):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


class Look(nn.Module):
    """Two layers of self-attention with a residual step each, (B, T, C) in and out.

    What is far away costs each head a slope of its own per position, as in ALiBi (Press et al. 2022). Here the slopes
    are learned, one for the past and one for the future. With `causal` no position sees a later one.
    """

    def __init__(self, width: int, causal: bool, heads: int = 4, layers: int = 2):
        super().__init__()
        self.causal, self.heads = causal, heads
        self.qkv = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(layers))
        self.out = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.slope = nn.Parameter(torch.linspace(0, 0.5, heads).repeat(layers, 2, 1))  # per position, past and future

    def forward(self, x: Tensor) -> Tensor:
        for qkv, out, slope in zip(self.qkv, self.out, self.slope, strict=True):
            x = x + out(self.look(x, qkv, slope))
        return x

    def look(self, x: Tensor, qkv: nn.Module, slope: Tensor) -> Tensor:
        q, k, v = qkv(F.layer_norm(x, x.shape[-1:])).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        places = torch.arange(x.shape[1], device=x.device)
        distance = (places[:, None] - places).to(x)  # above 0 where j lies before i
        past, future = slope[..., None, None]  # (H, 1, 1) each
        scores = q @ k.mT / q.shape[-1] ** 0.5 - past * distance.relu() - future * (-distance).relu()
        if self.causal:
            scores = scores.masked_fill(distance < 0, -torch.inf)
        return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


MIXERS: dict[str, Callable[[], tuple[int, nn.Module]]] = {
    "CNN": lambda: (30, Convolutions(30, (1, 1, 1), kernel=3)),
    "dilated CNN": lambda: (26, Convolutions(26, (1, 2, 4, 8, 16, 32), kernel=2)),
    "plain RNN": lambda: (64, States(nn.RNN(64, 64, batch_first=True))),
    "LSTM": lambda: (32, States(nn.LSTM(32, 32, batch_first=True))),
    "GRU": lambda: (37, States(nn.GRU(37, 37, batch_first=True))),
    "causal attention": lambda: (32, Look(32, causal=True)),
    "full attention": lambda: (32, Look(32, causal=False)),
    "state-space": lambda: (44, Mamba(44, state=4)),
    "RWKV": lambda: (45, TimeMix(45)),
    "xLSTM": lambda: (40, MLSTM(40)),
}
"""{name: a function that makes its width and its way to move information}. Each model has about 9,000 parameters.

The state-space layer is Mamba's, that of RWKV its time-mix, that of xLSTM its matrix cell, the mLSTM (lesson 12).
"""

FIELDS = {"CNN": 7, "dilated CNN": 64}
"""How many positions a stack of convolutions sees, itself included; the others see all before them."""


SYMPTOMS: dict[str, Callable[[], tuple[int, nn.Module]]] = {
    "CNN, twice as wide": lambda: (60, Convolutions(60, (1, 1, 1), kernel=3)),
}
"""More of the same, for comparison: four times the weights, and the same field."""


class OnTheWall(nn.Module):
    """Tokens (B, T) in, logits (B, T, symbols) out: one-hot vectors, a dense layer, one of the ten, a dense layer."""

    def __init__(self, name: str):
        super().__init__()
        width, self.mixer = (MIXERS | SYMPTOMS)[name]()
        self.first, self.head = nn.Linear(TOKENS, width), nn.Linear(width, SYMBOLS)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.read(F.one_hot(tokens, TOKENS).float())

    def read(self, vectors: Tensor) -> Tensor:
        """What follows the one-hot vectors: (B, T, tokens) in. `influence(model.read, vectors)`."""
        return self.head(self.mixer(self.first(vectors)))


def numbers_kept(n: int, width: int) -> dict[str, int]:
    """How many numbers each kind really keeps after n steps of one sequence, counted in its state or cache.

    One layer of each kind, with `width` channels; of convolutions as many layers as see n positions. What reads all of
    its input at once keeps nothing, and is left out. `width` must be a multiple of 4.
    """
    x = torch.zeros(1, n, width)
    layers, doublings = -(-(n - 1) // 2), (n - 1).bit_length()
    stacks = {
        "CNN": Convolutions(width, (1,) * layers, kernel=3),
        "dilated CNN": Convolutions(width, tuple(2**i for i in range(doublings)), kernel=2),
    }
    torch_layers = {"plain RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
    stateful = {
        "causal attention": CausalAttention(width),
        "state-space": SelectiveSSM(width, state=16),
        "RWKV": TimeMix(width),
        "xLSTM": MLSTM(width, heads=4),
    }
    convolutions = {name: [m for m in stack.modules() if isinstance(m, CausalConv)] for name, stack in stacks.items()}
    kept = {name: sum(conv.past * conv.in_channels for conv in convs) for name, convs in convolutions.items()}
    kept |= {name: _numbers(kind(width, width, batch_first=True)(x)[1]) for name, kind in torch_layers.items()}
    return kept | {name: _numbers(layer.by_steps(x)[1]) for name, layer in stateful.items()}


def _numbers(state: Tensor | tuple[Tensor, ...]) -> int:
    """All numbers of a state, which is a tensor or several."""
    return state.numel() if isinstance(state, Tensor) else sum(part.numel() for part in state)


def packed(found: Tensor) -> str:
    """A map (T, T) relative to its largest as one byte for each pair: 255 for 1, 1 for 10⁻⁶ and less, 0 for none."""
    levels = (1 + 254 * (1 + found.clamp(min=1e-30).log10() / DECADES)).clamp(1, 255).round()
    return base64.b64encode(torch.where(found > 0, levels, 0).byte().numpy().tobytes()).decode()


def unpacked(text: str, length: int = LENGTH) -> Tensor:
    """The map (T, T) that `packed` wrote, within 3 %."""
    levels = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8).view(length, length).float()
    return torch.where(levels > 0, 10 ** (DECADES * ((levels - 1) / 254 - 1)), 0)
