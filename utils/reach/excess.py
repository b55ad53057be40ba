"""`context_excess`: what a model loses when only the last k characters are true, whatever stands before them.

The method is that of Khandelwal, He, Qi and Jurafsky, "Sharp Nearby, Fuzzy Far Away: How Neural Language Models Use
Context", ACL 2018, who also put other text in the place of the distant context.
"""

from dataclasses import dataclass
from math import log

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.modes import evaluation_mode

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
CHUNK = 2**12  # characters read at a time: the gates of an LSTM of 512 units take 34 MB for them, and it is as quick
SIDE_BY_SIDE = 128  # windows


@dataclass(frozen=True)
class Excess:
    """Loss with k characters visible minus the loss with all of them, at the same places, in bits per character."""

    lengths: tuple[int, ...]  # entry i is about the lengths after entry i - 1, up to this one
    bits: tuple[float, ...]
    spread: tuple[float, ...]  # standard error: windows count as independent

    def within(self, tolerance: float) -> int:
        """The smallest length from which on the excess is within `tolerance`. The last one means: or further."""
        beyond = [i for i, bits in enumerate(self.bits) if bits > tolerance]
        return self.lengths[min(beyond[-1] + 1, len(self.lengths) - 1)] if beyond else self.lengths[0]


@torch.no_grad()
def losses(model: nn.Module, inputs: Tensor, targets: Tensor, event: int | None = None) -> Tensor:
    """Loss in bits at every place of texts (B, T) that begin without a state: (B, T), float32.

    The model is recurrent: it takes tokens and a state, and gives logits (B, T, V) and the next state. With `event`, a
    token, it is the loss of one decision alone, whether this token comes: a part of the whole loss, and never more.
    """
    found, state = [], None
    length = max(1, CHUNK // len(inputs))
    with evaluation_mode(model):
        for given, wanted in zip(inputs.split(length, 1), targets.split(length, 1), strict=True):
            logits, state = model(given) if state is None else model(given, state)
            if event is not None:  # ln p and ln(1 - p) of the event, as logits of two classes
                others = torch.cat([logits[..., :event], logits[..., event + 1 :]], -1).logsumexp(-1)
                logits, wanted = torch.stack([others, logits[..., event]], -1), (wanted == event).long()
            found.append(F.cross_entropy(logits.transpose(1, 2), wanted, reduction="none") / log(2))
    return torch.cat(found, 1)


def windows(rows: Tensor, longest: int) -> Tensor:
    """Rows (B, T) in windows of `longest` characters, (windows, longest), without the first stretch and the rest.

    The first stretch of a row is there to fill the memory. Raises ValueError where the rows are too short.
    """
    count = rows.shape[1] // longest - 1  # of each row
    if count < 1:
        raise ValueError(
            f"A row has {rows.shape[1]} characters; expected at least {2 * longest}, for one window of {longest} "
            "with as many before it. Take fewer rows, or shorter lengths."
        )
    return rows[:, longest : (count + 1) * longest].reshape(-1, longest)


def context_excess(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    full: Tensor,
    *,
    foreign: int = 0,
    lengths: tuple[int, ...] = LENGTHS,
    event: int | None = None,
) -> Excess:
    """What the model loses where it sees the last k characters, against all of them, for k up to lengths[-1].

    Each row of the text is cut into windows. A window is read from its beginning, so that what is predicted after its
    k-th character is predicted from k characters: one pass gives all k.

    Args:
        model: recurrent, as for `losses`.
        inputs, targets: a text that it was not trained on, in rows to be read side by side, each (B, T): those of
            `Streams`. The longer the rows, the longer is the past that counts as all of it.
        full: `losses(model, inputs, targets)`, or that of the event.
        foreign: how many characters of another part of the text are read before each window, at most lengths[-1];
            with 0 the state is empty there.
        lengths: of contexts, rising. What lies between two of them counts for the second.
        event: a token, if only the decision counts whether this one comes.

    Raises ValueError where the text is too short.
    """
    shown, wanted = windows(inputs, lengths[-1]), windows(targets, lengths[-1])
    if foreign:
        elsewhere = shown.roll(len(shown) // 2, 0)[:, :foreign]
        shown, wanted = torch.cat([elsewhere, shown], 1), torch.cat([elsewhere, wanted], 1)
    chunks = zip(shown.split(SIDE_BY_SIDE), wanted.split(SIDE_BY_SIDE), strict=True)
    found = torch.cat([losses(model, part, following, event)[:, foreign:] for part, following in chunks])
    extra = found - windows(full, lengths[-1])
    return _by_length(extra, lengths)


def _by_length(extra: Tensor, lengths: tuple[int, ...]) -> Excess:
    """Means over each range of lengths of what each window (windows, lengths[-1]) loses, and their standard errors."""
    sizes = [after - before for before, after in zip((0, *lengths), lengths, strict=False)]
    means = torch.stack([part.double().mean(1) for part in extra.split(sizes, 1)])  # (lengths, windows)
    spread = means.std(1, correction=0) / means.shape[1] ** 0.5
    return Excess(lengths, tuple(means.mean(1).tolist()), tuple(spread.tolist()))
