"""A kit for exercises whose answer builds a model: ask for it, measure it elsewhere, and say what is usually wrong.

    @lesson.exercise(points=3, hint="…", compare=False, facts=models.Facts)
    def build_mlp(width):
        \"\"\"A model: vectors (N, 4) in, logits (N, 3) out.\"\"\"
        return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))

    @build_mlp.ask
    def _(answer, width):                       # beside the answer: the steps of its model
        return models.ask(answer, (width,), torch.zeros(6, 4))

    @build_mlp.measure
    def _(sent, width):                         # in a process of its own: these steps on other inputs, with other weights
        return models.measure(sent, (6, 3), lambda: torch.rand(6, 4))

    models.form(build_mlp, "class_returned", "layer_left_out")          # what nothing else can be said before
    models.usual(build_mlp, "softmax_at_the_end", "dropout_never_off")  # names of `USUAL`, or all of them

Inputs are whatever the model takes, one tensor or several: images (N, C, H, W), tokens (B, T), vectors. The output is
one tensor of any shape whose first axis is the batch. Findings of the exercise itself stand before `form` where they
explain an error or a shape, and after it where they look at a model that runs; facts of its own go into a subclass of
`Facts`, and come from `Graph(sent["model"])`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.checking.declaration import Declaration, Seen
from utils.checking.describe import number
from utils.checking.graph import Given, Graph, Untraceable, trace
from utils.checking.plain import type_name


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What `measure` found out about a model. What it did not come to is said to be bad, so that it is never a pass.

    `instead`, `error` and `shape` are about what kept it from being measured: what came instead of a model, the error
    that the model raised, the shape of its output. The names of weights stand in `without_gradient` (nothing comes
    back to them), `frozen` (they are not to be trained) and `without_effect` (the output is nearly the same whatever
    they may be). `parameters` counts numbers to be trained. `sums` are distances from 1: of the sums over the last axis,
    of the sums of exponentials over it, of the sums over the batch. `lowest` and `highest` are the limits of the
    output over inputs and weights of any size. All of it is measured in evaluation mode.
    """

    instead: str = ""
    error: str = ""
    shape: list[int] = field(default_factory=list)
    expected_shape: list[int] = field(default_factory=list)
    finite: bool = False
    parameters: int = 0
    without_gradient: list[str] = field(default_factory=list)
    frozen: list[str] = field(default_factory=list)
    without_effect: list[str] = field(default_factory=list)
    repeatable: bool = False
    independent: bool = False
    same_for_all: bool = True
    linear: bool = True
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    lowest: float = 0.0
    highest: float = 0.0

    @property
    def runs(self) -> bool:
        """Whether there is a model whose output has the right shape and finite numbers."""
        return not (self.instead or self.error) and self.shape == self.expected_shape and self.finite


# --- beside the answer ---------------------------------------------------------------------------------------------


def ask(answer: Any, arguments: tuple, *inputs: Tensor) -> dict[str, Any] | None:
    """The model that `answer(*arguments)` builds, as `record` sends it. None where it returns None."""
    if isinstance(answer, nn.Module):
        return {"instead": "a finished model. Pass the function that builds it, or the class"}
    model = answer(*arguments)
    return None if model is None else record(model, *inputs)


def record(model: Any, *inputs: Tensor) -> dict[str, Any]:
    """What `measure` needs of a model: its steps on these inputs. What is reported in their place can only fail."""
    if not isinstance(model, nn.Module):
        return {"instead": f"{type_name(model)}. Expected an nn.Module"}
    if any(nn.parameter.is_lazy(p) for p in model.parameters()):
        return {"instead": "a model with lazy layers, whose parameters do not exist before its first batch"}
    shapes = " and ".join(str(tuple(given.shape)) for given in inputs)
    try:
        output = model(*inputs)
    except (RuntimeError, IndexError) as error:
        if isinstance(error, NotImplementedError):
            raise
        return {"error": f"With an input of shape {shapes} the model raised {type(error).__name__}: {error}"}
    if not isinstance(output, Tensor):
        return {"instead": f"a model whose output is {type_name(output)}"}
    try:
        return {"model": trace(model, *inputs), **_untrained(model, output)}
    except Untraceable as error:
        limit = "That is a limit of the check and no mistake: write it with more usual layers, or tell your instructor"
        return {"instead": f"{error}. {limit}"}


