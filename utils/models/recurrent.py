"""The networks of lessons 05 and 06, whose state goes through tanh: one layer, Elman's network, Jordan's.

Shapes: B texts, T steps, C numbers an input, H numbers of state, V words or characters to choose from.
"""

import torch
from torch import Tensor, nn


class TanhRNN(nn.Module):
    """One recurrent layer, written out: h_t = tanh(W_x x_t + b_x + W_h h_{t−1} + b_h), the same weights at each step.

    Inputs (B, T, C) and a state (B, H) in; all states (B, T, H) and the last one (B, H) out. Its weights have the names
    of `nn.RNN`, which computes the same several times as fast: `nn.RNN(C, H, batch_first=True).load_state_dict(...)`.
    """

    def __init__(self, inputs: int, width: int):
        super().__init__()
        bound = width**-0.5  # as torch draws them
        self.weight_ih_l0 = nn.Parameter(torch.empty(width, inputs).uniform_(-bound, bound))
        self.weight_hh_l0 = nn.Parameter(torch.empty(width, width).uniform_(-bound, bound))
        self.bias_ih_l0 = nn.Parameter(torch.empty(width).uniform_(-bound, bound))
        self.bias_hh_l0 = nn.Parameter(torch.empty(width).uniform_(-bound, bound))

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        """The state after one input: x (B, C) and h (B, H) in, (B, H) out."""
        return torch.tanh(x @ self.weight_ih_l0.T + self.bias_ih_l0 + h @ self.weight_hh_l0.T + self.bias_hh_l0)

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Without a state it begins with zeros: it knows nothing of what came before."""
        h = x.new_zeros(len(x), len(self.weight_hh_l0)) if h is None else h
        states = []
        for x_t in x.unbind(1):
            h = self.step(x_t, h)
            states.append(h)
        return torch.stack(states, 1), h


class ElmanNetwork(nn.Module):
    """A tanh layer over words or characters: tokens (B, T) and a state (1, B, H) in; logits (B, T, V), next state out.

    What comes back at each step is the *hidden state* (Elman 1990, "Finding Structure in Time"). With an embedding of E
    numbers (as wide as the layer unless told) it has V E + H (E + H + 2) + V (H + 1) parameters.
    """

    def __init__(self, vocabulary: int, width: int, embedding: int | None = None):
        super().__init__()
        embedding = width if embedding is None else embedding
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.rnn = nn.RNN(embedding, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Without a state it begins with zeros."""
        states, last = self.rnn(self.embedding(tokens), state)  # (B, T, H), (1, B, H)
        return self.head(states), last

    def states(self, tokens: Tensor) -> Tensor:
        """The state after each token: tokens (B, T) in, (B, T, H) out."""
        return self.rnn(self.embedding(tokens))[0]


class CutElman(ElmanNetwork):
    """Elman's network as it was trained in 1990: the old state is one more input, and no gradient goes back by it."""

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The same numbers as `ElmanNetwork`; another gradient."""
        words = self.embedding(tokens)  # (B, T, E)
        h = words.new_zeros(1, len(tokens), self.rnn.hidden_size) if state is None else state
        states = []
        for word in words.split(1, dim=1):
            out, h = self.rnn(word, h.detach())
            states.append(out)
        return self.head(torch.cat(states, 1)), h


class JordanNetwork(nn.Module):
    """The same, except that its own *output* comes back: tokens (B, T) and a context (B, V) in, logits (B, T, V) out.

    The context keeps a share of what it was, and adds the output y_t, here probabilities (Jordan 1986, "Serial
    Order")::

        h_t = tanh(W_x x_t + W_s s_{t−1} + b)    y_t = softmax(W_y h_t + b_y)    s_t = keep · s_{t−1} + y_t
    """

    def __init__(self, vocabulary: int, width: int, keep: float = 0.5, embedding: int | None = None):
        super().__init__()
        embedding = width if embedding is None else embedding
        self.keep = keep
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.from_input = nn.Linear(embedding, width)
        self.from_context = nn.Linear(vocabulary, width, bias=False)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Without a context it begins with zeros."""
        inputs = self.from_input(self.embedding(tokens))  # (B, T, H), all steps at once
        context = inputs.new_zeros(len(tokens), self.head.out_features) if state is None else state
        outputs = []
        for x_t in inputs.unbind(1):
            logits = self.head(torch.tanh(x_t + self.from_context(context)))  # (B, V)
            context = self.keep * context + logits.softmax(-1)
            outputs.append(logits)
        return torch.stack(outputs, 1), context


class ContextTagger(nn.Module):
    """Two logits for each word, (B, T) in and (B, T, 2) out, from the word and one kind of context.

    The context is one of "the word alone" (none), "bag of words" (the mean over the sentence, in which order is lost)
    and "recurrent" (the state of a tanh layer that has read so far).
    """

    def __init__(self, context: str, vocabulary: int, width: int = 16):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.rnn, self.head = nn.RNN(width, width, batch_first=True), nn.Linear(2 * width, 2)
        self.context = {
            "the word alone": torch.zeros_like,
            "bag of words": lambda words: words.mean(1, keepdim=True).expand_as(words),
            "recurrent": lambda words: self.rnn(words)[0],
        }[context]

    def forward(self, tokens: Tensor) -> Tensor:
        words = self.embedding(tokens)  # (B, T, C)
        return self.head(torch.cat([words, self.context(words)], -1))  # (B, T, 2 C) to (B, T, 2)
