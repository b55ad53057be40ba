"""A kit for exercises whose answer makes one training step: take several, and say what is usually wrong.

    @lesson.exercise(points=2, hint="…", facts=steps.Facts)
    def training_step(model, optimizer, images, labels):
        \"\"\"One step on images (N, 1, H, W) and labels (N,); the loss before it.\"\"\"
        ...

    @training_step.cases
    def _(rng):                                 # plain values: weights and names stand for model and optimizer
        yield {"weight": torch.zeros(2, 1)}, {"lr": 1.0}, torch.ones(1, 1, 1, 1), torch.tensor([1])

    @training_step.ask
    def _(answer, model, optimizer, images, labels):
        net = Net(model["weight"])
        sgd = steps.sgd(net, optimizer)
        return steps.take(lambda: answer(net, sgd, images, labels), net, sgd)

    @training_step.recipe
    def _(model, optimizer, images, labels, train=True, loss=F.cross_entropy, update=steps.update, give=Tensor.item):
        model.train(train or model.training)
        value = loss(model(images), labels)
        update(optimizer, value)
        return give(value)

    steps.usual(training_step, "no_zero_grad", "no_backward", "summed_loss", "graph_returned")

The facts are compared with the reference's: what counts is what the steps did, not in which order they were written.
A step that returns more than its loss (a state that the next one begins with) is asked through a function that keeps
the rest, and adds facts of its own in a subclass of `Facts`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from utils.checking.declaration import Declaration, Seen


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What some steps on one model came to.

    losses: what each step returned, by "step 1", "step 2". weights: all parameters after the last step, in one row. training_mode: whether
    every forward pass ran in it. graph_kept: whether a returned loss holds its graph. flaw: "" or a key of `FLAWS`,
    why the optimizer did not move the weights. error: what a later step raised, after the first one was right.
    """

    losses: dict[str, Any]
    weights: Tensor
    training_mode: bool
    graph_kept: bool
    flaw: str
    error: str


FLAWS = {
    "no_step": "The gradients were computed, and the optimizer made no step: the weights stayed as they were.",
    "no_backward": "The optimizer made its step without a gradient: none had reached the weights.",
    "step_before_backward": "The optimizer made its step before there was a gradient: the weights did not move.",
    "cleared_before_the_step": "There was a gradient, and it was gone when the optimizer made its step.",
    "optimizer_of_its_own": "The weights moved, and the optimizer that was handed in made no step.",
    "nothing": "The weights stayed as they were: no gradient was computed, and the optimizer made no step.",
}


def sgd(model: nn.Module, options: dict[str, float]) -> torch.optim.SGD:
    """The optimizer of a case: {"learning rate": 1.0, "momentum": 0.9}."""
    return torch.optim.SGD(model.parameters(), options["learning rate"], options.get("momentum", 0.0))


def take(
    step: Callable[[], Any],
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    count: int = 2,
    evaluate_between: bool = True,
) -> Facts | None:
    """Take `count` steps and see what they did. None where the first one returns None.

    Args:
        step: makes one step on `model` with `optimizer` and returns its loss.
        evaluate_between: whether the model is put into evaluation mode after each step, as a validation would do.
    """
    watch, losses, error = _Watch(model, optimizer), [], ""
    for _ in range(count):
        watch.calls.append([])
        try:
            losses.append(step())
        except RuntimeError as raised:
            if isinstance(raised, NotImplementedError) or not losses:
                raise
            error = str(raised).split("\n")[0]
            break
        if losses[0] is None:
            return None
        if evaluate_between:
            model.eval()
    return Facts(
        losses={f"step {number}": loss for number, loss in enumerate(losses, start=1)},
        weights=parameters_to_vector(model.parameters()).detach(),
        training_mode=all(watch.modes),
        graph_kept=any(isinstance(loss, Tensor) and loss.requires_grad for loss in losses),
        flaw=watch.flaw(),
        error=error,
    )


