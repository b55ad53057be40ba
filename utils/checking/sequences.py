"""A kit for exercises whose answer builds a model of texts, tokens (B, T) in and logits (B, T, V) out; see `models`.

It asks for the model and for its neighbours (one layer more, one head), and measures what the model looks at and what
it is made of:

    @build_reader.ask
    def _(answer, vocabulary, width, layers):
        deeper = (vocabulary, width, layers + 1)
        return sequences.ask(answer, (vocabulary, width, layers), vocabulary, 256, deeper=deeper)

    @build_reader.measure
    def _(sent, vocabulary, width, layers):
        return sequences.measure(sent, vocabulary, 256)

The structure is read off a short text, as it does not depend on the length.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from utils.checking import models
from utils.checking.attention import attention, itself, name_of
from utils.checking.declaration import Seen
from utils.checking.describe import number
from utils.checking.graph import Graph, Step, trace

# Tokens (B, T) that differ at the end alone. No other axis of a model is as long as they are, so that T can be told.
SHORT_TEXTS = torch.tensor([[0, 1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1, 1]])
BATCH, SHORT = SHORT_TEXTS.shape
NEAR = 8  # positions: far enough for a look back, near enough for one that fades


@dataclass(frozen=True, kw_only=True)
class Facts(models.Facts):
    """What is measured of a model of texts. To "move" is the largest change of a logit.

    `leak`: how far logits before a changed token move. `reach`: how far those move, of the first positions behind a
    changed token, that do so least. `order`: how far those behind two tokens move that change places, at the
    beginning or at the end of the text. `cut`: how far logits move when the text ends behind them.

    `softmaxed`: how many attention weights there are that look at the words, for the model and each of its neighbours;
    `all_softmaxed`: how many numbers leave any softmax of the model. `blind`: the share of its attention weights that
    do not look at the words. `even`: whether some share out the same for all. `around`: how far logits behind a changed
    token move when all weights that look at the words are shut.

    `widths`: how many numbers a position has along the way. `bent`: those of them that a nonlinearity takes, one for
    each time, for the model and for one layer more. `added`:
    parameters of one layer more. `shared`: matrices that one layer more uses again. `narrows`: matrices of one layer
    more past which no token reaches its logits: zeros in it cut the model in two.
    """

    leak: float = math.inf
    reach: float = 0.0
    order: float = 0.0
    cut: float = math.inf
    softmaxed: dict[str, int] = field(default_factory=dict)
    all_softmaxed: int = 0
    blind: float = 1.0
    even: bool = False
    around: float = math.inf
    widths: list[int] = field(default_factory=list)
    bent: dict[str, list[int]] = field(default_factory=dict)
    added: int = 0
    shared: list[str] = field(default_factory=list)
    narrows: list[str] = field(default_factory=lambda: ["all of them"])


# --- beside the answer ---------------------------------------------------------------------------------------------


def ask(answer: Any, arguments: tuple, vocabulary: int, length: int, **neighbours: tuple) -> dict[str, Any] | None:
    """The steps of the model on texts of this length, on one token and on short texts, and those of its neighbours.

    Args:
        arguments: of the answer.
        neighbours: by name, arguments of models that are compared with it. `deeper` has one layer more.
    """
    tokens = torch.randint(vocabulary, (BATCH, length))
    sent = models.ask(answer, arguments, tokens)
    if not sent or "model" not in sent:
        return sent
    one = models.ask(answer, arguments, tokens[:1, :1])
    if not one or "model" not in one:
        return one
    texts = {
        name: trace(answer(*values), tokens[:, :SHORT]) for name, values in {"short": arguments, **neighbours}.items()
    }
    return {**sent, "one": one["model"], "texts": texts}


# --- elsewhere -----------------------------------------------------------------------------------------------------


def measure(sent: dict[str, Any], vocabulary: int, length: int) -> Facts:
    """Run the steps on other texts and with other weights than the answer saw. For `sent`, see `models.measure`."""
    facts = models.measure(sent, (BATCH, length, vocabulary), lambda: torch.randint(vocabulary, (BATCH, length)))
    if not facts.runs or facts.without_gradient:
        return Facts(**vars(facts))
    one = Graph(sent["one"])
    alone = one(one.weights, SHORT_TEXTS[:1, :1])
    if alone.shape != (1, 1, vocabulary):
        return Facts(expected_shape=[1, 1, vocabulary], shape=list(alone.shape))
    texts = sent["texts"] | {"short": sent["texts"]["short"] | {"weights": sent["model"]["weights"]}}  # of one model
    model, short, deeper = map(Graph, (sent["model"], texts["short"], texts["deeper"]))
    return Facts(
        **vars(facts),
        **_behaviour(model, one, short, vocabulary, length),
        **_attention({str(name): Graph(steps) for name, steps in texts.items()}),
        widths=sorted({width for _, width in _widths(short) if width}),
        bent={"short": _bent(short), "deeper": _bent(deeper)},
        added=_count(deeper) - _count(short),
        shared=_shared(short, deeper),
        narrows=_narrow(short, deeper),
    )


def _draw_again(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """As `models.draw_again`, where the matrices of all layers may be stacked in one tensor."""
    return {name: torch.randn_like(w) * w.shape[-1] ** -0.5 if w.dim() > 1 else w for name, w in weights.items()}


@torch.no_grad()
def _behaviour(model: Graph, one: Graph, short: Graph, vocabulary: int, length: int) -> dict[str, Any]:
    weights, tokens, middle = _draw_again(model.weights), torch.randint(vocabulary, (BATCH, length)), length // 2
    tokens[:, [0, 1, -3, -2]] = torch.tensor([0, 1, 0, 1])
    logits = model(weights, tokens)

    def moved(position: int) -> Tensor:
        """How far the logits of each position (T,) move when the token at this one is changed."""
        other = tokens.clone()
        other[:, position] = (other[:, position] + 1) % vocabulary
        return (model(weights, other) - logits).abs().amax((0, 2))

    def noticed(first: int) -> float:
        """How far the next logits move when two tokens change places."""
        other = tokens.clone()
        other[:, [first, first + 1]] = tokens[:, [first + 1, first]]
        return float((model(weights, other) - logits)[:, first + 2].abs().max())

    cut = [(short(weights, tokens[:, :SHORT]), logits[:, :SHORT]), (one(weights, tokens[:1, :1]), logits[:1, :1])]
    return {
        "leak": float(moved(middle)[:middle].max()),
        "reach": float(moved(0)[1 : NEAR + 1].min()),
        "order": min(noticed(0), noticed(length - 3)),
        "cut": max(float((alone - among).abs().max()) for alone, among in cut),
    }


BENT = 0.01  # of how far the results of two texts lie apart
DRAWS = 6  # of weights; what none of them shows is not there


def _draws(model: Graph) -> Iterator[dict[str, Tensor]]:
    """Weights, drawn several times. Scales and biases are drawn in every second one: some begin at 0."""
    for count in range(DRAWS):
        weights = _draw_again(model.weights)
        yield {name: torch.randn_like(w) if w.dim() < 2 and count % 2 else w for name, w in weights.items()}


@torch.no_grad()
def _attention(texts: dict[str, Graph]) -> dict[str, Any]:
    """Which attention weights look at the words; see `utils.checking.attention`."""
    found = {name: attention(model, _draws(model), SHORT_TEXTS) for name, model in texts.items()}
    short = found["short"]
    return {
        "softmaxed": {name: one.numbers for name, one in found.items()},
        "all_softmaxed": short.all_numbers,
        "blind": short.blind,
        "even": short.even,
        "around": _around(texts["short"], short.steps),
    }


def _around(model: Graph, steps: Sequence[int]) -> float:
    """How far the logits behind the first token move with it when these steps let each position see itself alone."""
    weights, other = _draw_again(model.weights), SHORT_TEXTS.clone()
    other[:, 0] = 1 - SHORT_TEXTS[:, 0]
    shut = itself(model, steps, SHORT)
    one, another = (model.run(weights, texts, given=shut)[0] for texts in (SHORT_TEXTS, other))
    return float((one - another)[:, 1:].abs().max())


_LINEAR = """
linear matmul mm addmm bmm baddbmm einsum conv1d add sub mul div neg t mT numpy_T transpose permute view reshape flatten
unflatten squeeze unsqueeze slice select chunk split cat expand contiguous clone alias detach dropout to _to_copy
layer_norm rms_norm
"""
STILL_LINEAR = frozenset(_LINEAR.split())  # what no feed-forward part bends a position by


@torch.no_grad()
def _steps(model: Graph) -> Iterator[tuple[int, Tensor]]:
    """Number and result of each step that has a tensor for its first argument, on a short text."""
    taken = [
        index
        for index, step in enumerate(model.steps)
        if step.args and isinstance(step.args[0], dict) and "torch" not in step.args[0]
    ]
    _, seen = model.run(model.weights, SHORT_TEXTS, layers=taken)
    yield from zip(taken, (result for _, result in seen), strict=True)


def _widths(model: Graph) -> list[tuple[int, int]]:
    """(step, how many numbers each position has in its result)."""
    return [(index, _width(result)) for index, result in _steps(model)]


@torch.no_grad()
def _bent(model: Graph) -> list[int]:
    """The widths of all steps that bend what they get on its way from the words to the logits."""
    weights, others = _draw_again(model.weights), 1 - SHORT_TEXTS
    steps = {
        index: width for index, width in _widths(model) if width > 1 and name_of(model.steps[index]) not in STILL_LINEAR
    }
    here, there = (model.calls(weights, texts, of=steps) for texts in (SHORT_TEXTS, others))
    return [
        width
        for index, width in steps.items()
        if _bends(model.steps[index], *here[index], there[index][0][0])
        and models.carries(model, weights, index, SHORT_TEXTS, others)
    ]


def _bends(step: Step, args: list, kwargs: dict[str, Any], other: Tensor) -> bool:
    """Whether a step is no straight line between the first arguments that it gets of two texts."""
    one, *rest = args
    if not one.is_floating_point():
        return False
    ends = [step.operation(between.clone(), *rest, **kwargs) for between in (one, other, (one + other) / 2)]
    first, last, middle = (end.double() for end in ends)
    bent = (middle - (first + last) / 2).abs().max()
    rounding = 8 * torch.finfo(one.dtype).eps * first.abs().max()
    return bool(bent > BENT * (first - last).abs().max() + rounding)


def _width(result: Tensor) -> int:
    """How many numbers each position has in a result; 0 for one that is no list of positions."""
    width = result.numel() // (BATCH * SHORT)
    return width if width * BATCH * SHORT == result.numel() and width in result.shape else 0


def _count(model: Graph) -> int:
    """How many parameters have a say in the logits of a short text."""
    weights = _draw_again(model.weights)
    return sum(weights[name].numel() for name in models.with_effect(model, weights, weights, SHORT_TEXTS))


LOOKED_UP = frozenset(("embedding", "index", "index_select", "select", "slice", "narrow", "gather", "add"))


def _uses(model: Graph) -> Counter[str]:
    """How many steps take each matrix as it is. Tables that are looked up may well serve every layer."""
    return Counter(
        value["weight"]
        for step in model.steps
        if name_of(step) not in LOOKED_UP
        for value in step.args
        if isinstance(value, dict) and "weight" in value and model.weights[value["weight"]].dim() > 1
    )


def _shared(model: Graph, deeper: Graph) -> list[str]:
    """Matrices of both models, of one shape, that the deeper one takes more often."""
    before, after = _uses(model), _uses(deeper)
    return [
        name
        for name, uses in after.items()
        if name in model.weights and uses > before[name] and deeper.weights[name].shape == model.weights[name].shape
    ]


@torch.no_grad()
def _narrow(model: Graph, deeper: Graph) -> list[str]:
    """Matrices of one layer more without which the last logits do not depend on the last token, or are no numbers."""
    weights = _draw_again(deeper.weights)

    def is_narrow(name: str) -> bool:
        one, other = deeper(weights | {name: torch.zeros_like(weights[name])}, SHORT_TEXTS)  # (T, V)
        return not (one[-1] - other[-1]).abs().max() > 1e-7  # nan counts: a norm of zeros

    new = [name for name in weights if name not in model.weights or weights[name].shape != model.weights[name].shape]
    return [name for name in new if weights[name].dim() > 1 and is_narrow(name)]


# --- what is usually wrong: `seen` of a mistake ---------------------------------------------------------------------

NOTICED = 1e-5  # logits that have seen a change move by more than this, the others by less
TINY = 1e-3  # rounding in texts of different lengths stays below


def too_short(length: int) -> Seen:
    """Texts of this length are too long for a table of positions, a mask, or whatever cuts them off."""

    def seen(facts: Facts, *case: Any) -> str | None:
        if len(facts.shape) == 3 and facts.shape[1] < length == facts.expected_shape[1]:
            return f"Of {length} tokens, {facts.shape[1]} got logits."
        other_size = "must match the size" in facts.error and f"({length})" in facts.error
        return facts.error if other_size or "out of range" in facts.error else None

    return seen


def one_position(facts: Facts, *case: Any) -> str | None:
    several = len(facts.expected_shape) == 3 and facts.expected_shape[1] > 1
    alone = several and facts.shape == [facts.expected_shape[0], facts.expected_shape[2]]
    return "Each text got the logits of one position." if alone else None


def not_finite(facts: Facts, *case: Any) -> str | None:
    right_shape = facts.shape and facts.shape == facts.expected_shape
    return "There is nan or infinity among the logits." if right_shape and not facts.finite else None


def looks_ahead(facts: Facts, *case: Any) -> str | None:
    if facts.leak > NOTICED:
        return f"A token in the middle was changed, and logits *before* it moved by {number(facts.leak)}."
    return None


def looks_nowhere(facts: Facts, *case: Any) -> str | None:
    if facts.reach < NOTICED:
        return f"The first token was changed, and not all logits of the next {NEAR} positions moved."
    return None


def attends_to_nothing(facts: Facts, *case: Any) -> str | None:
    if facts.all_softmaxed == 0:
        return "No softmax is taken on the way from the tokens to the logits."
    return looks_nowhere(facts)


def looks_at_no_words(facts: Facts, *case: Any) -> str | None:
    if facts.softmaxed["short"] == 0:
        return "No attention weight changes with the word that asks and the word that is asked."
    if facts.blind > 0:
        return f"Of the attention weights, {facts.blind:.0%} change with no pair of words."
    if facts.around > NOTICED:
        return (
            "Words are heard behind themselves even where all weights that look at words are shut: the logits move by "
            f"{number(facts.around)}."
        )
    return None


def shares_evenly(facts: Facts, *case: Any) -> str | None:
    said = looks_at_no_words(facts) if facts.even else None
    return f"{said} All scores of a row are the same." if said else None


def ignores_order(facts: Facts, *case: Any) -> str | None:
    if facts.order < NOTICED:
        return "Two neighbouring tokens changed places, and the position behind them did not notice."
    return None


def rests_on_the_end(facts: Facts, *case: Any) -> str | None:
    if facts.cut > TINY:
        return f"When a text ends early, the logits up to there move by {number(facts.cut)}."
    return None


def without_width(expected: Callable[..., int]) -> Seen:
    """A position never has so many numbers as `expected(*case)`."""

    def seen(facts: Facts, *case: Any) -> str | None:
        if expected(*case) not in facts.widths:
            return f"Along the way a position has {_list(facts.widths)} numbers, and never {expected(*case)}."
        return None

    return seen


def _list(items: list) -> str:
    return ", ".join(map(str, items))


def shares_weights(facts: Facts, *case: Any) -> str | None:
    return f"One more layer uses {_list(facts.shared)} again." if facts.shared else None


def has_no_way_past(facts: Facts, *case: Any) -> str | None:
    """A residual is missing: there is no stream from the tokens to the logits."""
    if facts.narrows:
        name = facts.narrows[0]
        return f"With zeros in {name} of one layer more, no logit depends on its token: nothing passes that part by."
    return None
