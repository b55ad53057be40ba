"""A kit for exercises whose answer trains a model for many steps and gives back the loss of each: `overfit`, `train`.

    @lesson.exercise(points=2, hint="…", compare=False, facts=training.Facts)
    def overfit(model, images, labels):
        \"\"\"Train until the mean loss is below 0.05. Returns the loss of each step.\"\"\"
        ...

    def _net():                                 # what the weights of a case belong to
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    @overfit.ask
    def _(answer, model, images, labels):
        return training.ask(answer, _net(), model["weights"], images, labels)

    @overfit.measure
    def _(sent, model, images, labels):         # the loss before and after, of the weights that came back
        return training.measure(sent, _net(), model["weights"], images, labels, goal=0.05)

    @overfit.recipe
    def _(model, images, labels, rounds=60, rate=0.01, trained=nn.Module.parameters, loss=F.cross_entropy,
          cut=lambda images, labels: [(images, labels)], keep=list):
        ...                                     # `cut` makes the batches of a round, `keep` the answer of the losses

    training.usual(overfit, "another_model_trained", "running_mean")
    training.goal(overfit)                      # and last, that the losses are true, and small enough in the end

The loss is the mean cross-entropy of all inputs. Optimizer, learning rate and number of steps are the answer's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from utils.checking.declaration import Declaration, Seen
from utils.checking.describe import number
from utils.checking.plain import type_name


@dataclass(frozen=True)
class Facts:
    """What a training of N inputs came to.

    before, after: the mean loss of all inputs with the weights at the start and at the end; goal: it is to be below.
    still: names of the weights that did not move; of: how many there are.
    true: the mean loss of all inputs at the beginning of each step, and at last the one after.
    fewest: how many inputs the smallest step saw, of `inputs`.
    losses: the list that came back; kind: "list", "graphs" for one of tensors that require a gradient, else its type.
    """

    before: float
    after: float
    goal: float
    still: list[str]
    of: int
    true: list[float]
    fewest: int
    inputs: int
    losses: list[float]
    kind: str

    @property
    def known(self) -> bool:
        """Whether the training has reached its goal."""
        return self.after < self.goal

    @property
    def looks_known(self) -> bool:
        """Whether one would think so from the end of the list."""
        return bool(self.losses) and 0 <= self.losses[-1] < self.goal

    def __str__(self) -> str:
        return f"The mean loss of these {self.inputs} inputs went from {number(self.before)} to {number(self.after)}."


# --- beside the answer ---------------------------------------------------------------------------------------------


def ask(answer: Callable, net: nn.Module, weights: Tensor, inputs: Tensor, labels: Tensor) -> dict[str, Any] | None:
    """Have `answer(net, inputs, labels)` train `net` from these weights, given in one row. None where it returns None."""
    vector_to_parameters(weights.clone(), net.parameters())
    diary = _Diary(net, inputs, labels)
    handles = [register_optimizer_step_pre_hook(diary.before_step), register_optimizer_step_post_hook(diary.after_step)]
    try:
        losses = answer(net, inputs, labels)
    finally:
        for handle in handles:
            handle.remove()
    return None if losses is None else {"weights": _row(net), "steps": diary.steps(), **_reported(losses)}


class _Diary:
    """Notes the loss of all inputs at the beginning of each step, and how many inputs the step saw.

    A step begins with the first pass after an optimizer's last one, or, where no optimizer is at work, with other
    weights than the pass before had. One that asks the model several times (LBFGS) is still one.
    """

    def __init__(self, net: nn.Module, inputs: Tensor, labels: Tensor):
        self.net, self.inputs, self.labels = net, inputs, labels
        self.notes: list[list] = []
        self.weights, self.fresh, self.within, self.begun = _row(net), True, False, False
        self.busy = False
        net.register_forward_pre_hook(self.note, with_kwargs=True)  # a copy that is trained in its place notes as well

    def note(self, net: nn.Module, args: tuple, kwargs: dict) -> None:
        if self.busy:
            return
        weights = _row(net)
        if self.fresh or not self.begun and not torch.equal(weights, self.weights):
            self.notes.append([self.loss(net), 0])
        self.weights, self.fresh, self.begun = weights, False, self.within
        if torch.is_grad_enabled():
            self.notes[-1][1] += len([*args, *kwargs.values()][0])

    @torch.no_grad()
    def loss(self, net: nn.Module) -> float:
        self.busy = True
        loss = F.cross_entropy(net(self.inputs.to(next(net.parameters()))), self.labels)
        self.busy = False
        return float(loss)

    def before_step(self, *_: Any) -> None:
        self.within, self.begun = True, False

    def after_step(self, *_: Any) -> None:
        self.fresh, self.within, self.begun = True, False, False

    def steps(self) -> list[list]:
        """[loss before, inputs seen] of each step; what was asked after the last one is none."""
        ended = self.fresh or not torch.equal(_row(self.net), self.weights)
        return self.notes if ended else self.notes[:-1]


def _row(net: nn.Module) -> Tensor:
    return parameters_to_vector(net.parameters()).detach().clone()


def _reported(losses: Any) -> dict[str, Any]:
    """The returned losses, none if they come in no list, and what they came in."""
    if isinstance(losses, Tensor | np.ndarray) and losses.ndim == 1:
        losses = list(losses)
    if not isinstance(losses, list | tuple):
        return {"losses": [], "kind": type_name(losses)}
    graphs = any(isinstance(loss, Tensor) and loss.requires_grad for loss in losses)
    values = [float(loss.detach() if isinstance(loss, Tensor) else loss) for loss in losses]
    return {"losses": values, "kind": "graphs" if graphs else "list"}


# --- elsewhere -----------------------------------------------------------------------------------------------------


@torch.no_grad()
def measure(
    sent: dict[str, Any], net: nn.Module, weights: Tensor, inputs: Tensor, labels: Tensor, goal: float
) -> Facts:
    """The losses with the weights of the start and with those that came back, and what else `ask` saw."""
    start, end = weights, sent["weights"].to(weights)
    sizes = [weight.numel() for weight in net.parameters()]
    pieces = zip(dict(net.named_parameters()), start.split(sizes), end.split(sizes), strict=True)
    after = mean_loss(net, end, inputs, labels)
    return Facts(
        before=mean_loss(net, start, inputs, labels),
        after=after,
        goal=goal,
        still=[name for name, before, now in pieces if torch.equal(before, now)],
        of=len(sizes),
        true=[*(float(loss) for loss, _ in sent["steps"]), after],
        fewest=min((int(seen) for _, seen in sent["steps"]), default=len(inputs)),
        inputs=len(inputs),
        losses=[float(loss) for loss in sent["losses"]],
        kind=str(sent["kind"]),
    )


def mean_loss(net: nn.Module, weights: Tensor, inputs: Tensor, labels: Tensor) -> float:
    """The mean cross-entropy of `net` with these weights, given in one row."""
    vector_to_parameters(weights.clone(), net.parameters())
    return float(F.cross_entropy(net(inputs), labels))


# --- what usually goes wrong ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Usual:
    """A mistake that any training can make: its sentence, the switches of a recipe that make it, how it is seen."""

    explanation: str
    switches: dict[str, Any]
    seen: Callable[[Facts], str | None]


def not_known(facts: Facts, seen: bool = True, more: str = "") -> str | None:
    """What is seen of a training that did not reach its goal, where `seen` is true."""
    return f"{facts} Expected less than {facts.goal}.{more and ' '}{more}" if seen and not facts.known else None


def same(losses: list[float], others: Any) -> bool:
    """Whether two lists of losses are the same but for rounding, or for a dtype that rounds more."""
    return len(losses) == len(others) and bool(np.allclose(losses, others, rtol=1e-2, atol=1e-3))


def _seen_copy(facts: Facts) -> str | None:
    return "The weights of the model that you were given did not move." if len(facts.still) == facts.of else None


def _seen_torn(facts: Facts) -> str | None:
    return not_known(facts, facts.looks_known and facts.after > facts.before, _last(facts))


def _seen_part(facts: Facts) -> str | None:
    few = f"Your steps saw {facts.fewest} of the inputs."
    return not_known(facts, facts.fewest < facts.inputs and facts.looks_known, few)


def _last(facts: Facts) -> str:
    return f"The last one in your list is {number(facts.losses[-1])}." if facts.losses else ""


def _seen_rise(facts: Facts) -> str | None:
    rose = not facts.after <= facts.before or max(facts.true) > 2 * facts.before
    return not_known(facts, rose, f"On its way it was at {number(max(facts.true))}.")


def _seen_still(facts: Facts) -> str | None:
    return not_known(facts, bool(facts.still), f"These weights did not move: {', '.join(facts.still)}.")


def _seen_batches(facts: Facts) -> str | None:
    few = facts.fewest < facts.inputs
    return f"One of your steps saw {facts.fewest} of the {facts.inputs} inputs. Expected all of them." if few else None


def _seen_no_list(facts: Facts) -> str | None:
    if facts.kind not in ("list", "graphs"):
        return f"Expected a list with the loss of each step, got {facts.kind}."
    return "Your list holds tensors that require a gradient. Expected numbers." if facts.kind == "graphs" else None


def _seen_short(facts: Facts) -> str | None:
    steps, kept = len(facts.true) - 1, len(facts.losses)
    return f"You made {steps} steps, and your list holds {kept} loss{'es' * (kept != 1)}." if kept < steps else None


def _seen_sum(facts: Facts) -> str | None:
    if same(facts.losses, [facts.inputs * loss for loss in facts.true[: len(facts.losses)]]):
        return f"The losses in your list are {facts.inputs} times as large as the mean loss of {facts.inputs} inputs."
    return None


def _seen_running_mean(facts: Facts) -> str | None:
    means = np.cumsum(facts.true) / np.arange(1, len(facts.true) + 1)
    shown = same(facts.losses, means[: len(facts.losses)]) and _seen_untrue(facts)
    return "Your list holds the mean of all losses so far, at each step." if shown else None


def _seen_graphs(facts: Facts) -> str | None:
    return _seen_no_list(facts) if facts.kind == "graphs" else None


USUAL = {
    "another_model_trained": Usual(
        "Either you trained a copy or a new model, or backward or step is missing.",
        {"trained": lambda net: [nn.Parameter(weight.detach().clone()) for weight in net.parameters()]},
        _seen_copy,
    ),
    "pairs_torn_apart": Usual(
        "Inputs and labels did not belong together. Shuffle both with the same indices, or none.",
        {"cut": lambda inputs, labels: [(inputs, labels.roll(1))]},
        _seen_torn,
    ),
    "part_of_the_inputs": Usual(
        "You trained on a part and left the rest out. Every step takes all of them.",
        {"cut": lambda inputs, labels: [(inputs[: len(inputs) * 3 // 4], labels[: len(inputs) * 3 // 4])]},
        _seen_part,
    ),
    "diverged": Usual(
        "The loss went up. Either the learning rate is far too large, or the step goes uphill.",
        {"rounds": 20, "loss": lambda logits, labels: -F.cross_entropy(logits, labels)},
        _seen_rise,
    ),
    "part_of_the_weights": Usual(
        "Give the optimizer all parameters of the model: model.parameters().",
        {"rounds": 20, "trained": lambda net: [*net.parameters()][-1:]},
        _seen_still,
    ),
    "steps_too_small": Usual(
        "The loss has hardly moved. Make the learning rate larger (AdamW: try 0.01), then take more steps.",
        {"rounds": 20, "rate": 1e-5},
        lambda facts: not_known(facts, facts.after >= 0.8 * facts.before),
    ),
    "stopped_too_early": Usual(
        "The loss was falling when you stopped. Take more steps: end the loop when the loss is small, not after a few rounds.",
        {"rounds": 6},
        lambda facts: not_known(facts, facts.after < 0.95 * facts.true[3 * len(facts.true) // 4 - 1]),
    ),
    "small_batches": Usual(
        "Take all of them at each step. There are so few that nothing is saved by smaller batches.",
        {"cut": lambda inputs, labels: zip(inputs.chunk(2), labels.chunk(2), strict=True)},
        _seen_batches,
    ),
    "losses_with_graphs": Usual(
        "Each of these tensors keeps its whole graph in memory. Append loss.item().",
        {"keep": lambda losses: [torch.tensor(loss, requires_grad=True) for loss in losses]},
        _seen_graphs,
    ),
    "last_loss_only": Usual(
        "Keep the loss of each step: `losses.append(loss.item())`, and return the list. You will plot it.",
        {"keep": lambda losses: losses[-1]},
        _seen_no_list,
    ),
    "every_tenth_loss": Usual(
        "Append the loss in each step: inside the loop, and without a condition.",
        {"keep": lambda losses: losses[::10]},
        _seen_short,
    ),
    "losses_summed": Usual(
        "You summed the losses of the inputs. Take their mean, as F.cross_entropy does by default.",
        {"loss": lambda logits, labels: F.cross_entropy(logits, labels, reduction="sum")},
        _seen_sum,
    ),
    "running_mean": Usual(
        "Keep the loss of each step itself. The mean over all steps so far falls behind it.",
        {"keep": lambda losses: list(np.cumsum(losses) / np.arange(1, len(losses) + 1))},
        _seen_running_mean,
    ),
}


LAST = "steps_too_small", "stopped_too_early"  # what `goal` declares


def usual(exercise: Declaration, *names: str, **explanations: str) -> None:
    """Declare mistakes of `USUAL` by their names, in this order, as slips of a recipe that has their switches.

    An explanation by name replaces the usual one.
    """
    for name in names:
        one = USUAL[name]
        exercise.slip(name, seen=_on_facts(one.seen), **one.switches).says(explanations.get(name, one.explanation))


def _on_facts(seen: Callable[[Facts], str | None]) -> Seen:
    return lambda facts, *case: seen(facts)


def goal(exercise: Declaration) -> None:
    """Declare, after all that may explain it, that the list is not the true losses, or that the goal was not reached."""
    exercise.finding(_on_facts(_seen_untrue))
    usual(exercise, *LAST)
    exercise.finding(_on_facts(not_known))


def _seen_untrue(facts: Facts) -> str | None:
    """A list may begin before the first step, or after it, and end after the last one."""
    true = facts.true
    if len(true) == 1 or any(same(facts.losses, some) for some in (true, true[:-1], true[1:])):
        return None
    if len(facts.losses) > len(true):
        return f"You made {len(true) - 1} steps, and your list holds {len(facts.losses)} losses."
    wrong = next(i for i, loss in enumerate(facts.losses) if not same([loss], true[i : i + 1]))
    return (
        f"Before step {wrong + 1} the mean loss of these {facts.inputs} inputs was {number(true[wrong])}. "
        f"Your list says {number(facts.losses[wrong])}."
    )