class _Watch:
    """Notes the modes in which a model is called, when gradients reach it, and whether its optimizer moves it."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer):
        self.model, self.start = model, _weights(model)
        self.before = self.start  # the latest step of the optimizer
        self.modes: list[bool] = []
        self.calls: list[list[str]] = []  # of each step: "backward", "moved", "stood"
        forward = model.forward

        def watched(*args: Any, **kwargs: Any) -> Any:
            self.modes.append(model.training)
            return forward(*args, **kwargs)

        model.forward = watched
        for weight in model.parameters():
            weight.register_post_accumulate_grad_hook(lambda _: self.calls[-1].append("backward"))
        optimizer.register_step_pre_hook(lambda *_: setattr(self, "before", _weights(model)))
        optimizer.register_step_post_hook(lambda *_: self._after_step())

    def _after_step(self) -> None:
        self.calls[-1].append("stood" if torch.equal(self.before, _weights(self.model)) else "moved")

    def flaw(self) -> str:
        """Told by what the optimizer did in the first step: where it moved the weights, the order does not matter."""
        seen, moved = self.calls[0], not torch.equal(self.start, _weights(self.model))
        if "stood" in seen:
            if "backward" not in seen:
                return "no_backward"
            return "cleared_before_the_step" if "backward" in seen[: seen.index("stood")] else "step_before_backward"
        if "moved" in seen:
            return ""
        return "optimizer_of_its_own" if moved else "no_step" if "backward" in seen else "nothing"


def _weights(model: nn.Module) -> Tensor:
    return parameters_to_vector(model.parameters()).detach()


# --- the usual step, and what usually goes wrong in it -----------------------------------------------------------


def update(
    optimizer: torch.optim.Optimizer,
    loss: Tensor,
    order: tuple[str, ...] = ("zero_grad", "backward", "step"),
    **options: Any,
) -> None:
    """What turns a loss into a step; `order` says what is done, and when. `options` are those of backward."""
    does = {
        "zero_grad": optimizer.zero_grad,
        "backward": lambda: loss.backward(**options),
        "step": optimizer.step,
    }
    for name in order:
        does[name]()


def _update_with_another(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    update(torch.optim.AdamW([p for group in optimizer.param_groups for p in group["params"]]), loss)


def _update_clipped(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    update(optimizer, loss, order=("zero_grad", "backward"))
    nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
    optimizer.step()


def _ordered(*order: str) -> dict[str, Any]:
    return {"update": partial(update, order=order)}


def _squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    return F.mse_loss(logits, F.one_hot(labels, logits.shape[-1]).to(logits))


def _flawed(*flaws: str) -> Seen:
    return lambda facts, *case: FLAWS[facts.flaw] if facts.flaw in flaws else None


def _seen_graph(facts: Facts, *case: Any) -> str | None:
    return "The loss came back as a tensor that requires a gradient. Expected a number." if facts.graph_kept else None


def _seen_evaluation(facts: Facts, *case: Any) -> str | None:
    return None if facts.training_mode else "The model was called in evaluation mode, in which it was handed over."


@dataclass(frozen=True)
class Usual:
    """A mistake that any training step can make: its sentence, the switches of a recipe that make it, how it is seen.

    Without `seen`, equal values tell it.
    """

    explanation: str
    switches: dict[str, Any]
    seen: Seen | None = None


USUAL = {
    "left_in_evaluation_mode": Usual(
        "The model was left in evaluation mode, where an earlier cell had put it: dropout is off and normalisation learns nothing. Begin with model.train().",
        {"train": False},
        _seen_evaluation,
    ),
    "graph_returned": Usual(
        "You returned the loss as a tensor that still holds the graph behind it. A list of those fills the memory: return loss.item().",
        {"give": lambda loss: loss},
        _seen_graph,
    ),
    "optimizer_of_its_own": Usual(
        "Step with the optimizer that you were given. One made again in each step forgets what it knew (momentum, for example).",
        {"update": _update_with_another},
        _flawed("optimizer_of_its_own"),
    ),
    "no_step": Usual(
        "optimizer.step() is missing. Without it the weights stay where they are, whatever the gradients say.",
        _ordered("zero_grad", "backward"),
        _flawed("no_step", "nothing"),
    ),
    "no_backward": Usual(
        "No gradient was computed: loss.backward() is missing, or a detach or no_grad stands between the weights and the loss.",
        _ordered("zero_grad", "step"),
        _flawed("no_backward"),
    ),
    "step_before_backward": Usual(
        "optimizer.step() came before loss.backward(). First compute the gradients, then go along them.",
        _ordered("zero_grad", "step", "backward"),
        _flawed("step_before_backward"),
    ),
    "cleared_before_the_step": Usual(
        "You cleared the gradients between backward and step, so the step had nothing to go along. Clear them before backward.",
        _ordered("backward", "zero_grad", "step"),
        _flawed("cleared_before_the_step"),
    ),
    "no_zero_grad": Usual(
        "The gradients were not cleared, so the second step went along the sum of both gradients. Call optimizer.zero_grad() before backward.",
        _ordered("backward", "step"),
    ),
    "gradient_clipped": Usual(
        "You clipped the gradient. In a long run that is a good habit; this exercise is the plain step, so that the numbers can be compared.",
        {"update": _update_clipped},
    ),
    "summed_loss": Usual(
        "The losses were summed. Take their mean, as F.cross_entropy does by default, so that the step does not grow with the batch.",
        {"loss": partial(F.cross_entropy, reduction="sum")},
    ),
    "softmax_before_cross_entropy": Usual(
        "You took a softmax before F.cross_entropy, which takes one itself. Hand it the logits; with both, the loss can never come near 0.",
        {"loss": lambda logits, labels: F.cross_entropy(logits.softmax(-1), labels)},
    ),
    "nll_of_logits": Usual(
        "F.nll_loss expects log-probabilities, and you gave it logits. F.cross_entropy does both: log-softmax, then that.",
        {"loss": F.nll_loss},
    ),
    "squared_error": Usual(
        "This is the squared error to one-hot labels. The exercise asks for the cross-entropy of the logits.",
        {"loss": _squared_error},
    ),
    "loss_after_the_step": Usual(
        "You returned the loss after the step. Return the one that you computed before it: it is free.",
        {"after": True},
    ),
}


def usual(exercise: Declaration, *names: str, **explanations: str) -> None:
    """Declare mistakes of `USUAL` by their names, in this order, as slips of the exercise's recipe.

    The recipe has those of the switches `train`, `loss`, `update`, `give` and `after` that the mistakes need. An
    explanation by name replaces the usual one.
    """
    for name in names:
        one = USUAL[name]
        exercise.slip(name, seen=one.seen, **one.switches).says(explanations.get(name, one.explanation))
