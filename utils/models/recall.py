"""Delayed recall: a symbol at the start, then nothing but fillers, and the question what it was. The task and a reader.

Tasks of this kind are as old as the question: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation
1997, have several. Shapes: B sequences, T = gap + 1 tokens, H the width of the state.
"""

import torch
from torch import Tensor, nn

SYMBOLS, FILLERS = 4, 4  # tokens 0 to 3 are worth remembering, 4 to 7 are not


def delayed_recall(
    count: int, gap: int, seed: int, symbols: int = SYMBOLS, fillers: int = FILLERS
) -> tuple[Tensor, Tensor]:
    """Tokens (count, gap + 1) and labels (count,), both int64: the same for the same seed.

    Token 0 of each sequence is a symbol, 0 to `symbols` − 1, which is also its label. The `gap` tokens after it are
    fillers, `symbols` to `symbols + fillers` − 1, that say nothing about it. From the first token to the state after
    the last one it is `gap` steps. Raises ValueError for a gap below 1 or no sequence.
    """
    if count < 1 or gap < 1:
        raise ValueError(f"Got {count} sequences and a gap of {gap}; each must be at least 1.")
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(symbols, (count,), generator=draw)
    rest = torch.randint(symbols, symbols + fillers, (count, gap), generator=draw)
    return torch.cat([labels[:, None], rest], 1), labels


class Recaller(nn.Module):
    """Reads tokens (B, T), one-hot, with a recurrent layer of torch's, and says from its last state what came first.

    `layer` is an `nn.RNN`, `nn.GRU` or `nn.LSTM` of any width, with `batch_first` and as many inputs as there are
    tokens. Logits (B, symbols) come out. Raises ValueError for a layer that reads in another order.
    """

    def __init__(self, layer: nn.RNNBase, symbols: int = SYMBOLS):
        super().__init__()
        if not layer.batch_first:
            raise ValueError("The layer must have batch_first=True: its inputs are (B, T, tokens).")
        self.layer = layer
        self.head = nn.Linear(layer.hidden_size * (2 if layer.bidirectional else 1), symbols)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.read(self.vectors(tokens))

    def vectors(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T) as one-hot vectors (B, T, tokens)."""
        return nn.functional.one_hot(tokens, self.layer.input_size).float()

    def read(self, vectors: Tensor) -> Tensor:
        """What follows: vectors (B, T, tokens) in, logits (B, symbols) out."""
        states, _ = self.layer(vectors)  # (B, T, H)
        return self.head(states[:, -1])


def tanh_layer(width: int, start: str = "torch", tokens: int = SYMBOLS + FILLERS) -> nn.RNN:
    """A tanh layer of this width whose W_h begins as torch has it, or "orthogonal", or as the "identity"."""
    layer = nn.RNN(tokens, width, batch_first=True)
    W_h = layer.get_parameter("weight_hh_l0")
    if start == "orthogonal":
        nn.init.orthogonal_(W_h)
    elif start == "identity":
        nn.init.eye_(W_h)
    elif start != "torch":
        raise ValueError(f'start={start!r} is unknown. Choose "torch", "orthogonal" or "identity".')
    return layer