def _untrained(model: nn.Module, output: Tensor) -> dict[str, list[str]]:
    """Seen beside the model, since a record of its steps does not tell what ran under no_grad."""
    if output.requires_grad:
        output.square().sum().backward()
    weights = dict(model.named_parameters())
    frozen = [name for name, weight in weights.items() if not weight.requires_grad]
    return {"frozen": frozen, "without_gradient": [name for name in weights if weights[name].grad is None]}


# --- elsewhere -----------------------------------------------------------------------------------------------------

EFFECT = 1e-4  # of the largest output; rounding stays far below
DRAWS = 16  # a small layer of ReLUs may be silent for all inputs with some weights, but not with all of these

Make = Callable[[], Tensor | tuple[Tensor, ...]]


def measure(sent: dict[str, Any], shape: tuple[int, ...], make: Make) -> Facts:
    """Run the steps on other inputs than the answer saw, and with other weights: some begin with zeros and show nothing.

    Args:
        sent: what `record` sent, or a forgery.
        shape: the output's, for these inputs.
        make: draws the inputs, a tensor or a tuple of several; it is called for more than one batch.
    """
    if "instead" in sent or "error" in sent:
        instead, error = str(sent.get("instead", "")), str(sent.get("error", ""))
        return Facts(instead=instead, error=error, expected_shape=list(shape))
    model, inputs = Graph(sent["model"]), _tuple(make())
    output = model(model.weights, *inputs)
    facts = {
        "shape": list(output.shape),
        "expected_shape": list(shape),
        "finite": bool(output.isfinite().all()),
        "frozen": [name for name in model.weights if name in sent["frozen"]],
        "parameters": sum(weight.numel() for name, weight in model.weights.items() if name not in sent["frozen"]),
    }
    if facts["shape"] != facts["expected_shape"] or not facts["finite"]:
        return Facts(**facts)
    gradients = model.gradients(model.weights, *inputs)
    facts["without_gradient"] = [
        name
        for name, gradient in gradients.items()
        if gradient is None or name in sent["without_gradient"] and name not in facts["frozen"]
    ]
    return Facts(**facts, without_effect=_without_effect(model, inputs), **_behaviour(model, inputs, _tuple(make())))


