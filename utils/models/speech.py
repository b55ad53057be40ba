"""A small speech network after Deep Speech, Hannun et al. 2014, arXiv:1412.5567, trained by CTC, Graves et al. 2006.

Deep Speech had three dense layers, one recurrent layer in both directions and one more dense layer, with a ReLU that
is clipped at 20 everywhere: no LSTM. Here is one dense layer before and none after. Shapes: B utterances, T frames,
F bands, V tokens, of which 0 is the blank.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Listener(nn.Module):
    """Spectrograms (B, T, F) in, logits (B, T, V) out. In both directions the two states are added, as there."""

    def __init__(self, bands: int, tokens: int, width: int = 48, both: bool = True):
        super().__init__()
        self.first = nn.Linear(bands, width)
        self.recurrent = nn.RNN(width, width, nonlinearity="relu", batch_first=True, bidirectional=both)
        for name, weight in self.recurrent.named_parameters():
            if "weight_hh" in name:
                weight.data = 0.5 * torch.eye(width)  # a ReLU recurrence grows without bound if its matrix does
        self.head = nn.Linear(width, tokens)

    def forward(self, sounds: Tensor) -> Tensor:
        heard = self.first(sounds).clamp(0, 20)
        states, _ = self.recurrent(heard)
        if self.recurrent.bidirectional:
            states = sum(states.chunk(2, -1))
        return self.head(states)


def ctc(logits: Tensor, words: Tensor) -> Tensor:
    """The mean loss in nats per utterance, for logits (B, T, V) and words (B, L) that zeros fill up."""
    log_p = logits.log_softmax(-1).transpose(0, 1)  # (T, B, V), as torch wants it
    frames = torch.full((len(words),), log_p.shape[0])
    lengths = (words > 0).sum(1)
    losses = F.ctc_loss(log_p, words, frames, lengths, reduction="none")
    return losses.mean()


def decode_greedily(logits: Tensor) -> list[Tensor]:
    """The likeliest token of each frame of (B, T, V), repeats merged and blanks left out: one word for each."""
    return [collapse(path) for path in logits.argmax(-1)]


def collapse(path: Tensor) -> Tensor:
    """What a path (T,) says: first merge what repeats, then leave out the blanks."""
    merged = path.unique_consecutive()
    return merged[merged > 0]
