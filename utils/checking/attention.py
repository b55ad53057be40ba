"""Whether words decide what a model's attention reads, measured on the record of its steps; for `sequences`.

An attention weight says how much one position takes in of another. It looks at the words if it rests on both: on the
one that asks and on the one that is asked. In a deep model everything rests on everything before it, so each position
is first made to see itself alone, in all layers. The score of a pair then rests on its two words at most. Both are
changed, and each alone: what the two changes do together, beyond the sum of what each does, is what the words have to
do with one another. Scores of places, of the asking word, or of the asked one have none of it.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from utils.checking.graph import Graph, Step
from utils.checking.models import moves

SOFTMAXES = frozenset(("softmax", "_softmax", "_safe_softmax", "exp"))
TORCHS = "scaled_dot_product_attention"  # scores, softmax and weighted sum in one step
TOGETHER = 1e-3  # in nats: a weight that words move by less than a thousandth of itself does not look at them
HIDDEN = -1e4  # lower scores are a mask's


@dataclass(frozen=True)
class Attention:
    """What the softmaxes of a model make on a short text. `steps` and `numbers` are of those that look at the words.

    numbers: how many weights leave them; blind: the share of these, as far as rows of some words tell, that looks at
    none. all_numbers: how many leave any softmax. even: one that looks at no words makes all weights of a row equal.
    """

    steps: tuple[int, ...]
    numbers: int
    blind: float
    all_numbers: int
    even: bool


@torch.no_grad()
def attention(model: Graph, draws: Iterable[dict[str, Tensor]], texts: Tensor) -> Attention:
    """Look at each softmax of a model of texts, for these draws of its weights: what none shows is not there.

    Args:
        texts: (B, T), of tokens 0 and 1.
    """
    weighing = _weighing(model, texts)
    length, together, reached, scores = texts.shape[1], {}, set(), {}
    for weights in draws:
        scores = _scores(model, weights, texts, weighing)
        for number, four in _four(model, weights, texts, weighing).items():
            new = _together(*four)
            together[number] = torch.maximum(new, together.get(number, new))
        candidates = [number for number in weighing if number not in reached and together[number].any()]
        reached |= {number for number in candidates if _reaches(model, weights, number, texts)}
        if all(number in reached and not _blind([together[number]], length) for number in weighing):
            break
    return Attention(
        steps=tuple(sorted(reached)),
        numbers=sum(scores[number].numel() for number in reached),
        blind=_blind([together[number] for number in reached], length),
        all_numbers=sum(one.numel() for one in scores.values()),
        even=any(_is_even(scores[number]) for number in set(weighing) - reached),
    )


def itself(model: Graph, steps: Iterable[int], length: int) -> dict[int, Callable[..., Tensor]]:
    """What to give to `Graph.run`, so that in these steps each of `length` positions sees itself alone."""
    return {number: _itself(model.steps[number], length) for number in steps}


def name_of(step: Step) -> str:
    """ "aten.relu_.default" is relu."""
    return step.name.split(".")[1].removesuffix("_")


# --- one text -------------------------------------------------------------------------------------------------------


def _weighing(model: Graph, texts: Tensor) -> list[int]:
    """The steps that may make weights. The exponential of complex numbers turns them."""
    found = [number for number, step in enumerate(model.steps) if name_of(step) in (*SOFTMAXES, TORCHS)]
    calls = model.calls(model.weights, texts, of=found)
    return [number for number in found if not calls[number][0][0].is_complex()]


def _scores(
    model: Graph, weights: dict[str, Tensor], texts: Tensor, steps: list[int], alone: bool = False
) -> dict[int, Tensor]:
    """What each of these steps makes its weights of; `alone`: while each position sees itself alone."""
    given = itself(model, steps, texts.shape[1]) if alone else {}
    calls = model.calls(weights, texts, of=steps, given=given)
    return {
        number: _torchs_scores(*args, **kwargs) if name_of(model.steps[number]) == TORCHS else args[0] + 0.0
        for number, (args, kwargs) in calls.items()
    }


def _torchs_scores(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout: float = 0.0,
    is_causal: bool = False, scale: float | None = None, **_: Any,
) -> Tensor:  # fmt: skip
    scores = query @ _for_all_heads(key, query).mT * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        scores = scores.masked_fill(torch.ones_like(scores).tril() == 0, -math.inf)
    if attn_mask is None:
        return scores
    return scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask


def _for_all_heads(part: Tensor, query: Tensor) -> Tensor:
    """Keys or values (…, H, T, D), where several heads of the queries may share one."""
    shared = query.dim() > 3 and part.dim() == query.dim() and 1 < part.shape[-3] < query.shape[-3]
    return part.repeat_interleave(query.shape[-3] // part.shape[-3], -3) if shared else part


def _itself(step: Step, length: int) -> Callable[..., Tensor]:
    def of_torch(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> Tensor:
        own = _for_all_heads(value, query)[..., -query.shape[-2] :, :]
        return own.expand(*query.shape[:-1], own.shape[-1]).clone()

    def of_softmax(*args: Any, **kwargs: Any) -> Tensor:
        shares = step.operation(*args, **kwargs)
        if len(both := _places(shares, length)) == 2:
            one = torch.eye(length, dtype=shares.dtype)
            return one.view([length if axis in both else 1 for axis in range(shares.dim())]).expand_as(shares).clone()
        is_softmax = name_of(step) != "exp"
        if not shares.dim() or not is_softmax and shares.shape[-1] > length:
            return shares  # of something else, such as an activation
        axis = int(args[1]) if is_softmax else -1
        last = ((shares > 0) * _along(shares, axis)).argmax(axis, keepdim=True)  # a row ends with its own position
        return torch.zeros_like(shares).scatter(axis, last, 1.0)

    return of_torch if name_of(step) == TORCHS else of_softmax


def _along(tensor: Tensor, axis: int) -> Tensor:
    """1, 2, 3, … along an axis."""
    shape = [1] * tensor.dim()
    shape[axis] = -1
    return torch.arange(1, tensor.shape[axis] + 1).view(shape)


def _places(tensor: Tensor, length: int) -> list[int]:
    """The axes that run over all positions."""
    return [axis for axis, size in enumerate(tensor.shape) if size == length]


# --- several texts --------------------------------------------------------------------------------------------------


def _four(model: Graph, weights: dict[str, Tensor], texts: Tensor, steps: list[int]) -> dict[int, tuple[Tensor, ...]]:
    """The scores for a text, with another first word, with other words behind it, and with both, for each step."""
    first, behind = texts.clone(), 1 - texts
    first[:, 0], behind[:, 0] = 1 - texts[:, 0], texts[:, 0]
    found = [_scores(model, weights, text, steps, alone=True) for text in (texts, first, behind, 1 - texts)]
    return {number: tuple(scores[number] for scores in found) for number in steps}


def _together(one: Tensor, first: Tensor, behind: Tensor, both: Tensor) -> Tensor:
    """By how much the score of each pair rests on both its words at once; 0 for what rounding may explain."""
    found = (one.double() - first.double() - behind.double() + both.double()).abs().nan_to_num(0.0, 0.0, 0.0)
    sizes = torch.stack([scores.double().abs().nan_to_num(0.0, 0.0, 0.0) for scores in (one, first, behind, both)])
    rounding = 4 * torch.finfo(one.dtype).eps * sizes.amax(0)
    return found * (found > TOGETHER + rounding)


def _reaches(model: Graph, weights: dict[str, Tensor], number: int, texts: Tensor) -> bool:
    """Whether the output moves when this step shares out as it would for other words."""
    step = model.steps[number]
    args, kwargs = model.calls(weights, 1 - texts, of=[number])[number]
    if name_of(step) != TORCHS:
        return moves(model, weights, {number: step.operation(*args, **kwargs)}, texts)
    query, key, *_ = args

    def with_own_values(_: Tensor, __: Tensor, *rest: Any, **words: Any) -> Tensor:
        return step.operation(query, key, *rest, **words)

    return moves(model, weights, {number: with_own_values}, texts)


def _blind(together: Iterable[Tensor], length: int) -> float:
    """The share of weights of the first word for one of the others that does not look at them.

    They are T - 1 of the T² of each head, or of T (T + 1) where a row has one more, for nothing.
    """
    found = [(_pairs(one, length), one.numel()) for one in together]
    pairs, numbers = (sum(counted) for counted in zip(*found, strict=True)) if found else (0, 0)
    expected = numbers * (length - 1) / (length * (length + 1))
    return max(0.0, 1 - pairs / expected) if expected else 1.0


def _pairs(together: Tensor, length: int) -> int:
    """How many weights look at the words; where no mask has come yet, without those of earlier words for later ones."""
    both = _places(together, length)
    if len(both) != 2:
        return int(together.count_nonzero())
    square = together.movedim(both, (-2, -1))
    return max(int(half.count_nonzero()) for half in (square.tril(-1), square.triu(1)))


def _is_even(scores: Tensor) -> bool:
    """Whether all that is visible in each row has the same score."""
    if scores.dim() < 2 or scores.shape[-1] == 1:
        return False
    visible = scores > HIDDEN
    highest = scores.masked_fill(~visible, -math.inf).amax(-1)
    lowest = scores.masked_fill(~visible, math.inf).amin(-1)
    return bool(visible.any() and (highest - lowest)[visible.any(-1)].max() < TOGETHER)
