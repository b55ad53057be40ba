"""What training reads: images or windows in any order, or a text in order."""

import math
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class BatchSource(Protocol):
    """What `fit` and `evaluate` walk through again and again: pairs of inputs and targets."""

    contiguous: bool
    """Whether each batch continues the one before, as in a text read in order, so that a state is carried along."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]: ...


class Batches:
    """Walk through `inputs` (N, …) and `targets` (N, …) in batches cut out by index; the last may be smaller.

    With `shuffle`, each pass has a new order; with a `seed` of its own, the same orders whatever else draws numbers,
    as in trainings side by side. Raises ValueError where the lengths differ or there is nothing.
    """

    contiguous = False

    def __init__(
        self, inputs: Tensor, targets: Tensor, size: int = 128, shuffle: bool = False, seed: int | None = None
    ):
        if len(inputs) != len(targets) or len(inputs) == 0:
            raise ValueError(f"Each input needs one target. Got {len(inputs)} inputs, {len(targets)} targets.")
        self.inputs, self.targets, self.size, self.shuffle = inputs, targets, size, shuffle
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return math.ceil(len(self.inputs) / self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self.inputs)
        order = torch.randperm(count, generator=self.generator) if self.shuffle else torch.arange(count)
        for rows in order.split(self.size):
            yield self.inputs[rows], self.targets[rows]


class Streams:
    """Read a text (N,) at several places at once, in order: pairs of inputs and targets, each (B, T).

    The text is cut into B = `streams` pieces of equal length, and fewer than B characters are left over. Each batch
    continues every piece by T = `length` characters (the last one by what is left), so that row b of one batch
    follows row b of the batch before, and a state can be carried from one to the next. Targets are the inputs
    shifted by one: the characters to be predicted. Every pass starts at the beginning again.

    Raises ValueError where the text is too short for that many streams.
    """

    contiguous = True

    def __init__(self, tokens: Tensor, streams: int, length: int):
        if streams < 1 or length < 1:
            raise ValueError(f"Got streams={streams} and length={length}; each must be at least 1.")
        if len(tokens) <= streams:
            raise ValueError(
                f"A text of {len(tokens)} characters cannot be read in {streams} streams: each needs a character "
                "and the one after it. Take fewer streams or a longer text."
            )
        self.length, self.size = length, (len(tokens) - 1) // streams  # characters of one stream
        self.inputs = tokens[: streams * self.size].view(streams, self.size)  # (B, size)
        self.targets = tokens[1 : streams * self.size + 1].view(streams, self.size)

    def __len__(self) -> int:
        return math.ceil(self.size / self.length)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        yield from zip(self.inputs.split(self.length, 1), self.targets.split(self.length, 1), strict=True)


def windows(tokens: Tensor, length: int, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """`count` windows from random places of a text (N,): inputs and targets, each (count, length).

    The same seed gives the same windows. Raises ValueError where the text is too short for one.
    """
    if length < 1 or count < 1 or len(tokens) <= length:
        raise ValueError(
            f"Cannot cut {count} windows of {length} characters, each with the character after it, "
            f"from a text of {len(tokens)}."
        )
    starts = torch.randint(len(tokens) - length, (count,), generator=torch.Generator().manual_seed(seed))
    cut = tokens.unfold(0, length + 1, 1)[starts]  # (N − length, length + 1), then (count, length + 1)
    return cut[:, :-1], cut[:, 1:]
