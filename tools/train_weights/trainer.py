"""The loop that trains every shipped model: it runs to the end unattended, and goes on after an interruption.

What a step reads depends on its number alone, and everything else that a step needs (weights, optimizers, what the
model carries from batch to batch, the state of the random numbers) is in the checkpoint. So an interrupted run ends
with the same bits as one that was left alone.
"""

import io
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from utils.files import write_whole

Log = Callable[[str], None]
M = TypeVar("M", bound=nn.Module)


class Training(ABC, Generic[M]):
    """One model on its way. A recipe is a subclass, which builds model and optimizers after `torch.manual_seed(seed)`.

    Attributes:
        recipe: everything that decides the result, in plain values; it goes into the checkpoint and the card.
        method: the rest of the recipe, which is in the code, in words.
        architecture: the model's class and its arguments, as `utils.models.pretrained` builds it.
        data: what it learns from.
        alphabet: the characters that a text model reads, in the order of their tokens.
        steps: how many there are in all.
        look_every: after so many steps the model is measured on the validation data and a checkpoint is written.
        reads: characters, or images (`counted` says which), of one step.
        unit: what `measure` gives, and `how` it is measured.
        clip: the limit for the norm of the gradient.
        warm_up: the rate rises for so many steps, then falls along a cosine to 0.
        carried: what goes from one step to the next, as the state of an LSTM does; tensors and containers of them.
    """

    recipe: dict[str, Any]
    method: str
    architecture: dict[str, Any]
    data: dict[str, Any]
    alphabet: str | None = None
    steps: int
    look_every: int
    reads: int
    counted: str
    unit: str
    how: str
    clip: float | None = 1.0
    warm_up: int = 200
    model: M
    optimizers: list[torch.optim.Optimizer]
    carried: Any = None

    @abstractmethod
    def loss(self, step: int) -> Tensor:
        """The mean loss of this step's batch, in nats, with `carried` brought up to date."""

    @abstractmethod
    def measure(self) -> float:
        """How good the model is on the whole of the validation data. It leaves the random numbers as they are."""

    def final(self) -> float:
        """The same once more at the end, as exactly as it can be."""
        return self.measure()

    def test(self) -> float | None:
        """How good it is on data that nothing was chosen with, where there are such."""
        return None

    def rate(self, step: int) -> float:
        """The part of the peak rate that this step takes: 0 to 1."""
        return min(1.0, (step + 1) / self.warm_up) * 0.5 * (1 + math.cos(math.pi * step / self.steps))


def train(training: Training, checkpoint: Path, log: Log = print) -> dict[str, Any]:
    """Train to the end, from the checkpoint if there is one of this recipe. Returns what was measured on the way.

    Raises FloatingPointError where the loss is no finite number.
    """
    run = resume(training, checkpoint, log) or {"step": 0, "seconds": 0.0, "looks": []}
    peaks = [[group["lr"] for group in optimizer.param_groups] for optimizer in training.optimizers]
    total, since = torch.zeros(()), 0
    for step in range(run["step"], training.steps):
        start = process_time()
        total += advance(training, step, peaks)
        since += 1
        run["seconds"] += process_time() - start
        if (step + 1) % training.look_every == 0 or step + 1 == training.steps:
            loss = total.item() / since
            if not math.isfinite(loss):
                raise FloatingPointError(f"step {step + 1}: the loss is {loss}. A lower rate may help.")
            look = {
                "step": step + 1,
                "read": (step + 1) * training.reads,
                "seconds": round(run["seconds"], 1),
                "training_loss": round(loss, 4),
                "validation": round(training.measure(), 4),
            }
            run["looks"].append(look)
            run["step"], total, since = step + 1, torch.zeros(()), 0
            keep(training, run, peaks, checkpoint)
            log(
                f"step {look['step']:,} of {training.steps:,}, {look['seconds']:,.0f} s: training loss "
                f"{look['training_loss']:.3f} nats, validation {look['validation']:.4f} {training.unit}"
            )
    return run


def advance(training: Training, step: int, peaks: list[list[float]]) -> Tensor:
    """One step; its loss, detached."""
    for optimizer, rates in zip(training.optimizers, peaks, strict=True):
        for group, peak in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = peak * training.rate(step)
    training.model.train()
    loss = training.loss(step)
    training.model.zero_grad()
    loss.backward()
    if training.clip is not None:
        nn.utils.clip_grad_norm_(training.model.parameters(), training.clip)
    for optimizer in training.optimizers:
        optimizer.step()
    return loss.detach()


def keep(training: Training, run: dict[str, Any], peaks: list[list[float]], path: Path) -> None:
    """Write all that the next step needs; whole or not at all."""
    stored = io.BytesIO()
    for optimizer, rates in zip(training.optimizers, peaks, strict=True):
        for group, peak in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = peak  # the rate of this step follows from its number
    content = {
        "recipe": training.recipe,
        "architecture": training.architecture,
        "run": run,
        "model": training.model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in training.optimizers],
        "carried": training.carried,
        "random": torch.get_rng_state(),
    }
    torch.save(content, stored)
    write_whole(path, stored.getvalue())


def resume(training: Training, path: Path, log: Log) -> dict[str, Any] | None:
    """Put the training where the checkpoint says; None where there is none, or one of another recipe."""
    if not path.exists():
        return None
    content = torch.load(path, weights_only=True)
    if (content["recipe"], content["architecture"]) != (training.recipe, training.architecture):
        log(f"{path} is of another recipe, so this training starts at its beginning.")
        return None
    training.model.load_state_dict(content["model"])
    for optimizer, state in zip(training.optimizers, content["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    training.carried = content["carried"]
    torch.set_rng_state(content["random"])
    log(f"Going on from step {content['run']['step']:,} of {training.steps:,}.")
    return content["run"]
