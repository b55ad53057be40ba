"""Masked characters: some characters of a text are hidden, and a model or a table of counts says what they were.

The task is Devlin et al.'s (BERT, 2019) and older than that: Taylor's cloze procedure (1953).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from utils.tasks.languages import NOT_ASKED
from utils.training import windows


def masked_windows(
    tokens: Tensor, alphabet: int, length: int, count: int, seed: int, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Windows of a text with a share of the characters hidden: inputs and targets, each (count, length).

    Token `alphabet`, one more than there are characters, stands for what is hidden. Targets are NOT_ASKED elsewhere.
    """
    text, _ = windows(tokens, length, count, seed)
    return hidden(text, alphabet, share, seed)


def hidden(text: Tensor, mask: int, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Texts (B, T) with the token `mask` for a share of the characters, and these as targets; NOT_ASKED elsewhere."""
    chosen = torch.rand(text.shape, generator=torch.Generator().manual_seed(seed)) < share
    return text.masked_fill(chosen, mask), text.masked_fill(~chosen, NOT_ASKED)


@torch.no_grad()
def share_found(model: torch.nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """The share of asked places (B, T) at which the model's first choice is right."""
    right = torch.cat([model(part).argmax(-1) for part in inputs.split(256)]) == targets
    return (right.sum() / (targets != NOT_ASKED).sum()).item()


def share_by_counting(train: Tensor, test: Tensor, offsets: Sequence[int]) -> float:
    """How often the character that stood most often between such neighbours in `train` (N,) is right in `test`.

    The neighbours of place t are those at t + offset. Neighbours that `train` never shows count as wrong.
    """
    keys, characters = _neighbours(train, offsets)
    base = int(max(train.max(), test.max())) + 1
    pairs, counts = torch.unique(keys * base + characters, return_counts=True)
    known, where = torch.unique(pairs // base, return_inverse=True)
    most = torch.zeros_like(known).scatter_reduce(0, where, counts, "amax")
    leads = counts == most[where]
    likeliest = torch.zeros_like(known).scatter_reduce(0, where[leads], (pairs % base)[leads], "amax")
    asked, truth = _neighbours(test, offsets)
    place = torch.searchsorted(known, asked).clamp(max=len(known) - 1)
    return ((known[place] == asked) & (likeliest[place] == truth)).float().mean().item()


def _neighbours(tokens: Tensor, offsets: Sequence[int]) -> tuple[Tensor, Tensor]:
    """One whole number for the neighbours of each place, and the character there: each (N,)."""
    far = max(map(abs, offsets))
    places, base = torch.arange(far, len(tokens) - far), 1 << 10
    keys = torch.zeros_like(places)
    for offset in offsets:
        keys = keys * base + tokens[places + offset]
    return keys, tokens[places]
