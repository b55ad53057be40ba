"""Things to translate whose alignment is known: digits to be turned round, and dates to be written as ISO 8601.

A row of tokens is what `utils.models.seq2seq.EncoderDecoder` reads: the source, PAD, START, the target; what it is to
say at each place is the target and END.
"""

import datetime
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from utils.tasks.languages import ManyLengths

PAD, START, END = 0, 1, 2
"""Tokens that are no characters: behind a short source, before the first character to write, behind the last one."""

CHARACTERS = "0123456789-/., abcdefghijklmnopqrstuvwxyz"
"""`CHARACTERS[i]` is token i + 3."""

VOCABULARY = len(CHARACTERS) + 3
DIGITS = range(3, 13)
"""The tokens of the ten digits."""


def tokens_of(text: str) -> list[int]:
    """The tokens of a text. Raises ValueError for a character that has none."""
    return [CHARACTERS.index(character) + 3 for character in text]


def text_of(tokens: Tensor | list[int]) -> str:
    """The text of tokens, up to END; PAD and START leave nothing."""
    written = [int(token) for token in tokens]
    written = written[: written.index(END)] if END in written else written
    return "".join(CHARACTERS[token - 3] for token in written if token > END)


def reversal(count: int, length: int, seed: int) -> tuple[Tensor, Tensor]:
    """Rows (count, 2 · length + 1) with random digits, START and the digits turned round; targets (count, length + 1).

    Target t is source character length − 1 − t; the last target is END.
    """
    draw = torch.Generator().manual_seed(seed)
    digits = torch.randint(DIGITS.start, DIGITS.stop, (count, length), generator=draw)
    start, end = (torch.full((count, 1), token) for token in (START, END))
    return torch.cat([digits, start, digits.flip(1)], 1), torch.cat([digits.flip(1), end], 1)


def reversals(batches: int, size: int, longest: int, seed: int, shortest: int = 2) -> ManyLengths:
    """Batches of `reversal`, each of a length of its own, drawn from `shortest` to `longest`."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(shortest, longest + 1, batches).tolist()
    seeds = draw.integers(2**31, size=batches).tolist()
    return ManyLengths([reversal(size, length, one) for length, one in zip(lengths, seeds, strict=True)])


MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
FORMS = (
    "{day} {name} {year}", "{name} {day}, {year}", "{day} {short} {year}", "{short} {day}, {year}",
    "the {day} of {name}, {year}", "{day}.{month}.{year}", "{year}/{month}/{day}", "in {year}, on {name} {day}",
)  # fmt: skip
"""How a date may be written. A number has no zero in front."""

FIRST, DAYS = datetime.date(1900, 1, 1), 73_049
"""Dates are drawn from the two hundred years from 1900 on."""


@dataclass(frozen=True)
class Dates:
    """Dates in many forms, and as ISO 8601."""

    texts: list[str]
    rows: Tensor  # (N, S + 11): the text, PAD, START and the ten characters, such as 2026-11-29
    targets: Tensor  # (N, 11): the ten characters and END
    alignment: Tensor  # (N, 10, S): which characters of the text (1) an ISO character is made of; none for a hyphen

    @property
    def sources(self) -> Tensor:
        """The texts alone (N, S)."""
        return self.rows[:, : -self.targets.shape[1]]


def dates(count: int, seed: int, forms: tuple[str, ...] = FORMS, but_not: Collection[str] = ()) -> Dates:
    """`count` random dates, each in a random one of the forms; a text that is in `but_not` is drawn again."""
    draw, seen = np.random.default_rng(seed), set(but_not)
    written: list[tuple[datetime.date, str, dict[str, slice]]] = []
    while len(written) < count:
        day = FIRST + datetime.timedelta(days=int(draw.integers(DAYS)))
        text, places = write_date(day, str(draw.choice(forms)))
        if text not in seen:
            written.append((day, text, places))
    longest = max(len(text) for form in FORMS for text in [write_date(datetime.date(2000, 9, 30), form)[0]])
    rows, targets, alignment = [], [], torch.zeros(count, 10, longest)
    for number, (day, text, places) in enumerate(written):
        iso = tokens_of(day.isoformat())
        rows.append([*tokens_of(text), *[PAD] * (longest - len(text)), START, *iso])
        targets.append([*iso, END])
        for field, characters in zip(("year", "month", "day"), (range(4), range(5, 7), range(8, 10)), strict=True):
            alignment[number, characters.start : characters.stop, places[field]] = 1
    return Dates([text for _, text, _ in written], torch.tensor(rows), torch.tensor(targets), alignment)


def write_date(day: datetime.date, form: str) -> tuple[str, dict[str, slice]]:
    """A date in one of the FORMS, and where year, month and day stand in it."""
    name = MONTHS[day.month - 1]
    parts = {"year": str(day.year), "month": str(day.month), "day": str(day.day), "name": name, "short": name[:3]}
    text, places = "", {}
    for piece in form.replace("}", "{").split("{"):
        if piece in parts:
            field = "month" if piece in ("name", "short") else piece
            places[field] = slice(len(text), len(text) + len(parts[piece]))
        text += parts.get(piece, piece)
    return text, places


def half_right(lengths: Sequence[int], rows: Sequence[Sequence[float]]) -> float:
    """The length at which the mean of all rows (shares right, one for each length) falls to a half.

    Between two lengths it lies on a straight line. Infinite where it never falls so low.
    """
    means = [sum(of) / len(of) for of in zip(*rows, strict=True)]
    for (before, high), (length, low) in pairwise(zip(lengths, means, strict=True)):
        if high >= 0.5 > low:
            return before + (length - before) * (high - 0.5) / (high - low)
    return math.inf
