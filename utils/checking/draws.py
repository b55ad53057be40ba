"""A kit for exercises whose answer draws tokens at random: does each draw follow the right probabilities?

    @continue_prompt.ask
    def _(answer, model, prompt, count, temperature):
        return draws.ask(lambda: answer(Model(**model), prompt, count, temperature), calls=120)

    @continue_prompt.finding
    def _(runs, model, prompt, count, temperature):
        return draws.malformed(runs, count, len(model["logits"]))

    @continue_prompt.finding
    def _(runs, model, prompt, count, temperature):
        return draws.misdrawn(runs, (model["logits"] / temperature).softmax(0))

What is looked at is the outcome of many short calls, `runs`: a list of lists of tokens. Whatever way they were drawn,
right ones pass all but once in many million times; `likest` tells which wrong probabilities they come from.
"""

import math
from collections.abc import Callable
from itertools import chain, pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from utils.checking.compare import shape_or_type
from utils.checking.describe import describe

SURELY_WRONG, SURELY_LIKE = 50, 30  # of `_misfit`, for about 8 tokens


def ask(call: Callable[[], Any], calls: int) -> list | None:
    """The tokens of so many calls; None where one returns None, and for each a string where it is no list of tokens."""
    runs: list = []
    for _ in range(calls):
        given = call()
        if given is None:
            return None
        runs.append(_tokens(given))
    return runs


def _tokens(given: Any) -> list | str:
    """Whole numbers, whatever holds them, as a list; of anything else, what it is."""
    if isinstance(given, Tensor | np.ndarray) and given.ndim == 1:
        given = given.tolist()
    if not isinstance(given, list | tuple):
        return shape_or_type(given)
    items = [item.item() if math.prod(getattr(item, "shape", (0,))) == 1 else item for item in given]
    others = [item for item in items if not isinstance(item, int)]
    return f"a list with {describe(others[0])} in it" if others else items


def malformed(runs: list, count: int, size: int) -> str | None:
    """What is wrong with the form of these runs, which should be `count` tokens each, from 0 to size - 1."""
    for run in runs:
        if isinstance(run, str):
            return f"It returned {run}. Expected a list of {count} tokens, each a whole number."
        if len(run) != count:
            return f"Expected {count} new tokens, got {len(run)}."
        if outside := [token for token in run if not 0 <= token < size]:
            return f"Tokens are numbers from 0 to {size - 1}; among yours is {outside[0]}."
    return None


def misdrawn(runs: list, p: Tensor) -> str | None:
    """What shows that these are no independent draws with the probabilities p (V,)."""
    if len({tuple(run) for run in runs}) == 1 < len(set(runs[0])):
        return f"All of {len(runs)} calls gave {runs[0]}. Is a seed set inside? Each call draws on its own."
    for which, tokens in {"draws": list(chain(*runs)), "first draws of a call": [run[0] for run in runs]}.items():
        if _misfit(tokens, p) > SURELY_WRONG:
            got = _shares(_counts(tokens, p) / len(tokens))
            return f"Of {len(tokens)} {which} expected shares of about {_shares(p)}, got {got}."
    return _repeated(runs, p)


def likest(runs: list, weights: dict[str, tuple[Tensor, Tensor]]) -> str:
    """The name of the weights that the draws surely follow, and more closely than any others; "" if there are none.

    They are pairs, (V,) each: those of the first draw of a run, and of all later ones. Neither need add up to 1.
    """
    first, later = [run[0] for run in runs], [token for run in runs for token in run[1:]]
    misfits = {
        name: [_misfit(tokens, w / w.sum()) for tokens, w in zip((first, later), pair, strict=True)]
        for name, pair in weights.items()
    }
    alike = {name: sum(pair) for name, pair in misfits.items() if max(pair) < SURELY_LIKE}
    return min(alike, key=lambda name: alike[name], default="")


def _misfit(tokens: list[int], p: Tensor) -> float:
    """Pearson's statistic, tame where few are expected. Right draws of 8 tokens come to 7 or so, once in ten thousand
    times to 30."""
    expected = len(tokens) * p
    return float(((_counts(tokens, p) - expected) ** 2 / (expected + 1)).sum())


def _counts(tokens: list[int], p: Tensor) -> Tensor:
    return torch.bincount(torch.tensor(tokens), minlength=len(p))


def _shares(values: Tensor) -> str:
    return ", ".join(f"{value:.3f}" for value in values.tolist())


def _repeated(runs: list, p: Tensor) -> str | None:
    """Independent draws repeat the one before with probability Σp²; two pairs that share a draw both do with Σp³."""
    pairs = [pair for run in runs for pair in pairwise(run)]
    repeats, two, three = sum(a == b for a, b in pairs), float((p**2).sum()), float((p**3).sum())
    deviation = math.sqrt(len(pairs) * (two - two**2 + 2 * (three - two**2)))
    if abs(repeats - len(pairs) * two) < 5 * deviation:
        return None
    seen = f"{repeats} tokens are the same as the one before, expected about {len(pairs) * two:.0f}"
    return f"{seen}. Each is drawn on its own, whatever the last one was."
