"""`context_horizon`: how many characters back does a language model look? Measured by its loss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from operator import index

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.modes import evaluation_mode

CHUNK = 2**12  # characters read at a time: as quick as more; 16 tables of attention over 256 take 4 MB a head


@dataclass(frozen=True)
class Horizon:
    """Loss against visible context, one entry for each length. All losses are in bits per character."""

    lengths: tuple[int, ...]  # how many characters were visible
    bits: tuple[float, ...]  # mean loss over the positions
    spread: tuple[float, ...]  # its standard error
    excess_spread: tuple[float, ...]  # standard error of the difference from the best length, at the same positions
    tolerance: float

    @property
    def best(self) -> float:
        return min(self.bits)

    @property
    def horizon(self) -> int:
        """The smallest length whose loss is within `tolerance` of the best. The last one means that one, or further."""
        return self.within(self.tolerance)

    def within(self, tolerance: float) -> int:
        """What the horizon is with another tolerance, in bits per character."""
        return next(k for k, bits in zip(self.lengths, self.bits, strict=True) if bits <= self.best + tolerance)


def context_horizon(
    model: nn.Module | Callable[[Tensor], Tensor],
    text: Tensor,
    lengths: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
    *,
    positions: int = 1000,
    tolerance: float = 0.01,
) -> Horizon:
    """The model's loss when only the last k characters are visible, for each k, and where it stops falling.

    The model takes tokens (B, k) and returns logits (B, k, V), or those and a state, as a recurrent network does;
    just the logits at the last place are used. Each prediction starts afresh, without a state. `text` (N,) is
    one that the model was not trained on. The same characters are predicted for every k: `positions` of them, evenly
    spread over what has max(lengths) characters before it.

    The horizon is the smallest k whose loss is at most `tolerance` bits above the best. A 5-gram model has horizon 4.
    A model that ignores what it reads has the smallest length there is, 1. A horizon that equals the
    largest length is only a lower bound.

    The method is that of Khandelwal, He, Qi and Jurafsky, "Sharp Nearby, Fuzzy Far Away: How Neural Language Models
    Use Context", ACL 2018. There the model is trained with whole contexts and measured with short ones, as here,
    so a loss at small k also holds its surprise at a text that begins in the middle.

    Raises ValueError where the lengths do not rise, the text is too short, or a loss is not finite; TypeError
    where the model's logits have another shape.
    """
    if not isinstance(text, Tensor):
        raise TypeError(f"the text is a {type(text).__name__}; expected tokens, as utils.text.encode gives them.")
    lengths = tuple(map(index, lengths))
    if not lengths or lengths[0] < 1 or any(a >= b for a, b in zip(lengths, lengths[1:], strict=False)):
        raise ValueError(f"lengths are {lengths}; expected whole numbers that rise, the first at least 1.")
    if positions < 2 or tolerance < 0:
        raise ValueError(f"Got positions={positions}, tolerance={tolerance}; expected at least 2, and at least 0.")
    if text.dim() != 1 or len(text) - lengths[-1] < positions:
        raise ValueError(
            f"The text has shape {tuple(text.shape)}; expected (N,) with N at least {lengths[-1] + positions}: "
            f"{positions} positions that have {lengths[-1]} characters before them. Take fewer, or smaller lengths."
        )
    places = torch.linspace(lengths[-1], len(text) - 1, positions, dtype=torch.float64).long()
    with torch.no_grad(), evaluation_mode(model):
        bits = torch.stack([_bits(model, text, places, length) for length in lengths])  # (lengths, positions)
    if not bits.isfinite().all():
        raise ValueError("a loss is not finite: the model gives nan, or probability 0 to a character that came.")
    means = bits.mean(1)
    return Horizon(
        lengths,
        tuple(means.tolist()),
        _standard_error(bits),
        _standard_error(bits - bits[means.argmin()]),
        tolerance,
    )


def _bits(model: Callable, text: Tensor, places: Tensor, length: int) -> Tensor:
    """Loss (positions,) in bits of the characters at these places, each read from the `length` before it."""
    contexts = text.unfold(0, length, 1)  # (N - length + 1, length), a view
    losses = []
    for chunk in places.split(max(1, CHUNK // length)):
        logits = _logits_after(model, contexts[chunk - length]).double()
        losses.append(F.cross_entropy(logits, text[chunk], reduction="none") / log(2))
    return torch.cat(losses)


def _logits_after(model: Callable, contexts: Tensor) -> Tensor:
    """Logits (B, V) of what follows contexts (B, k)."""
    output = model(contexts)
    logits = output[0] if isinstance(output, tuple) else output
    if not isinstance(logits, Tensor) or logits.dim() != 3 or len(logits) != len(contexts):
        shape = f"shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise TypeError(f"for tokens of shape {tuple(contexts.shape)} the model gave {shape}; expected (B, T, V).")
    return logits[:, -1]


def _standard_error(bits: Tensor) -> tuple[float, ...]:
    return tuple((bits.std(1) / bits.shape[1] ** 0.5).tolist())
