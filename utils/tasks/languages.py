"""Small languages whose rules are known, so that it is known what a network would have to remember."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# fmt: off
WORDS = (
    "the", "cat", "cats", "dog", "dogs", "that", "we", "saw", "yesterday", "near",
    "was", "were", "happy", "hungry", ".",
)
# fmt: on
"""The words of `agreement`; a token is a place in it."""

MODIFIERS = ("that we saw", "that we saw yesterday", "near the {}")
NUMBERS = {"was": ("cat", "dog"), "were": ("cats", "dogs")}
BRACKETS = "()[]"
"""The characters of `brackets`; a token is a place in it."""

NOT_ASKED = -100
"""The target of a place at which nothing is asked: `F.cross_entropy` leaves it out."""


@dataclass(frozen=True)
class Agreement:
    """Sentences with a subject, modifiers, and a verb that agrees with the subject."""

    tokens: Tensor  # (N, T), each sentence filled up with full stops
    verb: Tensor  # (N,), the place of the verb
    modifiers: Tensor  # (N,), how many stand between subject and verb

    @property
    def distance(self) -> Tensor:
        """Words from the subject, the second one, to the verb: (N,)."""
        return self.verb - 1


def agreement(count: int, most: int, seed: int, fewest: int = 0) -> Agreement:
    """`count` sentences such as “the cats that we saw near the dog were happy .”, with so many modifiers at most.

    The nouns inside the modifiers are singular or plural whatever the subject is: only the first noun decides.
    """
    draw = np.random.default_rng(seed)
    nouns = [noun for pair in NUMBERS.values() for noun in pair]
    sentences, verbs, counts = [], [], []
    for _ in range(count):
        verb = str(draw.choice(list(NUMBERS)))
        modifiers = int(draw.integers(fewest, most + 1))
        between = " ".join(str(draw.choice(MODIFIERS)).format(draw.choice(nouns)) for _ in range(modifiers))
        words = f"the {draw.choice(NUMBERS[verb])} {between}".split()
        sentences.append([*words, verb, str(draw.choice(["happy", "hungry"])), "."])
        verbs.append(len(words))
        counts.append(modifiers)
    longest = max(map(len, sentences))
    filled = [[WORDS.index(word) for word in (*words, *["."] * (longest - len(words)))] for words in sentences]
    return Agreement(torch.tensor(filled), torch.tensor(verbs), torch.tensor(counts))


def brackets(count: int, length: int, seed: int, deepest: int = 4) -> tuple[Tensor, Tensor]:
    """Strings of nested brackets, tokens (N, T), and for each place how far back its partner opened, (N, T).

    The distance is 0 where a bracket opens. No more than `deepest` are open at a time; some never close.
    """
    draw = np.random.default_rng(seed)
    opens, kinds = draw.random((count, length)) < 0.5, draw.integers(0, 2, (count, length))
    tokens, distances = np.zeros((2, count, length), dtype=np.int64)
    for row in range(count):
        stack: list[int] = []
        for place in range(length):
            if not stack or (opens[row, place] and len(stack) < deepest):
                stack.append(place)
                tokens[row, place] = 2 * kinds[row, place]
            else:
                partner = stack.pop()
                tokens[row, place] = tokens[row, partner] + 1
                distances[row, place] = place - partner
    return torch.from_numpy(tokens), torch.from_numpy(distances)


BANK_WORDS = ("the", "old", "grey", "by", "river", "savings", "bank")


def two_banks(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Sentences that hold a river bank and a savings bank, in either order: tokens (N, T) and targets (N, T).

    The target at a bank is 0 (river) or 1 (savings), and NOT_ASKED elsewhere. The words of all sentences are the same
    ones in another order, so that a bag of words tells nothing.
    """
    draw = np.random.default_rng(seed)
    fillers = np.array([BANK_WORDS.index(word) for word in ["the", "the", "old", "grey", "by"]], np.int64)
    river, savings, bank = (BANK_WORDS.index(word) for word in ("river", "savings", "bank"))
    sentences, targets = [], []
    for _ in range(count):
        order, free, cut = draw.permutation([0, 1]), draw.permutation(fillers), draw.integers(0, 3, 2)
        first, second = ((river, savings)[kind] for kind in order)
        before, after = free[: cut[0]], free[cut[0] : cut[0] + cut[1]]
        rest = free[cut[0] + cut[1] :]
        sentences.append([*rest, first, *before, bank, second, *after, bank])
        asked = np.full(len(sentences[-1]), NOT_ASKED, np.int64)  # NumPy 1 on Windows would take 32 bits
        asked[[len(rest) + 1 + cut[0], -1]] = order
        targets.append(asked)
    return torch.tensor(np.array(sentences)), torch.tensor(np.array(targets))


BLANK, PLUS, MINUS = range(3)


@dataclass(frozen=True)
class ManyLengths:
    """Batches whose lengths differ, for `fit` to walk through."""

    batches: list[tuple[Tensor, Tensor]]
    contiguous = False

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        yield from self.batches