def _tuple(inputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return inputs if isinstance(inputs, tuple) else (inputs,)


def draw_again(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights, with kernels and matrices replaced by normal numbers of the usual size."""
    return {
        name: torch.randn_like(weight) * weight[0].numel() ** -0.5 if weight.dim() > 1 else weight
        for name, weight in weights.items()
    }


def _without_effect(model: Graph, inputs: tuple[Tensor, ...]) -> list[str]:
    """The weights that no draw shows to have a say in the output."""
    silent = set(model.weights)
    for _ in range(DRAWS):
        weights = draw_again(model.weights)
        scales = {name: torch.randn_like(weight) for name, weight in weights.items() if weight.dim() == 1}
        silent -= with_effect(model, weights | scales, silent, *inputs)
        if not silent:
            break
    return [name for name in model.weights if name in silent]


def with_effect(model: Graph, weights: dict[str, Tensor], among: Collection[str], *inputs: Tensor) -> set[str]:
    """Of `among`, the weights that have a say in the output.

    Kernels and matrices are put in the place of others of their size, which has to move the output by EFFECT of its
    own size: what is multiplied by next to nothing has a gradient too. Of a bias a gradient is enough, since what
    comes after it may well take it out again, as a norm does.
    """
    gradients = model.gradients(weights, *inputs)
    felt = {name for name in among if (gradient := gradients[name]) is not None and gradient.any()}
    with torch.no_grad():
        output = model(weights, *inputs)

        def moves(name: str) -> bool:
            size = weights[name].square().mean().sqrt()
            moved = model(weights | {name: size * torch.randn_like(weights[name])}, *inputs) - output
            return bool(moved.abs().max() > EFFECT * output.abs().max())

        return {name for name in felt if weights[name].dim() < 2 or moves(name)}


@torch.no_grad()
def _behaviour(model: Graph, inputs: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> dict[str, Any]:
    weights, half = draw_again(model.weights), len(inputs[0]) // 2
    mixed = tuple(torch.cat([one[:half], other[half:]]) for one, other in zip(inputs, others, strict=True))
    output, other, of_mixed = (model(weights, *given) for given in (inputs, others, mixed))
    extreme = torch.cat([_pushed(model, inputs, factor) for factor in (1e4, -1e4, 1e4, -1e4)])
    return {
        "repeatable": close(model(weights, *inputs), output),
        "independent": close(of_mixed, torch.cat([output[:half], other[half:]])),
        "same_for_all": all(_same_for_all(drawn) for drawn in _outputs(model, inputs)),
        "linear": inputs[0].is_floating_point() and all(_linear(model, inputs, others)),
        "sums": [
            float((sums - 1).abs().max()) for sums in (output.sum(-1), output.exp().sum(-1), output.sum(0))
        ],
        "lowest": float(extreme.min()),
        "highest": float(extreme.max()),
    }  # fmt: skip


def close(one: Tensor, other: Tensor, atol: float = 1e-4) -> bool:
    """Whether two outputs are the same but for rounding."""
    return torch.allclose(one, other, rtol=1e-3, atol=atol)


def _pushed(model: Graph, inputs: tuple[Tensor, ...], factor: float) -> Tensor:
    """The output for inputs and weights so large that only its limits hold it."""
    weights = {name: 10 * weight if weight.dim() > 1 else weight for name, weight in draw_again(model.weights).items()}
    return model(weights, *(factor * given if given.is_floating_point() else given for given in inputs))


def _outputs(model: Graph, inputs: tuple[Tensor, ...]) -> Iterator[Tensor]:
    return (model(draw_again(model.weights), *inputs) for _ in range(DRAWS))


def _same_for_all(output: Tensor) -> bool:
    return close(output, output[:1].expand_as(output), 1e-6)


def _linear(model: Graph, inputs: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> Iterator[bool]:
    """For some weights, whether f(a + b) = f(a) + f(b) - f(0)."""
    for _ in range(DRAWS):
        weights = draw_again(model.weights)
        yield is_linear(lambda given, weights=weights: model(weights, given, *inputs[1:]), inputs[0], others[0])


def is_linear(function: Callable[[Tensor], Tensor], a: Tensor, b: Tensor) -> bool:
    """Whether a function of one tensor bends nothing between these two: f(a + b) = f(a) + f(b) - f(0)."""
    both = function(a + b)
    bent = both - function(a) - function(b) + function(0 * a)
    return bool(bent.abs().max() <= 1e-4 * both.abs().max() + 1e-5)


@torch.no_grad()
def moves(model: Graph, weights: dict[str, Tensor], given: Mapping[int, Given], *inputs: Tensor) -> bool:
    """Whether the output moves, by EFFECT of its size, where some steps give something else than they would."""
    output = model(weights, *inputs)
    return bool((model.run(weights, *inputs, given=given)[0] - output).abs().max() > EFFECT * output.abs().max())


@torch.no_grad()
def carries(model: Graph, weights: dict[str, Tensor], number: int, inputs: Tensor, others: Tensor) -> bool:
    """Whether a step takes something of the inputs on to the output: made of other ones, it moves the output."""
    ((_, result),) = model.run(weights, others, layers=[number])[1]
    return moves(model, weights, {number: result}, inputs)


def layers(model: Graph, *operations: str) -> list[int]:
    """The numbers of the steps like "conv2d" or "linear" whose second argument, the kernel, rests on weights.

    Of several with the same weights the last one counts; those with none are `untrained`.
    """
    origins = model.origins()
    found = {origins[number][1]: number for number in _steps_of(model, *operations)}
    return [number for weights, number in found.items() if weights]


def untrained(model: Graph, *operations: str) -> int:
    """How many steps like "conv2d" have a kernel that rests on no weight, so that nobody can train it."""
    origins = model.origins()
    return sum(not origins[number][1] for number in _steps_of(model, *operations))


def _steps_of(model: Graph, *operations: str) -> list[int]:
    return [number for number, step in enumerate(model.steps) if step.name.split(".")[1] in operations]


@torch.no_grad()
def bends(model: Graph, steps: list[int], others: list[int], *inputs: Tensor) -> list[bool]:
    """Of each of these steps, whether its result is bent on its way to the next one, to one of the others or the end."""
    weights, all_of_them = draw_again(model.weights), [*steps, *others]
    _, seen = model.run(weights, *inputs, layers=all_of_them)
    results = {number: result for number, (_, result) in zip(all_of_them, seen, strict=True)}

    def bent(this: int) -> bool:
        held = {number: result for number, result in results.items() if number != this}

        def behind(result: Tensor) -> Tensor:
            output, reached = model.run(weights, *inputs, given=held | {this: result}, layers=[*held])
            return torch.cat([output.flatten(), *(argument.flatten() for argument, _ in reached)])

        return not is_linear(behind, *(torch.randn_like(results[this]) for _ in range(2)))

    return [bent(this) for this in steps]


# --- what is usually wrong -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Usual:
    """A mistake that any builder of models can make: its sentence, how it is seen, a model spoilt that way."""

    explanation: str
    seen: Seen
    spoil: Callable[[Any], Any]  # takes the model that the reference builds


class _Then(nn.Module):
    """A model, and a function of its output."""

    def __init__(self, model: nn.Module, function: Callable[[Tensor], Any]):
        super().__init__()
        self.model, self.function = model, function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self.model(*inputs))


def _then(function: Callable[[Tensor], Any]) -> Callable[[nn.Module], nn.Module]:
    return lambda model: _Then(model, function)


def _with_a_layer_too_many(model: nn.Module) -> nn.Module:
    whole = _Then(model, lambda output: output)
    whole.left_out = nn.Linear(2, 2)
    return whole


class _Blind(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.model(*(0 * given for given in inputs))


def _seen_instead(beginning: str) -> Seen:
    return lambda facts, *case: f"It gave {facts.instead}." if facts.instead.startswith(beginning) else None


def _seen_without_gradient(facts: Facts, *case: Any) -> str | None:
    if facts.without_gradient:
        return f"The loss sends no gradient to {', '.join(facts.without_gradient)}."
    return None


def _seen_frozen(facts: Facts, *case: Any) -> str | None:
    return f"These weights cannot be trained: {', '.join(facts.frozen)}." if facts.frozen else None


def _sums_to_one(which: int, sentence: str, lowest: float = -torch.inf) -> Seen:
    return lambda facts, *case: sentence if facts.sums[which] < 1e-3 and facts.lowest >= lowest else None


def _limits(facts: Facts) -> str:
    limits = f"between {number(facts.lowest)} and {number(facts.highest)}"
    return f"Whatever input and weights may be, the output stays {limits}. Expected numbers of any size and sign."


def _seen_one_sign(facts: Facts, *case: Any) -> str | None:
    return _limits(facts) if facts.lowest >= 0 and facts.highest > 1 or facts.highest <= 0 > facts.lowest else None


def _seen_squeezed(facts: Facts, *case: Any) -> str | None:
    bounded = facts.lowest >= -1 and facts.highest <= 1
    return _limits(facts) if bounded and not facts.same_for_all else None


USUAL = {
    "class_returned": Usual(
        "You returned the class instead of a model made from it. Call it: `return Net(…)`.",
        _seen_instead("the class"),
        type,
    ),
    "lazy_layer": Usual(
        "Lazy layers find their sizes when the first batch comes, which is after the optimizer asked for the parameters. Work the size out.",
        _seen_instead("a model with lazy layers"),
        lambda model: nn.Sequential(model, nn.LazyLinear(1)),
    ),
    "pair_returned": Usual(
        "The model returns several things. Return the output alone.",
        lambda facts, *case: (
            f"It gave {facts.instead}. Expected one tensor."
            if facts.instead.endswith((" is a tuple", " is a list"))
            else None
        ),
        _then(lambda output: (output, output)),
    ),
    "argmax_in_the_model": Usual(
        "The model returns one class instead of the logits of all. argmax has no gradient, and it belongs to evaluation.",
        lambda facts, *case: (
            f"The output has the shape {tuple(facts.shape)}: one number where {facts.expected_shape[-1]} are expected."
            if facts.shape and facts.shape == facts.expected_shape[:-1]
            else None
        ),
        _then(lambda logits: logits.argmax(-1)),
    ),
    "layer_left_out": Usual(
        "A part of the model takes no part in the result: a layer that `forward` leaves out, or something (detach, no_grad, argmax) that stops the gradient.",
        _seen_without_gradient,
        _with_a_layer_too_many,
    ),
    "frozen_weights": Usual(
        "requires_grad=False keeps weights as they began, and no optimizer can train them. Leave it at True.",
        _seen_frozen,
        lambda model: model.requires_grad_(False),
    ),
    "softmax_at_the_end": Usual(
        "A softmax stands at the end. F.cross_entropy takes one itself; with two, the gradient is flat and the loss cannot come near 0 (with ten classes, it stays above 1.46). Return the logits.",
        _sums_to_one(0, "The outputs of each row are positive and sum to 1, as probabilities do. Expected logits.", 0.0),
        _then(lambda logits: logits.softmax(-1)),
    ),
    "log_softmax_at_the_end": Usual(
        "A log-softmax stands at the end. F.cross_entropy takes one itself. Here the model returns the logits.",
        _sums_to_one(1, "The exponentials of each row sum to 1: these are log-probabilities. Expected logits."),
        _then(lambda logits: logits.log_softmax(-1)),
    ),
    "softmax_over_the_batch": Usual(
        "A softmax runs over the batch (dim=0), so that its members compete with each other. Return the logits.",
        _sums_to_one(2, "The outputs of each class sum to 1 over the batch. Expected logits."),
        _then(lambda logits: logits.softmax(0)),
    ),
    "relu_at_the_end": Usual(
        "A ReLU, or another function whose values all have one sign, stands after the last layer. The logits are what the last layer gives.",
        _seen_one_sign,
        _then(torch.relu),
    ),
    "squeezed_output": Usual(
        "A sigmoid or tanh stands after the last layer and squeezes the output. Return it as it is.",
        _seen_squeezed,
        _then(torch.sigmoid),
    ),
    "dropout_never_off": Usual(
        "Something stays random in evaluation mode. F.dropout does that unless you pass training=self.training; nn.Dropout knows by itself.",
        lambda facts, *case: (
            None if facts.repeatable else "In evaluation mode the same inputs gave two different results."
        ),
        _then(lambda output: F.dropout(output, 0.5)),
    ),
    "depends_on_the_batch": Usual(
        "In evaluation a row is computed with the batch that it happens to be in. Is it normalised over dimension 0, or with track_running_stats=False? Let nn.BatchNorm keep its running statistics, and leave its mode alone.",
        lambda facts, *case: (
            None if facts.independent else "In evaluation mode the output of one row changes with the other rows of its batch."
        ),
        _then(lambda output: output - output.mean(0)),
    ),
    "same_for_all": Usual(
        "The output does not depend on the input. Is the input used, or overwritten on its way?",
        lambda facts, *case: "All rows of a batch have the same output." if facts.same_for_all else None,
        _Blind,
    ),
    "no_nonlinearity": Usual(
        "Nothing bends between the layers: stacked linear maps are one linear map. Put a ReLU after each layer but the last.",
        lambda facts, *case: (
            "The output is a linear function of the input: f(a + b) = f(a) + f(b) - f(0)." if facts.linear else None
        ),
        lambda model: nn.Sequential(*(nn.Identity() if isinstance(part, nn.ReLU) else part for part in model)),
    ),
    "without_effect": Usual(
        "Some weights can be changed without any change of the output: their layer is multiplied by 0, or rounded away.",
        lambda facts, *case: (
            f"The output stays the same whatever {', '.join(facts.without_effect)} may be." if facts.without_effect else None
        ),
        lambda model: _Vain(model),
    ),
}  # fmt: skip


class _Vain(nn.Module):
    """A model with a weight that is multiplied by zero."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model, self.vain = model, nn.Parameter(torch.ones(2))

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.model(*inputs) + 0 * self.vain.sum()


def usual(exercise: Declaration, *names: str, **explanations: str) -> None:
    """Declare mistakes of `USUAL` by their names, in this order. An explanation by name replaces the usual one."""
    for name in names:
        one = USUAL[name]
        spoilt = _spoilt(exercise, one.spoil)
        exercise.wrong(name, spoilt, seen=one.seen).says(explanations.get(name, one.explanation))


def _spoilt(exercise: Declaration, spoil: Callable[[Any], Any]) -> Callable:
    return lambda *case: spoil(exercise.reference(*case))


def form(exercise: Declaration, *names: str) -> None:
    """Declare these mistakes of `USUAL`, and the findings without which nothing else of a model can be told."""
    usual(exercise, *names)

    @exercise.finding
    def _(facts: Facts, *case: Any) -> str | None:
        if facts.instead:
            return f"It gave {facts.instead}."
        if facts.error:
            return facts.error
        if facts.shape != facts.expected_shape:
            return f"The output has the shape {tuple(facts.shape)}, expected {tuple(facts.expected_shape)}."
        if not facts.finite:
            return "The output holds nan or infinity."
        return _seen_without_gradient(facts)


def mixed_up(facts: Facts, *case: Any) -> str | None:
    """Seen: rows went in, and another number of rows reached a dense layer or came out."""
    rows, given = _rows_at_a_dense_layer(facts), facts.expected_shape[0]
    if rows not in (None, given):
        return f"{given} inputs reached a dense layer as {rows} row{'s' * (rows != 1)}. {facts.error}"
    if len(facts.shape) == len(facts.expected_shape) and facts.shape[0] != given:
        return f"{given} inputs gave an output of shape {tuple(facts.shape)}, expected {tuple(facts.expected_shape)}."
    return None


def does_not_fit(facts: Facts, *case: Any) -> str | None:
    """Seen: a dense layer, or a view before it, expects another number of values than those that arrive."""
    fixed = _rows_at_a_dense_layer(facts) == facts.expected_shape[0] or "is invalid for input of size" in facts.error
    return facts.error if fixed else None


def _rows_at_a_dense_layer(facts: Facts) -> int | None:
    """How many rows torch saw when it could not multiply two matrices."""
    found = re.search(r"mat1 and mat2 shapes cannot be multiplied \((\d+)x", facts.error)
    return int(found[1]) if found else None


def raised(*words: str) -> Seen:
    """A way to see a mistake: the model raised an error whose message holds one of these words."""
    return lambda facts, *case: facts.error if any(word in facts.error for word in words) else None