def last_mark(batches: int, size: int, marks: int, seed: int, lengths: tuple[int, int] = (3, 20)) -> ManyLengths:
    """Batches of blanks with a plus and a minus, or one of the two: tokens (size, T), answers (size,).

    With two marks the answer is whether the *last* one is a plus, with one mark whether it is a plus. Each batch has a
    length of its own, from the first of `lengths` to the last.
    """
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(batches):
        length = int(draw.integers(lengths[0], lengths[1] + 1))
        places = np.sort(draw.random((size, length)).argsort(1)[:, :marks], 1)  # (size, marks), in order
        last = draw.integers(0, 2, size)  # 1 for a plus
        tokens = np.full((size, length), BLANK, np.int64)
        rows = np.arange(size)
        tokens[rows, places[:, -1]] = np.where(last == 1, PLUS, MINUS)
        if marks == 2:
            tokens[rows, places[:, 0]] = np.where(last == 1, MINUS, PLUS)
        made.append((torch.from_numpy(tokens), torch.from_numpy(last)))
    return ManyLengths(made)


def sines(count: int, length: int, periods: tuple[float, float], seed: int) -> Tensor:
    """Sine waves of height 1, (N, T, 1), with periods between these two, in steps, that begin anywhere."""
    draw = torch.Generator().manual_seed(seed)
    shortest, longest = periods
    period = shortest + (longest - shortest) * torch.rand(count, 1, generator=draw)
    begin = torch.rand(count, 1, generator=draw)
    return torch.sin(2 * torch.pi * (begin + torch.arange(length) / period))[..., None]


COPIED, NOISE, GO = 8, 8, 9
"""Of `selective_copying`: tokens 0 to 7 are worth copying, 8 is noise, and 9 asks for the next one."""


def selective_copying(count: int, length: int, copied: int, seed: int) -> tuple[Tensor, Tensor]:
    """Symbols among noise, then questions: tokens (N, length + copied) and answers (N, copied), in their order.

    `copied` symbols stand anywhere in the first `length` tokens, so that which tokens count is known from their content
    alone, not from their place (Gu and Dao 2023, after a task of Arjovsky et al. 2016). Then GO stands as many times.
    Raises ValueError where they do not fit.
    """
    if not 0 < copied <= length:
        raise ValueError(f"{copied} symbols do not fit into {length} places.")
    draw = torch.Generator().manual_seed(seed)
    places = torch.rand(count, length, generator=draw).topk(copied).indices.sort().values  # (N, copied)
    symbols = torch.randint(COPIED, (count, copied), generator=draw)
    story = torch.full((count, length), NOISE).scatter(1, places, symbols)
    return torch.cat([story, torch.full((count, copied), GO)], 1), symbols


def associations(count: int, pairs: int, seed: int, keys: int = 16, values: int = 8) -> tuple[Tensor, Tensor]:
    """Pairs, then the same keys in another order: tokens (N, 4 × pairs) and answers (N, pairs).

    Such as “c 2 a 5 b 2 · a 5 c 2 b 2”: after a key there stands what stood there the last time. To look that up is
    called induction (Olsson et al. 2022), and the task associative recall. Keys are tokens 0 to `keys` − 1, and values
    the `values` tokens after them. The questions are the places 2 × pairs, 2 × pairs + 2, … Raises ValueError for more
    pairs than keys.
    """
    if not 0 < pairs <= keys:
        raise ValueError(f"{pairs} pairs need as many keys, and there are {keys}.")
    draw = torch.Generator().manual_seed(seed)
    key = torch.rand(count, keys, generator=draw).argsort()[:, :pairs]  # (N, pairs), each key once
    value = torch.randint(keys, keys + values, (count, pairs), generator=draw)
    again = torch.rand(count, pairs, generator=draw).argsort()
    told, asked = (torch.stack([key.gather(1, order), value.gather(1, order)], 2).flatten(1)
                   for order in (torch.arange(pairs).expand(count, -1), again))  # fmt: skip
    return torch.cat([told, asked], 1), value.gather(1, again)


def swings(count: int, length: int, seed: int, periods: tuple[float, float] = (8, 24), noise: float = 0.3) -> Tensor:
    """Pendulums in the wind, (N, T, 1): each has a period of its own, between these two, and is pushed at each step.

    x_t = 2 r cos(2π / period) x_{t−1} − r² x_{t−2} + noise · ε_t, with r = 0.97 and ε from N(0, 1). Whoever knew the
    period could forecast the next value up to its push: no forecast has a mean squared error below noise².
    """
    draw, r = torch.Generator().manual_seed(seed), 0.97
    shortest, longest = periods
    period = shortest + (longest - shortest) * torch.rand(count, generator=draw)
    turn = 2 * r * torch.cos(2 * torch.pi / period)
    pushes = noise * torch.randn(100 + length, count, generator=draw)
    before, now, series = torch.zeros(count), torch.zeros(count), []
    for push in pushes:  # the first hundred steps are there to forget the beginning
        before, now = now, turn * now - r**2 * before + push
        series.append(now)
    return torch.stack(series[-length:], 1)[..., None]
